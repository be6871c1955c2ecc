/* SPDX-License-Identifier: MIT */
#include "insight/verdict.h"

#include "insight/findings.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SPAN_TEXT_MAX = 32 };

static const uint64_t samples_first = 20; /* fewer: initializing */
static const uint64_t epochs_first = 3;   /* an epoch is many samples, however it was logged */
static const double fast = 0.05;
static const double stable = 0.01;
static const double least_percent = 0.05; /* less is 0.0 */
static const double rising = 0.2;         /* worth a word even where it is no divergence */

static double known(const struct insight *s, enum point_field field)
{
    return point_has(&s->newest, field) ? s->newest.value[field] : NAN;
}

static bool is_done(const struct insight *s)
{
    return s->completed || s->x >= s->total;
}

/* Is held-out data judged, and not training itself? */
static bool is_validated(const struct insight *s)
{
    return s->monitor == MONITOR_VAL_LOSS || s->monitor == MONITOR_VAL_METRIC;
}

static bool is_of_speed(enum insight_phase phase)
{
    return phase == PHASE_LEARNING_FAST || phase == PHASE_STABLE_CONVERGENCE ||
           phase == PHASE_PLATEAU;
}

/* Where the velocity passes from one phase of speed to another: noise alone shall not carry it. */
static double pass(const struct insight *s, double limit, bool above)
{
    double margin = is_of_speed(s->now.phase) ? velocity_margin(&s->velocity) : 0;
    margin = fmin(margin, limit / 2);
    return above ? limit - margin : limit + margin;
}

static enum insight_phase phase_of_velocity(const struct insight *s)
{
    enum insight_phase now = s->now.phase;
    double velocity = s->now.velocity;
    if (isnan(velocity))
        return PHASE_WARMUP;
    if (velocity > pass(s, fast, now == PHASE_LEARNING_FAST))
        return PHASE_LEARNING_FAST;
    if (velocity_is_first(&s->velocity))
        return PHASE_WARMUP;
    return velocity < pass(s, stable, now != PHASE_PLATEAU) ? PHASE_PLATEAU
                                                            : PHASE_STABLE_CONVERGENCE;
}

static enum insight_phase phase_of(const struct insight *s)
{
    if (s->crashed)
        return PHASE_CRASHED;
    if (s->now.diverging)
        return PHASE_DIVERGING;
    if (is_done(s))
        return PHASE_CONVERGED;
    if (s->now.overfitting || (is_validated(s) && s->relapse.risk))
        return PHASE_OVERFITTING_RISK;
    if (s->samples < samples_first && s->velocity.epoch.ended < epochs_first)
        return PHASE_INITIALIZING;
    if (s->warming)
        return PHASE_WARMUP;
    return phase_of_velocity(s);
}

/* What the velocity spans: "epoch", or "40 steps" where the run has no epochs. */
static const char *span_text(const struct insight *s, char out[SPAN_TEXT_MAX])
{
    if (isnan(s->now.velocity_steps))
        return "epoch";
    (void)snprintf(out, SPAN_TEXT_MAX, "%.6g steps", s->now.velocity_steps);
    return out;
}

static void say_velocity(const struct insight *s, enum insight_phase to, char *out)
{
    char span[SPAN_TEXT_MAX];
    const char *verb = !is_of_speed(s->now.phase) ? "is at"
                       : to > s->now.phase        ? "dropped to"
                                                  : "rose to";
    double percent = 100 * s->now.velocity;
    if (percent <= -least_percent)
        (void)snprintf(out, ASSESSMENT_REASON_MAX, "Learning has stopped: %.1f%% worse per %s",
                       -percent, span_text(s, span));
    else
        (void)snprintf(out, ASSESSMENT_REASON_MAX, "Learning velocity %s %.1f%% improvement per %s",
                       verb, fmax(percent, 0), span_text(s, span));
}

static void say_divergence(const struct insight *s, char *out)
{
    const struct divergence *d = &s->divergence;
    const char *whose = d->at_val ? "Validation loss" : "Loss";
    if (isfinite(d->at) && d->count < DIVERGENCE_FIRST)
        (void)snprintf(out, ASSESSMENT_REASON_MAX,
                       "Loss exploded to %.4g, above the %.4g it began at", d->at, d->start);
    else if (isfinite(d->at))
        (void)snprintf(out, ASSESSMENT_REASON_MAX,
                       "Loss exploded to %.4g, above the %.4g it began at, from as low as %.4g",
                       d->at, d->start, d->lowest);
    else
        (void)snprintf(out, ASSESSMENT_REASON_MAX, "%s is %s", whose,
                       isnan(d->at) ? "NaN" : "infinite");
}

static void say_overfitting(const struct insight *s, char *out)
{
    (void)snprintf(out, ASSESSMENT_REASON_MAX,
                   "Validation degraded to %.4g from its best %.4g while training improved",
                   s->now.monitored, s->now.best.value);
}

static void say_risk(const struct insight *s, char *out)
{
    const struct relapse *r = &s->relapse;
    if (s->now.overfitting)
        say_overfitting(s, out);
    else
        (void)snprintf(
            out, ASSESSMENT_REASON_MAX,
            "Validation is %.1f%% worse than its best %.4g while training improved %.1f%%",
            100 * r->worse, s->now.best.value, 100 * r->trained);
}

static void say_converged(const struct insight *s, char *out)
{
    if (s->completed)
        (void)snprintf(out, ASSESSMENT_REASON_MAX, "%s",
                       s->detail[0] ? s->detail : "The trainer completed its run");
    else
        (void)snprintf(out, ASSESSMENT_REASON_MAX, "The planned %.10g %s were reached", s->total,
                       s->by_steps ? "steps" : "epochs");
}

