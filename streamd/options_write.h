/* SPDX-License-Identifier: MIT */
/*
 * options_write: the table of options as text for people.
 */
#ifndef STREAMD_OPTIONS_WRITE_H
#define STREAMD_OPTIONS_WRITE_H

#include "streamd/options.h"

/* --help: grouped, at most 80 columns. options_write_markdown is in options.h. */
void options_write_help(FILE *out);

/* The text behind something that ends at column `at` of its line: indented, wrapped at 80. */
void options_write_wrapped(FILE *out, const char *text, int at);

#endif
