/* SPDX-License-Identifier: MIT */
/*
 * options_write: the table of options as text for people.
 */
#ifndef STREAMD_OPTIONS_WRITE_H
#define STREAMD_OPTIONS_WRITE_H

#include "streamd/options.h"

/* --help: grouped, at most 80 columns. options_write_markdown is in options.h. */
void options_write_help(FILE *out);

#endif
