/* SPDX-License-Identifier: MIT */
/*
 * reading_sieve: which entries a request lets through, before limit and points.
 *
 * Asked of one entry, of a segment's head (all of it, none, or one must look), and of a segment's
 * columns. The three never disagree.
 */
#ifndef STREAMD_STORE_READING_SIEVE_H
#define STREAMD_STORE_READING_SIEVE_H

#include "streamd/store/reading.h"
#include "streamd/store/segment.h"

struct sieve {
    const struct reading_request *request; /* borrows */
    uint64_t first, last;                  /* offsets of entries that count */
};

enum sieve_verdict { SIEVE_NONE, SIEVE_SOME, SIEVE_ALL };

/* Do offsets alone decide? */
bool sieve_is_plain(const struct sieve *s);

bool sieve_takes(const struct sieve *s, const struct series_entry *entry);

/* Is that entry superseded? For those that are let through all the same, with `branches`. */
bool sieve_superseded(const struct sieve *s, const struct series_entry *entry);

/* Of the rows of a segment of which the head is open. */
enum sieve_verdict sieve_head(const struct sieve *s, const struct segment *segment);

/* Row by row, of a segment that is open whole; room for SEGMENT_ROWS_MAX. E_MALFORMED, E_NOMEM. */
MUST_CHECK enum status sieve_rows(const struct sieve *s, struct segment *segment, bool *out);

#endif
