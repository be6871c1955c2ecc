/* SPDX-License-Identifier: MIT */
/*
 * An entry without `fields` is what session_write_entry says, and only the narrowed one is written
 * here: currentStep first, since nobody can draw a curve without it, then what was asked for, then
 * offset and serverTime. A metric that an entry does not have is left out, one that is not finite
 * is null and named in nonFinite, as everywhere.
 *
 * A walk ends as soon as the body is full: the answer is then an error anyway.
 */
#include "streamd/http/history_write.h"

#include "proto/json_write.h"
#include "streamd/session/session.h"

static const struct history_field step_field = {{"currentStep", 11}, F_CURRENT_STEP};

static void write_value(const struct series_entry *entry, const struct history_field *field,
                        struct buf *out)
{
    struct num value = history_value(&entry->record, field);
    if (value.kind == NUM_NONE)
        return;
    json_write_key(out, field->name);
    num_write(out, value);
}

/* "nonFinite":{"loss":"NaN"}, when there is such a one. */
static void write_nonfinite(const struct series_entry *entry, const struct history_query *q,
                            struct buf *out)
{
    bool open = false;
    for (size_t i = 0; i < q->field_count; i++) {
        const char *word = num_word(history_value(&entry->record, &q->fields[i]));
        if (!word)
            continue;
        if (!open) {
            json_write_name(out, "nonFinite");
            buf_add_char(out, '{');
            open = true;
        }
        json_write_key(out, q->fields[i].name);
        json_write_string(out, span_of(word));
    }
    if (open)
        buf_add_char(out, '}');
}

static bool asks_for_step(const struct history_query *q)
{
    for (size_t i = 0; i < q->field_count; i++) {
        if (q->fields[i].field == F_CURRENT_STEP)
            return true;
    }
    return false;
}

static void write_entry(const struct series_entry *entry, const struct history_query *q,
                        struct buf *out)
{
    if (q->field_count == 0) {
        session_write_entry(entry, out);
        return;
    }
    buf_add_char(out, '{');
    if (!asks_for_step(q))
        write_value(entry, &step_field, out);
    for (size_t i = 0; i < q->field_count; i++)
        write_value(entry, &q->fields[i], out);
    write_nonfinite(entry, q, out);
    json_write_pair_u64(out, "offset", entry->offset);
    json_write_pair_double(out, "serverTime", entry->server_time_s);
    buf_add_char(out, '}');
}

static void write_json(struct reply *reply, struct span session_id,
                       const struct history_selection *s)
{
    struct buf *out = &reply->body;
    struct history_walk walk;
    struct series_entry entry;
    reply_open_data(reply);
    buf_add_char(out, '[');
    history_walk_init(&walk, s);
    while (buf_status(out) == OK && history_walk_next(&walk, &entry)) {
        json_write_comma(out);
        write_entry(&entry, s->query, out);
    }
    history_walk_fini(&walk);
    buf_add_char(out, ']');
    json_write_pair_string(out, "sessionId", session_id);
    json_write_pair_u64(out, "total", s->total);
    reply_close_data(reply);
}

static void write_ndjson(struct reply *reply, struct span session_id,
                         const struct history_selection *s)
{
    (void)session_id;
    struct buf *out = &reply->body;
    struct history_walk walk;
    struct series_entry entry;
    history_walk_init(&walk, s);
    while (buf_status(out) == OK && history_walk_next(&walk, &entry)) {
        write_entry(&entry, s->query, out);
        buf_add_char(out, '\n');
    }
    history_walk_fini(&walk);
}

static const struct history_format formats[] = {
    {"json", "application/json", write_json},
    {"csv", "text/csv; charset=utf-8; header=present", history_write_csv},
    {"ndjson", "application/x-ndjson", write_ndjson},
};

const struct history_format *history_format_find(struct span name)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (span_is(name, formats[i].name))
            return &formats[i];
    }
    return NULL;
}
