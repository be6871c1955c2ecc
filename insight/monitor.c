/* SPDX-License-Identifier: MIT */
#include "insight/monitor.h"

#include <math.h>

static const char *const names[] = {
    [MONITOR_AUTO] = "",
    [MONITOR_NONE] = "",
    [MONITOR_TRAIN_LOSS] = "train_loss",
    [MONITOR_VAL_LOSS] = "val_loss",
    [MONITOR_VAL_METRIC] = "val_metric",
};

static void forget(struct insight *s)
{
    curve_init(&s->curve);
    relapse_init(&s->relapse);
    forecast_init(&s->forecast);
    history_init(&s->rates);
}

static void enter(struct insight *s, enum insight_monitor monitor)
{
    bool rises = monitor == MONITOR_VAL_METRIC && s->config.goal != GOAL_LOWEST;
    forget(s);
    s->monitor = monitor;
    s->sign = rises ? -1 : 1;
    s->now.monitor = names[monitor];
    s->now.higher_is_better = rises;
    s->now.best = (struct assessed_best){NAN, NAN, NAN, NAN, NAN, 0};
}

/* What this point would have judged, were the config silent. */
static enum insight_monitor offered(const struct insight *s, const struct point *p)
{
    if (s->config.monitor != MONITOR_AUTO)
        return s->config.monitor;
    if (point_has(p, POINT_VAL_LOSS))
        return MONITOR_VAL_LOSS;
    if (point_has(p, POINT_VAL_METRIC))
        return MONITOR_VAL_METRIC;
    return MONITOR_TRAIN_LOSS;
}

static void choose(struct insight *s, const struct point *p)
{
    enum insight_monitor offer = offered(s, p);
    bool settled = s->monitor == MONITOR_VAL_LOSS || s->monitor == MONITOR_VAL_METRIC;
    if (offer != s->monitor && !settled)
        enter(s, offer);
}

static bool read(const struct insight *s, const struct point *p, bool window_ended, double *out)
{
    enum point_field field = s->monitor == MONITOR_VAL_LOSS ? POINT_VAL_LOSS : POINT_VAL_METRIC;
    switch (s->monitor) {
    case MONITOR_VAL_LOSS:
    case MONITOR_VAL_METRIC:
        if (!point_has(p, field))
            return false;
        *out = p->value[field];
        return true;
    case MONITOR_TRAIN_LOSS:
        *out = velocity_mean(&s->velocity);
        return window_ended;
    default:
        return false;
    }
}

static struct assessed_best here(const struct insight *s, double value)
{
    const struct point *p = &s->newest;
    return (struct assessed_best){
        .value = value,
        .x = s->x,
        .step = point_has(p, POINT_STEP) ? p->value[POINT_STEP] : NAN,
        .epoch = point_has(p, POINT_EPOCH) ? p->value[POINT_EPOCH] : NAN,
        .time_s = point_has(p, POINT_TIME_S) ? p->value[POINT_TIME_S] : NAN,
    };
}

static void take(struct insight *s, const struct assessed_best *at, double train_level,
                 double train)
{
    curve_push(&s->curve, s->sign * at->value, at->x, train_level, s->config.strict);
    relapse_push(&s->relapse, &s->curve, train);
    forecast_push(&s->forecast, &s->curve);
    history_push(&s->rates, s->lr);
    if (s->curve.best_at == s->curve.count)
        s->now.best = *at;
    s->now.best.since = curve_since_best(&s->curve);
}

/* The first eight values of a metric of unknown goal fell: it is one that should. */
static void turn_if_falling(struct insight *s)
{
    double drift = 0;
    double train[MONITOR_EARLY];
    for (int i = 0; i < MONITOR_EARLY; i++) {
        drift += i < MONITOR_EARLY / 2 ? -s->early[i].value : s->early[i].value;
        train[i] = s->curve.trains.value[i];
    }
    if (drift >= 0)
        return;
    s->sign = 1;
    s->now.higher_is_better = false;
    forget(s);
    for (int i = 0; i < MONITOR_EARLY; i++)
        take(s, &s->early[i], train[i], train[i]);
}

void monitor_push(struct insight *s, const struct point *p, bool window_ended)
{
    double value;
    s->fresh = false;
    choose(s, p);
    if (!read(s, p, window_ended, &value))
        return;
    s->fresh = true;
    s->now.monitored = value;
    s->now.evaluations++;
    if (!(fabs(value) <= POINT_FAR)) {
        curve_miss(&s->curve);
        return;
    }
    struct assessed_best at = here(s, value);
    take(s, &at, s->divergence.trend_level, relapse_trained(&s->relapse));
    if (s->monitor != MONITOR_VAL_METRIC || s->config.goal != GOAL_AUTO ||
        s->curve.count > MONITOR_EARLY)
        return;
    s->early[s->curve.count - 1] = at;
    if (s->curve.count == MONITOR_EARLY)
        turn_if_falling(s);
}
