/* SPDX-License-Identifier: MIT */
/*
 * A cursor or a range that does not parse is refused: read as "absent" it would answer a full
 * replay to somebody who asked for three entries. `limit` alone is lenient, as the contract has it,
 * and its default of 100 does not apply to points, which are a limit of their own.
 *
 * A poller that asks for the last hundred entries every second is answered from memory: that costs
 * less than asking another thread. Both ways write the same bytes (reading_text.h).
 */
#include "streamd/http/history.h"

#include "proto/query.h"
#include "streamd/app.h"
#include "streamd/http/history_stream.h"
#include "streamd/http/params.h"
#include "streamd/session/ask.h"
#include "streamd/store/reading_names.h"
#include "streamd/store/reading_text.h"

#include <stdlib.h>
#include <string.h>

enum { AT_ONCE_MAX = 1000 /* entries that may hold up the loop */ };

static bool read_fields(const struct request *req, struct reply *reply, struct reading_request *q)
{
    struct query_value names;
    if (!query_find(req->query, "fields", &names))
        return true;
    const char *why = reading_add_fields(q, query_span(&names));
    if (why)
        reply_error(reply, 400, why);
    return !why;
}

/* 0 or 1, 0 when it is not there; `why` is what a 400 says. */
static bool read_flag(const struct request *req, const char *name, struct reply *reply, bool *out,
                      const char *why)
{
    struct query_value value;
    bool given = query_find(req->query, name, &value);
    *out = given && span_is(query_span(&value), "1");
    if (!given || *out || span_is(query_span(&value), "0"))
        return true;
    reply_error(reply, 400, why);
    return false;
}

static bool read_flags(const struct request *req, struct reply *reply, struct reading_request *q)
{
    if (!read_flag(req, "branches", reply, &q->branches, "branches must be 0 or 1") ||
        !read_flag(req, "axis", reply, &q->axis, "axis must be 0 or 1"))
        return false;
    if (!q->axis || (q->field_count > 0 && q->form != READING_CSV))
        return true;
    reply_error(reply, 400, "axis is for fields, and not for csv");
    return false;
}

static bool read_numbers(const struct request *req, struct reply *reply, struct reading_request *q)
{
    const uint64_t absent = UINT64_MAX;
    struct query_value limit;
    uint64_t from = absent;
    if (!param_u64(req, "since", reply, &q->since) || !param_u64(req, "from", reply, &from) ||
        !param_u64(req, "to", reply, &q->to) || !param_u64(req, "points", reply, &q->points))
        return false;
    q->ranged = from != absent || q->to != absent;
    q->from = from != absent ? from : 0;
    bool unlimited = q->points > 0 && !query_find(req->query, "limit", &limit);
    q->limit = unlimited ? UINT64_MAX : param_limit(req);
    return true;
}

bool history_query_read(const struct request *req, struct reply *reply, struct reading_request *out)
{
    return read_numbers(req, reply, out) && read_fields(req, reply, out) &&
           read_flags(req, reply, out);
}

/* NULL, and a 400, when there is no format of that name. */
static const struct reading_format *read_format(const struct request *req, struct reply *reply)
{
    struct query_value value;
    bool given = query_find(req->query, "format", &value);
    const struct reading_format *format =
        reading_format_find(given ? query_span(&value) : SPAN("json"));
    if (!format)
        reply_error(reply, 400, "format must be json, csv or ndjson");
    return format;
}

/* ---- at once ---- */

/* What there is after `since`. */
static uint64_t count_after(const struct reading_request *q)
{
    return q->until > q->since ? q->until - q->since : 0;
}

static uint64_t count_given(const struct reading_request *q)
{
    uint64_t total = count_after(q);
    return total < q->limit ? total : q->limit;
}

/* Is nothing asked for but the newest entries, all of them in memory and in force? */
static bool is_at_hand(const struct reading_request *q, const struct session *s)
{
    uint64_t count = count_given(q);
    if (q->form == READING_CSV)
        return false;
    if (!s || q->until == 0)
        return true;
    if (q->branches || q->axis)
        return false; /* memory has neither */
    bool in_force = s->rewind_count == 0 || s->rewinds[s->rewind_count - 1].offset <= q->since + 1;
    bool in_memory = count == 0 || (series_count(s->series) > 0 &&
                                    series_oldest(s->series) <= q->until - count + 1);
    return q->points == 0 && !q->ranged && count <= AT_ONCE_MAX && in_force && in_memory;
}

static void answer_at_once(const struct reading_request *q, const struct session *s, struct span id,
                           struct reply *reply)
{
    struct reading_text text = {.request = q, .id = id};
    struct series_cursor cursor;
    struct series_entry entry;
    uint64_t count = count_given(q);
    reading_text_begin(&text, &reply->body);
    if (s && count > 0) {
        series_cursor_init(&cursor, s->series, q->until - count + 1);
        while (buf_status(&reply->body) == OK && series_next(&cursor, &entry))
            reading_text_add(&text, &entry, false, &reply->body);
        series_cursor_fini(&cursor);
    }
    reading_text_end(&text, count_after(q), &reply->body);
}

static void answer(struct app *app, const struct request *req, struct reading_request *q,
                   struct reply *reply)
{
    const struct reading_format *format = read_format(req, reply);
    struct session *s = registry_find(&app->registry, req->tail);
    if (!format)
        return;
    if (s)
        ask_of(s, format->form, q);
    else
        ask_of_nobody(format->form, q);
    memcpy(q->epoch, app->registry.epoch, sizeof(app->registry.epoch));
    if (!history_query_read(req, reply, q))
        return;
    reply->content_type = format->content_type;
    if (is_at_hand(q, s)) {
        answer_at_once(q, s, req->tail, reply);
        if (buf_status(&reply->body) != E_LIMIT)
            return;
        buf_reset(&reply->body); /* a few entries, and very long ones */
    }
    history_stream(&app->registry, q, format->content_type, reply);
}

void history_answer(struct app *app, const struct request *req, struct reply *reply)
{
    struct reading_request *q = malloc(sizeof(*q)); /* too large for a stack */
    if (q)
        answer(app, req, q, reply);
    else
        reply_error(reply, 503, "Out of memory");
    free(q);
}
