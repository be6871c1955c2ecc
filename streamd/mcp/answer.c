/* SPDX-License-Identifier: MIT */
#include "streamd/mcp/answer.h"

#include "streamd/app.h"
#include "streamd/http/later.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { SENTENCE_MAX = 512 };

/* A call that is answered later. */
struct deferred {
    struct later_waiter waiter;
    struct mcp_call *call; /* borrows */
};

/* What a route said that could not do it: its own sentence in the shape of its family. */
static void fail(struct mcp_call *call, const struct reply *reply)
{
    struct fields *body = NULL;
    struct span text = buf_span(&reply->body);
    if (fields_parse(text, &body, NULL) != OK)
        body = NULL;
    if (body && !fields_string(body, "error", &text))
        (void)fields_string(body, "detail", &text);
    mcp_call_fail(call, text);
    fields_destroy(body);
}

static void deliver(struct mcp_call *call, const struct reply *reply)
{
    if (buf_status(&reply->body) != OK)
        mcp_call_fail(call, SPAN("Out of memory; call again"));
    else if (reply->status == 200 && call->uri.len > 0)
        mcp_call_text(call, "application/json", buf_span(&reply->body));
    else if (reply->status == 200)
        mcp_call_result(call, buf_span(&reply->body));
    else
        fail(call, reply);
}

static void on_answered(struct later_waiter *w, struct reply *reply)
{
    deliver(LIST_ENTRY(w, struct deferred, waiter)->call, reply);
}

static void on_gone(struct mcp_call *call)
{
    struct deferred *d = call->state;
    later_give_up(&d->waiter);
    free(d);
}

static void defer(struct mcp_call *call, struct reply *reply)
{
    struct deferred *d = calloc(1, sizeof(*d));
    if (!d) {
        reply->later->ops->gone(reply->later);
        mcp_call_fail(call, SPAN("Out of memory; call again"));
        return;
    }
    d->waiter.answered = on_answered;
    d->call = call;
    call->state = d;
    call->gone = on_gone;
    later_await(reply, &d->waiter); /* maybe the end of the call */
}

void answer_call(struct mcp_call *call, answer_fn *fn)
{
    struct reply reply;
    reply_init(&reply, REPLY_BODY_MAX);
    fn(call, &reply);
    if (reply.later)
        defer(call, &reply);
    else
        deliver(call, &reply);
    reply_fini(&reply);
}

void answer_refuse(struct reply *reply, const char *format, ...)
{
    char text[SENTENCE_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    reply->status = 400;
    buf_reset(&reply->body);
    buf_add_str(&reply->body, text);
}

struct session *answer_session(const struct mcp_call *call, const char *argument,
                               struct reply *reply)
{
    struct span id = call->uri.len > 0 ? call->variable : answer_text(call, argument, SPAN(""));
    struct session *s = registry_find(&call->app->registry, id);
    if (!s)
        answer_refuse(reply, "There is no session \"%.*s\". Call list_sessions for the ids.",
                      (int)(id.len < 128 ? id.len : 128), id.ptr);
    return s;
}

double answer_number(const struct mcp_call *call, const char *name, double otherwise)
{
    (void)fields_number(call->arguments, name, &otherwise);
    return otherwise;
}

bool answer_flag(const struct mcp_call *call, const char *name)
{
    bool value = false;
    (void)fields_bool(call->arguments, name, &value);
    return value;
}

struct span answer_text(const struct mcp_call *call, const char *name, struct span otherwise)
{
    (void)fields_string(call->arguments, name, &otherwise);
    return otherwise;
}
