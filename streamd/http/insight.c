/* SPDX-License-Identifier: MIT */
/*
 * A run that is interpreted is answered at once. Any other is reckoned on the archive's thread,
 * from its records, while the connection waits; the session keeps the result, so that whoever asks
 * again is answered at once.
 */
#include "streamd/http/insight.h"

#include "proto/json_write.h"
#include "streamd/app.h"
#include "streamd/session/ask.h"
#include "streamd/session/insight_json.h"
#include "streamd/session/interpreter.h"
#include "streamd/transport/transfer.h"

#include <stdlib.h>
#include <string.h>

static void write_answer(const struct session *s, struct reply *reply)
{
    struct buf *out = &reply->body;
    reply_open_data(reply);
    buf_add_char(out, '{');
    json_write_pair_string(out, "sessionId", session_id(s));
    json_write_pair_string(out, "status", span_of(session_state_name(s->state)));
    if (s->interpreter)
        insight_write_interpreter(out, s->interpreter);
    else
        insight_write_brief(out, NULL);
    buf_add_char(out, '}');
    reply_close_data(reply);
}

struct inquiry {
    struct transfer transfer;
    struct reading reading;
    struct session_handle session;
    struct app *app; /* borrows */
};

static void answer(struct inquiry *q, enum status status)
{
    struct reply reply;
    reply_init(&reply, REPLY_BODY_MAX);
    if (!q->session.session)
        reply_error(&reply, 404, "Session not found");
    else if (status != OK)
        reply_error(&reply, 503, "History cannot be read at present");
    else
        write_answer(q->session.session, &reply);
    transfer_answer(&q->transfer, &reply);
    reply_fini(&reply);
}

/* How its records end is not among them. */
static void conclude(struct session *s, struct reckoning *r)
{
    if (s->state == SESSION_COMPLETED)
        (void)reckoning_event(r, INSIGHT_COMPLETED, NULL);
    else if (s->state == SESSION_FAILED)
        (void)reckoning_event(r, INSIGHT_CRASHED, s->error);
}

static void on_piece(struct reading *reading, struct refbuf *piece, bool last, enum status status)
{
    struct inquiry *q = LIST_ENTRY(reading, struct inquiry, reading);
    struct session *s = q->session.session;
    struct reckoning *r = status == OK ? malloc(sizeof(*r)) : NULL;
    if (r && s && last && piece->len == sizeof(*r)) {
        memcpy(r, refbuf_span(piece).ptr, sizeof(*r));
        conclude(s, r);
        if (!s->interpreter && !interpreter_adopt(s, r, q->app->now))
            status = E_NOMEM;
    }
    if (status == OK && !r)
        status = E_NOMEM;
    free(r);
    answer(q, status);
}

static void begin(struct transfer *t, const struct request *req)
{
    struct inquiry *q = LIST_ENTRY(t, struct inquiry, transfer);
    struct session *s = q->session.session;
    struct reading_request *request = s ? malloc(sizeof(*request)) : NULL;
    enum status status = E_NOMEM;
    (void)req;
    if (request) {
        ask_of_reckoning(s, request);
        status = ask_begin(&q->app->registry, &q->reading, request);
    }
    free(request);
    if (status != OK)
        answer(q, status);
}

static void gone(struct transfer *t)
{
    struct inquiry *q = LIST_ENTRY(t, struct inquiry, transfer);
    reading_cancel(&q->reading);
    session_handle_fini(&q->session);
    free(q);
}

static const struct transfer_ops ops_inquiry = {.begin = begin, .gone = gone};

static bool must_read(const struct app *app, const struct session *s)
{
    return !s->interpreter && s->registry->interpreters.max > 0 && app->registry.keeping.keeper &&
           series_newest(s->series) > 0;
}

void insight_answer(struct app *app, const struct request *req, struct reply *reply)
{
    struct session *s = registry_find(&app->registry, req->tail);
    if (!s) {
        reply_error(reply, 404, "Session not found");
        return;
    }
    struct inquiry *q = must_read(app, s) ? calloc(1, sizeof(*q)) : NULL;
    if (!q) {
        write_answer(s, reply);
        return;
    }
    q->transfer.ops = &ops_inquiry;
    q->reading.on_piece = on_piece;
    q->app = app;
    session_handle_init(&q->session);
    session_handle_set(&q->session, s);
    reply->transfer = &q->transfer;
}
