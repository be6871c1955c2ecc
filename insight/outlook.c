/* SPDX-License-Identifier: MIT */
#include "insight/outlook.h"

#include <math.h>

static const double steady = 1.25; /* an interval whose ends are no further apart */
static const double uneven = 2;
static const double stall_least_s = 10; /* shorter silences are pauses */
static const double s_per_hour = 3600;

/* The end that times and forecasts speak of, on the run's axis; NaN: not known. */
static double horizon_of(const struct insight *s)
{
    return isnan(s->config.horizon) ? s->total : s->config.horizon;
}

/* A plan in epochs becomes one in steps once an epoch's length was seen. */
static double total_of(const struct insight *s)
{
    if (!isnan(s->config.total))
        return s->config.total;
    return s->by_steps ? s->config.total_epochs * s->rhythm.x_per_epoch : s->config.total_epochs;
}

static double remaining_epochs(const struct insight *s)
{
    if (s->rhythm.x_per_epoch > 0 && !isnan(s->total))
        return fmax(s->total - s->x, 0) / s->rhythm.x_per_epoch;
    return NAN;
}

static enum grade confidence_of(double lo, double hi)
{
    if (hi <= steady * lo)
        return GRADE_HIGH;
    return hi <= uneven * lo ? GRADE_MEDIUM : GRADE_LOW;
}

static const char *reason_of(const struct insight *s, enum grade confidence)
{
    static const char *const by_grade[] = {
        [GRADE_LOW] = "the speed changed a lot, or little was seen of it",
        [GRADE_MEDIUM] = "the speed varies",
        [GRADE_HIGH] = "the speed has been steady",
    };
    if (s->now.diverging)
        return "the run diverges: the remaining time is likely of no use";
    if (s->now.overfitting)
        return "the run overfits: the remaining time is likely unnecessary";
    if (s->now.plateau)
        return "the run is on a plateau: the remaining time is likely unnecessary";
    return by_grade[confidence];
}

void outlook_see_time(struct insight *s, const struct point *p)
{
    bool timed = point_has(p, POINT_TIME_S) && fabs(p->value[POINT_TIME_S]) <= POINT_FAR;
    bool has_epoch = point_has(p, POINT_EPOCH) && fabs(p->value[POINT_EPOCH]) <= POINT_FAR;
    double t = timed ? p->value[POINT_TIME_S] : NAN;
    rhythm_push(&s->rhythm, s->x, t, has_epoch ? p->value[POINT_EPOCH] : NAN);
    s->total = total_of(s);
    if (timed)
        eta_push(&s->eta, s->x, t);
}

/* What was never below zero will not end there: a loss, an accuracy. */
static double floor_of(const struct insight *s)
{
    double lowest = s->sign > 0 ? s->curve.best : -s->curve.worst;
    return lowest >= 0 ? 0 : -INFINITY;
}

void outlook_see_end(struct insight *s)
{
    struct forecast *f = &s->forecast;
    struct assessed_forecast *out = &s->now.forecast;
    double horizon = horizon_of(s);
    if (!forecast_read(f, &s->curve, s->config.model, s->x, horizon)) {
        *out = (struct assessed_forecast){NAN, NAN, NAN, NAN};
        return;
    }
    out->at = horizon;
    double least = floor_of(s);
    out->value = fmax(s->sign * f->value, least);
    out->lo = fmax(s->sign > 0 ? f->lo : -f->hi, least);
    out->hi = fmax(s->sign > 0 ? f->hi : -f->lo, least);
}

double outlook_stall_after(const struct insight *s)
{
    double interval = rhythm_interval(&s->rhythm);
    return isnan(interval) ? NAN : fmax(s->config.stall_factor * interval, stall_least_s);
}

static void reckon_eta(struct insight *s)
{
    struct assessed_eta *out = &s->now.eta;
    struct eta_interval e = {NAN, NAN, NAN};
    bool known = eta_read(&s->eta, s->config.model, horizon_of(s), &e);
    out->s = e.s;
    out->lo = e.lo;
    out->hi = e.hi;
    out->s_per_epoch = s->rhythm.s_per_epoch;
    out->remaining_epochs = remaining_epochs(s);
    out->confidence = known ? confidence_of(e.lo, e.hi) : GRADE_LOW;
    out->reason = known ? reason_of(s, out->confidence) : "";
}

static void reckon_savings(struct insight *s)
{
    struct assessed_stop *stop = &s->now.stop;
    double useless = s->now.diverging ? 1 : 1 - s->now.p_gain;
    stop->saving_s = s->now.eta.s * useless;
    stop->gpu_hours = stop->saving_s * s->config.devices / s_per_hour;
}

static void close_eta(struct insight *s, const char *reason)
{
    struct assessed_eta *eta = &s->now.eta;
    eta->s = eta->lo = eta->hi = eta->remaining_epochs = NAN;
    eta->confidence = GRADE_LOW;
    eta->reason = reason;
}

/* A loss that exploded may come back, and what is foretold of such runs is right as often as it
 * says; of one that is not finite there is nothing to tell. */
static bool is_lost(const struct insight *s)
{
    return s->now.diverging && !isfinite(s->divergence.at);
}

void outlook_reckon(struct insight *s)
{
    s->now.stall_after_s = outlook_stall_after(s);
    reckon_eta(s);
    reckon_savings(s);
    if (is_lost(s))
        close_eta(s, "the run diverges: how long it would go on is of no use");
    else if (s->completed || s->crashed)
        close_eta(s, "the run is over");
}

void outlook_close(struct insight *s)
{
    struct assessment *a = &s->now;
    if (!is_lost(s))
        return;
    a->forecast = (struct assessed_forecast){NAN, NAN, NAN, NAN};
    a->p_gain = NAN;
    a->gain_class = GRADE_LOW;
}
