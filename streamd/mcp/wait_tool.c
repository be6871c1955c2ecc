/* SPDX-License-Identifier: MIT */
/*
 * wait_for_event. What is there already is answered at once; else the call lies in the bulletin's
 * list of waiters until something comes for it or its time is over. Either way the answer says
 * where to go on, so nothing is lost between two calls, however long they are apart.
 */
#include "streamd/mcp/tools.h"

#include "proto/json_write.h"
#include "streamd/app.h"
#include "streamd/http/later.h"
#include "streamd/mcp/run_words.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { EVENTS_MAX = 20, TIMEOUT_DEFAULT_S = 45, TIMEOUT_MAX_S = 55 };

struct wait_call {
    struct later later;
    struct bulletin_waiter waiter;
    struct timer timeout;
    struct app *app; /* borrows */
    char id[SESSION_ID_BYTES_MAX + 1];
    uint64_t after;
    uint64_t timeout_us;
};

static void write_event(const struct bulletin_item *item, struct buf *out)
{
    json_write_comma(out);
    buf_add_char(out, '{');
    json_write_pair_u64(out, "seq", item->seq);
    json_write_pair_string(out, "type", span_of(bulletin_type_name(item->type)));
    json_write_pair_string(out, "session_id", bulletin_session(item));
    json_write_name(out, "at");
    time_write_iso(floor(item->wall_s), out);
    json_write_pair_string(out, "text", bulletin_text(item));
    if (item->data_len > 0)
        json_write_pair_raw(out, "data", bulletin_data(item));
    buf_add_char(out, '}');
}

static void write_events(const struct bulletin *b, const struct bulletin_filter *filter,
                         uint64_t after, struct buf *out)
{
    uint64_t next = after;
    size_t count = 0;
    const struct bulletin_item *item;
    buf_add_str(out, "{\"events\":[");
    while ((item = bulletin_next(b, filter, next)) != NULL && count < EVENTS_MAX) {
        write_event(item, out);
        next = item->seq;
        count++;
    }
    buf_add_char(out, ']');
    json_write_pair_bool(out, "timed_out", count == 0);
    json_write_pair_u64(out, "missed", bulletin_missed(b, filter, after));
    /* What is not told was looked through, so whoever goes on need not be shown it again. */
    json_write_pair_u64(out, "next_seq", item ? next : b->last);
    buf_add_char(out, '}');
}

/* ---- waiting ---- */

static void answer(struct wait_call *w)
{
    struct reply reply;
    reply_init(&reply, REPLY_BODY_MAX);
    write_events(&w->app->registry.bulletin, &w->waiter.filter, w->after, &reply.body);
    later_answer(&w->later, &reply);
    reply_fini(&reply);
}

static void on_woken(struct bulletin_waiter *waiter)
{
    answer(LIST_ENTRY(waiter, struct wait_call, waiter));
}

static void on_timeout(struct timer *timer, uint64_t now_us)
{
    (void)now_us;
    answer(LIST_ENTRY(timer, struct wait_call, timeout));
}

static void begin(struct later *l)
{
    struct wait_call *w = LIST_ENTRY(l, struct wait_call, later);
    if (timers_arm(&w->app->timers, &w->timeout, w->app->now.us + w->timeout_us) != OK) {
        answer(w);
        return;
    }
    bulletin_wait(&w->app->registry.bulletin, &w->waiter);
}

static void gone(struct later *l)
{
    struct wait_call *w = LIST_ENTRY(l, struct wait_call, later);
    timers_disarm(&w->app->timers, &w->timeout);
    bulletin_cancel(&w->waiter);
    free(w);
}

static const struct later_ops ops_wait = {.begin = begin, .gone = gone};

static void wait(struct mcp_call *call, const struct bulletin_filter *filter, uint64_t after,
                 struct reply *reply)
{
    struct wait_call *w = calloc(1, sizeof(*w));
    if (!w) {
        answer_refuse(reply, "Out of memory; call again.");
        return;
    }
    w->app = call->app;
    w->after = after;
    w->timeout_us =
        (uint64_t)(fmin(answer_number(call, "timeout_s", TIMEOUT_DEFAULT_S), TIMEOUT_MAX_S) * 1e6);
    memcpy(w->id, filter->session.ptr ? filter->session.ptr : "", filter->session.len);
    w->waiter.woken = on_woken;
    w->waiter.filter = (struct bulletin_filter){filter->types, {w->id, filter->session.len}};
    timer_init(&w->timeout, on_timeout);
    later_leave(&w->later, &ops_wait, reply);
}

/* ---- the question ---- */

static unsigned read_types(const struct mcp_call *call)
{
    unsigned types = 0;
    const struct fields *list = fields_array(call->arguments, "types");
    for (const struct fields *at = fields_first(list); at; at = fields_next(at)) {
        struct span name;
        if (fields_as_string(at, &name) && bulletin_type_find(name) != BULLETIN_TYPES)
            types |= 1U << bulletin_type_find(name);
    }
    return types ? types : 1U << BULLETIN_PHASE | 1U << BULLETIN_ALERT | 1U << BULLETIN_STATUS;
}

/* The newest EVENTS_MAX of the run, which its resource has found, as if nobody had read any. */
void answer_newest_events(struct mcp_call *call, struct reply *reply)
{
    const struct bulletin *b = &call->app->registry.bulletin;
    const struct session *s = answer_session(call, "session_id", reply);
    assert(s);
    const struct bulletin_filter filter = {.types = (1U << BULLETIN_TYPES) - 1,
                                           .session = session_id(s)};
    write_events(b, &filter, bulletin_behind(b, &filter, EVENTS_MAX), &reply->body);
}

void answer_wait_for_event(struct mcp_call *call, struct reply *reply)
{
    const struct bulletin *b = &call->app->registry.bulletin;
    struct bulletin_filter filter = {.types = read_types(call)};
    const struct session *s = NULL;
    if (fields_has(call->arguments, "session_id")) {
        s = answer_session(call, "session_id", reply);
        if (!s)
            return;
        filter.session = session_id(s);
    }
    double told = answer_number(call, "after_seq", 0);
    /* A number beyond ours is of a daemon whose clock was ahead: it is as good as any old one. */
    uint64_t after = told > (double)b->last ? 1 : (uint64_t)told;
    bool must_wait = !bulletin_next(b, &filter, after) && bulletin_missed(b, &filter, after) == 0 &&
                     !(s && run_is_over(s)) && answer_number(call, "timeout_s", 1) > 0;
    if (must_wait)
        wait(call, &filter, after, reply);
    else
        write_events(b, &filter, after, &reply->body);
}
