/* SPDX-License-Identifier: MIT */
/*
 * terminal: colour and curves where a person looks, plain text everywhere else.
 */
#ifndef STREAMD_TOOLS_TERMINAL_H
#define STREAMD_TOOLS_TERMINAL_H

#include "base/buf.h"

#include <stddef.h>
#include <stdio.h>

/* Is it a terminal? With colour unless NO_COLOR is set (https://no-color.org) or TERM is dumb. */
bool terminal_is(FILE *out);
bool terminal_has_colour(FILE *out);

/* A run's state in its colour, padded to `width`. */
void terminal_print_state(FILE *out, struct span state, int width);

/* The values as a line of blocks, lowest to highest; a value that is not finite is a space. */
void terminal_sparkline(const double *values, size_t count, struct buf *out);

#endif
