/* SPDX-License-Identifier: MIT */
/*
 * trainer_options: the command line of demo-trainer.
 *
 * A wrong one is answered with one line on stderr that names the option, the value and the range.
 */
#ifndef DEMO_TRAINER_OPTIONS_H
#define DEMO_TRAINER_OPTIONS_H

#include <stdbool.h>

struct trainer_options {
    const char *socket;  /* borrowed from argv; NULL: the client's default */
    const char *session; /* borrowed from argv; NULL: a fresh id */
    unsigned long models;
    unsigned long seed;
    unsigned long steps; /* of each model */
    unsigned long step_delay_us;
    bool quiet;
    bool help;
};

/* False after saying what is wrong; what is not given has its default. */
bool trainer_options_parse(int argc, char **argv, struct trainer_options *out);

/* All options with their meanings, on stdout. */
void trainer_options_print(void);

#endif
