/* SPDX-License-Identifier: MIT */
#include "insight/gain.h"

#include <assert.h>
#include <math.h>

static const uint64_t judged_from = 4; /* evaluations */
static const double unlikely = 0.2;    /* below: a class of its own */
static const double likely = 0.6;

static double clip(double v, double lo, double hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

/* v / by, NaN where that is nothing. */
static double ratio(double v, double by)
{
    return by == 0 ? NAN : v / by;
}

/* The plain numbers that many features are made of. */
struct view {
    const struct curve *c;
    double k, range, noise, waited;
    double progress; /* share of the planned length; NaN: no plan */
    double train;    /* level of the training loss; NaN: none */
};

static struct view view_of(const struct insight *s)
{
    const struct curve *c = &s->curve;
    double range = curve_range(c);
    double total = s->total;
    return (struct view){
        .c = c,
        .k = (double)c->count,
        .range = range,
        .noise = fmax(1.25 * c->noise, 1e-4 * range),
        .waited = (double)curve_since_best(c),
        .progress = total > 0 ? clip(s->x / total, 0.01, 0.999) : NAN,
        .train = s->divergence.trend_level,
    };
}

static double gained_since(const struct view *v, double share)
{
    return log(1e-3 + (history_at(&v->c->bests, share * v->k) - v->c->best) / v->range);
}

/* How much the training loss fell over the last quarter of the run, as a share; 0: not known. */
static double training_trend(const struct view *v)
{
    double before = history_at(&v->c->trains, 0.75 * v->k);
    if (isnan(v->train) || isnan(before) || before == 0)
        return 0;
    return clip((before - v->train) / fabs(before), -1, 1);
}

/* Training got better since the best while the level got worse. */
static double overfit_product(const struct view *v, double gap)
{
    double at_best = v->c->train_at_best;
    if (isnan(v->train) || isnan(at_best) || at_best == 0)
        return 0;
    return fmin(fmax(0, (at_best - v->train) / fabs(at_best)) * fmin(gap * 10, 3), 2);
}

static double *add_wait(const struct view *v, double left, double *out)
{
    const struct curve *c = v->c;
    double gap = (c->level - c->best) / v->range;
    double distance = (c->level - c->best + 0.01 * v->range) / v->noise;
    *out++ = log(1 + v->waited);
    *out++ = v->waited / v->k;
    *out++ = gained_since(v, 0.5);
    *out++ = gained_since(v, 0.75);
    *out++ = log(v->noise / v->range);
    *out++ = fmin(gap, 3);
    *out++ = clip(distance - sqrt(2 * log(1 + left)), -4, 8);
    *out++ = log(v->k);
    *out++ = training_trend(v);
    *out++ = overfit_product(v, gap);
    *out++ = clip(c->trend / v->noise, -3, 3);
    *out++ = log(1 + v->waited) * v->waited / v->k;
    return out;
}

/* NaN all of it without a plan. */
static double *add_plan(const struct view *v, double left, double *out)
{
    double p = v->progress;
    *out++ = p;
    *out++ = isnan(p) ? NAN : log(left);
    *out++ = p * p;
    *out++ = v->waited / v->k * p;
    *out++ = isnan(p) ? NAN : fmin(v->waited / fmax(left, 1), 3);
    return out;
}

static double *add_gains(const struct view *v, double *out)
{
    const struct curve *c = v->c;
    *out++ = log(((double)c->waited + 1) / curve_patience(c));
    *out++ = (double)c->gained_at / v->k;
    *out++ = (double)c->stalled / v->k;
    *out++ = (double)c->gains / v->k;
    return out;
}

/* The learning rate against its highest and against that of a quarter ago; the training loss
 * against its start, against half the run ago, and against that at the best. */
static double *add_training(const struct insight *s, const struct view *v, double *out)
{
    *out++ = clip(ratio(s->lr, s->lr_max), 0, 1);
    *out++ = clip(ratio(s->lr, history_at(&s->rates, 0.75 * v->k)), 0, 2);
    *out++ = clip(ratio(v->train, s->divergence.start), 0, 2);
    *out++ = clip(ratio(v->train, history_at(&v->c->trains, 0.5 * v->k)), 0, 2);
    *out++ = clip(ratio(v->train, v->c->train_at_best), 0, 2);
    return out;
}

/* The line through the later half: its rise in ranges, and how sure that is. */
static double *add_slope(const struct view *v, double *out)
{
    struct curve_line line = curve_line(v->c);
    *out++ = clip(line.rise / v->range, -3, 3);
    *out++ = clip(line.sure, -10, 10);
    return out;
}

static double *add_newest(const struct view *v, double *out)
{
    const struct curve *c = v->c;
    double least = c->last[CURVE_LAST - 1];
    for (unsigned i = 0; i < CURVE_LAST && i < c->count; i++)
        least = fmin(least, c->last[CURVE_LAST - 1 - i]);
    *out++ = log(1e-3 + (least - c->best) / v->range);
    *out++ = fmin((least - c->best) / v->noise, 10);
    *out++ = fmin((c->level - c->best) / v->noise, 10);
    return out;
}

bool gain_features(const struct insight *s, double out[GAIN_FEATURES])
{
    if (s->curve.count < judged_from || !(curve_range(&s->curve) > 0))
        return false;
    struct view v = view_of(s);
    double left = isnan(v.progress) ? v.k : v.k * (1 - v.progress) / v.progress;
    double *at = out;
    *at++ = clip((v.c->best - forecast_ensemble(&s->forecast, 2 * v.k)) / v.range, -1, 1);
    *at++ = clip((v.c->best - forecast_ensemble(&s->forecast, v.k)) / v.range, -1, 1);
    at = add_wait(&v, fmax(left, 0.5), at);
    at = add_plan(&v, fmax(left, 0.5), at);
    at = add_gains(&v, at);
    at = add_training(s, &v, at);
    at = add_slope(&v, at);
    at = add_newest(&v, at);
    assert(at == out + GAIN_FEATURES);
    return true;
}

static double chance(double base, const double *trees, const double *features)
{
    return 1 / (1 + exp(-base - model_trees(trees, GAIN_TREES, features)));
}

void gain_judge(struct insight *s)
{
    const struct insight_model *m = s->config.model;
    double f[GAIN_FEATURES];
    s->now.p_gain = s->p_stop = NAN;
    s->now.gain_class = GRADE_HIGH;
    if (!gain_features(s, f))
        return;
    double p = chance(m->gain_base[0], m->gain_trees, f);
    s->now.p_gain = p;
    s->now.gain_class = p < unlikely ? GRADE_LOW : p < likely ? GRADE_MEDIUM : GRADE_HIGH;
    s->p_stop = s->config.strict ? chance(m->strict_base[0], m->strict_trees, f) : p;
}
