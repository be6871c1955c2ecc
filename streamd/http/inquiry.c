/* SPDX-License-Identifier: MIT */
#include "streamd/http/inquiry.h"

#include "streamd/app.h"
#include "streamd/session/ask.h"

#include <assert.h>
#include <stdlib.h>

static void answer(struct inquiry *q, enum status status)
{
    struct reply reply;
    reply_init(&reply, REPLY_BODY_MAX);
    for (size_t i = 0; i < q->count && status == OK; i++)
        status = q->session[i].session ? OK : E_NOT_FOUND;
    q->ops->write(q, status, &reply);
    later_answer(&q->later, &reply);
    reply_fini(&reply);
}

static enum status read_next(struct inquiry *q)
{
    const struct session *s = q->session[q->at].session;
    if (!s)
        return E_NOT_FOUND;
    struct reading_request *request = malloc(sizeof(*request)); /* too large for a stack */
    if (!request)
        return E_NOMEM;
    q->ops->ask(q, s, request);
    enum status status = ask_begin(&q->app->registry, &q->reading, request);
    free(request);
    return status;
}

static void on_piece(struct reading *reading, struct refbuf *piece, bool last, enum status status)
{
    struct inquiry *q = LIST_ENTRY(reading, struct inquiry, reading);
    if (status == OK)
        status = q->ops->take(q, refbuf_span(piece));
    if (status == OK && !last) {
        reading_more(reading);
        return;
    }
    if (status == OK && ++q->at < q->count)
        status = read_next(q);
    if (status != OK || q->at == q->count)
        answer(q, status);
}

static void begin(struct later *l)
{
    struct inquiry *q = LIST_ENTRY(l, struct inquiry, later);
    enum status status = read_next(q);
    if (status != OK)
        answer(q, status);
}

static void gone(struct later *l)
{
    inquiry_destroy(LIST_ENTRY(l, struct inquiry, later));
}

static const struct later_ops ops_inquiry = {.begin = begin, .gone = gone};

void inquiry_init(struct inquiry *q, const struct inquiry_ops *ops, struct app *app)
{
    *q = (struct inquiry){.reading = {.on_piece = on_piece}, .ops = ops, .app = app};
}

void inquiry_add(struct inquiry *q, struct session *s)
{
    assert(q->count < INQUIRY_SESSIONS_MAX);
    session_handle_init(&q->session[q->count]);
    session_handle_set(&q->session[q->count++], s);
}

struct session *inquiry_session(const struct inquiry *q, size_t i)
{
    return q->session[i].session;
}

void inquiry_destroy(struct inquiry *q)
{
    reading_cancel(&q->reading);
    for (size_t i = 0; i < q->count; i++)
        session_handle_fini(&q->session[i]);
    q->ops->destroy(q);
}

void inquiry_leave(struct inquiry *q, struct reply *reply)
{
    assert(q->count > 0);
    later_leave(&q->later, &ops_inquiry, reply);
}

bool inquiry_possible(const struct app *app)
{
    return app->registry.keeping.keeper != NULL;
}
