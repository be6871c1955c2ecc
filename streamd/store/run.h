/* SPDX-License-Identifier: MIT */
/*
 * run: consecutive records of one session as they came, which is how the journal keeps them.
 *
 * A run holds the lines themselves, with what the daemon added to each (its receive time, the time
 * trained, its place on the axis), after what the session remembered before the first. Reading it
 * back decodes and completes every line again, so a record read from a run has the same bits as the
 * one that was told to the watchers. A checksum guards it: altered bytes are never served.
 */
#ifndef STREAMD_STORE_RUN_H
#define STREAMD_STORE_RUN_H

#include "base/buf.h"
#include "proto/line.h"
#include "streamd/session/series.h"

/* What the daemon adds to a line. */
struct run_mark {
    int64_t wall_ms;     /* when it came, since 1970 */
    uint64_t elapsed_ms; /* since the session's start: trainingTime when the trainer sends none */
    uint64_t axis;
};

/* Starts a run in an empty buf. */
void run_begin(struct buf *run, const struct record_memory *before);

/* Appends one `progress` or `epoch` line. Failures stick to the buf. */
void run_add(struct buf *run, struct run_mark mark, struct span line);

/* Nothing may be added afterwards: writes the checksum. */
void run_end(struct buf *run);

/* Completes a decoded record as the session did: the one place where that is written. */
void run_complete(struct record *r, struct record_memory *memory, struct run_mark mark);

/* A run being read. Borrows the bytes and the decoder. */
struct run_reader {
    struct span rest;
    uint64_t offset; /* of the next record */
    struct record_memory memory;
    struct line_decoder *decoder;
};

/* `first`: offset of the first record. E_MALFORMED: damaged, or of a newer version. */
MUST_CHECK enum status run_open(struct run_reader *r, struct span run, uint64_t first,
                                struct line_decoder *decoder);

/* The entry borrows from run and decoder until the next call. E_NOT_FOUND at the end; E_MALFORMED,
 * E_NOMEM. */
MUST_CHECK enum status run_next(struct run_reader *r, struct series_entry *out);

#endif
