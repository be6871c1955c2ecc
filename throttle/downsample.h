/* SPDX-License-Identifier: MIT */
/*
 * downsample: a long series as a few points that show its shape, the same ones every time.
 *
 * The range is cut into buckets whose width is a power of two and whose borders are multiples of
 * it, so they depend on the range and the budget alone: however much is appended after the range,
 * the same request gives the same points. Each bucket yields at most four: its first, lowest,
 * highest and last, in order, none twice.
 *
 * A value that is not finite is never lowest or highest, and never lost: the earliest such of a
 * bucket is always among its points, in the place of the first if four others want theirs. Of
 * equal values the earliest is kept.
 *
 * A plain value; O(1) memory, O(1) a point; no callback: points go in one by one and at most four
 * come out whenever a bucket ends. Pure, allocates nothing.
 */
#ifndef THROTTLE_DOWNSAMPLE_H
#define THROTTLE_DOWNSAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DOWNSAMPLE_PER_BUCKET = 4 };

struct downsample_point {
    uint64_t x;   /* any unit: offset, step, microseconds */
    double y;     /* may be NaN or infinite */
    uint64_t ref; /* the caller's own, e.g. where the whole record stands */
};

/* A point of the bucket at hand. */
struct downsample_kept {
    struct downsample_point point;
    size_t at; /* 1-based position in the bucket; 0: there is none */
};

struct downsample {
    uint64_t from, to; /* the range [from, to) */
    unsigned shift;    /* the bucket of x is x >> shift; 64: there is one bucket */
    uint64_t bucket;   /* the one at hand */
    size_t count;      /* points taken into it */
    struct downsample_kept first, lowest, highest, last;
    struct downsample_kept gap; /* the earliest that is not finite */
};

/*
 * The bucket width for a range and a budget: the smallest power of two with which at most
 * max(points / 4, 1) buckets touch [from, to). 0 stands for 2^64: one bucket for everything.
 */
uint64_t downsample_width(uint64_t from, uint64_t to, size_t points);

/*
 * Starts on [from, to), from <= to, with a budget of points to come out: never more than `points`,
 * a budget below 4 counting as 4.
 */
void downsample_init(struct downsample *d, uint64_t from, uint64_t to, size_t points);

/* The number of the bucket that x is in. */
uint64_t downsample_bucket(const struct downsample *d, uint64_t x);

/* The first x behind that bucket; UINT64_MAX when there is none. */
uint64_t downsample_bucket_end(const struct downsample *d, uint64_t bucket);

/*
 * Takes the next point, in the order of x; points outside the range are ignored. When it begins a
 * new bucket, the points of the one before go to `out`; answers how many (0-4). A point whose x
 * goes back (a trainer that resumed from a checkpoint) counts into the bucket at hand.
 */
size_t downsample_add(struct downsample *d, struct downsample_point point,
                      struct downsample_point out[DOWNSAMPLE_PER_BUCKET]);

/* The points of the last bucket; afterwards the value is as after downsample_init. */
size_t downsample_finish(struct downsample *d, struct downsample_point out[DOWNSAMPLE_PER_BUCKET]);

#endif
