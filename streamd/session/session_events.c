/* SPDX-License-Identifier: MIT */
/*
 * What a session does with the lines of its trainer, and what its room hears of it.
 *
 * A value is kept first and offered to the pace then. When it may go at once, it still waits for
 * the end of the wake-up: a trainer that wrote a hundred lines in one burst makes one update, the
 * newest. When it must wait, the tick sends it. An event sends the waiting value first and then
 * itself, so that nothing is lost and nothing overtakes.
 */
#include "proto/json_write.h"
#include "streamd/log.h"
#include "streamd/session/bulletin_write.h"
#include "streamd/session/interpreter.h"
#include "streamd/session/legacy_room.h"
#include "streamd/session/orders.h"
#include "streamd/session/recount.h"
#include "streamd/session/registry.h"
#include "streamd/session/session_life.h"
#include "streamd/session/shedding.h"
#include "streamd/store/segment.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_taking(const struct session *s)
{
    return s->state == SESSION_STARTING || s->state == SESSION_RUNNING;
}

static void run(struct session *s, struct now now)
{
    session_touch(s, now);
    if (s->state == SESSION_STARTING)
        session_enter(s, SESSION_RUNNING);
}

static void publish_soon(struct session *s)
{
    if (list_empty(&s->due))
        list_add_tail(&s->registry->due, &s->due);
}

/* The newest record has changed: now, at the end of this wake-up, or when the pace says so. */
static void offer(struct session *s, uint64_t now_us)
{
    if (pace_offer(&s->pace, now_us) == PACE_SEND) {
        if (s->registry->config->throttle)
            publish_soon(s);
        else
            session_publish(s, now_us);
    } else if (!timer_armed(&s->tick) &&
               timers_arm(s->registry->timers, &s->tick, pace_due_us(&s->pace)) != OK) {
        publish_soon(s);
    }
}

static void publish_to_room(struct session *s)
{
    struct registry *r = s->registry;
    buf_reset(&r->scratch);
    session_write_update(s, &r->scratch);
    if (buf_status(&r->scratch) != OK) {
        r->stats->errors++;
        return;
    }
    struct message m;
    message_init(&m, r->encoder, "progress_update", buf_span(&r->scratch), s->newest_offset);
    room_publish_update(s->room, &m);
    message_fini(&m);
}

void session_publish(struct session *s, uint64_t now_us)
{
    list_remove(&s->due);
    timers_disarm(s->registry->timers, &s->tick);
    if (!pace_flush(&s->pace, now_us))
        return;
    if (s->room && s->room->count > 0)
        publish_to_room(s);
    legacy_room_publish(s);
}

static struct run_mark mark_of(const struct session *s, struct now now)
{
    return (struct run_mark){.wall_ms = (int64_t)llround(now.wall_s * 1000),
                             .elapsed_ms = (now.us - s->start_us) / 1000};
}

/* Watchers hear of a rewind between what it supersedes and what replaces that. */
static void announce_rewind(struct session *s)
{
    struct buf *b = &s->registry->scratch;
    buf_reset(b);
    session_write_status(s, b, false);
    if (buf_status(b) == OK)
        registry_announce(s->registry, s, "session_status", buf_span(b));
    else
        s->registry->stats->errors++;
}

/* Where the completed record stands; a rewind begins a run of its own. False: out of memory. */
static bool find_place(struct session *s, const struct record *r, uint64_t *out_axis)
{
    /* A step that was carried over from the record before takes up nothing. */
    bool says_step = record_was_sent(r, F_CURRENT_STEP);
    bool rewinds = s->may_rewind && says_step && axis_goes_back(&s->axis, r);
    s->may_rewind = s->may_rewind && !says_step;
    if (rewinds) {
        struct rewind rewind = {.offset = series_newest(s->series) + 1,
                                .step = num_double(r->field[F_CURRENT_STEP]),
                                .model = num_double(r->field[F_CURRENT_MODEL])};
        /* Records are not paced one by one, so the time of the last offer serves as well as any. */
        session_publish(s, s->pace.seen_us);
        if (!keeping_cut(&s->registry->keeping, s) || !session_add_rewind(s, rewind))
            return false;
        announce_rewind(s);
        log_info("session", "rewind id=%s offset=%llu step=%.17g", s->id,
                 (unsigned long long)rewind.offset, rewind.step);
        axis_rewind(&s->axis, r);
    }
    *out_axis = axis_next(&s->axis, r);
    return true;
}

