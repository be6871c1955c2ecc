/* SPDX-License-Identifier: MIT */
/*
 * list_sessions. A cursor names the last run that was shown, by its start and id: runs stand in the
 * order of their starts, so what begins meanwhile moves nothing. When that run is gone the list
 * goes on where it stood; of those that began in the same millisecond none is left out.
 */
#include "streamd/mcp/tools.h"

#include "proto/json_write.h"
#include "proto/number.h"
#include "streamd/app.h"
#include "streamd/mcp/answer.h"
#include "streamd/mcp/run_words.h"
#include "streamd/session/interpreter.h"

#include <math.h>
#include <string.h>

enum { LIMIT_DEFAULT = 20, CURSOR_MAX = 192, PAGE_BYTES = 38000, NAME_MAX_BYTES = 64 };

struct query {
    struct span status; /* empty: any */
    struct span text;
    size_t limit;
    double start_ms; /* of the run that the last page ended with; NaN: from the newest on */
    struct span id;  /* and its id */
    bool gone;       /* there is no such run any more: those that began with it come again */
};

static double start_ms(const struct session *s)
{
    return floor(s->start_time_s * 1000);
}

/* "1764312345678.run-1"; false: it is none of ours. */
static bool read_cursor(struct span cursor, struct query *q)
{
    uint64_t ms;
    struct span rest = cursor;
    struct span number = span_cut(&rest, '.');
    q->start_ms = (double)NAN;
    if (cursor.len == 0)
        return true;
    if (!rest.ptr || !span_u64(number, &ms))
        return false;
    q->start_ms = (double)ms;
    q->id = rest;
    return true;
}

/* Was it shown on an earlier page? `*found`: the run of the cursor has been met. */
static bool is_before(const struct session *s, const struct query *q, bool *found)
{
    if (isnan(q->start_ms) || *found)
        return false;
    *found = span_eq(session_id(s), q->id);
    if (*found)
        return true;
    *found = q->gone ? start_ms(s) <= q->start_ms : start_ms(s) < q->start_ms;
    return !*found;
}

static bool passes(const struct session *s, const struct query *q)
{
    return (q->status.len == 0 || span_is(q->status, run_status(s))) &&
           (q->text.len == 0 || span_has_nocase(session_id(s), q->text) ||
            span_has_nocase(span_of(s->name), q->text) ||
            span_has_nocase(span_of(s->project), q->text) ||
            (s->config && span_has_nocase(refbuf_span(s->config), q->text)));
}

static void write_row(struct session *s, struct buf *out)
{
    uint64_t planned = operation_of(s)->epochs_planned;
    json_write_comma(out);
    buf_add_char(out, '{');
    run_write_head(s, out);
    if (s->name)
        json_write_pair_string(out, "name", span_head(span_of(s->name), NAME_MAX_BYTES));
    run_write_whole(out, "epoch", run_epoch(s));
    if (planned > 0)
        json_write_pair_u64(out, "total_epochs", planned);
    json_write_pair_digits(out, "best", run_best(s), RUN_DIGITS);
    json_write_pair_u64(out, "open_alerts", run_alerts(s));
    json_write_name(out, "updated_at");
    time_write_iso(floor(s->last_update_s), out);
    buf_add_char(out, '}');
}

static void write_cursor(const struct session *last, struct buf *out)
{
    json_write_name(out, "next_cursor");
    if (last)
        buf_addf(out, "\"%.0f.%s\"", start_ms(last), last->id);
    else
        buf_add_str(out, "null");
}

static void write_page(struct registry *registry, const struct query *q, struct buf *out)
{
    struct session *last = NULL;
    bool found = false;
    bool more = false;
    uint64_t total = 0;
    size_t shown = 0;
    buf_add_str(out, "{\"sessions\":[");
    LIST_EACH (at, &registry->sessions) {
        struct session *s = LIST_ENTRY(at, struct session, link);
        bool before = is_before(s, q, &found);
        if (!passes(s, q))
            continue;
        total++;
        if (before)
            continue;
        if (shown == q->limit || out->len > PAGE_BYTES) {
            more = true;
            continue;
        }
        write_row(s, out);
        shown++;
        last = s;
    }
    buf_add_char(out, ']');
    json_write_pair_u64(out, "total", total);
    write_cursor(more ? last : NULL, out);
    buf_add_char(out, '}');
}

void answer_list_sessions(struct mcp_call *call, struct reply *reply)
{
    struct query q = {.status = answer_text(call, "status", SPAN("")),
                      .text = answer_text(call, "query", SPAN("")),
                      .limit = (size_t)answer_number(call, "limit", LIMIT_DEFAULT)};
    bool valid = read_cursor(answer_text(call, "cursor", SPAN("")), &q);
    q.gone = !registry_find(&call->app->registry, q.id);
    if (valid)
        write_page(&call->app->registry, &q, &reply->body);
    else
        answer_refuse(reply, "cursor must be a next_cursor of list_sessions. Call it without one "
                             "to begin with the newest run.");
}
