/* SPDX-License-Identifier: MIT */
#include "insight/stopping.h"

#include <math.h>

static const double even = 0.5;   /* a chance below: no hope against a very long wait */
static const double hopeless = 4; /* times the patience */
static const double noisy = 10;   /* a range of fewer noises says little */

static const double young = 0.3;      /* of the plan */
static const double worth_most = 1.5; /* times the chance that is taken at half of the plan */
static const double hold = 0.2;       /* of the range: gained since the first evaluation */
static const double sure = 2;         /* errors of a slope */
static const double sunk = 0.01; /* ranges over the later half: as much as a gain that counts */

static const uint64_t worse_from = 5;  /* evaluations */
static const uint64_t worse_since = 3; /* evaluations after the best */
static const uint64_t worse_for = 2;   /* evaluations in a row */

/* Evaluations that the run is given after a gain. */
static double patience(const struct insight *s)
{
    const struct curve *c = &s->curve;
    double need = curve_patience(c) * s->config.caution;
    if (c->count > 0 && curve_range(c) < noisy * c->noise)
        need *= 1 + 2 * s->config.caution;
    return fmax(1, need);
}

bool stopping_overfit(const struct insight *s, double out[OVERFIT_LIMITS])
{
    const struct curve *c = &s->curve;
    double range = c->count >= worse_from ? curve_range(c) : 0;
    double fall = c->train_at_best - s->divergence.trend_level;
    if (!(range > 0) || isnan(fall) || c->train_at_best == 0 || curve_since_best(c) < worse_since)
        return false;
    out[0] = (c->level - c->best) / range;
    out[1] = c->noise > 0 ? (c->level - c->best) / c->noise : 0;
    out[2] = (double)curve_since_best(c) / (double)c->count;
    out[3] = fall / fabs(c->train_at_best);
    return true;
}

static void judge_overfitting(struct insight *s)
{
    double is[OVERFIT_LIMITS];
    bool worse = stopping_overfit(s, is);
    for (int i = 0; worse && i < OVERFIT_LIMITS; i++)
        worse = is[i] > s->config.model->overfit[i];
    s->worse = worse ? s->worse + 1 : 0;
    s->now.overfitting = s->worse >= worse_for;
}

/* Share of the planned length that is over; NaN without a plan. */
static double progress(const struct insight *s)
{
    return s->total > 0 ? s->x / s->total : NAN;
}

/* Falling over the later half, surely and by as much as a gain that counts: it goes on in small
 * steps, or overfitted at first and learns to generalise late. */
static bool still_falls(const struct insight *s)
{
    const struct curve *c = &s->curve;
    if (c->count < worse_from)
        return false;
    struct curve_line line = curve_line(c);
    return line.sure < -sure && line.rise < -sunk * curve_range(c);
}

/* What stopping saves, against half of the plan; without a plan as if half of it were left. */
static double worth(const struct insight *s)
{
    double done = progress(s);
    return isnan(done) ? 1 : fmin(2 * fmax(1 - done, 0), worth_most);
}

static bool gain_is_unlikely(const struct insight *s, double need)
{
    double waited = (double)s->curve.waited;
    return s->config.tau >= 1 || s->p_stop < s->config.tau * worth(s) ||
           (s->p_stop < even && waited >= hopeless * need);
}

/* Of a plan so little is over that nothing is known of its end. */
static bool is_young(const struct insight *s)
{
    return progress(s) < young;
}

/* Worse than it began nearly all the time, whatever it gained at first: it has not begun to
 * generalise, and nobody knows whether it will. The chance of a gain is fitted from runs that did.
 */
static bool never_took_hold(const struct curve *c)
{
    return c->first - c->best < hold * (c->worst - c->best);
}

static void advise(struct insight *s, enum stop_cause cause)
{
    s->now.stop.cause = cause;
    s->now.stop.recommend = cause != STOP_NO;
    s->now.stop.why = stop_why(cause);
}

void stopping_judge(struct insight *s)
{
    const struct curve *c = &s->curve;
    double need = patience(s);
    s->now.plateau = (double)c->waited >= need;
    s->now.plateau_at = s->now.plateau && c->count > 0 ? s->sign * curve_end(c) : NAN;
    s->now.stop.waited = c->waited;
    s->now.stop.patience = (uint64_t)ceil(need);
    bool over = s->now.plateau && gain_is_unlikely(s, need);
    bool spared = is_young(s) || still_falls(s) || never_took_hold(c);
    advise(s, over && !spared ? STOP_NO_GAIN : STOP_NO);
    if (s->monitor != MONITOR_TRAIN_LOSS && c->count > 0 && isfinite(s->now.monitored))
        judge_overfitting(s);
}

void stopping_see_divergence(struct insight *s)
{
    if (divergence_lasts(&s->divergence))
        advise(s, STOP_DIVERGED);
    else if (s->now.stop.cause == STOP_DIVERGED)
        advise(s, STOP_NO);
}
