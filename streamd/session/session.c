/* SPDX-License-Identifier: MIT */
/*
 * The life of a session; what it tells its room is in session_events.c, what it looks like as JSON
 * in session_write.c.
 *
 * A `start` line is copied whole before anything is changed, so that a start that fails for want of
 * memory leaves the session as it was. A session that begins anew keeps its series: offsets never
 * go back, a watcher that resumes by offset is right across the restart, and what was before the
 * restart can still be looked at. Only `newest_offset` forgets it, so that status and metrics do
 * not show the last run's numbers as this one's.
 */
#include "streamd/session/recount.h"
#include "streamd/session/session_life.h"

#include "proto/json_write.h"
#include "streamd/log.h"
#include "streamd/session/interpreter.h"
#include "streamd/session/orders.h"
#include "streamd/session/registry.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char *const state_names[SESSION_STATES] = {"starting", "running", "completed",
                                                        "failed", "expired"};

static const bool allowed[SESSION_STATES][SESSION_STATES] = {
    [SESSION_STARTING] = {[SESSION_RUNNING] = true,
                          [SESSION_COMPLETED] = true,
                          [SESSION_FAILED] = true,
                          [SESSION_EXPIRED] = true},
    [SESSION_RUNNING] = {[SESSION_STARTING] = true,
                         [SESSION_COMPLETED] = true,
                         [SESSION_FAILED] = true,
                         [SESSION_EXPIRED] = true},
    [SESSION_COMPLETED] =
        {[SESSION_STARTING] = true, [SESSION_RUNNING] = true, [SESSION_EXPIRED] = true},
    [SESSION_FAILED] =
        {[SESSION_STARTING] = true, [SESSION_RUNNING] = true, [SESSION_EXPIRED] = true},
    [SESSION_EXPIRED] = {[SESSION_STARTING] = true, [SESSION_RUNNING] = true},
};

bool session_may_enter(enum session_state from, enum session_state to)
{
    return allowed[from][to];
}

const char *session_state_name(enum session_state state)
{
    return state_names[state];
}

struct span session_id(const struct session *s)
{
    return (struct span){s->id, s->id_len};
}

uint64_t session_durable_seq(const struct session *s)
{
    return s->registry->keeping.keeper ? s->durable_seq : s->last_seq;
}

bool session_finished(const struct session *s)
{
    return s->state == SESSION_COMPLETED || s->state == SESSION_FAILED;
}

void session_handle_init(struct session_handle *h)
{
    h->session = NULL;
    list_init(&h->link);
}

void session_handle_fini(struct session_handle *h)
{
    session_handle_set(h, NULL);
}

void session_handle_set(struct session_handle *h, struct session *s)
{
    if (h->session == s)
        return;
    list_remove(&h->link);
    h->session = s;
    if (s)
        list_add_tail(&s->handles, &h->link);
}

static void on_tick(struct timer *timer, uint64_t now_us)
{
    struct session *s = LIST_ENTRY(timer, struct session, tick);
    uint64_t due_us = pace_due_us(&s->pace);
    /* A newer value may have moved the deadline. */
    if (due_us <= now_us || timers_arm(s->registry->timers, timer, due_us) != OK)
        session_publish(s, now_us);
}

enum {
    RUN_BYTES_MAX = 8 << 20, /* it is cut long before */
    LATEST_BYTES_MAX = 2 * LINE_BYTES_MAX,
};

struct session *session_create(struct registry *registry, struct span id)
{
    assert(session_id_valid(id));
    const struct config *config = registry->config;
    struct session *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->registry = registry;
    list_init(&s->link);
    list_init(&s->aging);
    list_init(&s->handles);
    list_init(&s->orphan);
    list_init(&s->due);
    list_init(&s->unkept);
    list_init(&s->orders);
    buf_init(&s->run, RUN_BYTES_MAX);
    buf_init(&s->latest, LATEST_BYTES_MAX);
    buf_init(&s->before_loss, RUN_BYTES_MAX);
    axis_init(&s->axis);
    epochs_init(&s->epochs);
    timer_init(&s->tick, on_tick);
    pace_init(&s->pace, config->throttle ? config->max_rate : 0);
    record_memory_init(&s->memory);
    s->id = strndup(id.ptr, id.len);
    s->id_len = id.len;
    s->summary = summary_create();
    s->series = series_create(&registry->budget, config->max_history_records);
    if (!s->id || !s->summary || !s->series)
        goto fail;
    return s;
fail:
    session_destroy(s);
    return NULL;
}