/* What a record that finds no memory leaves as it was. */
struct undo {
    struct record_memory memory;
    struct record_memory before;
    struct axis axis;
    size_t run_last;
    bool may_rewind;
};

static struct undo undo_of(const struct session *s)
{
    return (struct undo){.memory = s->memory,
                         .before = s->before,
                         .axis = s->axis,
                         .run_last = s->run_last,
                         .may_rewind = s->may_rewind};
}

/* A run that was cut stays so, and a rewind stays marked: the next record makes both good. */
static void undo(struct session *s, const struct undo *u)
{
    s->memory = u->memory;
    s->before = u->before;
    s->axis = u->axis;
    s->run_last = u->run_last;
    s->may_rewind = u->may_rewind;
}

/* The line, before which `memory` was remembered, into the run for the keeper. False, and the run
 * is as it was, when out of memory. */
static bool add_to_run(struct session *s, struct run_mark mark, struct span line,
                       const struct record_memory *memory)
{
    if (!s->registry->keeping.keeper || s->lost)
        return true;
    if (s->run_count == 0) {
        buf_reset(&s->run);
        run_begin(&s->run, memory);
        s->run_first = series_newest(s->series) + 1;
    }
    size_t at = s->run.len;
    run_add(&s->run, mark, line);
    if (buf_status(&s->run) != OK) {
        s->run.len = at;
        s->run.failed = OK;
        return false;
    }
    s->before = *memory;
    s->run_last = at;
    s->run_count++;
    if (series_newest(s->series) % SEGMENT_ROWS_MAX == 0)
        s->unsealed_bytes = 0;
    s->unsealed_bytes += line.len;
    return true;
}

/* Takes in the completed record: place, run, series. Not OK: it is in none of them. */
static enum status keep(struct session *s, const struct record *r, struct run_mark mark,
                        struct span line, const struct record_memory *memory)
{
    if (!find_place(s, r, &mark.axis) || !add_to_run(s, mark, line, memory))
        return E_NOMEM;
    enum status status =
        series_append(s->series, r, (double)mark.wall_ms / 1000.0, &s->newest_offset);
    if (status != OK && s->run_count > 0) {
        s->run.len = s->run_last;
        s->run_count--;
    }
    return status;
}

bool session_end_run(struct session *s)
{
    buf_reset(&s->latest);
    run_begin(&s->latest, &s->before);
    buf_add(&s->latest, s->run.ptr + s->run_last, s->run.len - s->run_last);
    run_end(&s->latest);
    run_end(&s->run);
    return buf_status(&s->latest) == OK;
}

/* Was that the newest record's doing? */
static bool has_rewound(const struct session *s)
{
    return s->rewind_count > 0 && s->rewinds[s->rewind_count - 1].offset == s->newest_offset;
}

enum status session_progress(struct session *s, struct record *r, struct span line, struct now now)
{
    assert(is_taking(s));
    struct stats *stats = s->registry->stats;
    struct run_mark mark = mark_of(s, now);
    bool lost;
    if (shedding_takes(s, &lost) != OK)
        return E_NOMEM;
    const struct undo before = undo_of(s);
    run_complete(r, &s->memory, mark);
    enum status status = keep(s, r, mark, line, &before.memory);
    if (status != OK) {
        undo(s, &before);
        stats->errors++;
        return status;
    }
    stats->metrics_processed++;
    stats->values_ignored += r->ignored;
    summary_add(s->summary, r);
    recount_add(s, r);
    s->sent |= r->sent;
    session_count_models(s);
    run(s, now);
    if (has_rewound(s)) {
        recount_mark(s);
        s->epochs.stale = s->epochs.trend.count > 0;
    }
    keeping_record(&s->registry->keeping, s);
    offer(s, now.us);
    interpret_record(s, r, now);
    alert_rules_record(s, r, now);
    return OK;
}

