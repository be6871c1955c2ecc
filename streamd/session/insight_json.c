/* SPDX-License-Identifier: MIT */
#include "streamd/session/insight_json.h"

#include "base/duration.h"
#include "proto/json_write.h"
#include "streamd/session/interpreter.h"

#include <math.h>

enum { DIGITS = 6, ADVICE_EVIDENCE_MAX = 256 };

static void write_number(struct buf *out, const char *name, double v)
{
    json_write_name(out, name);
    if (isfinite(v))
        num_write_significant(out, v, DIGITS);
    else
        buf_add_str(out, "null");
}

/* A place: a step or an epoch may have more digits than a value needs. */
static void write_place(struct buf *out, const char *name, double v)
{
    json_write_name(out, name);
    if (isfinite(v))
        num_write_rounded(out, v, 3);
    else
        buf_add_str(out, "null");
}

static void write_text(struct buf *out, const char *name, const char *text)
{
    json_write_pair_string(out, name, span_of(text));
}

static void open(struct buf *out, const char *name)
{
    json_write_name(out, name);
    buf_add_char(out, '{');
}

static void close(struct buf *out)
{
    buf_add_char(out, '}');
}

void insight_write_transition(struct buf *out, const struct transition *t)
{
    write_text(out, "from", phase_words(t->from)->name);
    write_text(out, "to", phase_words(t->to)->name);
    write_text(out, "emoji", phase_words(t->to)->emoji);
    write_text(out, "reason", t->reason);
    write_text(out, "action", phase_words(t->to)->action);
    write_place(out, "step", t->step);
    write_place(out, "epoch", t->epoch);
    open(out, "snapshot");
    write_number(out, "loss", t->snapshot.train_loss);
    write_number(out, "lr", t->snapshot.lr);
    write_number(out, "accuracy", t->snapshot.accuracy);
    write_number(out, "val_loss", t->snapshot.val_loss);
    write_number(out, "val_metric", t->snapshot.val_metric);
    close(out);
}

void insight_write_finding(struct buf *out, const struct finding *f)
{
    write_text(out, "kind", finding_name(f->kind));
    write_text(out, "severity", severity_name(f->severity));
    write_text(out, "evidence", f->evidence);
    write_text(out, "confidence", grade_title(f->confidence));
    write_text(out, "action", finding_action(f->kind));
    write_place(out, "sinceStep", f->since_step);
}

static void write_stop_evidence(struct buf *out, const struct assessment *a)
{
    const struct assessed_best *best = &a->best;
    if (a->stop.cause == STOP_DIVERGED)
        buf_add_str(out, a->reason);
    else
        buf_addf(out, "%llu evaluations without a gain that counts",
                 (unsigned long long)a->stop.waited);
    if (!isfinite(best->value))
        return;
    buf_addf(out, "; best %.6g", best->value);
    if (isfinite(best->step))
        buf_addf(out, " at step %.15g", best->step);
    else if (isfinite(best->epoch))
        buf_addf(out, " at epoch %.6g", best->epoch);
}

void insight_write_advice(struct buf *out, const struct assessment *a)
{
    const struct assessed_stop *stop = &a->stop;
    struct buf evidence;
    buf_init(&evidence, ADVICE_EVIDENCE_MAX);
    write_stop_evidence(&evidence, a);
    write_text(out, "kind", "stop");
    write_text(out, "severity", severity_name(SEVERITY_WARNING));
    json_write_pair_string(out, "evidence", buf_span(&evidence));
    write_text(out, "confidence",
               grade_title(a->gain_class == GRADE_LOW ? GRADE_HIGH : GRADE_MEDIUM));
    write_text(out, "action", "stop, and use the best checkpoint");
    write_text(out, "why", stop->why);
    write_place(out, "sinceStep", a->best.x);
    buf_fini(&evidence);
}

static void write_duration(struct buf *out, const char *name, double seconds)
{
    char text[DURATION_TEXT_MAX];
    json_write_pair_string(out, name, span_of(duration_text(seconds, text)));
}

/* null while it is not known. */
static void write_eta(struct buf *out, const struct assessed_eta *eta)
{
    if (!isfinite(eta->s)) {
        json_write_pair_raw(out, "eta", SPAN("null"));
        return;
    }
    open(out, "eta");
    write_number(out, "eta_seconds", eta->s);
    write_duration(out, "eta_formatted", eta->s);
    write_text(out, "confidence", grade_title(eta->confidence));
    write_text(out, "confidence_reason", eta->reason);
    write_number(out, "remaining_epochs", eta->remaining_epochs);
    write_number(out, "time_per_epoch_avg", eta->s_per_epoch);
    write_number(out, "earliest_possible", eta->lo);
    write_number(out, "latest_possible", eta->hi);
    close(out);
}

