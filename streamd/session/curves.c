/* SPDX-License-Identifier: MIT */
/*
 * Whether a run says epochs is known only when it has: until then rows are records, and with the
 * first epoch all begins anew, since what came before it has no place on that axis.
 */
#include "streamd/session/curves.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static void forget_rows(struct curves *c)
{
    for (size_t i = 0; i < CURVES_NAMES_MAX; i++) {
        const double none = (double)NAN;
        c->tally[i] = (struct curve_tally){.first = none,
                                           .last = none,
                                           .min = none,
                                           .min_at = none,
                                           .max = none,
                                           .max_at = none,
                                           .nonfinite_at = none};
    }
    c->rows = 0;
    c->kept = 0;
    c->open = false;
}

void curves_begin(struct curves *c, const struct curves_plan *plan, const struct reckoning *before)
{
    memset(c, 0, sizeof(*c));
    c->plan = *plan;
    c->reckoning = *before;
    c->discovers = plan->names == 0;
    c->stride = c->discovers ? CURVES_NAMES_MAX : plan->names;
    forget_rows(c);
}

/* ---- rows ---- */

static size_t rows_max(const struct curves *c)
{
    size_t fit = CURVES_CELLS / c->stride;
    return fit < CURVES_ROWS_MAX ? fit : CURVES_ROWS_MAX;
}

double curves_value(const struct curves *c, size_t row, size_t name)
{
    return c->cell[row * c->stride + name];
}

/* How much a row differs from another, each metric on the scale of its own range. */
static double change(const struct curves *c, size_t row, size_t from)
{
    double sum = 0;
    for (size_t i = 0; i < c->plan.names; i++) {
        const struct curve_tally *k = &c->tally[i];
        double v = curves_value(c, row, i);
        if (isinf(v) || (isfinite(v) && (c->x[row] == k->min_at || c->x[row] == k->max_at)))
            return (double)INFINITY;
        double d = fabs(v - curves_value(c, from, i)) / (k->max - k->min);
        sum += isfinite(d) ? d : 0;
    }
    return sum;
}

static void move_row(struct curves *c, size_t to, size_t from)
{
    c->x[to] = c->x[from];
    memmove(&c->cell[to * c->stride], &c->cell[from * c->stride], c->stride * sizeof(*c->cell));
}

/* The first and the newest row stay; of each pair between them one does. */
static void halve(struct curves *c)
{
    size_t kept = 1;
    size_t i = 1;
    for (; i + 2 < c->kept; i += 2) {
        bool second = change(c, i + 1, kept - 1) > change(c, i, kept - 1);
        move_row(c, kept++, second ? i + 1 : i);
    }
    for (; i < c->kept; i++)
        move_row(c, kept++, i);
    c->kept = kept;
}

static void count_value(struct curve_tally *k, double x, double v)
{
    if (isinf(v)) {
        if (k->nonfinite++ == 0)
            k->nonfinite_at = x;
        return;
    }
    if (k->n == 0)
        k->first = v;
    if (k->n == 0 || v < k->min) {
        k->min = v;
        k->min_at = x;
    }
    if (k->n == 0 || v > k->max) {
        k->max = v;
        k->max_at = x;
    }
    k->last = v;
    k->tail_x[k->n % CURVES_TAIL] = x;
    k->tail_y[k->n % CURVES_TAIL] = v;
    k->n++;
}

static void add_row(struct curves *c, double x, const double *values)
{
    c->rows++;
    for (size_t i = 0; i < c->plan.names; i++) {
        if (!isnan(values[i]))
            count_value(&c->tally[i], x, values[i]);
    }
    if (c->kept == rows_max(c))
        halve(c);
    c->x[c->kept] = x;
    memcpy(&c->cell[c->kept * c->stride], values, c->stride * sizeof(*values));
    c->kept++;
}

static void close_row(struct curves *c)
{
    if (c->open)
        add_row(c, c->open_x, c->pending);
    c->open = false;
}

void curves_end(struct curves *c)
{
    close_row(c);
}

/* ---- records ---- */

static bool is_name(const struct curve_name *known, struct span name)
{
    return span_eq(span_of(known->text), name);
}

