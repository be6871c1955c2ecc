/* SPDX-License-Identifier: MIT */
#include "insight/families.h"

#include <assert.h>
#include <math.h>
#include <string.h>

struct grid {
    const double *values;
    unsigned count;
};

#define GRID(...)                                                                                  \
    {                                                                                              \
        (const double[]){__VA_ARGS__}, sizeof((const double[]){__VA_ARGS__}) / sizeof(double)      \
    }

/* One kind of shape: its grid of p and q, and which family a q belongs to. */
struct kind {
    double (*shape)(double p, double q, double x);
    struct grid p, q;
    double special; /* this q is the simpler family */
    enum family simple, general;
};

static double power_law(double p, double q, double x)
{
    return pow(x + q, -p);
}

static double stretched(double p, double q, double x)
{
    return exp(-pow(p * x, q));
}

static double hill(double p, double q, double x)
{
    return 1 / (1 + pow(p * x, q));
}

static double inverse_log(double p, double q, double x)
{
    (void)p;
    (void)q;
    return 1 / log(x + 1);
}

static double logarithm(double p, double q, double x)
{
    (void)p;
    (void)q;
    return -log(x);
}

static const struct kind kinds[] = {
    {power_law, GRID(0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3), GRID(0, 0.1, 0.5, 2, 5), 0,
     FAMILY_POW3, FAMILY_POW4},
    {stretched, GRID(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1), GRID(0.3, 0.5, 0.7, 1, 1.5), 1,
     FAMILY_EXP3, FAMILY_WEIBULL},
    {hill, GRID(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1), GRID(0.5, 1, 2, 3), 0, FAMILY_MMF,
     FAMILY_MMF},
    {inverse_log, GRID(0), GRID(0), 0, FAMILY_ILOG, FAMILY_ILOG},
    {logarithm, GRID(0), GRID(0), 0, FAMILY_LOG, FAMILY_LOG},
};

unsigned family_parameters(enum family family)
{
    static const unsigned parameters[FAMILIES] = {3, 4, 3, 4, 4, 2, 2};
    return parameters[family];
}

struct line_fit {
    double c, a, sse;
};

static double mean(const double *v, unsigned n)
{
    double sum = 0;
    for (unsigned i = 0; i < n; i++)
        sum += v[i];
    return sum / n;
}

/* y = c + a * g; false: g is flat. */
static bool fit_line(const double *g, const double *y, unsigned n, struct line_fit *out)
{
    double mean_g = mean(g, n);
    double mean_y = mean(y, n);
    double gg = 0;
    double gy = 0;
    double sse = 0;
    for (unsigned i = 0; i < n; i++) {
        gg += (g[i] - mean_g) * (g[i] - mean_g);
        gy += (g[i] - mean_g) * (y[i] - mean_y);
    }
    if (gg < 1e-18)
        return false;
    out->a = gy / gg;
    out->c = mean_y - out->a * mean_g;
    for (unsigned i = 0; i < n; i++) {
        double e = y[i] - out->c - out->a * g[i];
        sse += e * e;
    }
    out->sse = sse;
    return true;
}

void families_fit(const double *x, const double *y, unsigned n, const double ahead[FAMILIES_AHEAD],
                  struct family_fit out[FAMILIES])
{
    assert(n >= 1 && n <= FAMILIES_POINTS_MAX);
    double g[FAMILIES_POINTS_MAX];
    struct line_fit line;
    memset(out, 0, FAMILIES * sizeof(*out));
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const struct kind *k = &kinds[i];
        for (unsigned j = 0; j < k->p.count * k->q.count; j++) {
            double p = k->p.values[j / k->q.count];
            double q = k->q.values[j % k->q.count];
            struct family_fit *best = &out[q == k->special ? k->simple : k->general];
            for (unsigned t = 0; t < n; t++)
                g[t] = k->shape(p, q, x[t]);
            if (!fit_line(g, y, n, &line) || (best->known && !(line.sse < best->sse)))
                continue;
            best->known = true;
            best->sse = line.sse;
            for (unsigned t = 0; t < FAMILIES_AHEAD; t++)
                best->value[t] = line.c + line.a * k->shape(p, q, ahead[t]);
        }
    }
}
