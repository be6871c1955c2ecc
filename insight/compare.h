/* SPDX-License-Identifier: MIT */
/*
 * compare: which of two curves of the same metric is the better one, since when, and how surely.
 */
#ifndef INSIGHT_COMPARE_H
#define INSIGHT_COMPARE_H

#include "insight/sketch.h"

struct comparison {
    struct level end[2]; /* where each ends; NaN: too few values to say */
    int better;          /* 0 or 1; -1: neither, or not to be said */
    bool certain;        /* the intervals of the two ends do not meet */
    double gap;          /* between the ends, not negative */
    double share;        /* of it in the range that both cover together: 0.1 = a tenth */
    bool parted;         /* the better one is ahead by more than noise from parted_at to the end */
    double parted_at;    /* x: the first place of that stretch */
};

/* Over the stretch of x that both have. */
void compare_sketches(const struct sketch *a, const struct sketch *b, bool higher_is_better,
                      struct comparison *out);

/* When a curve that goes on as in its last quarter reaches a value. */
struct reach {
    bool expected;        /* else it does not move that way, or too little is known */
    double x, x_lo, x_hi; /* where; x_hi is infinite where the slower rates do not get there */
    double s, s_lo, s_hi; /* seconds from its newest value until then; NaN: no times */
};

/* Asserts nothing: one that is there already, or has fewer than 8 values, is not expected. */
void sketch_reach(const struct sketch *s, double target, bool higher_is_better, struct reach *out);

#endif
