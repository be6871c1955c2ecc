/* SPDX-License-Identifier: MIT */
/*
 * A point goes through the parts in one order: place, rates, divergence, velocity, evaluation,
 * verdict. Each part knows only its own numbers; what needs two of them is put together here.
 */
#include "insight/insight.h"

#include "insight/findings.h"
#include "insight/gain.h"
#include "insight/monitor.h"
#include "insight/outlook.h"
#include "insight/stopping.h"
#include "insight/verdict.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double rate_rise = 1.0001; /* a rate that rises by less stands */

/* ---- beginning ---- */

static double or_default(double value, double standard)
{
    return value > 0 ? value : standard;
}

static void fill_defaults(struct insight_config *c)
{
    c->tau = or_default(c->tau, c->strict ? 0.15 : 0.14);
    c->caution = or_default(c->caution, c->strict ? 0.4 : 0.7);
    c->devices = or_default(c->devices, 1);
    c->memory_told = c->memory_mb > 0;
    c->memory_mb = or_default(c->memory_mb, 24576);
    c->stall_factor = or_default(c->stall_factor, 3);
    c->total = or_default(c->total, NAN);
    c->total_epochs = or_default(c->total_epochs, NAN);
    c->horizon = or_default(c->horizon, NAN);
    if (!c->model)
        c->model = insight_model();
}

/* Forgets the curves; the transitions stay. */
static void begin_series(struct insight *s)
{
    curve_init(&s->curve);
    relapse_init(&s->relapse);
    divergence_init(&s->divergence);
    velocity_init(&s->velocity);
    forecast_init(&s->forecast);
    history_init(&s->rates);
    eta_init(&s->eta);
    rhythm_init(&s->rhythm);
    memory_init(&s->memory);
    s->by_steps = false;
    s->total = NAN;
    s->worse = 0;
    s->p_stop = NAN;
    s->samples = 0;
    s->monitor = MONITOR_AUTO;
    s->sign = 1;
    s->lr = s->lr_max = NAN;
    s->lr_count = 0;
    s->velocity_by_train = false;
    s->warming = false;
    s->now.best = (struct assessed_best){NAN, NAN, NAN, NAN, NAN, 0};
}

void insight_init(struct insight *s, const struct insight_config *config)
{
    memset(s, 0, sizeof(*s));
    s->config = *config;
    fill_defaults(&s->config);
    begin_series(s);
    struct assessment *a = &s->now;
    a->monitor = a->eta.reason = a->stop.why = "";
    a->velocity = a->velocity_steps = a->monitored = a->plateau_at = a->stall_after_s = NAN;
    a->eta.s = a->eta.lo = a->eta.hi = a->eta.s_per_epoch = a->eta.remaining_epochs = NAN;
    a->forecast = (struct assessed_forecast){NAN, NAN, NAN, NAN};
    a->p_gain = a->stop.saving_s = a->stop.gpu_hours = NAN;
    a->gain_class = GRADE_HIGH;
    strcpy(a->reason, "Nothing was seen so far");
}

/* ---- a point ---- */

static bool is_new(const struct point *p, enum point_field field, double *out)
{
    if (!point_has(p, field) || !isfinite(p->value[field]))
        return false;
    *out = p->value[field];
    return true;
}

/* The value with what is as good as infinite made so; false: absent. */
static bool value_of(const struct point *p, enum point_field field, double *out)
{
    if (!point_has(p, field))
        return false;
    double value = p->value[field];
    *out = fabs(value) > POINT_FAR ? copysign(INFINITY, value) : value;
    return true;
}

static void place(struct insight *s, const struct point *p)
{
    double at = s->points > 1 ? s->x : 0;
    s->by_steps = is_new(p, POINT_STEP, &at) || s->by_steps;
    if (!s->by_steps)
        (void)is_new(p, POINT_EPOCH, &at);
    s->x = fmin(fmax(at, -POINT_FAR), POINT_FAR);
    for (int f = 0; f < POINT_FIELDS; f++) {
        if (point_has(p, (enum point_field)f))
            point_set(&s->newest, (enum point_field)f, p->value[f]);
    }
}

static void see_rate(struct insight *s, const struct point *p)
{
    double lr;
    if (!is_new(p, POINT_LR, &lr))
        return;
    s->warming = s->lr_count > 0 && lr > s->lr * rate_rise && lr >= s->lr_max;
    s->lr_max = s->lr_count++ > 0 ? fmax(s->lr_max, lr) : lr;
    s->lr = lr;
}

static void see_losses(struct insight *s, const struct point *p)
{
    double train;
    double val;
    bool has_train = value_of(p, POINT_TRAIN_LOSS, &train);
    bool has_val = value_of(p, POINT_VAL_LOSS, &val);
    if (has_train && isfinite(train))
        relapse_train(&s->relapse, train);
    divergence_push(&s->divergence, has_train ? &train : NULL, has_val ? &val : NULL);
    s->now.diverging = s->divergence.on;
}