void session_destroy(struct session *s)
{
    struct list *handle;
    while ((handle = list_first(&s->handles)) != NULL)
        session_handle_set(LIST_ENTRY(handle, struct session_handle, link), NULL);
    timers_disarm(s->registry->timers, &s->tick);
    keeping_leave(s);
    interpreter_forget(s);
    orders_forget(s);
    recount_cancel(s);
    list_remove(&s->due);
    orphan_remove(s);
    list_remove(&s->aging);
    list_remove(&s->link);
    if (s->room)
        room_set_session(s->room, NULL, 0);
    series_destroy(s->series);
    summary_destroy(s->summary);
    refbuf_unref(s->metrics_cache);
    refbuf_unref(s->config);
    buf_fini(&s->run);
    buf_fini(&s->latest);
    buf_fini(&s->before_loss);
    epochs_fini(&s->epochs);
    operation_fini(&s->operation);
    knobs_fini(&s->knobs);
    alert_rules_fini(&s->rules);
    free(s->rewinds);
    free(s->error);
    free(s->name);
    free(s->project);
    free(s->id);
    free(s);
}

static void place_by_age(struct session *s)
{
    struct registry *r = s->registry;
    list_remove(&s->aging);
    if (!s->pinned && session_finished(s))
        list_add_tail(&r->finished, &s->aging);
    else if (!s->pinned && s->state == SESSION_EXPIRED)
        list_add_tail(&r->expired, &s->aging);
}

void session_pin(struct session *s, bool pinned)
{
    if (s->pinned == pinned)
        return;
    log_info("session", "%s id=%s", pinned ? "pin" : "unpin", s->id);
    s->pinned = pinned;
    s->version++;
    keeping_touch(&s->registry->keeping, s);
    place_by_age(s);
}

void session_enter(struct session *s, enum session_state next)
{
    assert(session_may_enter(s->state, next));
    struct registry *r = s->registry;
    log_info("session", "state id=%s from=%s to=%s", s->id, session_state_name(s->state),
             session_state_name(next));
    if (s->state == SESSION_EXPIRED)
        r->stats->sessions_live++;
    if (next == SESSION_EXPIRED)
        r->stats->sessions_live--;
    if (next == SESSION_EXPIRED)
        s->operation.ended = s->state;
    s->state = next;
    s->resumed = false;
    s->given_up = false;
    s->version++;
    place_by_age(s);
}

/* The texts of a `start` line, copied; NULL where the line had none. */
struct said {
    char *project;
    char *name;
    struct refbuf *config;
};

static void said_fini(struct said *said)
{
    free(said->project);
    free(said->name);
    refbuf_unref(said->config);
}

bool session_copy_text(struct span text, char **out)
{
    if (text.ptr)
        *out = strndup(text.ptr, text.len);
    return !text.ptr || *out;
}

static bool copy_config(struct registry *r, struct span config, struct refbuf **out)
{
    if (!config.ptr)
        return true;
    buf_reset(&r->scratch);
    json_write_minified(&r->scratch, config);
    if (buf_status(&r->scratch) == OK)
        *out = refbuf_create(buf_span(&r->scratch));
    return *out;
}

enum status session_enter_room(struct session *s)
{
    if (s->room)
        return OK;
    struct room *room = room_enter(s->registry->hub, session_id(s));
    if (!room)
        return E_NOMEM;
    room_set_session(room, s, series_newest(s->series));
    s->room = room;
    return OK;
}

static enum status hear(struct session *s, const struct line *start, struct said *out)
{
    *out = (struct said){0};
    if (session_copy_text(start->project, &out->project) &&
        session_copy_text(start->name, &out->name) &&
        copy_config(s->registry, start->config, &out->config) && session_enter_room(s) == OK)
        return OK;
    said_fini(out);
    return E_NOMEM;
}

static void remember_config(struct session *s, struct span config)
{
    s->operation.known = false;
    (void)operation_of(s); /* each pays for its own, not who lists them all */
    if (config.ptr)
        record_memory_seed(&s->memory, config);
    if (config.ptr && knobs_declare(&s->knobs, config) != OK)
        s->registry->stats->errors++;
    session_count_models(s);
}

void session_touch(struct session *s, struct now now)
{
    orphan_remove(s);
    s->last_us = now.us;
    s->last_update_s = now.wall_s;
    s->version++;
    keeping_touch(&s->registry->keeping, s);
}

void session_count_models(struct session *s)
{
    double told = num_double(s->memory.total_models);
    uint64_t total = told >= 1 && told < 1e15 ? (uint64_t)told : 1;
    s->models_completed = s->memory.models_completed;
    s->total_models = total > s->models_completed ? total : s->models_completed;
}

