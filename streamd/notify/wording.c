/* SPDX-License-Identifier: MIT */
/*
 * One function a message. Formats are fixed: losses with four decimals, rates in scientific
 * notation, metrics of a validation with three.
 */
#include "streamd/notify/wording.h"

#include "base/duration.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static const char *name_of(const struct notify_event *e)
{
    return e->name && *e->name ? e->name : e->session_id;
}

/* A name of the wire as words: "STABLE CONVERGENCE". */
static void add_words(struct buf *b, const char *name)
{
    struct span rest = span_of(name);
    buf_add_span(b, span_cut(&rest, '_'));
    while (rest.ptr) {
        buf_add_char(b, ' ');
        buf_add_span(b, span_cut(&rest, '_'));
    }
}

static void add_phase(struct buf *b, enum insight_phase phase)
{
    add_words(b, phase_words(phase)->name);
}

static void add_title(struct buf *b, enum insight_phase phase)
{
    bool detected = phase == PHASE_PLATEAU || phase == PHASE_OVERFITTING_RISK;
    buf_addf(b, "%s ", phase_words(phase)->emoji);
    add_phase(b, phase);
    buf_add_str(b, detected ? " DETECTED" : "");
}

static void add_duration(struct buf *b, double seconds)
{
    char text[DURATION_TEXT_MAX];
    buf_add_str(b, duration_text(seconds, text));
}

static bool is_metric(const struct assessment *a)
{
    return strcmp(a->monitor, "val_metric") == 0;
}

/* With so many decimals; what would be lost in them has three digits. */
static void add_value(struct buf *b, double value, int decimals)
{
    if (!isfinite(value))
        buf_add_str(b, isnan(value) ? "NaN" : value > 0 ? "Inf" : "-Inf");
    else if (value != 0 && fabs(value) < 0.001)
        buf_addf(b, "%.3g", value);
    else
        buf_addf(b, "%.*f", decimals, value);
}

static void add_judged(struct buf *b, const struct assessment *a, double value)
{
    add_value(b, value, is_metric(a) ? 3 : 4);
}

/* "0.256 (Epoch 16)" */
static void add_judged_at(struct buf *b, const struct assessment *a, double value, double epoch,
                          double step)
{
    add_judged(b, a, value);
    if (!isnan(epoch))
        buf_addf(b, " (Epoch %.6g)", epoch);
    else if (!isnan(step))
        buf_addf(b, " (Step %.0f)", step);
}

static void add_best(struct buf *b, const struct assessment *a)
{
    if (a->evaluations == 0 || isnan(a->best.value))
        buf_add_str(b, "none yet");
    else
        add_judged_at(b, a, a->best.value, a->best.epoch, a->best.step);
}

/* ---- the parts of a change of phase ---- */

static void add_validation(struct buf *b, const struct notify_event *e, const struct snapshot *now)
{
    const char *metric = e->metric ? e->metric : "metric";
    const char *slash = strrchr(metric, '/');
    if (!isnan(now->val_metric)) {
        buf_addf(b, "\n   Val %s: ", strstr(metric, "mAP") ? "mAP" : slash ? slash + 1 : metric);
        add_value(b, now->val_metric, 3);
    } else if (!isnan(now->val_loss)) {
        buf_add_str(b, "\n   Val loss: ");
        add_value(b, now->val_loss, 4);
    }
}

/* Nothing where it is not known. */
static void add_loss(struct buf *b, const char *head, double loss)
{
    if (isnan(loss))
        return;
    buf_add_str(b, head);
    add_value(b, loss, 4);
}

static void add_state(struct buf *b, const struct notify_event *e)
{
    const struct snapshot *now = &e->assessment->transition.snapshot;
    buf_add_str(b, "\n\n📉 Current State:");
    add_loss(b, "\n   Loss: ", now->train_loss);
    if (!isnan(now->lr))
        buf_addf(b, "\n   LR: %.2e", now->lr);
    add_validation(b, e, now);
}

static void add_eta(struct buf *b, const struct assessed_eta *eta)
{
    add_duration(b, eta->s);
    if (!isnan(eta->s))
        buf_addf(b, " (%s)", grade_title(eta->confidence));
}

static void add_range(struct buf *b, const struct assessed_eta *eta)
{
    if (isnan(eta->lo) || isnan(eta->hi))
        return;
    buf_add_str(b, "\n   Range: ");
    add_duration(b, eta->lo);
    buf_add_str(b, " - ");
    add_duration(b, eta->hi);
}

static const char *eta_reason(const struct assessed_eta *eta)
{
    if (eta->reason && *eta->reason)
        return eta->reason;
    return isnan(eta->s) ? "how long the run shall be is not known"
                         : "reckoned from the steps so far";
}

