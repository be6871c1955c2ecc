/* SPDX-License-Identifier: MIT */
#include "streamd/session/reckoning.h"

#include <math.h>
#include <string.h>

void reckoning_begin(struct reckoning *r, struct span config)
{
    struct insight_config told;
    memset(r, 0, sizeof(*r));
    record_point_config(config, &r->names, &told);
    insight_init(&r->engine, &told);
}

static void mark(struct reckoning *r, const struct transition *t, uint64_t offset)
{
    if (r->mark_count == PHASE_MARKS_MAX)
        memmove(r->marks, r->marks + 1, --r->mark_count * sizeof(*r->marks));
    r->marks[r->mark_count++] = (struct phase_mark){
        .phase = t->to, .step = t->step, .epoch = t->epoch, .time_s = t->time_s, .offset = offset};
}

/* A plan that came with the records, and that the engine may not know yet. */
static void follow_plan(struct reckoning *r, const struct record *record)
{
    if (!record_was_sent(record, F_TOTAL_STEPS))
        return;
    double total = num_double(record->field[F_TOTAL_STEPS]);
    if (total != r->engine.config.total)
        insight_plan(&r->engine, total);
}

const struct assessment *reckoning_record(struct reckoning *r, const struct record *record,
                                          double wall_s, uint64_t offset)
{
    follow_plan(r, record);
    record_point(&r->names, record, wall_s, &r->point);
    const struct assessment *a = insight_point(&r->engine, &r->point);
    if (a->changed)
        mark(r, &a->transition, offset);
    return a;
}

const struct assessment *reckoning_event(struct reckoning *r, enum insight_event event,
                                         const char *detail)
{
    const struct assessment *a = insight_event(&r->engine, event, detail);
    if (a->changed)
        mark(r, &a->transition, 0);
    return a;
}
