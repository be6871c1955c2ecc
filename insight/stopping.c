/* SPDX-License-Identifier: MIT */
#include "insight/stopping.h"

#include <math.h>

static const double wait_least = 5;
static const double wait_share = 0.5; /* of the evaluations before the last gain */
static const double wait_again = 3;   /* times the longest wait that was rewarded */
static const double noisy = 10;       /* a range of fewer noises says little */

static const double worse_share = 0.08; /* of the range, above the best */
static const double worse_noises = 1.5;
static const uint64_t worse_from = 5; /* evaluations */
static const double worse_wait_least = 3;
static const double worse_wait_share = 0.25; /* of all evaluations */
static const uint64_t worse_for = 2;

/* Evaluations that the run is given after a gain. */
static double patience(const struct insight *s)
{
    const struct curve *c = &s->curve;
    double need =
        fmax(wait_least, fmax(wait_share * (double)c->gained_at, wait_again * (double)c->stalled));
    need *= s->config.caution;
    if (c->count > 0 && curve_range(c) < noisy * c->noise)
        need *= 1 + 2 * s->config.caution;
    return fmax(1, need);
}

static bool is_worse(const struct insight *s)
{
    const struct curve *c = &s->curve;
    double range = curve_range(c);
    double above = c->level - c->best;
    return range > 0 && c->count >= worse_from && above > worse_share * range &&
           above > worse_noises * c->noise;
}

static void judge_overfitting(struct insight *s)
{
    const struct curve *c = &s->curve;
    bool trained = s->divergence.trend_level < c->train_at_best;
    double wait = fmax(worse_wait_least, worse_wait_share * (double)c->count);
    bool now = is_worse(s) && trained && (double)curve_since_best(c) >= wait;
    s->worse = now ? s->worse + 1 : 0;
    s->now.overfitting = s->worse >= worse_for;
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
    bool unlikely = s->config.tau >= 1 || s->p_stop < s->config.tau;
    s->now.plateau = (double)c->waited >= need;
    s->now.plateau_at = s->now.plateau && c->count > 0 ? s->sign * c->level : NAN;
    s->now.stop.waited = c->waited;
    s->now.stop.patience = (uint64_t)ceil(need);
    advise(s, s->now.plateau && unlikely ? STOP_NO_GAIN : STOP_NO);
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
