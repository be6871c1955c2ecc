/* SPDX-License-Identifier: MIT */
/*
 * curve: the monitored metric, evaluation by evaluation.
 *
 * Values come in signed so that lower is better. What counts as a gain is a share of the range that
 * the run has covered, so nothing here knows a scale.
 */
#ifndef INSIGHT_CURVE_H
#define INSIGHT_CURVE_H

#include "insight/history.h"

#include <stdbool.h>

enum { CURVE_LAST = 5 };

struct curve {
    uint64_t count;     /* evaluations that were finite */
    uint64_t waited;    /* since the last gain that counted, those not finite among them */
    uint64_t stalled;   /* the longest such wait that ended in a gain */
    uint64_t gained_at; /* number of the evaluation with that gain, from 1 */
    uint64_t gains;     /* how many counted, the first value among them */
    uint64_t best_at;   /* number of the best */
    double first, best, worst;
    double reference;    /* the value that the next gain is measured from */
    double level, trend; /* Holt's, of the values */
    double noise;        /* mean error of the level foretelling the next value */
    double first_x;      /* where the first one was */
    double train_at_best;
    double last[CURVE_LAST]; /* the newest, the newest last */
    struct history bests, trains, values;
};

void curve_init(struct curve *c);

/*
 * An evaluation: finite `value` at `x`, with the level of the training loss then (NaN: none).
 * `strict`: a gain counts against the range since a tenth of the run.
 */
void curve_push(struct curve *c, double value, double x, double train_level, bool strict);

/* One that was not finite. */
void curve_miss(struct curve *c);

/* What the run has covered: from its first value to its best, or from worst to best. Asserts
 * count > 0. */
double curve_range(const struct curve *c);

/* Evaluations that a run like this deserves to wait for a gain, before any caution. */
double curve_patience(const struct curve *c);

/* The line through the later half of what is kept. */
struct curve_line {
    double rise;           /* over its length; negative: better and better */
    double per_evaluation; /* of that */
    double sure;           /* slope over its own error; 0: not to be said */
};

/* Asserts count > 0. */
struct curve_line curve_line(const struct curve *c);

/* Evaluations after the best. */
uint64_t curve_since_best(const struct curve *c);

/* Where it ends: the median of the newest few. Asserts count > 0. */
double curve_end(const struct curve *c);

#endif
