/* SPDX-License-Identifier: MIT */
/*
 * summary: what became of each metric of a run, in a few numbers.
 *
 * Last, lowest, highest and, by proto/goal.h, best value of the loss and of everything else that
 * the trainer sent as a number of its own, each with the step where it was first reached. It costs
 * the same however long the run is, outlives the history it was made from, and is kept as bytes in
 * the session's row. Embedded nowhere: a session owns one.
 */
#ifndef STREAMD_SESSION_SUMMARY_H
#define STREAMD_SESSION_SUMMARY_H

#include "base/buf.h"
#include "proto/record.h"

struct summary;

enum {
    SUMMARY_METRICS_MAX = 256,              /* the first ones; others are left out */
    SUMMARY_NAME_BYTES_MAX = 16384,         /* of all their names together */
    SUMMARY_BYTES_MAX = 16384 + 16384 + 16, /* that summary_write appends */
};

/* Empty; NULL when out of memory. */
struct summary *summary_create(void);

/* NULL is allowed. */
void summary_destroy(struct summary *s);

/* Empty again, for a session that begins anew. */
void summary_reset(struct summary *s);

/* Takes a completed record in. Out of memory, a new metric is left out as one too many is. */
void summary_add(struct summary *s, const struct record *r);

/* Adds what came after it: as if the records of `later` had been added to *s. */
void summary_append(struct summary *s, const struct summary *later);

/*
 * Appends {"loss":{"count":N,"last":..,"lastStep":..,"best":..,"bestStep":..,"min":..,"minStep":..,
 * "max":..,"maxStep":..,"goal":"min"},..}, values rounded as in payloads. null: no finite value or
 * no step was sent; a `last` that is not finite is named in "nonFinite":{"last":"NaN"} beside it.
 */
void summary_write_json(const struct summary *s, struct buf *out);

/* Appends it in a form of this machine's own, for the store. */
void summary_write(const struct summary *s, struct buf *out);

/* Reads that back in place of what *s holds. E_MALFORMED: damaged, or of another version; E_NOMEM:
 * in both cases *s is empty. */
MUST_CHECK enum status summary_read(struct summary *s, struct span bytes);

#endif
