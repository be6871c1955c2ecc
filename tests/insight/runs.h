/* SPDX-License-Identifier: MIT */
/* runs: points by the line, for the tests of insight/. */
#ifndef TESTS_INSIGHT_RUNS_H
#define TESTS_INSIGHT_RUNS_H

#include "insight/insight.h"

static inline struct point point_at(double step)
{
    struct point p = {0};
    point_set(&p, POINT_STEP, step);
    return p;
}

static inline const struct assessment *train(struct insight *s, double step, double loss)
{
    struct point p = point_at(step);
    point_set(&p, POINT_TRAIN_LOSS, loss);
    return insight_point(s, &p);
}

/* One line an epoch, with both losses. */
static inline const struct assessment *epoch_of(struct insight *s, double epoch, double loss,
                                                double val_loss)
{
    struct point p = {0};
    point_set(&p, POINT_EPOCH, epoch);
    point_set(&p, POINT_TRAIN_LOSS, loss);
    point_set(&p, POINT_VAL_LOSS, val_loss);
    return insight_point(s, &p);
}

static inline const struct assessment *metric(struct insight *s, double step, double value)
{
    struct point p = point_at(step);
    point_set(&p, POINT_VAL_METRIC, value);
    return insight_point(s, &p);
}

#endif
