/* SPDX-License-Identifier: MIT */
/*
 * The rows between those that must be there are cut into as many stretches as there are places
 * left, and of each the row is taken that spans the largest triangle with the one taken before it
 * and the middle of the next stretch (largest triangle three buckets), summed over the metrics,
 * each on the scale of its own range.
 */
#include "streamd/session/curves.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { MUST_MAX = 2 + 3 * CURVES_NAMES_MAX };

/* The rows that must be there, in no order. */
struct must {
    uint16_t row[MUST_MAX];
    size_t count, max;
};

static void require(struct must *m, size_t row)
{
    for (size_t i = 0; i < m->count; i++) {
        if (m->row[i] == row)
            return;
    }
    if (m->count < m->max)
        m->row[m->count++] = (uint16_t)row;
}

/* The row at x that has that metric in this way; nothing where x is not known. */
static void require_at(const struct curves *c, struct must *m, size_t name, double x, bool finite)
{
    for (size_t row = 0; row < c->kept; row++) {
        double v = curves_value(c, row, name);
        if (c->x[row] == x && (finite ? isfinite(v) : isinf(v))) {
            require(m, row);
            return;
        }
    }
}

static void find_musts(const struct curves *c, struct must *m)
{
    require(m, 0);
    require(m, c->kept - 1);
    for (size_t i = 0; i < c->plan.names; i++) {
        const struct curve_tally *k = &c->tally[i];
        require_at(c, m, i, k->nonfinite_at, false);
        require_at(c, m, i, k->min_at, true);
        require_at(c, m, i, k->max_at, true);
    }
}

static bool is_must(const struct must *m, size_t row)
{
    for (size_t i = 0; i < m->count; i++) {
        if (m->row[i] == row)
            return true;
    }
    return false;
}

/* Of [from, to), that have it; NaN: none. */
static double mean_of(const struct curves *c, size_t name, size_t from, size_t to)
{
    double sum = 0;
    size_t n = 0;
    for (size_t row = from; row < to; row++) {
        double v = curves_value(c, row, name);
        sum += isfinite(v) ? v : 0;
        n += isfinite(v);
    }
    return n > 0 ? sum / (double)n : (double)NAN;
}

/* A stretch of rows with what it is seen against. */
struct view {
    size_t before;                   /* row taken before it */
    size_t from, to;                 /* the stretch */
    double next_x;                   /* the middle of what follows */
    double next_y[CURVES_NAMES_MAX]; /* and its means */
};

/* Infinite for a value that is not finite: it is never left out for one that is. */
static double area(const struct curves *c, const struct view *v, size_t row)
{
    double sum = 0;
    for (size_t i = 0; i < c->plan.names; i++) {
        double y = curves_value(c, row, i);
        double a = curves_value(c, v->before, i);
        double range = c->tally[i].max - c->tally[i].min;
        if (isinf(y))
            return (double)INFINITY;
        double twice = (c->x[v->before] - v->next_x) * (y - a) -
                       (c->x[v->before] - c->x[row]) * (v->next_y[i] - a);
        sum += isfinite(twice) && range > 0 ? fabs(twice) / range : 0;
    }
    return sum;
}

static size_t best_of(const struct curves *c, const struct view *v)
{
    size_t best = v->from;
    double most = -1;
    for (size_t row = v->from; row < v->to; row++) {
        double a = area(c, v, row);
        if (a > most) {
            most = a;
            best = row;
        }
    }
    return best;
}

/* Marks one row of each of `places` stretches: there are more rows than places. */
static void take_stretches(const struct curves *c, size_t places, bool *taken)
{
    size_t inner = c->kept - 2;
    struct view v = {.before = 0};
    for (size_t i = 0; i < places; i++) {
        v.from = 1 + i * inner / places;
        v.to = 1 + (i + 1) * inner / places;
        size_t next = i + 1 < places ? 1 + (i + 2) * inner / places : c->kept;
        v.next_x = (c->x[v.to] + c->x[next - 1]) / 2;
        for (size_t name = 0; name < c->plan.names; name++)
            v.next_y[name] = mean_of(c, name, v.to, next);
        v.before = best_of(c, &v);
        taken[v.before] = true;
    }
}

size_t curves_pick(const struct curves *c, size_t points, uint16_t rows[CURVES_ROWS_MAX])
{
    bool taken[CURVES_ROWS_MAX] = {false};
    struct must must = {.max = points < MUST_MAX ? points : MUST_MAX};
    size_t count = 0;
    assert(points >= 2);
    if (c->kept > points) {
        find_musts(c, &must);
        take_stretches(c, points - must.count, taken);
    }
    for (size_t row = 0; row < c->kept; row++) {
        if (c->kept <= points || taken[row] || is_must(&must, row))
            rows[count++] = (uint16_t)row;
    }
    return count;
}
