/* SPDX-License-Identifier: MIT */
/*
 * reading_walk: the entries a request gets, oldest first.
 *
 * Prepared once, which finds out where `limit` begins and how far the axis goes, then walked as
 * often as the writer needs. Both work in small steps: E_STATE says that a few milliseconds were
 * used up and there is nothing to show yet. Memory: three rows of the store, and what the choice of
 * points keeps.
 */
#ifndef STREAMD_STORE_READING_WALK_H
#define STREAMD_STORE_READING_WALK_H

#include "streamd/store/archive_cursor.h"
#include "streamd/store/reading_points.h"
#include "streamd/store/reading_sieve.h"

/* What a step may cost, in units of an entry looked at, roughly a microsecond. */
enum { WALK_STEP = 2048, WALK_HEAD_COST = 16, WALK_PICK_COST = 16, WALK_BODY_COST = 256 };

enum { WALK_CURSORS = 3 };

/* What walk_prepare is about. */
enum walk_phase { WALK_BOUNDS, WALK_COUNT, WALK_SEEK, WALK_ENDS, WALK_MEASURE, WALK_READY };

struct walk {
    const struct reading_request *request; /* borrows */
    struct sieve sieve;                    /* from the first entry that is given */
    enum walk_phase phase;
    uint64_t total;   /* entries that count, before limit and points */
    bool total_known; /* else it is as many as the walk gives */
    uint64_t skip;    /* of these `limit` leaves out */
    bool choosing;    /* by points */

    struct archive_cursor cursor[WALK_CURSORS];
    struct archive_cursor *ahead;          /* looks at rows in turn */
    struct archive_cursor *recent, *older; /* have the segments that `ahead` opened last */
    uint64_t next;                         /* offset where `ahead` goes on */
    bool judged;                           /* the segment that `ahead` is in, by `takes` */
    uint64_t judged_first;
    bool *takes; /* owns: its rows that count; SEGMENT_ROWS_MAX */
    bool all;    /* every one of its rows counts; `takes` is undefined */

    uint64_t count; /* entries that were let through: given, or passed in COUNT and SEEK */
    uint64_t axis_low, axis_high; /* of these, in COUNT and MEASURE */
    size_t spent; /* of WALK_STEP; the caller's to set to 0 when a new step begins */

    struct segment_wanted wanted; /* of what is chosen */
    struct span names[READING_FIELDS_MAX];
    struct points points;
    bool scanned; /* points have seen the last entry */
    bool opens;   /* the last segment had to be opened for its columns: so will the next */
};

/* All are borrowed. E_NOMEM: walk_fini is needed all the same. */
MUST_CHECK enum status walk_init(struct walk *w, struct store *store, struct line_decoder *decoder,
                                 const struct reading_request *request);
void walk_fini(struct walk *w);

/* E_STATE: call again. OK: ready to be walked. E_IO, E_NOMEM, E_MALFORMED. */
MUST_CHECK enum status walk_prepare(struct walk *w);

/* To the first entry. */
void walk_begin(struct walk *w);

/* E_STATE: call again. E_NOT_FOUND: the end. The entry borrows until the next call. */
MUST_CHECK enum status walk_next(struct walk *w, struct series_entry *out);

/* For who needs no values: if all entries of the next segment are given, its head, and the walk
 * goes on behind it. E_NOT_FOUND: ask walk_next. The head borrows until the next call. */
MUST_CHECK enum status walk_next_head(struct walk *w, const struct segment **out);

/* ---- for reading_measure.c ---- */

/* Brings `ahead` to the row that has the next entry. E_NOT_FOUND: none that can count. */
MUST_CHECK enum status walk_enter(struct walk *w);

/* Goes behind the row that `ahead` is in. */
void walk_pass(struct walk *w);

/* The next entry of the run that `ahead` is in. E_NOT_FOUND: it has ended, or the call has. */
MUST_CHECK enum status walk_next_in_run(struct walk *w, struct series_entry *out);

/* Of the segment that `ahead` is in: NONE, ALL, or SOME, then it is open whole and `takes` is set.
 * When it turned out to be damaged: NONE. */
MUST_CHECK enum status walk_judge(struct walk *w, enum sieve_verdict *out);

#endif
