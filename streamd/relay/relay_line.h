/* SPDX-License-Identifier: MIT */
/*
 * relay_line: a trainer's line as it goes on to the hub.
 *
 * Type and session stand in front, as they were understood; then the number, where it has one; the
 * rest is as it came. That is also how spool files have it (clients/c/spool_format.h). No I/O, no
 * clock.
 */
#ifndef STREAMD_RELAY_RELAY_LINE_H
#define STREAMD_RELAY_RELAY_LINE_H

#include "base/buf.h"
#include "proto/line.h"

/* Appends everything up to the number. */
void relay_line_head(struct buf *b, enum line_type type, struct span session_id);

/*
 * Appends what follows the number: every other member of `text`, which line_decode took, and the
 * closing brace. Of a `start`, `resume`, `implied` and what is for spool files is left out, too,
 * and the brace.
 */
void relay_line_tail(struct buf *b, enum line_type type, struct span text);

/* A `start` up to its last field, which is `resume`; as clients/c has it. */
void relay_line_start(struct buf *b, struct span session_id, struct span text);

/* A `start` that nobody has said: it asks the hub where the run stands. Up to `resume`, too. */
void relay_line_implied(struct buf *b, struct span session_id);
bool relay_line_is_implied(struct span start);

/* The first line of a spool file, without what spool_write_header has added; *out_anew: the hub has
 * not begun it yet. False: it has no `resume`. */
bool relay_line_restore(struct span header, struct span *out_start, bool *out_anew);

#endif
