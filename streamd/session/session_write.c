/* SPDX-License-Identifier: MIT */
/*
 * A session as JSON. The newest record is the part that everybody asks for (each tick's update, and
 * whoever polls status, metrics or the list in between), so it is written once per change and kept.
 */
#include "proto/json_write.h"
#include "proto/record_json.h"
#include "streamd/session/insight_json.h"
#include "streamd/session/interpreter.h"
#include "streamd/session/orders.h"
#include "streamd/session/registry.h"
#include "streamd/session/session.h"
#include "streamd/session/update.h"

static void write_time(struct buf *out, const char *name, double epoch_s)
{
    json_write_name(out, name);
    num_write_rounded(out, epoch_s, 3);
}

/* null when absent. */
static void write_text(struct buf *out, const char *name, const char *text)
{
    if (text)
        json_write_pair_string(out, name, span_of(text));
    else
        json_write_pair_raw(out, name, SPAN("null"));
}

bool session_latest(const struct session *s, struct series_cursor *c, struct series_entry *out)
{
    series_cursor_init(c, s->series, s->newest_offset);
    return s->newest_offset > 0 && series_next(c, out);
}

static struct refbuf *encode_latest(struct session *s)
{
    struct registry *r = s->registry;
    struct series_cursor cursor;
    struct series_entry entry;
    buf_reset(&r->metrics);
    bool found = session_latest(s, &cursor, &entry);
    if (found)
        update_write_metrics(&r->metrics, &entry, r->config->compat_clamp);
    series_cursor_fini(&cursor);
    if (!found || buf_status(&r->metrics) != OK)
        return NULL;
    r->stats->metrics_transformed++;
    return refbuf_create(buf_span(&r->metrics));
}

struct refbuf *session_metrics_json(struct session *s)
{
    if (s->metrics_cache && s->metrics_version == s->version)
        return s->metrics_cache;
    refbuf_unref(s->metrics_cache);
    s->metrics_cache = encode_latest(s);
    s->metrics_version = s->version;
    return s->metrics_cache;
}

static void write_latest(struct session *s, struct buf *out)
{
    struct refbuf *metrics = session_metrics_json(s);
    json_write_pair_raw(out, "latest_metrics", metrics ? refbuf_span(metrics) : SPAN("null"));
}

static void write_config(const struct session *s, struct buf *out)
{
    json_write_pair_raw(out, "config", s->config ? refbuf_span(s->config) : SPAN("{}"));
}

static uint64_t current_model(const struct session *s)
{
    double told = num_double(s->memory.current_model);
    if (told >= 1 && told <= (double)s->total_models)
        return (uint64_t)told;
    return s->models_completed < s->total_models ? s->models_completed + 1 : s->total_models;
}

static void write_models(const struct session *s, struct buf *out)
{
    json_write_pair_u64(out, "models_completed", s->models_completed);
    json_write_pair_u64(out, "current_model", current_model(s));
    json_write_pair_u64(out, "total_models", s->total_models);
}

/* The newest one. */
static void write_rewind(const struct rewind *rewind, struct buf *out)
{
    json_write_name(out, "rewind");
    buf_add_char(out, '{');
    json_write_pair_u64(out, "offset", rewind->offset);
    json_write_pair_double(out, "step", rewind->step);
    json_write_pair_double(out, "model", rewind->model);
    buf_add_char(out, '}');
}

static void write_status_members(struct session *s, struct buf *out)
{
    json_write_pair_string(out, "session_id", session_id(s));
    write_config(s, out);
    write_time(out, "start_time", s->start_time_s);
    json_write_pair_string(out, "status", span_of(session_state_name(s->state)));
    write_models(s, out);
    write_time(out, "last_update", s->last_update_s);
    json_write_name(out, "derived");
    record_write_derived(out, &(struct record){.sent = s->sent});
    json_write_pair_string(out, "epoch", span_of(s->registry->epoch));
    write_text(out, "project", s->project);
    write_text(out, "name", s->name);
    json_write_pair_bool(out, "pinned", s->pinned);
    insight_write_brief(out, session_assessment(s));
    if (s->knobs.count > 0) {
        json_write_name(out, "knobs");
        knobs_write(&s->knobs, out);
    }
    orders_write_open(s, out);
    if (s->error)
        write_text(out, "error", s->error);
    if (s->rewind_count > 0)
        write_rewind(&s->rewinds[s->rewind_count - 1], out);
}

void session_write_status(struct session *s, struct buf *out, bool with_latest_metrics)
{
    buf_add_char(out, '{');
    write_status_members(s, out);
    if (with_latest_metrics)
        write_latest(s, out);
    buf_add_char(out, '}');
}

void session_write_resumed(struct session *s, struct buf *out, bool recovered)
{
    buf_add_char(out, '{');
    write_status_members(s, out);
    json_write_pair_bool(out, "recovered", recovered);
    buf_add_char(out, '}');
}

void session_write_summary(struct session *s, struct buf *out)
{
    buf_add_char(out, '{');
    write_status_members(s, out);
    write_latest(s, out);
    json_write_name(out, "summary");
    summary_write_json(s->summary, out);
    buf_add_char(out, '}');
}

void session_write_update(struct session *s, struct buf *out)
{
    struct refbuf *metrics = session_metrics_json(s);
    update_write_around(out, session_id(s), metrics ? refbuf_span(metrics) : SPAN("null"),
                        s->newest_offset);
}

void session_write_entry(const struct series_entry *entry, struct buf *out)
{
    record_write_entry(out, &entry->record, entry->offset, entry->server_time_s, false);
}

void session_write_replay(const struct session *s, const struct series_entry *entry,
                          struct buf *out)
{
    update_write(out, session_id(s), entry, s->registry->config->compat_clamp);
}
