/* SPDX-License-Identifier: MIT */
/*
 * Small gains add up: the reference value stays where the last counted gain was, so a slow descent
 * is a gain every so often, and noise around a level is none.
 */
#include "insight/curve.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static const double gain_share = 0.01; /* of the range: a gain that counts */
static const double level_rate = 0.3;  /* Holt's alpha */
static const double trend_rate = 0.1;  /* Holt's beta */
static const double noise_rate = 0.1;  /* of the error, once there are ten */
static const double noise_clip = 5;    /* an error counts as so many times the noise at most */
static const double strict_from = 0.1; /* strict: the range since this share of the run */
static const double wait_least = 5;
static const double wait_share = 0.5; /* of the evaluations before the last gain */
static const double wait_again = 3;   /* times the longest wait that was rewarded */
static const uint64_t clip_from = 4;  /* evaluations before errors are clipped */

void curve_init(struct curve *c)
{
    memset(c, 0, sizeof(*c));
    c->train_at_best = NAN;
    history_init(&c->bests);
    history_init(&c->trains);
    history_init(&c->values);
}

static void begin(struct curve *c, double value, double x)
{
    c->first = c->best = c->worst = c->reference = c->level = value;
    c->first_x = x;
    c->gained_at = c->best_at = c->gains = 1;
}

static void measure_gain(struct curve *c, double value, bool strict)
{
    double from = strict ? history_at(&c->values, strict_from * (double)c->count) : c->first;
    double range = from - c->reference;
    if (!(range > 0))
        range = c->worst - c->reference;
    if (value < c->reference - gain_share * range) {
        if (c->waited > c->stalled)
            c->stalled = c->waited;
        c->reference = value;
        c->waited = 0;
        c->gained_at = c->count;
        c->gains++;
    } else {
        c->waited++;
    }
}

static void measure_noise(struct curve *c, double value)
{
    double error = value - (c->level + c->trend);
    double before = c->level;
    c->level += c->trend + level_rate * error;
    c->trend += trend_rate * (c->level - before - c->trend);
    double size = fabs(error);
    if (c->count > clip_from && c->noise > 0)
        size = fmin(size, noise_clip * c->noise);
    c->noise += fmax(1 / (double)(c->count - 1), noise_rate) * (size - c->noise);
}

static void remember(struct curve *c, double value, double train_level)
{
    history_push(&c->bests, c->best);
    history_push(&c->trains, train_level);
    history_push(&c->values, value);
    memmove(c->last, c->last + 1, sizeof(c->last) - sizeof(c->last[0]));
    c->last[CURVE_LAST - 1] = value;
}

void curve_push(struct curve *c, double value, double x, double train_level, bool strict)
{
    assert(isfinite(value));
    if (c->count++ == 0)
        begin(c, value, x);
    c->worst = fmax(c->worst, value);
    if (c->count == 1 || value < c->best) {
        c->best = value;
        c->best_at = c->count;
        c->train_at_best = train_level;
    }
    if (c->count > 1) {
        measure_gain(c, value, strict);
        measure_noise(c, value);
    }
    remember(c, value, train_level);
}

void curve_miss(struct curve *c)
{
    c->waited++;
}

double curve_range(const struct curve *c)
{
    assert(c->count > 0);
    double range = c->first - c->best;
    return range > 0 ? range : c->worst - c->best;
}

double curve_patience(const struct curve *c)
{
    double by_age = wait_share * (double)c->gained_at;
    double by_past = wait_again * (double)c->stalled;
    return fmax(wait_least, fmax(by_age, by_past));
}

uint64_t curve_since_best(const struct curve *c)
{
    return c->count - c->best_at;
}

double curve_end(const struct curve *c)
{
    assert(c->count > 0);
    double sorted[CURVE_LAST] = {0};
    uint64_t quarter = c->count / 4;
    unsigned n = quarter < 1 ? 1 : quarter > CURVE_LAST ? CURVE_LAST : (unsigned)quarter;
    for (unsigned i = 0; i < n; i++) {
        unsigned at = i;
        double value = c->last[CURVE_LAST - n + i];
        for (; at > 0 && sorted[at - 1] > value; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = value;
    }
    return sorted[n / 2];
}

struct curve_line curve_line(const struct curve *c)
{
    const struct history *h = &c->values;
    unsigned from = h->count / 2;
    double n = h->count - from;
    double mean_i = from + (n - 1) / 2;
    double mean = 0;
    double ii = 0;
    double iy = 0;
    double yy = 0;
    assert(c->count > 0);
    for (unsigned i = from; i < h->count; i++)
        mean += h->value[i] / n;
    for (unsigned i = from; i < h->count; i++) {
        double y = h->value[i] - mean;
        ii += (i - mean_i) * (i - mean_i);
        iy += (i - mean_i) * y;
        yy += y * y;
    }
    double slope = ii > 0 ? iy / ii : 0;
    double rest = n > 2 ? sqrt(fmax(yy - slope * iy, 0) / (n - 2)) : 0;
    return (struct curve_line){.rise = slope * n,
                               .per_evaluation = slope / (double)h->stride,
                               .sure = rest > 0 ? slope * sqrt(ii) / rest : 0};
}
