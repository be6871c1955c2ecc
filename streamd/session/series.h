/* SPDX-License-Identifier: MIT */
/*
 * series: the history of one session in memory.
 *
 * Complete records (derived fields included), packed back to back in chunks, oldest first, each
 * with an offset that rises by one from 1 and the server's receive time. Past a cap the oldest
 * chunk is dropped and counted; offsets go on. The newest record always stays. Metric names are
 * interned once per series, and there are at most SERIES_NAMES_MAX of them.
 */
#ifndef STREAMD_SESSION_SERIES_H
#define STREAMD_SESSION_SERIES_H

#include "base/list.h"
#include "proto/record.h"
#include "streamd/stats.h"

struct series;

enum {
    SERIES_NAMES_MAX = 16383,        /* different names of extras in one series */
    SERIES_NAME_BYTES_MAX = 2 << 20, /* what they may cost in memory */
};

/*
 * What all series of the daemon share: the budget they draw on. When it is used up, a series that
 * holds more than an equal share loses its own oldest chunk, and otherwise the oldest full chunk of
 * all goes. It is never exceeded by more than one open chunk (16 KiB) and the names of each series.
 */
struct series_budget {
    uint64_t max_bytes;  /* over all series */
    uint64_t series;     /* that draw on it */
    struct list sealed;  /* of chunk.age: the full chunks of all series, oldest first */
    struct stats *stats; /* borrows; history_bytes is what is in use */
};

void series_budget_init(struct series_budget *b, uint64_t max_bytes, struct stats *stats);

/* An empty series whose next record gets the offset after `newest`. */
void series_begin_at(struct series *s, uint64_t newest);

/* Forgets all after `newest`; the next record gets the offset after it. */
void series_cut(struct series *s, uint64_t newest);

/* NULL when out of memory. `max_records` > 0 per session; `budget` is borrowed. */
struct series *series_create(struct series_budget *budget, uint64_t max_records);
void series_destroy(struct series *s);

/*
 * Copies the record in, but for `ignored`. An extra with a new name past SERIES_NAMES_MAX is left
 * out and counted. E_NOMEM: nothing was kept, *out_offset untouched.
 */
MUST_CHECK enum status series_append(struct series *s, const struct record *r, double server_time_s,
                                     uint64_t *out_offset);

uint64_t series_count(const struct series *s);

/* Offsets of the oldest and newest entry kept; 0 when empty. Newest never goes back. */
uint64_t series_oldest(const struct series *s);
uint64_t series_newest(const struct series *s);

/* One entry read back. The record borrows from the series until its next change, its extras from
 * the cursor until its next step. */
struct series_entry {
    uint64_t offset;
    double server_time_s; /* wall, whole milliseconds */
    uint64_t axis;        /* where it stands on the session's axis (axis.h); 0 from a series */
    struct record record;
};

/* A place in a series, valid until the series changes. */
struct series_cursor {
    const struct series *series; /* borrows */
    size_t chunk;                /* counted from the oldest */
    size_t at;                   /* bytes into the chunk */
    uint64_t offset;             /* of the entry there */
    struct extra *extra;         /* owns: scratch for the entry's extras */
    size_t extra_cap;
};

/* Places the cursor so that series_next gives the first entry with offset >= `offset`. O(log n). */
void series_cursor_init(struct series_cursor *c, const struct series *s, uint64_t offset);
void series_cursor_fini(struct series_cursor *c);

/* False at the end. E_NOMEM while reading ends the walk too. */
bool series_next(struct series_cursor *c, struct series_entry *out);

#endif
