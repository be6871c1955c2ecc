/* SPDX-License-Identifier: MIT */
/*
 * reading_points: chooses, along the session's axis, the entries that show the shape of a long
 * history.
 *
 * Fed with every entry that counts, in order: one by one, a segment's columns at a time, or, when a
 * segment lies inside one bucket, by what its head says. All three choose the same. Whatever was
 * chosen in a bucket that has ended is there to be taken away. Memory: a few
 * points a metric, and those of one segment.
 */
#ifndef STREAMD_STORE_READING_POINTS_H
#define STREAMD_STORE_READING_POINTS_H

#include "streamd/store/reading.h"
#include "streamd/store/segment.h"
#include "throttle/downsample.h"

struct points {
    const struct reading_request *request; /* borrows */
    struct downsample curve[READING_FIELDS_MAX];
    size_t curves;
    uint64_t x;       /* how far along the axis; never falls */
    uint64_t *chosen; /* owns: offsets, of which `taken` are with the caller already */
    size_t taken, count, cap;
    bool sorted;        /* and each is there once */
    enum status failed; /* E_NOMEM: one was lost; all later answers are this */
    double *values;     /* owns: scratch for a column */
    bool *has;          /* owns: the same; which of its rows count */
    bool all;           /* they all do, and `has` is undefined */
};

/* Entries stand on the axis within [from, to). Allocates nothing. */
void points_init(struct points *p, const struct reading_request *request, uint64_t from,
                 uint64_t to);
void points_fini(struct points *p);

MUST_CHECK enum status points_add(struct points *p, const struct series_entry *entry);

/* By the head of a segment of which every row counts. False: the columns must be looked at. */
bool points_add_head(struct points *p, const struct segment *segment);

/* `takes`: the rows that count; NULL: all. E_MALFORMED, E_NOMEM. */
MUST_CHECK enum status points_add_segment(struct points *p, struct segment *segment,
                                          const bool *takes);

/* Nothing more comes. */
MUST_CHECK enum status points_end(struct points *p);

/* The next offset chosen, in order; false: none at present. Once begun, all are taken before
 * anything is added again. */
bool points_take(struct points *p, uint64_t *out);

#endif