void session_epoch(struct session *s)
{
    struct series_cursor cursor;
    struct series_entry entry;
    struct epoch epoch;
    if (session_latest(s, &cursor, &entry)) {
        epoch_of_entry(&entry, &epoch);
        epochs_add(&s->epochs, &epoch);
    }
    series_cursor_fini(&cursor);
    bulletin_epoch(s);
}

/* Starts an event's payload in the registry's scratch. */
static struct buf *payload_begin(struct session *s)
{
    struct buf *b = &s->registry->scratch;
    buf_reset(b);
    buf_add_char(b, '{');
    json_write_pair_string(b, "sessionId", session_id(s));
    return b;
}

void session_announce_started(struct session *s, struct now now)
{
    struct buf *b = payload_begin(s);
    json_write_pair_raw(b, "config", s->config ? refbuf_span(s->config) : SPAN("{}"));
    registry_announce_dated(s, "training_started", b, now);
    bulletin_status(s, "running", SPAN(""), now.wall_s);
}

void session_model_completed(struct session *s, uint64_t model_index, struct now now)
{
    assert(is_taking(s));
    if (model_index < s->models_completed) {
        s->registry->stats->lines_repeated++;
        return;
    }
    session_publish(s, now.us);
    /* A run remembers by itself what its records say; this is said between them. */
    if (!keeping_cut(&s->registry->keeping, s))
        s->registry->stats->errors++;
    record_memory_model_completed(&s->memory, model_index);
    session_count_models(s);
    run(s, now);
    struct buf *b = payload_begin(s);
    json_write_pair_u64(b, "modelIndex", model_index);
    json_write_pair_u64(b, "currentModel", model_index + 1);
    json_write_pair_u64(b, "totalModels", s->total_models);
    registry_announce_open(s, "model_completed", b);
}

void session_complete(struct session *s, struct now now)
{
    if (session_finished(s)) {
        s->registry->stats->lines_repeated++;
        return;
    }
    session_publish(s, now.us);
    session_touch(s, now);
    session_enter(s, SESSION_COMPLETED);
    keeping_seal(&s->registry->keeping, s);
    interpret_event(s, INSIGHT_COMPLETED, NULL, now);
    orders_end(s, now);
    struct buf *b = payload_begin(s);
    json_write_pair_u64(b, "totalModels", s->total_models);
    json_write_pair_u64(b, "overallProgress", 100);
    registry_announce_dated(s, "training_completed", b, now);
    bulletin_status(s, "completed", SPAN(""), now.wall_s);
}

void session_fail(struct session *s, struct span error, struct now now)
{
    if (session_finished(s)) {
        s->registry->stats->lines_repeated++;
        return;
    }
    session_publish(s, now.us);
    free(s->error);
    s->error = error.ptr ? strndup(error.ptr, error.len) : NULL;
    session_touch(s, now);
    session_enter(s, SESSION_FAILED);
    keeping_seal(&s->registry->keeping, s);
    interpret_event(s, INSIGHT_CRASHED, s->error, now);
    orders_end(s, now);
    struct buf *b = payload_begin(s);
    json_write_pair_string(b, "error", error);
    registry_announce_open(s, "training_error", b);
    bulletin_status(s, s->operation.cancelled_s > 0 ? "stopped" : "failed", error, now.wall_s);
}

void session_announce_cleanup(struct session *s)
{
    registry_announce_open(s, "session_cleanup", payload_begin(s));
    bulletin_status(s, "gone", SPAN(""), s->last_update_s);
}

void session_expire(struct session *s)
{
    /* The sweep is not paced, so the time of the last offer serves as well as any. */
    session_publish(s, s->pace.seen_us);
    session_enter(s, SESSION_EXPIRED);
    orphan_remove(s);
    interpreter_forget(s);
    keeping_touch(&s->registry->keeping, s);
    keeping_seal(&s->registry->keeping, s);
    session_announce_cleanup(s);
    room_set_session(s->room, NULL, 0);
    s->room = NULL;
    refbuf_unref(s->metrics_cache);
    s->metrics_cache = NULL;
}