static void set_name(struct curve_name *to, struct span name)
{
    memset(to, 0, sizeof(*to));
    memcpy(to->text, name.ptr, name.len);
}

/* A metric that nobody asked for by name takes a place while there is one. */
static void discover(struct curves *c, struct span name)
{
    if (name.len == 0 || name.len >= METRIC_NAME_MAX)
        return;
    for (size_t i = 0; i < c->plan.names; i++) {
        if (is_name(&c->plan.name[i], name))
            return;
    }
    if (c->plan.names < CURVES_NAMES_MAX) {
        set_name(&c->plan.name[c->plan.names++], name);
        return;
    }
    for (size_t i = 0; i < c->mores; i++) {
        if (is_name(&c->more[i], name))
            return;
    }
    if (c->mores < CURVES_MORE_MAX)
        set_name(&c->more[c->mores++], name);
}

static void discover_all(struct curves *c, const struct record *record)
{
    if (record_was_sent(record, F_LOSS))
        discover(c, span_of(record_field_name(F_LOSS)));
    for (size_t i = 0; i < record->extra_count; i++) {
        if (!span_is(record->extra[i].name, "epoch"))
            discover(c, record->extra[i].name);
    }
}

/* Into *values, which keeps what the record does not have. False: it has none of them. */
static bool read_values(const struct curves *c, const struct record *record, double *values)
{
    bool any = false;
    for (size_t i = 0; i < c->plan.names; i++) {
        double v;
        if (!record_metric(record, &c->reckoning.point, span_of(c->plan.name[i].text), &v))
            continue;
        values[i] = isfinite(v) ? v : (double)INFINITY;
        any = true;
    }
    return any;
}

static bool in_range(const struct curves *c, double x)
{
    return x >= c->plan.from && x <= c->plan.to;
}

static void clear(double *values)
{
    for (size_t i = 0; i < CURVES_NAMES_MAX; i++)
        values[i] = (double)NAN;
}

/* A record of the epoch x. */
static void add_to_epoch(struct curves *c, const struct record *record, double x)
{
    if (!c->by_epoch)
        forget_rows(c);
    c->by_epoch = true;
    if (c->open && c->open_x != x)
        close_row(c);
    if (!c->open)
        clear(c->pending);
    if (in_range(c, x) && read_values(c, record, c->pending)) {
        c->open = true;
        c->open_x = x;
    }
}

static void add_record(struct curves *c, const struct record *record)
{
    const struct point *p = &c->reckoning.point;
    bool has_step = point_has(p, POINT_STEP) && isfinite(p->value[POINT_STEP]);
    double x = has_step ? p->value[POINT_STEP] : (double)c->rows;
    double values[CURVES_NAMES_MAX];
    clear(values);
    if (in_range(c, x) && read_values(c, record, values))
        add_row(c, x, values);
}

void curves_record(struct curves *c, const struct record *record, double wall_s, uint64_t offset)
{
    (void)reckoning_record(&c->reckoning, record, wall_s, offset);
    const struct point *p = &c->reckoning.point;
    if (c->discovers)
        discover_all(c, record);
    bool has_epoch = point_has(p, POINT_EPOCH) && isfinite(p->value[POINT_EPOCH]);
    if (!c->plan.by_step && has_epoch)
        add_to_epoch(c, record, p->value[POINT_EPOCH]);
    else if (!c->by_epoch)
        add_record(c, record);
}

/* ---- what is asked ---- */

double curve_tally_slope(const struct curve_tally *k)
{
    size_t n = k->n < CURVES_TAIL ? (size_t)k->n : CURVES_TAIL;
    double x = 0;
    double y = 0;
    double xx = 0;
    double xy = 0;
    for (size_t i = 0; i < n; i++) {
        x += k->tail_x[i] / (double)n;
        y += k->tail_y[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        xx += (k->tail_x[i] - x) * (k->tail_x[i] - x);
        xy += (k->tail_x[i] - x) * (k->tail_y[i] - y);
    }
    return n < 3 || xx <= 0 ? (double)NAN : xy / xx;
}

size_t curves_row_at(const struct curves *c, double x)
{
    size_t row = 0;
    assert(c->kept > 0);
    while (row + 1 < c->kept && c->x[row] < x)
        row++;
    return row;
}
