/* SPDX-License-Identifier: MIT */
#include "insight/compare.h"

#include <math.h>
#include <stdlib.h>

enum { PLACES = 200, AHEAD_BY = 2 /* deviations of the difference */, REACH_MIN = 8 };

static const double slow_share =
    0.05; /* of the rates seen are slower, or faster, than the limits */

static double range_of(const struct sketch *a, const struct sketch *b)
{
    double low = INFINITY;
    double high = -INFINITY;
    for (int k = 0; k < 2; k++) {
        const struct sketch *s = k ? b : a;
        for (size_t i = 0; i < s->count; i++) {
            low = fmin(low, s->kept[i].value);
            high = fmax(high, s->kept[i].value);
        }
    }
    return high > low ? high - low : 0;
}

static double hypotenuse(double a, double b)
{
    return sqrt(a * a + b * b);
}

/* Goes back from the end for as long as the better one is ahead. */
static void find_parting(const struct sketch *a, const struct sketch *b, double sign,
                         struct comparison *out)
{
    double from = fmax(a->kept[0].x, b->kept[0].x);
    double to = fmin(a->newest.x, b->newest.x);
    double noise = AHEAD_BY * hypotenuse(sketch_noise(a), sketch_noise(b));
    for (int i = PLACES; to > from && i >= 0; i--) {
        double x = from + (to - from) * i / PLACES;
        double ahead = sign * (sketch_at(a, x) - sketch_at(b, x));
        if (!(ahead > noise))
            break;
        out->parted = true;
        out->parted_at = x;
    }
}

void compare_sketches(const struct sketch *a, const struct sketch *b, bool higher_is_better,
                      struct comparison *out)
{
    const struct level unknown = {NAN, NAN, NAN, NAN};
    *out = (struct comparison){.end = {unknown, unknown}, .better = -1, .gap = NAN, .share = NAN};
    bool known = sketch_end(a, &out->end[0]);
    known = sketch_end(b, &out->end[1]) && known;
    double lead = out->end[0].value - out->end[1].value;
    if (!known || lead == 0)
        return;
    out->better = (lead > 0) == higher_is_better ? 0 : 1;
    out->gap = fabs(lead);
    double range = range_of(a, b);
    out->share = range > 0 ? out->gap / range : 0;
    out->certain = out->end[0].lo > out->end[1].hi || out->end[1].lo > out->end[0].hi;
    double sign = lead > 0 ? 1 : -1; /* makes the better one's lead positive */
    find_parting(a, b, sign, out);
}

static int order(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* How much nearer the target a step of x brings, by pairs half the last quarter apart (Theil and
 * Sen's way), sorted. Answers how many. */
static size_t rates_of(const struct sketch *s, double sign, double rates[SKETCH_MAX])
{
    size_t first = s->count - s->count / 4;
    if (s->count - first < REACH_MIN / 2)
        first = s->count - REACH_MIN / 2;
    size_t apart = (s->count - first) / 2;
    size_t n = 0;
    for (size_t i = first; i + apart < s->count; i++) {
        const struct sketch_point *p = &s->kept[i];
        const struct sketch_point *q = &s->kept[i + apart];
        if (q->x > p->x)
            rates[n++] = sign * (q->value - p->value) / (q->x - p->x);
    }
    qsort(rates, n, sizeof(rates[0]), order);
    return n;
}

static double x_after(double distance, double rate)
{
    return rate > 0 ? distance / rate : (double)INFINITY;
}

/* From `from` on at these rates, none of them backwards but the slow one. */
static void foretell(const struct sketch *s, double from, double distance, const double *rates,
                     size_t n, struct reach *out)
{
    size_t tail = (size_t)((double)n * slow_share);
    const struct sketch_point *half = &s->kept[s->count / 2];
    double s_per_x = (s->newest.time_s - half->time_s) / (s->newest.x - half->x);
    out->expected = true;
    out->x = fmax(from + x_after(distance, rates[n / 2]), s->newest.x);
    out->x_lo = fmax(from + x_after(distance, rates[n - 1 - tail]), s->newest.x);
    out->x_hi = fmax(from + x_after(distance, rates[tail]), s->newest.x);
    if (!(s_per_x > 0))
        return;
    out->s = (out->x - s->newest.x) * s_per_x;
    out->s_lo = (out->x_lo - s->newest.x) * s_per_x;
    out->s_hi = (out->x_hi - s->newest.x) * s_per_x;
}

void sketch_reach(const struct sketch *s, double target, bool higher_is_better, struct reach *out)
{
    double rates[SKETCH_MAX];
    double sign = higher_is_better ? 1 : -1;
    struct level end;
    *out = (struct reach){.x = NAN, .x_lo = NAN, .x_hi = NAN, .s = NAN, .s_lo = NAN, .s_hi = NAN};
    if (s->count < REACH_MIN || !sketch_end(s, &end))
        return;
    double distance = sign * (target - end.value);
    size_t n = rates_of(s, sign, rates);
    if (n > 0 && distance > 0 && rates[n / 2] > 0)
        foretell(s, end.x, distance, rates, n, out);
}
