/* SPDX-License-Identifier: MIT */
/*
 * When an interpreter comes and goes, and what it hears. The time of a silent run is reckoned from
 * its newest record by our own clock: the trainer's may be another one.
 */
#include "streamd/session/interpreter.h"

#include "streamd/log.h"
#include "streamd/session/ask.h"
#include "streamd/session/bulletin_write.h"
#include "streamd/session/interpreter_tell.h"
#include "streamd/session/registry.h"

#include <assert.h>
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
    reading_cancel(&in->reading);
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

static bool is_talking(const struct session *s)
{
    return s->state == SESSION_STARTING || s->state == SESSION_RUNNING;
}

/* The one that spoke longest ago of those that are over or silent; NULL: all are busy. */
static struct interpreter *find_dispensable(const struct interpreters *all, uint64_t now_us)
{
    LIST_EACH (at, &all->all) {
        struct interpreter *in = LIST_ENTRY(at, struct interpreter, link);
        if (!is_talking(in->session) || now_us - in->seen_us >= INSIGHT_TENURE_US)
            return in;
    }
    return NULL;
}

/*
 * If more runs are talking than may be interpreted, those without a place do not take one from
 * another that would want it back a moment later: each change reads a whole run again.
 */
static bool make_place(struct interpreters *all, uint64_t now_us)
{
    if (all->count < all->max)
        return true;
    if (now_us < all->full_until_us)
        return false;
    struct interpreter *in = find_dispensable(all, now_us);
    if (in)
        destroy(in);
    else
        all->full_until_us = now_us + INSIGHT_TICK_US; /* looking costs, too */
    return in != NULL;
}

/* In a place that was made. */
static struct interpreter *settle(struct session *s, struct now now)
{
    struct interpreters *all = &s->registry->interpreters;
    struct interpreter *in = calloc(1, sizeof(*in));
    if (!in)
        return NULL;
    list_init(&in->link);
    list_add_tail(&all->all, &in->link);
    in->session = s;
    in->seen_us = now.us;
    s->interpreter = in;
    all->count++;
    start_ticking(all, now.us);
    return in;
}

static struct interpreter *create(struct session *s, struct now now)
{
    return make_place(&s->registry->interpreters, now.us) ? settle(s, now) : NULL;
}

static struct interpreter *create_new(struct session *s, struct now now)
{
    struct interpreter *in = create(s, now);
    if (!in)
        return NULL;
    in->partial = s->newest_offset > s->life_begins;
    reckoning_begin(&in->reckoning, s->config ? refbuf_span(s->config) : SPAN(""));
    return in;
}

/* ---- what happens ---- */

void interpret_record(struct session *s, const struct record *r, struct now now)
{
    struct interpreter *in = s->interpreter ? s->interpreter : create_new(s, now);
    if (!in)
        return;
    list_remove(&in->link);
    list_add_tail(&s->registry->interpreters.all, &in->link);
    s->registry->interpreters.wall_ahead_s = now.wall_s - (double)now.us / 1e6;
    in->seen_us = now.us;
    uint64_t evaluations = in->reckoning.engine.now.evaluations;
    double came_s = round(now.wall_s * 1000) / 1000; /* as the archive keeps it */
    const struct assessment *a = reckoning_record(&in->reckoning, r, came_s, s->newest_offset);
    if (a->evaluations != evaluations) {
        in->untold = true;
        bulletin_epoch(s);
    }
    interpreter_tell(in, a, now);
}

void interpret_event(struct session *s, enum insight_event event, const char *detail,
                     struct now now)
{
    struct interpreter *in = s->interpreter;
    if (!in)
        return;
    in->told_us = 0; /* the last word is told at once */
    in->untold = true;
    interpreter_tell(in, reckoning_event(&in->reckoning, event, detail), now);
}

/* ---- what came before ---- */

/* What has come since is still in memory; what was alerted in another life is no news. */
static void take_over(struct interpreter *in, const struct reckoning *recalled)
{
    struct session *s = in->session;
    struct series_cursor cursor;
    struct series_entry entry;
    in->reckoning = *recalled;
    series_cursor_init(&cursor, s->series, in->recalled + 1);
    while (series_next(&cursor, &entry))
        (void)reckoning_record(&in->reckoning, &entry.record, entry.server_time_s, entry.offset);
    series_cursor_fini(&cursor);
    in->told |= interpreter_standing(&recalled->engine.now);
    (void)advice_is_news(&in->advice, &recalled->engine.now.stop);
    in->partial = false;
    in->untold = true;
    s->version++;
}