static void write_phase(struct buf *b, const struct notify_event *e)
{
    const struct assessment *a = e->assessment;
    const struct transition *t = &a->transition;
    add_title(b, t->to);
    buf_addf(b, "\n\n📊 Experiment: %s\n\n🔄 Change: ", name_of(e));
    add_phase(b, t->from);
    buf_add_str(b, " → ");
    add_phase(b, t->to);
    buf_addf(b, "\n📝 Reason: %s", t->reason);
    add_state(b, e);
    if (t->to != PHASE_CRASHED && t->to != PHASE_CONVERGED) {
        buf_add_str(b, "\n\n⏱️ ETA Prediction:\n   Remaining: ");
        add_eta(b, &a->eta);
        add_range(b, &a->eta);
        buf_addf(b, "\n   Reason: %s", eta_reason(&a->eta));
    }
    buf_addf(b, "\n\n💡 Recommendation: %s", phase_words(t->to)->advice);
}

/* ---- stopping ---- */

static void add_stalled(struct buf *b, const struct notify_event *e)
{
    const struct assessment *a = e->assessment;
    double epochs = e->epoch - a->best.epoch;
    if (!isnan(epochs) && epochs >= 1)
        buf_addf(b, "%.0f epoch%s", floor(epochs), floor(epochs) == 1 ? "" : "s");
    else
        buf_addf(b, "%" PRIu64 " evaluation%s", a->best.since, a->best.since == 1 ? "" : "s");
}

static void add_saving(struct buf *b, const struct assessed_stop *stop)
{
    double gpu_s = isnan(stop->gpu_hours) ? stop->saving_s : stop->gpu_hours * 3600;
    buf_add_str(b, isnan(gpu_s) ? "" : "~");
    add_duration(b, gpu_s);
}

static void write_stop(struct buf *b, const struct notify_event *e)
{
    const struct assessment *a = e->assessment;
    buf_addf(
        b, "💰 Early Termination Recommendation\n\n📊 Experiment: %s\n\n⚠️ Analysis:\n   ",
        name_of(e));
    if (a->stop.cause == STOP_DIVERGED) {
        buf_addf(b, "%s\n   Best: ", a->reason);
    } else {
        buf_add_str(b, "No improvement for ");
        add_stalled(b, e);
        buf_add_str(b, "\n   Best: ");
    }
    add_best(b, a);
    buf_add_str(b, "\n   Current: ");
    add_judged_at(b, a, a->monitored, e->epoch, e->step);
    buf_addf(b, "\n\n💡 Recommendation: Stop now. P(>0.5%% gain) ≈ %s\n\n💵 Savings: ",
             grade_upper(a->gain_class));
    add_saving(b, &a->stop);
    buf_addf(b, "%s\n\n🏆 Use checkpoint: %s", isnan(a->stop.saving_s) ? "" : " GPU hours",
             e->checkpoint ? e->checkpoint : "the one nearest to the best value");
}

/* ---- findings ---- */

/* The short one: the phase's own message says the rest. */
static void write_plateau(struct buf *b, const struct notify_event *e, const struct finding *f)
{
    const struct assessment *a = e->assessment;
    buf_addf(b, "> 🟠 PLATEAU: %s\n> %s\n> ETA: ", name_of(e), f->evidence);
    add_duration(b, a->eta.s);
    buf_addf(b,
             " (likely unnecessary)\n> Recommendation: %s\n> Savings: ", finding_action(f->kind));
    add_saving(b, &a->stop);
}

static void write_finding(struct buf *b, const struct notify_event *e)
{
    static const char *const emoji[] = {
        [SEVERITY_INFO] = "ℹ️", [SEVERITY_WARNING] = "⚠️", [SEVERITY_CRITICAL] = "🚨"};
    const struct finding *f = &e->assessment->findings[e->finding];
    if (f->kind == FINDING_PLATEAU) {
        write_plateau(b, e, f);
        return;
    }
    buf_addf(b, "%s ", emoji[f->severity]);
    add_words(b, finding_name(f->kind));
    buf_addf(b, "\n\n📊 Experiment: %s\n📝 Evidence: %s\n\n💡 Recommendation: %s", name_of(e),
             f->evidence, finding_action(f->kind));
}

static void write_rule(struct buf *b, const struct notify_event *e)
{
    buf_addf(b, "⚠️ Alert: %s\n\n📊 Experiment: %s\n📝 Evidence: %s", e->rule, name_of(e),
             e->words);
}

/* ---- how it goes ---- */

