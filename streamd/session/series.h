/* SPDX-License-Identifier: MIT */
/*
 * series: the history of one session in memory.
 *
 * Complete records (derived fields included), packed back to back in chunks, oldest first, each
 * with an offset that rises by one from 1 and the server's receive time. Past the cap the oldest
 * chunk is dropped and counted; offsets go on. Metric names are interned once per series.
 */
#ifndef STREAMD_SESSION_SERIES_H
#define STREAMD_SESSION_SERIES_H

#include "proto/record.h"
#include "streamd/stats.h"

struct series;

/* What all series of the daemon share: the budget they draw on. */
struct series_budget {
    uint64_t max_bytes;  /* over all series */
    uint64_t bytes;      /* in use */
    struct stats *stats; /* borrows */
};

/* NULL when out of memory. `max_records` > 0 per session; `budget` is borrowed. */
struct series *series_create(struct series_budget *budget, uint64_t max_records);
void series_destroy(struct series *s);

/* Copies the record in. E_NOMEM: nothing was kept, *out_offset untouched. */
MUST_CHECK enum status series_append(struct series *s, const struct record *r, double server_time_s,
                                     uint64_t *out_offset);

uint64_t series_count(const struct series *s);

/* Offsets of the oldest and newest entry kept; 0 when empty. Newest never goes back. */
uint64_t series_oldest(const struct series *s);
uint64_t series_newest(const struct series *s);

/* One entry read back. The record's extras borrow from the series until its next change. */
struct series_entry {
    uint64_t offset;
    double server_time_s;
    struct record record;
};

/* A place in a series; a value, valid until the series changes. */
struct series_cursor {
    const struct series *series;
    const void *chunk;
    size_t at;
    uint64_t offset;
    struct extra *extra; /* owns: scratch for the entry's extras */
    size_t extra_cap;
};

/* Places the cursor so that series_next gives the first entry with offset >= `offset`. O(log n). */
void series_cursor_init(struct series_cursor *c, const struct series *s, uint64_t offset);
void series_cursor_fini(struct series_cursor *c);

/* False at the end. E_NOMEM while reading ends the walk too. */
bool series_next(struct series_cursor *c, struct series_entry *out);

#endif
