/* SPDX-License-Identifier: MIT */
#include "streamd/mcp/run_words.h"

#include "proto/json_write.h"
#include "proto/number.h"
#include "streamd/session/interpreter.h"
#include "streamd/session/order.h"
#include "streamd/session/session.h"

#include <math.h>

static bool has_finding(const struct session *s, enum finding_kind kind)
{
    const struct assessment *a = session_assessment(s);
    for (size_t i = 0; a && i < a->finding_count; i++) {
        if (a->findings[i].kind == kind)
            return true;
    }
    return false;
}

/* An expired one is still what it was before. */
static enum session_state state_of(const struct session *s)
{
    return s->state == SESSION_EXPIRED ? (enum session_state)s->operation.ended : s->state;
}

bool run_is_over(const struct session *s)
{
    return s->state == SESSION_EXPIRED || session_finished(s);
}

const struct order *run_stop_order(const struct session *s)
{
    const struct order *found = NULL;
    LIST_EACH (at, &s->orders) {
        const struct order *o = LIST_ENTRY(at, struct order, link);
        bool stands =
            o->state == ORDER_TOLD || o->state == ORDER_ACCEPTED || o->state == ORDER_DONE;
        if (o->command == ORDER_STOP && !o->dry_run && stands && o->asked_s >= s->start_time_s)
            found = o;
    }
    return found;
}

const char *run_status(const struct session *s)
{
    bool cancelled = s->operation.cancelled_s > 0 || run_stop_order(s);
    if (run_is_over(s)) {
        if (cancelled)
            return "stopped";
        return state_of(s) == SESSION_COMPLETED ? "completed" : "failed";
    }
    if (cancelled)
        return "stopping";
    if (s->state == SESSION_STARTING)
        return "pending";
    return has_finding(s, FINDING_STALL) ? "stalled" : "running";
}

const char *run_phase(const struct session *s)
{
    const struct assessment *a = session_assessment(s);
    return !a || a->phase == PHASE_CRASHED ? "UNKNOWN" : phase_words(a->phase)->name;
}

double run_epoch(const struct session *s)
{
    if (s->interpreter) {
        const struct point *p = &s->interpreter->reckoning.engine.newest;
        if (point_has(p, POINT_EPOCH))
            return p->value[POINT_EPOCH];
    }
    return s->epochs.trend.count > 0 ? (double)(s->epochs.trend.count - 1) : (double)NAN;
}

double run_best(const struct session *s)
{
    const struct assessment *a = session_assessment(s);
    if (a && a->evaluations > 0)
        return a->best.value;
    return epoch_trend_has_best(&s->epochs.trend) ? s->epochs.trend.best_val_loss : (double)NAN;
}

/* Is the loss that is judged a number at all? */
static bool is_nonfinite(const struct session *s)
{
    const struct point *p = &s->interpreter->reckoning.engine.newest;
    return (point_has(p, POINT_TRAIN_LOSS) && !isfinite(p->value[POINT_TRAIN_LOSS])) ||
           (point_has(p, POINT_VAL_LOSS) && !isfinite(p->value[POINT_VAL_LOSS]));
}

const char *run_finding_code(const struct session *s, const struct finding *f)
{
    switch (f->kind) {
    case FINDING_DIVERGENCE:
        return is_nonfinite(s) ? "nonfinite" : "diverging";
    case FINDING_LOSS_RISING:
        return "diverging";
    case FINDING_OVERFITTING:
        return "overfitting";
    case FINDING_PLATEAU:
        return "plateau";
    case FINDING_STALL:
        return "stalled";
    default:
        return "oom_risk";
    }
}

static bool is_advised(const struct session *s)
{
    const struct assessment *a = session_assessment(s);
    return a && a->stop.recommend && !run_is_over(s);
}

unsigned run_alerts(const struct session *s)
{
    const struct assessment *a = session_assessment(s);
    return (a ? (unsigned)a->finding_count : 0) + is_advised(s) + alert_rules_firing(s);
}

static void write_alert(struct buf *out, const char *id, const char *severity, const char *text)
{
    json_write_comma(out);
    buf_add_char(out, '{');
    json_write_pair_string(out, "id", span_of(id));
    json_write_pair_string(out, "severity", span_of(severity));
    json_write_pair_string(out, "text", span_of(text));
    buf_add_char(out, '}');
}

void run_write_alerts(const struct session *s, struct buf *out)
{
    const struct assessment *a = session_assessment(s);
    size_t left = RUN_ALERTS_MAX;
    if (is_advised(s)) {
        write_alert(out, "stop", severity_name(SEVERITY_WARNING), a->stop.why);
        left--;
    }
    for (size_t i = 0; i < s->rules.count && left > 0; i++) {
        if (!s->rules.rules[i].firing)
            continue;
        write_alert(out, s->rules.rules[i].name, severity_name(SEVERITY_WARNING), "a rule fires");
        left--;
    }
    for (size_t i = 0; a && i < a->finding_count && i < left; i++) {
        const struct finding *f = &a->findings[i];
        write_alert(out, finding_name(f->kind), severity_name(f->severity), f->evidence);
    }
}

void run_write_whole(struct buf *out, const char *name, double v)
{
    if (!isfinite(v) || fabs(v) > 9e15)
        return;
    json_write_name(out, name);
    num_write_double(out, floor(v));
}

void run_write_head(const struct session *s, struct buf *out)
{
    json_write_pair_string(out, "id", session_id(s));
    json_write_pair_string(out, "status", span_of(run_status(s)));
    json_write_pair_string(out, "phase", span_of(run_phase(s)));
}
