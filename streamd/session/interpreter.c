/* SPDX-License-Identifier: MIT */
/*
 * The engine answers after every record, but its answer is news only when the phase has changed, a
 * finding has come, or there was an evaluation. The time of a silent run is reckoned from its
 * newest record by our own clock: the trainer's may be another one.
 */
#include "streamd/session/interpreter.h"

#include "proto/json_write.h"
#include "streamd/log.h"
#include "streamd/session/insight_json.h"
#include "streamd/session/registry.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void on_tick(struct timer *timer, uint64_t now_us);

void interpreters_init(struct interpreters *all, struct registry *registry, uint64_t max)
{
    *all = (struct interpreters){.registry = registry, .max = max};
    list_init(&all->all);
    timer_init(&all->tick, on_tick);
}

void interpreters_fini(struct interpreters *all)
{
    timers_disarm(all->registry->timers, &all->tick);
}

static void destroy(struct interpreter *in)
{
    in->session->interpreter = NULL;
    in->session->registry->interpreters.count--;
    list_remove(&in->link);
    free(in);
}

void interpreter_forget(struct session *s)
{
    if (s->interpreter)
        destroy(s->interpreter);
}

static void start_ticking(struct interpreters *all, uint64_t now_us)
{
    if (!timer_armed(&all->tick) &&
        timers_arm(all->registry->timers, &all->tick, now_us + INSIGHT_TICK_US) != OK)
        all->registry->stats->errors++;
}

static struct interpreter *create(struct session *s, struct now now)
{
    struct interpreters *all = &s->registry->interpreters;
    struct insight_config config;
    if (all->max == 0)
        return NULL;
    if (all->count >= all->max)
        destroy(LIST_ENTRY(list_first(&all->all), struct interpreter, link));
    struct interpreter *in = calloc(1, sizeof(*in));
    if (!in)
        return NULL;
    list_init(&in->link);
    in->session = s;
    in->partial = s->newest_offset > 1;
    record_point_config(s->config ? refbuf_span(s->config) : SPAN(""), &in->names, &config);
    insight_init(&in->engine, &config);
    s->interpreter = in;
    all->count++;
    start_ticking(all, now.us);
    return in;
}

/* ---- what is told ---- */

static void mark_phase(struct interpreter *in, const struct assessment *a, uint64_t offset)
{
    const struct transition *t = &a->transition;
    if (in->mark_count == PHASE_MARKS_MAX)
        memmove(in->marks, in->marks + 1, --in->mark_count * sizeof(*in->marks));
    in->marks[in->mark_count++] = (struct phase_mark){
        .phase = t->to, .step = t->step, .epoch = t->epoch, .time_s = t->time_s, .offset = offset};
}

static struct buf *payload_begin(struct session *s)
{
    struct buf *b = &s->registry->scratch;
    buf_reset(b);
    buf_add_char(b, '{');
    json_write_pair_string(b, "sessionId", session_id(s));
    return b;
}

static void announce(struct session *s, const char *event, struct buf *b, struct now now)
{
    json_write_name(b, "timestamp");
    num_write_rounded(b, now.wall_s, 3);
    buf_add_char(b, '}');
    if (buf_status(b) == OK)
        registry_announce(s->registry, s, event, buf_span(b));
    else
        s->registry->stats->errors++;
}

static void tell_phase(struct interpreter *in, const struct assessment *a, struct now now)
{
    struct session *s = in->session;
    log_info("insight", "phase id=%s from=%s to=%s", s->id, phase_words(a->transition.from)->name,
             phase_words(a->transition.to)->name);
    struct buf *b = payload_begin(s);
    insight_write_transition(b, &a->transition);
    announce(s, "phase_changed", b, now);
}

static void tell_finding(struct interpreter *in, const struct finding *f, struct now now)
{
    struct session *s = in->session;
    log_info("insight", "alert id=%s kind=%s severity=%s", s->id, finding_name(f->kind),
             severity_name(f->severity));
    struct buf *b = payload_begin(s);
    insight_write_finding(b, f);
    announce(s, "alert", b, now);
}