static bool is_in_memory(const struct interpreter *in)
{
    const struct series *series = in->session->series;
    return series_newest(series) == in->recalled ||
           (series_count(series) > 0 && series_oldest(series) <= in->recalled + 1);
}

static void on_recalled(struct reading *reading, struct refbuf *piece, bool last,
                        enum status status)
{
    struct interpreter *in = LIST_ENTRY(reading, struct interpreter, reading);
    if (in->session->registry->keeping.committed < in->batch) {
        in->recalling = false; /* a disk in trouble lacks the newest: it asks again */
        return;
    }
    bool whole = status == OK && last && piece->len == sizeof(struct reckoning);
    if (whole && is_in_memory(in)) {
        struct reckoning recalled;
        memcpy(&recalled, refbuf_span(piece).ptr, sizeof(recalled));
        take_over(in, &recalled);
        in->recalling = false;
    }
    /* Else it stays partial and does not ask again. */
}

/* Asks the archive for the run so far; without one the interpreter stays partial. */
static void recall(struct interpreter *in)
{
    struct reading_request *q = malloc(sizeof(*q)); /* too large for a stack */
    in->recalling = true;
    if (!q)
        return;
    ask_of_reckoning(in->session, q);
    in->recalled = q->until;
    in->reading.on_piece = on_recalled;
    if (ask_begin(in->session->registry, &in->reading, q) != OK)
        log_debug("insight", "no archive to recall id=%s from", in->session->id);
    in->batch = keeping_awaited(&in->session->registry->keeping);
    free(q);
}

/* So many at a time: a reading under way has a hundred kilobytes. */
static void recall_some(struct interpreters *all)
{
    unsigned under_way = 0;
    if (all->registry->keeping.troubled)
        return;
    LIST_EACH (at, &all->all)
        under_way += LIST_ENTRY(at, struct interpreter, link)->reading.keeper != NULL;
    LIST_EACH_SAFE (at, &all->all) {
        struct interpreter *in = LIST_ENTRY(at, struct interpreter, link);
        if (under_way >= INSIGHT_RECALLS_MAX)
            return;
        if (!in->partial || in->recalling)
            continue;
        recall(in);
        under_way++;
    }
}

struct interpreter *interpreter_adopt(struct session *s, const struct reckoning *reckoning,
                                      struct now now)
{
    assert(!s->interpreter);
    struct interpreters *all = &s->registry->interpreters;
    if (all->max == 0)
        return NULL;
    all->full_until_us = 0; /* its place is free again for who is talking */
    if (!make_place(all, now.us))
        destroy(LIST_ENTRY(list_first(&all->all), struct interpreter, link));
    all->full_until_us = 0;
    struct interpreter *in = settle(s, now);
    if (!in)
        return NULL;
    in->reckoning = *reckoning;
    in->told = interpreter_standing(&reckoning->engine.now);
    (void)advice_is_news(&in->advice, &reckoning->engine.now.stop);
    return in;
}

/* ---- time ---- */

static void tick_one(struct interpreter *in, struct now now)
{
    if (!is_talking(in->session))
        return;
    double silent_s = (double)(now.us - in->seen_us) / 1e6;
    struct reckoning *r = &in->reckoning;
    interpreter_tell(in, insight_tick(&r->engine, r->point.value[POINT_TIME_S] + silent_s), now);
}

static void on_tick(struct timer *timer, uint64_t now_us)
{
    struct interpreters *all = LIST_ENTRY(timer, struct interpreters, tick);
    struct now now = {now_us, (double)now_us / 1e6 + all->wall_ahead_s};
    recall_some(all);
    LIST_EACH_SAFE (at, &all->all)
        tick_one(LIST_ENTRY(at, struct interpreter, link), now);
    if (!list_empty(&all->all))
        start_ticking(all, now_us);
}

const struct assessment *session_assessment(const struct session *s)
{
    return s->interpreter ? insight_now(&s->interpreter->reckoning.engine) : NULL;
}