static void say_why(const struct insight *s, enum insight_phase to, char *out)
{
    switch (to) {
    case PHASE_INITIALIZING:
        (void)snprintf(out, ASSESSMENT_REASON_MAX, "Fewer than %d samples so far",
                       (int)samples_first);
        return;
    case PHASE_WARMUP:
        (void)snprintf(out, ASSESSMENT_REASON_MAX, "%s",
                       s->warming ? "The learning rate is ramping up"
                                  : "Too early for a learning velocity");
        return;
    case PHASE_OVERFITTING_RISK:
        say_risk(s, out);
        return;
    case PHASE_DIVERGING:
        say_divergence(s, out);
        return;
    case PHASE_CONVERGED:
        say_converged(s, out);
        return;
    case PHASE_CRASHED:
        (void)snprintf(out, ASSESSMENT_REASON_MAX, "%s",
                       s->detail[0] ? s->detail : "The trainer died");
        return;
    default:
        say_velocity(s, to, out);
    }
}

static void change(struct insight *s, enum insight_phase to)
{
    struct assessment *a = &s->now;
    struct transition t = {
        .from = a->phase,
        .to = to,
        .time_s = known(s, POINT_TIME_S),
        .step = known(s, POINT_STEP),
        .epoch = known(s, POINT_EPOCH),
        .snapshot =
            {
                .train_loss = known(s, POINT_TRAIN_LOSS),
                .lr = known(s, POINT_LR),
                .accuracy = known(s, POINT_ACCURACY),
                .val_loss = known(s, POINT_VAL_LOSS),
                .val_metric = known(s, POINT_VAL_METRIC),
            },
    };
    say_why(s, to, t.reason);
    memcpy(a->reason, t.reason, sizeof(a->reason));
    a->transition = t;
    a->phase = to;
    a->changed = true;
    a->transitions++;
}

static void find(struct insight *s, enum finding_kind kind, bool on, enum severity severity,
                 void (*say)(const struct insight *, char *))
{
    if (!on) {
        finding_end(&s->now, kind);
        return;
    }
    struct finding *f = finding_begin(&s->now, kind, severity, s->x);
    if (f)
        say(s, f->evidence);
}

static void say_drop(const struct insight *s, char *out)
{
    (void)snprintf(out, ASSESSMENT_EVIDENCE_MAX, "validation is %.1f%% worse than its best %.4g",
                   100 * s->relapse.worse, s->now.best.value);
}

/* By the verdict, else by the plain rule, which is right less often. */
static void find_overfitting(struct insight *s)
{
    if (s->now.overfitting || !is_validated(s) || !s->relapse.dropped) {
        find(s, FINDING_OVERFITTING, s->now.overfitting, SEVERITY_WARNING, say_overfitting);
        return;
    }
    struct finding *f = finding_begin(&s->now, FINDING_OVERFITTING, SEVERITY_INFO, s->x);
    if (!f)
        return;
    f->confidence = GRADE_LOW;
    say_drop(s, f->evidence);
}

static void say_plateau(const struct insight *s, char *out)
{
    double waited = (double)s->curve.waited;
    if (isnan(s->now.plateau_at))
        (void)snprintf(out, ASSESSMENT_EVIDENCE_MAX, "no finite value for %.0f evaluations",
                       waited);
    else
        (void)snprintf(out, ASSESSMENT_EVIDENCE_MAX, "plateaued at %.4g for %.0f evaluations",
                       s->now.plateau_at, waited);
}

static void say_rising(const struct insight *s, char *out)
{
    char span[SPAN_TEXT_MAX];
    (void)snprintf(out, ASSESSMENT_EVIDENCE_MAX, "%s by %.1f%% within %s%s",
                   s->velocity_by_train ? "the loss rose" : "validation got worse",
                   100 * velocity_rise(&s->velocity), isnan(s->now.velocity_steps) ? "an " : "",
                   span_text(s, span));
}

static void say_leak(const struct insight *s, char *out)
{
    struct memory_rise r;
    if (memory_leaks(&s->memory, &r))
        (void)snprintf(out, ASSESSMENT_EVIDENCE_MAX, "%.0f MB at %.6g, %.0f MB at %.6g", r.from_mb,
                       r.from_x, r.to_mb, r.to_x);
}

static void say_short(const struct insight *s, char *out)
{
    double mb = memory_newest(&s->memory);
    (void)snprintf(out, ASSESSMENT_EVIDENCE_MAX, "%.0f of %.0f MB in use (%.0f%% VRAM)", mb,
                   s->config.memory_mb, 100 * mb / s->config.memory_mb);
}

static void find_memory(struct insight *s)
{
    struct memory_rise r;
    find(s, FINDING_MEMORY_LEAK, memory_leaks(&s->memory, &r), SEVERITY_WARNING, say_leak);
    find(s, FINDING_MEMORY_SHORT, memory_is_short(&s->memory, s->config.memory_mb),
         SEVERITY_CRITICAL, say_short);
}

void verdict_reach(struct insight *s)
{
    enum insight_phase phase = phase_of(s);
    s->now.changed = false;
    if (phase != s->now.phase)
        change(s, phase);
    find(s, FINDING_DIVERGENCE, s->now.diverging, SEVERITY_CRITICAL, say_divergence);
    find_overfitting(s);
    find(s, FINDING_PLATEAU, s->now.plateau, SEVERITY_INFO, say_plateau);
    find(s, FINDING_LOSS_RISING, velocity_rise(&s->velocity) > rising, SEVERITY_WARNING,
         say_rising);
    find_memory(s);
}