/* What the velocity goes by: the training loss, or the monitored metric where there is none. */
static bool loss_of(const struct insight *s, const struct point *p, double *out)
{
    if (is_new(p, POINT_TRAIN_LOSS, out))
        return fabs(*out) <= POINT_FAR;
    if (s->divergence.count > 0)
        return false;
    bool found = is_new(p, POINT_VAL_LOSS, out);
    if (!found && is_new(p, POINT_VAL_METRIC, out)) {
        *out *= s->config.goal == GOAL_LOWEST ? 1 : -1;
        found = true;
    }
    return found && fabs(*out) <= POINT_FAR;
}

static bool see_velocity(struct insight *s, const struct point *p)
{
    double loss;
    double epoch = point_has(&s->newest, POINT_EPOCH) ? s->newest.value[POINT_EPOCH] : NAN;
    bool ended = false;
    if (s->divergence.count > 0 && !s->velocity_by_train) {
        s->velocity_by_train = true; /* whatever it went by before */
        velocity_init(&s->velocity);
    }
    if (loss_of(s, p, &loss))
        ended = velocity_push(&s->velocity, loss, s->x, isfinite(epoch) ? epoch : NAN);
    s->now.velocity = velocity_now(&s->velocity, &s->now.velocity_steps);
    return ended;
}

static void count_sample(struct insight *s, const struct point *p)
{
    if (point_has(p, POINT_TRAIN_LOSS) || point_has(p, POINT_VAL_LOSS) ||
        point_has(p, POINT_VAL_METRIC))
        s->samples++;
}

static void see_memory(struct insight *s, const struct point *p)
{
    double mb;
    if (is_new(p, POINT_GPU_TOTAL_MB, &mb) && mb > 0 && !s->config.memory_told)
        s->config.memory_mb = fmin(mb, POINT_FAR);
    if (is_new(p, POINT_GPU_MEMORY_MB, &mb) && fabs(mb) <= POINT_FAR)
        memory_push(&s->memory, mb, s->x);
}

static void judge(struct insight *s)
{
    if (s->fresh) {
        gain_judge(s);
        stopping_judge(s);
        outlook_see_end(s);
    }
    stopping_see_divergence(s);
    outlook_close(s);
}

/* An epoch that was told of the model before is none of this one's. */
static void begin_model(struct insight *s)
{
    begin_series(s);
    s->newest.has &= ~(UINT32_C(1) << POINT_EPOCH);
}

/* The next model of a sweep begins where its number changes. */
static void see_model(struct insight *s, const struct point *p)
{
    double model;
    if (!is_new(p, POINT_MODEL, &model))
        return;
    if (point_has(&s->newest, POINT_MODEL) && model != s->newest.value[POINT_MODEL])
        begin_model(s);
}

const struct assessment *insight_point(struct insight *s, const struct point *p)
{
    s->points++;
    see_model(s, p);
    place(s, p);
    count_sample(s, p);
    see_rate(s, p);
    see_losses(s, p);
    see_memory(s, p);
    outlook_see_time(s, p);
    monitor_push(s, p, see_velocity(s, p));
    judge(s);
    verdict_reach(s);
    finding_end(&s->now, FINDING_STALL);
    return &s->now;
}

/* ---- what else may happen ---- */

const struct assessment *insight_event(struct insight *s, enum insight_event event,
                                       const char *detail)
{
    struct point nothing = {0};
    bool ended = velocity_end(&s->velocity);
    s->completed = event == INSIGHT_COMPLETED;
    s->crashed = event == INSIGHT_CRASHED;
    s->detail[0] = '\0';
    if (detail)
        (void)snprintf(s->detail, sizeof(s->detail), "%s", detail);
    s->now.velocity = velocity_now(&s->velocity, &s->now.velocity_steps);
    monitor_push(s, &nothing, ended);
    judge(s);
    verdict_reach(s);
    return &s->now;
}

const struct assessment *insight_tick(struct insight *s, double time_s)
{
    double silent = time_s - s->rhythm.newest_t;
    s->now.changed = false;
    if (s->completed || s->crashed || !(silent > outlook_stall_after(s)))
        return &s->now;
    struct finding *f = finding_begin(&s->now, FINDING_STALL, SEVERITY_WARNING, s->x);
    if (f) {
        (void)snprintf(f->evidence, sizeof(f->evidence),
                       "no point for %.0f s, where one came every %.3g s", silent,
                       rhythm_interval(&s->rhythm));
    }
    return &s->now;
}

void insight_plan(struct insight *s, double total)
{
    if (total > 0)
        s->config.total = total;
}

const struct assessment *insight_now(struct insight *s)
{
    outlook_reckon(s);
    return &s->now;
}
