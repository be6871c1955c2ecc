/* SPDX-License-Identifier: MIT */
/*
 * progress: how far a tool has come, on one line of a terminal.
 *
 * What, percent, rate and time left on stderr, some times a second; nothing at all when stderr is
 * no terminal.
 */
#ifndef STREAMD_TOOLS_PROGRESS_H
#define STREAMD_TOOLS_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PROGRESS_LINE_MAX = 160 };

struct progress {
    const char *what; /* borrows */
    const char *unit; /* borrows; "records", "bytes" */
    uint64_t total;   /* 0: not known */
    bool shown;       /* stderr is a terminal */
    uint64_t begun_us;
    uint64_t drawn_us; /* 0: nothing stands on the line */
};

void progress_begin(struct progress *p, const char *what, const char *unit, uint64_t total);
void progress_set(struct progress *p, uint64_t done);

/* Leaves the line empty. Harmless when it was never begun (zeroed). */
void progress_end(struct progress *p);

/* The line itself, without its end. Answers `out`. */
const char *progress_line(const struct progress *p, uint64_t done, uint64_t spent_us,
                          char out[PROGRESS_LINE_MAX]);

#endif
