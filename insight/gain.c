/* SPDX-License-Identifier: MIT */
#include "insight/gain.h"

#include <math.h>

static const uint64_t judged_from = 4;  /* evaluations */
static const uint64_t stalled_from = 2; /* evaluations after the best */

static double clip(double v, double lo, double hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

/* Share of the planned length that is done; NaN: no plan. */
static double progress(const struct insight *s)
{
    double total = s->config.total;
    return total > 0 ? clip(s->x / total, 0.01, 0.999) : NAN;
}

/* How much the training loss fell over the last quarter of the run, as a share. */
static double training_trend(const struct insight *s)
{
    double level = s->divergence.trend_level;
    double before = history_at(&s->curve.trains, 0.75 * (double)s->curve.count);
    if (isnan(level) || isnan(before) || before == 0)
        return 0;
    return (before - level) / fabs(before);
}

/* Training got better since the best while the level got worse. */
static double overfit_product(const struct insight *s, double gap)
{
    double level = s->divergence.trend_level;
    double at_best = s->curve.train_at_best;
    if (isnan(level) || isnan(at_best) || at_best == 0)
        return 0;
    return fmax(0, (at_best - level) / fabs(at_best)) * fmin(gap * 10, 3);
}

static void add_plan(double p, double left, double wait_share, double waited, double *out)
{
    out[0] = p;
    out[1] = log(left);
    out[2] = p * p;
    out[3] = wait_share * p;
    out[4] = fmin(waited / fmax(left, 1), 3);
}

size_t gain_features(const struct insight *s, double out[GAIN_FEATURES])
{
    const struct curve *c = &s->curve;
    double range = c->count >= judged_from ? curve_range(c) : 0;
    if (!(range > 0))
        return 0;
    double k = (double)c->count;
    double p = progress(s);
    double waited = (double)curve_since_best(c);
    double noise = fmax(1.25 * c->noise, 1e-4 * range);
    double left = fmax(isnan(p) ? k : k * (1 - p) / p, 0.5);
    double gap = (c->level - c->best) / range;
    double distance = (c->level - c->best + 0.01 * range) / noise;
    out[0] = 1;
    out[1] = log(1 + waited);
    out[2] = waited / k;
    out[3] = log(1e-3 + (history_at(&c->bests, 0.5 * k) - c->best) / range);
    out[4] = log(1e-3 + (history_at(&c->bests, 0.75 * k) - c->best) / range);
    out[5] = log(noise / range);
    out[6] = fmin(gap, 3);
    out[7] = clip(distance - sqrt(2 * log(1 + left)), -4, 8);
    out[8] = log(k);
    out[9] = clip(training_trend(s), -1, 1);
    out[10] = fmin(overfit_product(s, gap), 2);
    out[11] = clip(c->trend / noise, -3, 3);
    out[12] = log(1 + waited) * waited / k;
    if (isnan(p))
        return GAIN_BASE;
    add_plan(p, left, waited / k, waited, out + GAIN_BASE);
    return GAIN_FEATURES;
}

static double logistic(const double *weights, const double *features, size_t count)
{
    return 1 / (1 + exp(-clip(model_dot(weights, features, count), -30, 30)));
}

void gain_judge(struct insight *s)
{
    const struct insight_model *m = s->config.model;
    double f[GAIN_FEATURES];
    size_t n = gain_features(s, f);
    s->now.p_gain = s->p_stop = NAN;
    if (n == 0)
        return;
    bool planned = n == GAIN_FEATURES;
    bool stalled = curve_since_best(&s->curve) >= stalled_from;
    s->p_stop = logistic(planned ? m->gain_stall_planned : m->gain_stall, f, n);
    s->now.p_gain =
        stalled ? s->p_stop : logistic(planned ? m->gain_fresh_planned : m->gain_fresh, f, n);
}
