/* SPDX-License-Identifier: MIT */
#include "streamd/session/collation.h"

#include <math.h>
#include <string.h>

void collation_begin(struct collation *c, const struct collation_plan *plan,
                     const struct reckoning *before)
{
    memset(c, 0, sizeof(*c));
    c->plan = *plan;
    c->reckoning = *before;
    c->began_s = (double)NAN;
    for (int i = 0; i < COLLATION_SERIES; i++)
        sketch_init(&c->series[i]);
}

/* NaN: this record does not have it. */
static double named_value(const struct collation *c, const struct record *record)
{
    if (c->plan.metric[0] == '\0')
        return (double)NAN;
    if (c->plan.field != RECORD_FIELDS)
        return record_was_sent(record, c->plan.field) ? num_double(record->field[c->plan.field])
                                                      : (double)NAN;
    const struct num *n = record_extra(record, span_of(c->plan.metric));
    return n ? num_double(*n) : (double)NAN;
}

static void look_for_target(struct collation *c, double value, double x, double time_s)
{
    bool meets = c->plan.at_least ? value >= c->plan.target : value <= c->plan.target;
    if (!c->plan.has_target || c->reached || !meets)
        return;
    c->reached = true;
    c->reached_x = x;
    c->reached_s = time_s;
}

void collation_record(struct collation *c, const struct record *record, double wall_s,
                      uint64_t offset)
{
    static const enum point_field fields[] = {[COLLATION_VAL_LOSS] = POINT_VAL_LOSS,
                                              [COLLATION_VAL_METRIC] = POINT_VAL_METRIC,
                                              [COLLATION_TRAIN_LOSS] = POINT_TRAIN_LOSS};
    (void)reckoning_record(&c->reckoning, record, wall_s, offset);
    const struct point *p = &c->reckoning.point;
    double x = c->reckoning.engine.x;
    double time_s = p->value[POINT_TIME_S];
    if (c->records++ == 0)
        c->began_s = time_s;
    for (int i = 0; i < COLLATION_NAMED; i++) {
        if (point_has(p, fields[i]))
            sketch_push(&c->series[i], x, time_s, p->value[fields[i]]);
    }
    double named = named_value(c, record);
    sketch_push(&c->series[COLLATION_NAMED], x, time_s, named);
    look_for_target(c, named, x, time_s);
}
