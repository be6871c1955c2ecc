/* SPDX-License-Identifier: MIT */
#include "insight/forecast.h"

#include <math.h>
#include <string.h>

static const uint64_t judged_from = 3; /* evaluations */
static const double live_share = 0.02; /* of the weight: a family worth a look */
static const double bic_points = 10;   /* more points do not make a family surer */
static const double far_max = 3;       /* ranges; further is as far */

void forecast_init(struct forecast *f)
{
    memset(f, 0, sizeof(*f));
    families_init(&f->families);
    f->value = f->lo = f->hi = f->self_error = NAN;
}

static double clip(double v, double lo, double hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

static void insert(double *sorted, unsigned n, double value)
{
    for (; n > 0 && sorted[n - 1] > value; n--)
        sorted[n] = sorted[n - 1];
    sorted[n] = value;
}

/* The median of what is kept around this share of the run. */
static double around(const struct curve *c, double share)
{
    const struct history *h = &c->values;
    double sorted[HISTORY_MAX];
    unsigned n = 0;
    uint64_t window = c->count / 20 > 1 ? c->count / 20 : 1;
    uint64_t i = (uint64_t)(share * (double)c->count);
    uint64_t from = i > window ? (i - window) / h->stride : 0;
    uint64_t to = (i + window) / h->stride;
    for (uint64_t at = from; at <= to && at < h->count; at++)
        insert(sorted, n++, h->value[at]);
    return n > 0 ? sorted[n / 2] : curve_end(c);
}

/* Weights by BIC, summing to one. */
static void weigh(const struct family_fit fit[FAMILIES], double n, double out[FAMILIES])
{
    double least = INFINITY;
    double sum = 0;
    for (unsigned f = 0; f < FAMILIES; f++) {
        out[f] = INFINITY;
        if (fit[f].known)
            out[f] =
                n * log(fmax(fit[f].error, 1e-300)) + family_parameters((enum family)f) * log(n);
        least = fmin(least, out[f]);
    }
    for (unsigned f = 0; f < FAMILIES; f++) {
        out[f] = fit[f].known ? exp(-0.5 * (out[f] - least)) : 0;
        sum += out[f];
    }
    for (unsigned f = 0; f < FAMILIES; f++)
        out[f] /= sum;
}

static double ensemble(const struct family_fit fit[FAMILIES], const double weight[FAMILIES],
                       double x)
{
    double sum = 0;
    for (unsigned f = 0; f < FAMILIES; f++) {
        if (weight[f] > 0)
            sum += weight[f] * family_at(&fit[f], x);
    }
    return sum;
}

static double spread(const double value[FAMILIES], const double weight[FAMILIES])
{
    double lo = INFINITY;
    double hi = -INFINITY;
    for (unsigned f = 0; f < FAMILIES; f++) {
        if (weight[f] > live_share) {
            lo = fmin(lo, value[f]);
            hi = fmax(hi, value[f]);
        }
    }
    return hi >= lo ? hi - lo : 0;
}

static double median_family(const double value[FAMILIES])
{
    double sorted[FAMILIES] = {0};
    unsigned n = 0;
    for (unsigned f = 0; f < FAMILIES; f++) {
        if (!isnan(value[f]))
            insert(sorted, n++, value[f]);
    }
    return n > 0 ? sorted[n / 2] : NAN;
}

/* A value as a distance from the end so far, in ranges. */
static double distance(const struct forecast_view *v, double value)
{
    return clip((value - v->end) / v->range, -far_max, far_max);
}

static double family_distance(const struct forecast_view *v, double value)
{
    return isnan(value) ? 0 : distance(v, value);
}

double forecast_ensemble(const struct forecast *f, double x)
{
    return ensemble(f->fit, f->weight, x);
}

void forecast_look(const struct forecast *f, const struct curve *c, double n,
                   struct forecast_view *out)
{
    double value[FAMILIES];
    for (unsigned i = 0; i < FAMILIES; i++)
        value[i] = f->fit[i].known ? family_at(&f->fit[i], n) : NAN;
    out->range = curve_range(c);
    if (!(out->range > 0))
        out->range = fabs(c->best) * 1e-6 + 1e-12;
    out->end = curve_end(c);
    out->ensemble = forecast_ensemble(f, n);
    out->spread = fmin(spread(value, f->weight) / out->range, far_max);
    out->ahead = log(n / (double)c->count);
    out->noise = fmin(c->noise / out->range, 2);
    out->half_gain = distance(out, around(c, 0.5));
    out->gap = distance(out, 2 * out->end - c->best);
    double features[FORECAST_FEATURES] = {
        distance(out, out->ensemble),
        family_distance(out, value[FAMILY_POW3]),
        family_distance(out, value[FAMILY_EXP3]),
        family_distance(out, value[FAMILY_ILOG]),
        family_distance(out, value[FAMILY_LOG]),
        distance(out, median_family(value)),
        out->half_gain * out->ahead,
        distance(out, around(c, 0.75)) * out->ahead,
        out->half_gain,
        distance(out, out->end + around(c, 0.25) - around(c, 0.5)),
        distance(out, c->best),
        out->gap,
    };
    memcpy(out->x, features, sizeof(features));
}

void forecast_scale_features(const struct forecast *f, const struct curve *c,
                             const struct forecast_view *v, double word, double out[SCALE_FEATURES])
{
    double self_error = isnan(f->self_error) ? v->spread : f->self_error;
    out[0] = 1;
    out[1] = log(v->noise + 0.003);
    out[2] = log(v->spread + 0.005);
    out[3] = log(v->ahead + 0.02);
    out[4] = log(fabs(word) + 0.01);
    out[5] = v->gap;
    out[6] = log((double)c->count);
    out[7] = log(fmin(self_error, far_max) + 0.005);
    out[8] = log(fabs(v->half_gain) + 0.005);
}

double forecast_length(const struct curve *c, double x, double horizon)
{
    if (isnan(horizon) || c->count < judged_from || !(x > c->first_x))
        return NAN;
    double k = (double)c->count;
    return fmax(k, nearbyint(1 + (horizon - c->first_x) * (k - 1) / (x - c->first_x)));
}

/* The word that was given at half the present length comes due. */
static void check_itself(struct forecast *f, const struct curve *c)
{
    if (f->check_at == 0 || f->check_at > c->count)
        return;
    double range = curve_range(c);
    f->self_error = range > 0 ? fmin(fabs(f->check_value - curve_end(c)) / range, far_max) : NAN;
    f->check_at = 0;
}

void forecast_push(struct forecast *f, const struct curve *c)
{
    families_push(&f->families, c->last[CURVE_LAST - 1]);
    families_fit(&f->families, f->fit);
    weigh(f->fit, fmin((double)c->count, bic_points), f->weight);
    check_itself(f, c);
    if (f->check_at == 0 && c->count >= judged_from) {
        f->check_at = 2 * c->count;
        f->check_value = forecast_ensemble(f, (double)f->check_at);
    }
}

bool forecast_read(struct forecast *f, const struct curve *c, const struct insight_model *m,
                   double x, double horizon)
{
    double n = forecast_length(c, x, horizon);
    if (isnan(n))
        return false;
    struct forecast_view v;
    double features[SCALE_FEATURES];
    forecast_look(f, c, n, &v);
    double word = model_dot(m->forecast, v.x, FORECAST_FEATURES);
    forecast_scale_features(f, c, &v, word, features);
    double scale = exp(model_dot(m->forecast_scale, features, SCALE_FEATURES));
    f->value = v.end + word * v.range;
    f->lo = v.end + (word + m->forecast_quantile[0] * scale) * v.range;
    f->hi = v.end + (word + m->forecast_quantile[1] * scale) * v.range;
    return isfinite(f->value) && isfinite(f->lo) && isfinite(f->hi);
}
