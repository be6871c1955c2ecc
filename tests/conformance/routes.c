/* SPDX-License-Identifier: MIT */
#include "tests/conformance/routes.h"

#include "streamd/app.h"
#include "streamd/transport/transfer.h"

#include <stdlib.h>
#include <string.h>

enum { ALPHABET = 26, PIECE = 64 * 1024 / ALPHABET * ALPHABET, BODY_MAX = 1 << 20 };

struct answer {
    struct transfer transfer;
    struct app *app;    /* borrows */
    struct timer timer; /* of one that comes later */
    uint64_t left;      /* ms until it comes, or bytes to be streamed */
    bool broken;
};

static struct answer *answer_of(struct transfer *t)
{
    return LIST_ENTRY(t, struct answer, transfer);
}

static void on_gone(struct transfer *t)
{
    struct answer *a = answer_of(t);
    timers_disarm(&a->app->timers, &a->timer);
    free(a);
}

static void on_later(struct timer *timer, uint64_t now_us)
{
    (void)now_us;
    struct answer *a = LIST_ENTRY(timer, struct answer, timer);
    struct span body = a->transfer.req->body;
    struct reply reply;
    reply_init(&reply, BODY_MAX);
    reply.content_type = "text/plain";
    buf_add_span(&reply.body, body.len ? body : SPAN("later"));
    transfer_answer(&a->transfer, &reply);
    reply_fini(&reply);
}

static void begin_later(struct transfer *t, const struct request *req)
{
    struct answer *a = answer_of(t);
    if (a->left == 0)
        on_later(&a->timer, req->now.us);
    else if (timers_arm(&a->app->timers, &a->timer, req->now.us + a->left * 1000) != OK)
        abort();
}

static void go_on(struct transfer *t)
{
    static char bytes[PIECE];
    struct answer *a = answer_of(t);
    for (size_t i = 0; i < PIECE; i++)
        bytes[i] = (char)('a' + i % ALPHABET);
    while (a->left > 0) {
        size_t n = a->left < PIECE ? a->left : PIECE;
        a->left -= n;
        if (!transfer_write(t, (struct span){bytes, n}))
            break;
    }
    if (a->left == 0 && a->broken)
        transfer_abort(t);
    else if (a->left == 0)
        transfer_end(t);
}

static void begin_stream(struct transfer *t, const struct request *req)
{
    struct reply head;
    (void)req;
    reply_init(&head, 1);
    head.content_type = "text/plain";
    if (transfer_begin(t, &head))
        go_on(t);
    reply_fini(&head);
}

static const struct transfer_ops later = {begin_later, NULL, on_gone};
static const struct transfer_ops stream = {begin_stream, go_on, on_gone};

static void make(struct app *app, const struct request *req, const struct transfer_ops *ops,
                 struct reply *reply)
{
    struct answer *a = calloc(1, sizeof(*a));
    if (!a || !span_u64(req->tail, &a->left)) {
        free(a);
        reply_error(reply, 400, "How much?");
        return;
    }
    a->app = app;
    a->broken = span_starts(req->path, SPAN("/test/broken/"));
    a->transfer.ops = ops;
    timer_init(&a->timer, on_later);
    reply->transfer = &a->transfer;
}

static void answer_later(struct app *app, const struct request *req, struct reply *reply)
{
    make(app, req, &later, reply);
}

static void answer_stream(struct app *app, const struct request *req, struct reply *reply)
{
    make(app, req, &stream, reply);
}

const struct route conformance_routes[] = {
    {"/test/later/", METHOD_GET | METHOD_POST, SCOPE_READ, answer_later, ""},
    {"/test/stream/", METHOD_GET, SCOPE_READ, answer_stream, ""},
    {"/test/broken/", METHOD_GET, SCOPE_READ, answer_stream, ""},
    {NULL, 0, SCOPE_PUBLIC, NULL, NULL},
};
