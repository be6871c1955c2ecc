/* SPDX-License-Identifier: MIT */
/*
 * epochs: which records of a session are epochs, and what their losses say.
 *
 * Nothing of the records is here, only their offsets: an epoch is read where it is, in history. So
 * an epoch costs a byte or two, however long the run, and the flags are made as it comes. Embedded
 * in a session, kept in its row. Past EPOCHS_BYTES_MAX the older half is forgotten; the flags and
 * the count are of all.
 *
 * A rewind supersedes epochs: then the list is `stale` until somebody asks, and is made again from
 * those of its records that still stand.
 */
#ifndef STREAMD_SESSION_EPOCHS_H
#define STREAMD_SESSION_EPOCHS_H

#include "base/buf.h"
#include "insight/epoch_trend.h"
#include "streamd/session/epoch.h"

enum { EPOCHS_BYTES_MAX = 16384 };

struct epochs {
    struct epoch_trend trend;
    uint64_t kept;    /* offsets in `steps`: those of the newest epochs */
    uint64_t before;  /* offset that the first of them counts from */
    uint64_t newest;  /* offset of the newest one; 0: none */
    bool stale;       /* some of them may be superseded */
    struct buf steps; /* owns; from each offset to the next, as varints */
};

void epochs_init(struct epochs *e);
void epochs_fini(struct epochs *e);
void epochs_reset(struct epochs *e);

/* The next one. Out of memory, it counts and is not listed; with an offset that is not larger than
 * that of the one before it begins the list anew. */
void epochs_add(struct epochs *e, const struct epoch *epoch);

/* Index of the first one listed; those before are forgotten. */
uint64_t epochs_first(const struct epochs *e);

/* Copies out the offsets of epochs from that index (>= epochs_first) on, at most `max`; answers how
 * many. */
size_t epochs_offsets(const struct epochs *e, uint64_t from, uint64_t *out, size_t max);

/* The same for who goes through them without a bound: what is borrowed until the next change of *e
 * is taken apart with epochs_next, which begins at *out_before. */
struct span epochs_steps(const struct epochs *e, uint64_t from, uint64_t *out_before);
bool epochs_next(struct span *steps, uint64_t *offset);

/* Appends it in a form of this machine's own, for the store; reads it back in place of what *e
 * holds. E_MALFORMED, E_NOMEM: *e is empty. No bytes are no epochs. */
void epochs_write(const struct epochs *e, struct buf *out);
MUST_CHECK enum status epochs_read(struct epochs *e, struct span bytes);

#endif
