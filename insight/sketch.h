/* SPDX-License-Identifier: MIT */
/*
 * sketch: a series of any length in a few hundred values, evenly spaced and the newest besides.
 *
 * For questions about the whole of a curve: where it ends, where it parts from another. When it is
 * full, every other value is dropped and half as many are taken from then on, so what is kept
 * depends on the series alone. A plain value; memory does not grow.
 */
#ifndef INSIGHT_SKETCH_H
#define INSIGHT_SKETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SKETCH_MAX = 256 };

struct sketch_point {
    double x;      /* step or epoch; never falls */
    double time_s; /* when */
    double value;  /* finite */
};

struct sketch {
    struct sketch_point kept[SKETCH_MAX];
    size_t count;
    uint64_t stride;
    uint64_t seen; /* values pushed */
    struct sketch_point newest;
};

void sketch_init(struct sketch *s);

/* A value that is not finite is passed over; one further back than the newest ends what followed
 * it, as a resumed run does. */
void sketch_push(struct sketch *s, double x, double time_s, double value);

/* A level with the interval in which it is nine times of ten. */
struct level {
    double value, lo, hi;
    double x; /* the middle of the stretch it was taken from */
};

/* The mean of the last tenth (of 3 values at least). False: there are fewer. */
bool sketch_end(const struct sketch *s, struct level *out);

/* By straight lines between the values kept; before the first and behind the newest, theirs.
 * Asserts seen > 0. */
double sketch_at(const struct sketch *s, double x);

/* Median step from one kept value to the next, without its sign, over sqrt(2) and 0.67: the noise
 * of a value. 0: fewer than three are kept. */
double sketch_noise(const struct sketch *s);

#endif
