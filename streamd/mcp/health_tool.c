/* SPDX-License-Identifier: MIT */
/*
 * assess_health: what the engine says, as one verdict and one thing to do. Nothing is decided here
 * but which of its words comes first: worst first.
 */
#include "streamd/mcp/tools.h"

#include "proto/json_write.h"
#include "proto/number.h"
#include "streamd/app.h"
#include "streamd/http/appraisal.h"
#include "streamd/mcp/run_words.h"
#include "streamd/session/interpreter.h"

#include <math.h>
#include <stdio.h>

struct health {
    const char *verdict;
    const char *action;
    const char *reason;
    enum grade confidence;
};

static bool is_bad(const struct assessment *a)
{
    for (size_t i = 0; i < a->finding_count; i++) {
        if (a->findings[i].severity != SEVERITY_INFO)
            return true;
    }
    return false;
}

static bool has(const struct assessment *a, enum finding_kind kind)
{
    for (size_t i = 0; i < a->finding_count; i++) {
        if (a->findings[i].kind == kind)
            return true;
    }
    return false;
}

static struct health health_of_running(const struct assessment *a)
{
    const char *advice = phase_words(a->phase)->advice;
    if (a->phase == PHASE_DIVERGING || (a->stop.recommend && a->stop.cause == STOP_DIVERGED))
        return (struct health){"kill", "kill", advice, GRADE_HIGH};
    if (a->stop.recommend)
        return (struct health){"stop_soon", "stop", a->stop.why,
                               a->gain_class == GRADE_LOW ? GRADE_HIGH : GRADE_MEDIUM};
    if (a->overfitting)
        return (struct health){"stop_soon", "consider_stop", advice, GRADE_MEDIUM};
    if (a->phase == PHASE_OVERFITTING_RISK || a->phase == PHASE_PLATEAU)
        return (struct health){"watch", "consider_stop", advice, GRADE_LOW};
    if (has(a, FINDING_LOSS_RISING))
        return (struct health){"watch", "reduce_lr", finding_action(FINDING_LOSS_RISING),
                               GRADE_LOW};
    if (is_bad(a))
        return (struct health){"watch", "monitor", finding_action(a->findings[0].kind),
                               a->findings[0].confidence};
    if (a->phase == PHASE_INITIALIZING)
        return (struct health){"insufficient_data", "wait", advice, GRADE_LOW};
    return (struct health){"healthy",
                           a->phase == PHASE_WARMUP          ? "wait"
                           : a->phase == PHASE_LEARNING_FAST ? "monitor"
                                                             : "continue",
                           advice, GRADE_MEDIUM};
}

static struct health health_of(const struct session *s, const struct assessment *a)
{
    if (run_is_over(s))
        return (struct health){"finished", "none",
                               s->error ? s->error : "The run is over. Use the best checkpoint.",
                               GRADE_HIGH};
    if (!a)
        return (struct health){"insufficient_data", "wait", "Nothing was recorded yet.", GRADE_LOW};
    return health_of_running(a);
}

/* ---- findings ---- */

static double newest(const struct session *s, enum point_field field)
{
    const struct point *p = &s->interpreter->reckoning.engine.newest;
    return point_has(p, field) ? p->value[field] : (double)NAN;
}

static void write_number(struct buf *out, const char *name, double v)
{
    json_write_pair_digits(out, name, v, RUN_DIGITS);
}

static void write_best(const struct assessment *a, struct buf *out)
{
    write_number(out, "best", a->best.value);
    write_number(out, "best_epoch", a->best.epoch);
    json_write_pair_u64(out, "evaluations_since_best", a->best.since);
}

/* The numbers a finding rests on. */
static void write_evidence(const struct session *s, const struct assessment *a,
                           const struct finding *f, struct buf *out)
{
    json_write_name(out, "evidence");
    buf_add_char(out, '{');
    switch (f->kind) {
    case FINDING_PLATEAU:
        write_number(out, "now", a->monitored);
        write_best(a, out);
        write_number(out, "p_gain", a->p_gain);
        break;
    case FINDING_OVERFITTING:
        write_number(out, "train_loss", newest(s, POINT_TRAIN_LOSS));
        write_number(out, "now", a->monitored);
        write_best(a, out);
        break;
    case FINDING_STALL:
        write_number(out, "silent_for_more_than_s", a->stall_after_s);
        break;
    case FINDING_MEMORY_LEAK:
    case FINDING_MEMORY_SHORT:
        write_number(out, "gpu_mem_mb", newest(s, POINT_GPU_MEMORY_MB));
        break;
    default:
        write_number(out, "train_loss", newest(s, POINT_TRAIN_LOSS));
        write_number(out, "velocity", a->velocity);
        break;
    }
    write_number(out, "since_step", f->since_step);
    buf_add_char(out, '}');
}