enum status session_begin(struct session *s, const struct line *start, struct now now)
{
    struct said said;
    if (!keeping_cut(&s->registry->keeping, s) || hear(s, start, &said) != OK)
        return E_NOMEM;
    session_publish(s, now.us);
    said_fini(&(struct said){s->project, s->name, s->config});
    s->project = said.project;
    s->name = said.name;
    s->config = said.config;
    free(s->error);
    s->error = NULL;
    s->start_us = now.us;
    s->start_time_s = now.wall_s;
    s->last_seq = 0;
    s->durable_seq = 0;
    s->begun_in = s->registry->keeping.number;
    s->sent = 0;
    s->newest_offset = 0;
    s->life_begins = series_newest(s->series) + 1;
    s->may_rewind = false;
    buf_reset(&s->latest);
    recount_cancel(s);
    summary_reset(s->summary);
    s->summary_stale = false;
    s->summary_from = series_newest(s->series);
    epochs_reset(&s->epochs);
    knobs_fini(&s->knobs);
    orders_end(s, now);
    operation_reset(&s->operation);
    interpreter_forget(s);
    record_memory_init(&s->memory);
    remember_config(s, start->config);
    session_touch(s, now);
    if (s->state != SESSION_STARTING)
        session_enter(s, SESSION_STARTING);
    log_info("session", "begin id=%s", s->id);
    session_announce_started(s, now);
    return OK;
}

static void swap_text(char **kept, char **said)
{
    char *old = *kept;
    *kept = *said ? *said : old;
    *said = *said ? old : NULL;
}

enum status session_take_up(struct session *s, const struct line *start, struct now now)
{
    struct said said;
    if (!keeping_cut(&s->registry->keeping, s) || hear(s, start, &said) != OK)
        return E_NOMEM;
    session_recall(s);
    swap_text(&s->project, &said.project);
    swap_text(&s->name, &said.name);
    if (said.config) {
        struct refbuf *old = s->config;
        s->config = said.config;
        said.config = old;
    }
    said_fini(&said);
    remember_config(s, start->config);
    session_touch(s, now);
    log_info("session", "take up id=%s lastSeq=%llu", s->id, (unsigned long long)s->last_seq);
    s->resumed = session_finished(s);
    s->may_rewind = true;
    if (s->state == SESSION_EXPIRED)
        session_reopen(s, now);
    return OK;
}

void session_reopen(struct session *s, struct now now)
{
    free(s->error);
    s->error = NULL;
    operation_reopen(&s->operation);
    session_enter(s, s->newest_offset ? SESSION_RUNNING : SESSION_STARTING);
    session_announce_started(s, now);
    interpret_event(s, INSIGHT_RESUMED, NULL, now);
}

bool session_add_rewind(struct session *s, struct rewind rewind)
{
    struct rewind *all = realloc(s->rewinds, (s->rewind_count + 1) * sizeof(*all));
    if (!all)
        return false;
    s->rewinds = all;
    /* Who goes back farther than those before him supersedes what they did. */
    while (s->rewind_count > 0 && all[s->rewind_count - 1].model == rewind.model &&
           all[s->rewind_count - 1].step >= rewind.step)
        s->rewind_count--;
    if (s->rewind_count == REWINDS_MAX)
        memmove(all, all + 1, --s->rewind_count * sizeof(*all));
    all[s->rewind_count++] = rewind;
    return true;
}

void session_recall(struct session *s)
{
    struct run_reader run;
    struct series_entry entry;
    uint64_t offset;
    if (series_count(s->series) > 0 || s->newest_offset == 0 || s->latest.len == 0)
        return;
    if (run_open(&run, buf_span(&s->latest), s->newest_offset, &s->registry->decoder) != OK ||
        run_next(&run, &entry) != OK)
        return;
    series_begin_at(s->series, s->newest_offset - 1);
    if (series_append(s->series, &entry.record, entry.server_time_s, &offset) == OK)
        return;
    series_begin_at(s->series, s->newest_offset); /* its offset is not given again */
    s->registry->stats->errors++;
}

void session_renew_room(struct session *s)
{
    if (!s->room)
        return;
    struct room *room = s->room;
    room_renew(room, series_newest(s->series));
    struct buf *b = &s->registry->scratch;
    buf_reset(b);
    session_write_resumed(s, b, false);
    if (buf_status(b) != OK)
        return;
    struct message m;
    message_init(&m, s->registry->encoder, "session_status", buf_span(b), 0);
    m.after = series_newest(s->series);
    room_publish_event(room, &m);
    message_fini(&m);
}