static void tell_findings(struct interpreter *in, const struct assessment *a, struct now now)
{
    unsigned standing = 0;
    for (size_t i = 0; i < a->finding_count; i++) {
        unsigned bit = 1U << a->findings[i].kind;
        standing |= bit;
        if (!(in->told & bit))
            tell_finding(in, &a->findings[i], now);
    }
    in->untold |= in->told != standing;
    in->told = standing;
}

/* The whole verdict, to the session's own room. */
static void tell_all(struct interpreter *in, struct now now)
{
    struct session *s = in->session;
    struct message m;
    in->untold = false;
    in->told_us = now.us;
    if (!s->room || s->room->count == 0)
        return;
    struct buf *b = payload_begin(s);
    insight_write_members(b, &in->engine.now, record_point_metric(&in->names));
    buf_add_char(b, '}');
    if (buf_status(b) != OK)
        return;
    message_init(&m, s->registry->encoder, "insight", buf_span(b), 0);
    m.after = series_newest(s->series);
    room_publish_news(s->room, &m);
    message_fini(&m);
}

static bool may_tell(const struct interpreter *in, uint64_t now_us)
{
    return in->untold && (in->told_us == 0 || now_us - in->told_us >= INSIGHT_EVERY_US) &&
           in->engine.now.phase != PHASE_INITIALIZING;
}

/* The update in which it was found may still wait for its pace, and comes after it then. */
static void tell(struct interpreter *in, const struct assessment *a, uint64_t offset,
                 struct now now)
{
    if (a->changed) {
        in->session->version++;
        mark_phase(in, a, offset);
        tell_phase(in, a, now);
        in->untold = true;
    }
    tell_findings(in, a, now);
    if (may_tell(in, now.us))
        tell_all(in, now);
}

/* ---- what happens ---- */

/* A plan that came with the records, and that the engine may not know yet. */
static void follow_plan(struct interpreter *in, const struct record *r)
{
    if (!record_was_sent(r, F_TOTAL_STEPS))
        return;
    double total = num_double(r->field[F_TOTAL_STEPS]);
    if (total != in->engine.config.total)
        insight_plan(&in->engine, total, (double)NAN);
}

void interpret_record(struct session *s, const struct record *r, struct now now)
{
    struct interpreter *in = s->interpreter ? s->interpreter : create(s, now);
    struct point point;
    if (!in)
        return;
    list_remove(&in->link);
    list_add_tail(&s->registry->interpreters.all, &in->link);
    s->registry->interpreters.wall_ahead_s = now.wall_s - (double)now.us / 1e6;
    follow_plan(in, r);
    record_point(&in->names, r, now.wall_s, &point);
    in->seen_us = now.us;
    in->seen_time_s = point.value[POINT_TIME_S];
    uint64_t evaluations = in->engine.now.evaluations;
    const struct assessment *a = insight_point(&in->engine, &point);
    in->untold |= a->evaluations != evaluations;
    tell(in, a, s->newest_offset, now);
}

void interpret_event(struct session *s, enum insight_event event, const char *detail,
                     struct now now)
{
    struct interpreter *in = s->interpreter;
    if (!in)
        return;
    in->told_us = 0; /* the last word is told at once */
    in->untold = true;
    tell(in, insight_event(&in->engine, event, detail), 0, now);
}

static bool is_talking(const struct session *s)
{
    return s->state == SESSION_STARTING || s->state == SESSION_RUNNING;
}

static void tick_one(struct interpreter *in, struct now now)
{
    if (!is_talking(in->session))
        return;
    double silent_s = (double)(now.us - in->seen_us) / 1e6;
    tell(in, insight_tick(&in->engine, in->seen_time_s + silent_s), 0, now);
}

static void on_tick(struct timer *timer, uint64_t now_us)
{
    struct interpreters *all = LIST_ENTRY(timer, struct interpreters, tick);
    struct now now = {now_us, (double)now_us / 1e6 + all->wall_ahead_s};
    LIST_EACH_SAFE (at, &all->all)
        tick_one(LIST_ENTRY(at, struct interpreter, link), now);
    if (!list_empty(&all->all))
        start_ticking(all, now_us);
}

const struct assessment *session_assessment(const struct session *s)
{
    return s->interpreter ? &s->interpreter->engine.now : NULL;
}