static void write_finding(const struct session *s, const struct assessment *a,
                          const struct finding *f, struct buf *out)
{
    json_write_comma(out);
    buf_add_char(out, '{');
    json_write_pair_string(out, "code", span_of(run_finding_code(s, f)));
    json_write_pair_string(out, "severity", span_of(severity_name(f->severity)));
    if (f->kind == FINDING_PLATEAU || f->kind == FINDING_OVERFITTING)
        run_write_whole(out, "since_epoch", a->best.epoch);
    write_evidence(s, a, f, out);
    buf_add_char(out, '}');
}

/* What speaks for it, where nothing speaks against it. */
static void write_good(const struct assessment *a, struct buf *out)
{
    bool done = a->phase == PHASE_CONVERGED;
    if (a->phase == PHASE_INITIALIZING || (!done && !(a->velocity > 0)))
        return;
    buf_add_char(out, '{');
    json_write_pair_string(out, "code", done ? SPAN("converged") : SPAN("improving"));
    json_write_pair_string(out, "severity", SPAN("info"));
    json_write_name(out, "evidence");
    buf_add_char(out, '{');
    if (done)
        write_best(a, out);
    else
        write_number(out, "velocity", a->velocity);
    buf_add_str(out, "}}");
}

static void write_findings(const struct session *s, const struct assessment *a, struct buf *out)
{
    json_write_name(out, "findings");
    buf_add_char(out, '[');
    for (size_t i = 0; a && i < a->finding_count; i++)
        write_finding(s, a, &a->findings[i], out);
    if (a && a->finding_count == 0)
        write_good(a, out);
    buf_add_char(out, ']');
}

/* ---- in words ---- */

static void say_progress(struct session *s, struct buf *b)
{
    uint64_t planned = operation_of(s)->epochs_planned;
    double epoch = run_epoch(s);
    if (!isfinite(epoch))
        return;
    buf_addf(b, "Epoch %.6g", epoch);
    if (planned > 0)
        buf_addf(b, " of %llu", (unsigned long long)planned);
    buf_add_str(b, ", ");
}

static void write_summary(struct session *s, const struct assessment *a, struct buf *out)
{
    struct buf b;
    buf_init(&b, 1024);
    say_progress(s, &b);
    buf_addf(&b, "%s, %s", run_status(s), run_phase(s));
    if (a && a->reason[0])
        buf_addf(&b, ": %s", a->reason);
    if (a && a->evaluations > 0 && isfinite(a->best.value))
        buf_addf(&b, ". Best %s %.5g, %llu evaluations ago", a->monitor, a->best.value,
                 (unsigned long long)a->best.since);
    buf_add_char(&b, '.');
    json_write_pair_string(out, "summary", buf_span(&b));
    buf_fini(&b);
}

/* The daemon sees no files: it can say at which epoch or step the best one was written. */
static void write_checkpoint(const struct assessment *a, struct buf *out)
{
    char text[64];
    bool by_epoch = a && isfinite(a->best.epoch);
    double place = by_epoch ? a->best.epoch : a ? a->best.step : (double)NAN;
    if (!isfinite(place)) {
        json_write_pair_raw(out, "best_checkpoint", SPAN("null"));
        return;
    }
    (void)snprintf(text, sizeof(text), "of %s %.15g", by_epoch ? "epoch" : "step", place);
    json_write_pair_string(out, "best_checkpoint", span_of(text));
}

static void write_recommendation(const struct health *h, const struct assessment *a,
                                 struct buf *out)
{
    static const char *const words[] = {
        [GRADE_LOW] = "low", [GRADE_MEDIUM] = "medium", [GRADE_HIGH] = "high"};
    json_write_name(out, "recommendation");
    buf_add_char(out, '{');
    json_write_pair_string(out, "action", span_of(h->action));
    json_write_pair_string(out, "reason", span_of(h->reason));
    json_write_pair_string(out, "confidence", span_of(words[h->confidence]));
    write_checkpoint(a, out);
    write_number(out, "saving_gpu_hours", a ? a->stop.gpu_hours : (double)NAN);
    buf_add_char(out, '}');
}

static void write_health(struct app *app, struct session *s, struct reply *reply)
{
    const struct assessment *a = session_assessment(s);
    struct health h = health_of(s, a);
    struct buf *out = &reply->body;
    buf_add_char(out, '{');
    json_write_pair_string(out, "verdict", span_of(h.verdict));
    json_write_pair_string(out, "phase", span_of(run_phase(s)));
    write_findings(s, a, out);
    write_summary(s, a, out);
    write_recommendation(&h, a, out);
    json_write_pair_u64(out, "seq", app->registry.bulletin.last);
    buf_add_char(out, '}');
}

void answer_assess_health(struct mcp_call *call, struct reply *reply)
{
    struct session *s = answer_session(call, "session_id", reply);
    if (s)
        appraise(call->app, s, write_health, reply);
}