static void add_place(struct buf *b, const struct notify_event *e)
{
    if (!isnan(e->epoch))
        buf_addf(b, "Epoch %.6g", e->epoch);
    else if (!isnan(e->step))
        buf_addf(b, "Step %.0f", e->step);
    else
        buf_add_str(b, "Not begun");
}

static void write_progress(struct buf *b, const struct notify_event *e)
{
    const struct assessment *a = e->assessment;
    double accuracy = e->now.accuracy;
    buf_addf(b, "⏱️ Progress: %s\n\n📊 ", name_of(e));
    add_place(b, e);
    buf_add_str(b, " | ");
    add_phase(b, a->phase);
    add_loss(b, "\n📉 Loss: ", e->now.train_loss);
    if (!isnan(accuracy)) /* a fraction, or per cent already */
        buf_addf(b, "%sAcc: %.1f%%", isnan(e->now.train_loss) ? "\n" : " | ",
                 accuracy <= 1 ? accuracy * 100 : accuracy);
    add_validation(b, e, &e->now);
    buf_add_str(b, "\n\n⏱️ ETA: ");
    add_eta(b, &a->eta);
    add_range(b, &a->eta);
    if (!isnan(e->gpu_memory_mb))
        buf_addf(b, "\n\n💾 GPU: %.0f MB", e->gpu_memory_mb);
}

static void write_unanswered(struct buf *b, const struct notify_event *e)
{
    buf_addf(b, "⚠️ No Answer: %s\n\n%s\n→ see whether its trainer still runs", name_of(e),
             e->words);
}

static const char *converges(const struct assessment *a)
{
    if (a->phase == PHASE_INITIALIZING || a->phase == PHASE_WARMUP)
        return "Too early to say";
    bool ill = a->diverging || a->overfitting || a->phase == PHASE_CRASHED;
    return ill ? "No" : "Yes";
}

static void add_findings(struct buf *b, const struct assessment *a)
{
    for (size_t i = 0; i < a->finding_count; i++)
        buf_addf(b, "%s%s (%s)", i ? "; " : "", finding_name(a->findings[i].kind),
                 a->findings[i].evidence);
    if (a->finding_count == 0)
        buf_add_str(b, a->phase == PHASE_CRASHED ? a->reason : "No");
}

/* The four answers: does it converge, stop early, finish when, anything wrong. */
static void write_summary(struct buf *b, const struct assessment *a)
{
    buf_addf(b, "Converging normally? %s: %s", converges(a), phase_words(a->phase)->description);
    buf_addf(b, "\nStop early? %s", a->stop.recommend ? "Yes: " : "No");
    buf_add_str(b, a->stop.recommend ? a->stop.why : "");
    buf_add_str(b, "\nFinished when? ");
    if (a->phase == PHASE_CONVERGED || a->phase == PHASE_CRASHED)
        buf_add_str(b, "It is over");
    else if (isnan(a->eta.s))
        buf_add_str(b, "Not known");
    else
        add_eta(b, &a->eta);
    buf_add_str(b, "\nAnything wrong? ");
    add_findings(b, a);
}

static void write_report(struct buf *b, const struct notify_event *e)
{
    const struct assessment *a = e->assessment;
    buf_addf(b, "%s Training Report: %s\n\n📊 ", phase_words(a->phase)->emoji, name_of(e));
    add_place(b, e);
    buf_add_str(b, " | Phase: ");
    add_phase(b, a->phase);
    buf_add_str(b, "\n\n🏆 Best Result: ");
    add_best(b, a);
    buf_addf(b, "\n🔄 State Transitions: %" PRIu64, a->transitions);
    buf_addf(b, "\n💰 Early termination alerts: %" PRIu64 "\n\n", e->stop_alerts);
    write_summary(b, a);
}

void wording_write(struct buf *b, const struct notify_event *e)
{
    static void (*const writers[])(struct buf *, const struct notify_event *) = {
        [NOTIFY_PHASE] = write_phase,
        [NOTIFY_STOP] = write_stop,
        [NOTIFY_FINDING] = write_finding,
        [NOTIFY_PROGRESS] = write_progress,
        [NOTIFY_UNANSWERED] = write_unanswered,
        [NOTIFY_REPORT] = write_report,
        [NOTIFY_RULE] = write_rule,
    };
    writers[e->kind](b, e);
}

void wording_status(struct buf *b, const struct notify_event *e)
{
    const struct assessment *a = e->assessment;
    add_place(b, e);
    buf_add_str(b, " | ");
    add_phase(b, a->phase);
    add_loss(b, " | Loss ", e->now.train_loss);
    buf_add_str(b, " | ETA ");
    add_eta(b, &a->eta);
}
