/* SPDX-License-Identifier: MIT */
#include "insight/sketch.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { END_MIN = 3, TENTHS = 10 };

/* 95 % points of Student's t, two-sided 90 %, by degrees of freedom; beyond the table the normal's.
 */
static const double t_points[] = {0,     6.314, 2.920, 2.353, 2.132, 2.015, 1.943,
                                  1.895, 1.860, 1.833, 1.812, 1.796, 1.782, 1.771,
                                  1.761, 1.753, 1.746, 1.740, 1.734, 1.729, 1.725};
static const double normal_point = 1.645;
static const double median_to_deviation = 0.6745; /* of a normal's absolute values */

void sketch_init(struct sketch *s)
{
    memset(s, 0, sizeof(*s));
    s->stride = 1;
}

static void halve(struct sketch *s)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->count; i += 2)
        s->kept[kept++] = s->kept[i];
    s->count = kept;
    s->stride *= 2;
}

static void go_back_to(struct sketch *s, double x)
{
    while (s->count > 0 && s->kept[s->count - 1].x >= x)
        s->count--;
    s->seen = s->count * s->stride;
}

void sketch_push(struct sketch *s, double x, double time_s, double value)
{
    if (!isfinite(value) || !isfinite(x))
        return;
    if (s->seen > 0 && x < s->newest.x)
        go_back_to(s, x);
    s->newest = (struct sketch_point){x, time_s, value};
    if (s->seen++ % s->stride != 0)
        return;
    if (s->count == SKETCH_MAX)
        halve(s);
    if ((s->seen - 1) % s->stride == 0)
        s->kept[s->count++] = s->newest;
}

static double t_point(size_t degrees)
{
    return degrees < sizeof(t_points) / sizeof(t_points[0]) ? t_points[degrees] : normal_point;
}

bool sketch_end(const struct sketch *s, struct level *out)
{
    size_t n = s->count / TENTHS > END_MIN ? s->count / TENTHS : END_MIN;
    double sum = 0;
    double squares = 0;
    if (s->count < END_MIN)
        return false;
    double places = 0;
    for (size_t i = s->count - n; i < s->count; i++) {
        sum += s->kept[i].value;
        places += s->kept[i].x;
    }
    double mean = sum / (double)n;
    for (size_t i = s->count - n; i < s->count; i++)
        squares += (s->kept[i].value - mean) * (s->kept[i].value - mean);
    double error = sqrt(squares / (double)(n - 1) / (double)n);
    double reach = t_point(n - 1) * error;
    *out = (struct level){mean, mean - reach, mean + reach, places / (double)n};
    return true;
}

double sketch_at(const struct sketch *s, double x)
{
    assert(s->seen > 0);
    size_t low = 0;
    size_t high = s->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->kept[middle].x <= x)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return s->kept[0].value;
    const struct sketch_point *a = &s->kept[low - 1];
    const struct sketch_point *b = low < s->count ? &s->kept[low] : &s->newest;
    if (!(b->x > a->x) || x >= b->x)
        return x >= b->x ? b->value : a->value;
    return a->value + (b->value - a->value) * (x - a->x) / (b->x - a->x);
}

static int order(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

double sketch_noise(const struct sketch *s)
{
    double moves[SKETCH_MAX];
    size_t n = 0;
    for (size_t i = 1; i < s->count; i++)
        moves[n++] = fabs(s->kept[i].value - s->kept[i - 1].value);
    if (n < 2)
        return 0;
    qsort(moves, n, sizeof(moves[0]), order);
    return moves[n / 2] / sqrt(2) / median_to_deviation;
}
