/* SPDX-License-Identifier: MIT */
/*
 * The engine answers after every record, but its answer is news only when the phase has changed, a
 * finding or an advice has come, or there was an evaluation. The update in which that was found may
 * still wait for its pace, and comes after it then.
 */
#include "streamd/session/interpreter_tell.h"

#include "proto/json_write.h"
#include "streamd/log.h"
#include "streamd/notify/notify.h"
#include "streamd/session/bulletin_write.h"
#include "streamd/session/insight_json.h"
#include "streamd/session/registry.h"

#include <math.h>

static struct buf *payload_begin(struct session *s)
{
    struct buf *b = &s->registry->scratch;
    buf_reset(b);
    buf_add_char(b, '{');
    json_write_pair_string(b, "sessionId", session_id(s));
    return b;
}

static double newest(const struct interpreter *in, enum point_field field)
{
    const struct point *p = &in->reckoning.engine.newest;
    return point_has(p, field) ? p->value[field] : (double)NAN;
}

/* People who do not look are told, if somebody asked for that. */
static void notify(struct interpreter *in, struct notify_event e, struct now now)
{
    struct session *s = in->session;
    const char *metric = record_point_metric(&in->reckoning.names);
    if (!s->registry->notify)
        return;
    e.session_id = s->id;
    e.name = s->name;
    e.assessment = insight_now(&in->reckoning.engine);
    e.metric = metric[0] ? metric : NULL;
    e.now = (struct snapshot){.train_loss = newest(in, POINT_TRAIN_LOSS),
                              .lr = newest(in, POINT_LR),
                              .accuracy = newest(in, POINT_ACCURACY),
                              .val_loss = newest(in, POINT_VAL_LOSS),
                              .val_metric = newest(in, POINT_VAL_METRIC)};
    e.epoch = newest(in, POINT_EPOCH);
    e.step = newest(in, POINT_STEP);
    e.gpu_memory_mb = newest(in, POINT_GPU_MEMORY_MB);
    (void)notify_event(s->registry->notify, &e, now);
}

static void tell_phase(struct interpreter *in, const struct assessment *a, struct now now)
{
    struct session *s = in->session;
    log_info("insight", "phase id=%s from=%s to=%s", s->id, phase_words(a->transition.from)->name,
             phase_words(a->transition.to)->name);
    struct buf *b = payload_begin(s);
    insight_write_transition(b, &a->transition);
    registry_announce_dated(s, "phase_changed", b, now);
    bulletin_phase(s, &a->transition, now.wall_s);
    notify(in, (struct notify_event){.kind = NOTIFY_PHASE, .number = a->transitions}, now);
}

static void tell_finding(struct interpreter *in, const struct assessment *a, size_t i,
                         struct now now)
{
    struct session *s = in->session;
    const struct finding *f = &a->findings[i];
    log_info("insight", "alert id=%s kind=%s severity=%s", s->id, finding_name(f->kind),
             severity_name(f->severity));
    struct buf *b = payload_begin(s);
    insight_write_finding(b, f);
    registry_announce_dated(s, "alert", b, now);
    bulletin_finding(s, f, now.wall_s);
    notify(in, (struct notify_event){.kind = NOTIFY_FINDING, .finding = i}, now);
}

static void tell_stop(struct interpreter *in, const struct assessment *a, struct now now)
{
    struct session *s = in->session;
    if (!advice_is_news(&in->advice, &a->stop))
        return;
    log_info("insight", "stop advised id=%s why=\"%s\"", s->id, a->stop.why);
    struct buf *b = payload_begin(s);
    insight_write_advice(b, a);
    registry_announce_dated(s, "alert", b, now);
    bulletin_advice(s, a, now.wall_s);
    notify(in, (struct notify_event){.kind = NOTIFY_STOP, .number = ++in->advices}, now);
}

void interpreter_tell_rule(struct session *s, const char *name, const char *text, uint64_t times,
                           struct now now)
{
    struct log_text quoted;
    log_info("alert", "rule id=%s name=%s", s->id, log_quoted(&quoted, span_of(name)));
    struct buf *b = payload_begin(s);
    json_write_pair_string(b, "kind", SPAN("rule"));
    json_write_pair_string(b, "severity", span_of(severity_name(SEVERITY_WARNING)));
    json_write_pair_string(b, "name", span_of(name));
    json_write_pair_string(b, "evidence", span_of(text));
    registry_announce_dated(s, "alert", b, now);
    bulletin_rule(s, name, text, now.wall_s);
    if (s->interpreter)
        notify(s->interpreter,
               (struct notify_event){
                   .kind = NOTIFY_RULE, .rule = name, .words = text, .number = times},
               now);
}

unsigned interpreter_standing(const struct assessment *a)
{
    unsigned standing = 0;
    for (size_t i = 0; i < a->finding_count; i++)
        standing |= finding_mark(&a->findings[i]);
    return standing;
}

static void tell_findings(struct interpreter *in, const struct assessment *a, struct now now)
{
    unsigned standing = interpreter_standing(a);
    for (size_t i = 0; i < a->finding_count; i++) {
        if (finding_mark(&a->findings[i]) & ~in->told)
            tell_finding(in, a, i, now);
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
    insight_write_members(b, insight_now(&in->reckoning.engine),
                          record_point_metric(&in->reckoning.names));
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
           in->reckoning.engine.now.phase != PHASE_INITIALIZING;
}

void interpreter_tell(struct interpreter *in, const struct assessment *a, struct now now)
{
    if (a->changed) {
        in->session->version++;
        tell_phase(in, a, now);
        in->untold = true;
    }
    tell_findings(in, a, now);
    tell_stop(in, a, now);
    if (may_tell(in, now.us))
        tell_all(in, now);
}
