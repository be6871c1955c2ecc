/* SPDX-License-Identifier: MIT */
/*
 * All shapes are powers and exponentials of the same few logarithms, so a point takes about 160
 * calls of exp() and no pow(). Moments are kept about the running means (West's update), never as
 * raw sums, which would lose everything once a curve is flat.
 */
#include "insight/families.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum {
    POWERS = 10,
    OFFSETS = 5,
    RATES = 8,
    STRETCHES = 5,
    HILLS = 4,
    STRETCHED_FROM = POWERS * OFFSETS,
    HILL_FROM = STRETCHED_FROM + RATES * STRETCHES,
    ILOG_AT = HILL_FROM + RATES * HILLS,
    LOG_AT,
};

_Static_assert((int)LOG_AT + 1 == (int)FAMILIES_SHAPES, "the grid fills the sums");

static const double powers[POWERS] = {0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3};
static const double offsets[OFFSETS] = {0, 0.1, 0.5, 2, 5};
static const double rates[RATES] = {0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1};
static const double stretches[STRETCHES] = {0.3, 0.5, 0.7, 1, 1.5};
static const double hills[HILLS] = {0.5, 1, 2, 3};

enum { OFFSET_NONE = 0, STRETCH_NONE = 3 }; /* the simpler family of the two */

static enum family family_of(unsigned shape)
{
    if (shape < STRETCHED_FROM)
        return shape % OFFSETS == OFFSET_NONE ? FAMILY_POW3 : FAMILY_POW4;
    if (shape < HILL_FROM)
        return (shape - STRETCHED_FROM) % STRETCHES == STRETCH_NONE ? FAMILY_EXP3 : FAMILY_WEIBULL;
    if (shape < ILOG_AT)
        return FAMILY_MMF;
    return shape == ILOG_AT ? FAMILY_ILOG : FAMILY_LOG;
}

unsigned family_parameters(enum family family)
{
    static const unsigned parameters[FAMILIES] = {3, 4, 3, 4, 4, 2, 2};
    return parameters[family];
}

/* g of every shape at x. */
static void shapes_at(double x, double out[FAMILIES_SHAPES])
{
    double log_x = log(x);
    for (unsigned o = 0; o < OFFSETS; o++) {
        double log_of = o == OFFSET_NONE ? log_x : log(x + offsets[o]);
        for (unsigned p = 0; p < POWERS; p++)
            out[p * OFFSETS + o] = exp(-powers[p] * log_of);
    }
    for (unsigned r = 0; r < RATES; r++) {
        double log_rx = log_x + log(rates[r]);
        for (unsigned s = 0; s < STRETCHES; s++)
            out[STRETCHED_FROM + r * STRETCHES + s] = exp(-exp(stretches[s] * log_rx));
        for (unsigned h = 0; h < HILLS; h++)
            out[HILL_FROM + r * HILLS + h] = 1 / (1 + exp(hills[h] * log_rx));
    }
    out[ILOG_AT] = 1 / log(x + 1);
    out[LOG_AT] = -log_x;
}

static double shape_at(unsigned shape, double x)
{
    if (shape < STRETCHED_FROM)
        return pow(x + offsets[shape % OFFSETS], -powers[shape / OFFSETS]);
    if (shape < HILL_FROM) {
        unsigned i = shape - STRETCHED_FROM;
        return exp(-pow(rates[i / STRETCHES] * x, stretches[i % STRETCHES]));
    }
    if (shape < ILOG_AT) {
        unsigned i = shape - HILL_FROM;
        return 1 / (1 + pow(rates[i / HILLS] * x, hills[i % HILLS]));
    }
    return shape == ILOG_AT ? 1 / log(x + 1) : -log(x);
}

void families_init(struct families *f)
{
    memset(f, 0, sizeof(*f));
}

void families_push(struct families *f, double y)
{
    double g[FAMILIES_SHAPES];
    double x = ++f->count;
    shapes_at(x, g);
    double share = 1 / x;
    double dy = y - f->mean;
    f->mean += share * dy;
    double rest = y - f->mean;
    f->yy += rest * dy;
    for (unsigned i = 0; i < FAMILIES_SHAPES; i++) {
        struct shape_sums *s = &f->sums[i];
        double dg = g[i] - s->mean;
        s->mean += share * dg;
        s->gg += dg * (g[i] - s->mean);
        s->gy += rest * dg;
    }
}

void families_fit(const struct families *f, struct family_fit out[FAMILIES])
{
    assert(f->count > 0);
    memset(out, 0, FAMILIES * sizeof(*out));
    for (unsigned i = 0; i < FAMILIES_SHAPES; i++) {
        const struct shape_sums *s = &f->sums[i];
        struct family_fit *best = &out[family_of(i)];
        if (s->gg < 1e-18 * f->count)
            continue;
        double a = s->gy / s->gg;
        double error = f->yy - s->gy * a;
        if (best->known && !(error < best->error))
            continue;
        *best = (struct family_fit){true, error, a, f->mean - a * s->mean, i};
    }
    for (unsigned i = 0; i < FAMILIES; i++)
        out[i].error = fmax(0, out[i].error) / f->count;
}

double family_at(const struct family_fit *fit, double x)
{
    return fit->c + fit->a * shape_at(fit->shape, x);
}
