/* SPDX-License-Identifier: MIT */
/*
 * line_extras: the decoder's set of a line's own numbers, by name, in the order they came.
 * Part of line.c's decoder; nobody else includes this.
 */
#ifndef PROTO_LINE_EXTRAS_H
#define PROTO_LINE_EXTRAS_H

#include "proto/line.h"

/* Sets name (borrowed) to value; of the same name the last value wins, in the first one's place. */
MUST_CHECK enum status line_extras_put(struct line_decoder *d, struct span name, struct num value);

#endif
