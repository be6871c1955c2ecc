/* SPDX-License-Identifier: MIT */
/*
 * forecast: where the monitored metric ends, with an interval.
 *
 * What the families of curves (families.h) say of the end, weighed by how well they fit, goes with
 * what the last half of the run gained into one linear model; the interval is as wide as such
 * forecasts were wrong on other runs that were as noisy, as far from their end, and as badly
 * foretold by themselves at half their length.
 */
#ifndef INSIGHT_FORECAST_H
#define INSIGHT_FORECAST_H

#include "insight/curve.h"
#include "insight/families.h"
#include "insight/model.h"

/* What the model is told, in units of the range. */
struct forecast_view {
    double x[FORECAST_FEATURES];
    double range, end; /* of the curve */
    double ensemble;   /* the families' weighted word */
    double spread;     /* between the families that are worth a look */
    double ahead;      /* log of the length at the end by the length so far */
    double noise, half_gain, gap;
};

struct forecast {
    struct families families;
    struct family_fit fit[FAMILIES]; /* as of the newest value */
    double weight[FAMILIES];         /* what each fit's word is worth, one in all */
    double value, lo, hi;            /* signed as the curve */
    uint64_t check_at; /* evaluations at which the word below comes due; 0: none is out */
    double check_value;
    double self_error; /* how wrong the last one was; NaN: none came due */
};

void forecast_init(struct forecast *f);

/* The curve has a new value. */
void forecast_push(struct forecast *f, const struct curve *c);

/* At x, with the end at `horizon`: both on the run's axis. False: not known (yet). */
bool forecast_read(struct forecast *f, const struct curve *c, const struct insight_model *m,
                   double x, double horizon);

/* What the families together say of evaluation x. Asserts that there was one. */
double forecast_ensemble(const struct forecast *f, double x);

/* For the fit of the model: what it would be told now of a run of `n` evaluations. */
void forecast_look(const struct forecast *f, const struct curve *c, double n,
                   struct forecast_view *out);
void forecast_scale_features(const struct forecast *f, const struct curve *c,
                             const struct forecast_view *v, double word,
                             double out[SCALE_FEATURES]);

/* How many evaluations there will be by `horizon`; NaN: not known. */
double forecast_length(const struct curve *c, double x, double horizon);

#endif