static void write_best(struct buf *out, const struct assessment *a)
{
    if (a->evaluations == 0 || !isfinite(a->best.value)) {
        json_write_pair_raw(out, "best", SPAN("null"));
        return;
    }
    open(out, "best");
    write_number(out, "value", a->best.value);
    write_place(out, "step", a->best.step);
    write_place(out, "epoch", a->best.epoch);
    json_write_pair_u64(out, "evaluationsSince", a->best.since);
    close(out);
}

static void write_forecast(struct buf *out, const struct assessed_forecast *f)
{
    if (!isfinite(f->value)) {
        json_write_pair_raw(out, "forecast", SPAN("null"));
        return;
    }
    open(out, "forecast");
    write_place(out, "at", f->at);
    write_number(out, "value", f->value);
    write_number(out, "lo", f->lo);
    write_number(out, "hi", f->hi);
    close(out);
}

static void write_stop(struct buf *out, const struct assessed_stop *stop)
{
    open(out, "stop");
    json_write_pair_bool(out, "recommend", stop->recommend);
    write_text(out, "why", stop->why);
    json_write_pair_u64(out, "waited", stop->waited);
    json_write_pair_u64(out, "patience", stop->patience);
    write_number(out, "saving_seconds", stop->saving_s);
    write_number(out, "gpu_hours", stop->gpu_hours);
    close(out);
}

static void write_findings(struct buf *out, const struct assessment *a)
{
    json_write_name(out, "findings");
    buf_add_char(out, '[');
    for (size_t i = 0; i < a->finding_count; i++) {
        json_write_comma(out);
        buf_add_char(out, '{');
        insight_write_finding(out, &a->findings[i]);
        close(out);
    }
    buf_add_char(out, ']');
}

/* What the monitored metric is called by its trainer. */
static const char *name_of(const struct assessment *a, const char *metric)
{
    return metric[0] && span_is(span_of(a->monitor), "val_metric") ? metric : a->monitor;
}

void insight_write_members(struct buf *out, const struct assessment *a, const char *metric)
{
    const struct phase_words *words = phase_words(a->phase);
    write_text(out, "phase", words->name);
    write_text(out, "emoji", words->emoji);
    write_text(out, "reason", a->reason);
    write_text(out, "action", words->action);
    write_text(out, "advice", words->advice);
    write_number(out, "velocity", a->velocity);
    write_text(out, "monitor", name_of(a, metric));
    write_text(out, "goal", a->higher_is_better ? "max" : "min");
    json_write_pair_u64(out, "evaluations", a->evaluations);
    write_best(out, a);
    json_write_pair_bool(out, "plateau", a->plateau);
    json_write_pair_bool(out, "overfitting", a->overfitting);
    json_write_pair_bool(out, "diverging", a->diverging);
    write_eta(out, &a->eta);
    write_forecast(out, &a->forecast);
    write_number(out, "p_gain", a->p_gain);
    json_write_name(out, "gain_class");
    if (isfinite(a->p_gain))
        json_write_string(out, span_of(grade_upper(a->gain_class)));
    else
        buf_add_str(out, "null");
    write_stop(out, &a->stop);
    write_findings(out, a);
}

void insight_write_verdict(struct buf *out, const struct assessment *a)
{
    write_text(out, "phase", phase_words(a->phase)->name);
    write_text(out, "reason", a->reason);
    write_best(out, a);
    write_stop(out, &a->stop);
    write_eta(out, &a->eta);
}

void insight_write_brief(struct buf *out, const struct assessment *a)
{
    if (!a) {
        json_write_pair_raw(out, "phase", SPAN("null"));
        json_write_pair_raw(out, "phase_reason", SPAN("null"));
        json_write_pair_raw(out, "eta", SPAN("null"));
        return;
    }
    write_text(out, "phase", phase_words(a->phase)->name);
    write_text(out, "phase_reason", a->reason);
    write_eta(out, &a->eta);
}

void insight_write_interpreter(struct buf *out, struct interpreter *in)
{
    struct reckoning *r = &in->reckoning;
    insight_write_members(out, insight_now(&r->engine), record_point_metric(&r->names));
    json_write_name(out, "phases");
    buf_add_char(out, '[');
    for (size_t i = 0; i < r->mark_count; i++) {
        const struct phase_mark *mark = &r->marks[i];
        json_write_comma(out);
        buf_add_char(out, '{');
        write_text(out, "phase", phase_words(mark->phase)->name);
        write_place(out, "step", mark->step);
        write_place(out, "epoch", mark->epoch);
        write_place(out, "time_s", mark->time_s);
        json_write_pair_u64(out, "offset", mark->offset);
        close(out);
    }
    buf_add_char(out, ']');
    json_write_pair_bool(out, "partial", in->partial);
}
