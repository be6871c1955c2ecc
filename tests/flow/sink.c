/* SPDX-License-Identifier: MIT */
#include "tests/flow/sink.h"

#include "streamd/transport/front.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { TURNS_MAX = 1000 }; /* of one that drains */

static struct sink *sink_of(const struct link *l)
{
    return LIST_ENTRY(l, struct sink, link);
}

static void sink_write(struct link *l, struct span bytes)
{
    struct sink *s = sink_of(l);
    size_t room = sizeof(s->heard) - 1 - s->len;
    size_t n = bytes.len < room ? bytes.len : room;
    if (n > 0)
        memcpy(s->heard + s->len, bytes.ptr, n);
    s->len += n;
    s->heard[s->len] = '\0';
}

static bool sink_choked(const struct link *l)
{
    return sink_of(l)->choked;
}

static int sink_socket(const struct link *l)
{
    (void)l;
    return -1;
}

static void sink_want_writable(struct link *l)
{
    sink_of(l)->wants_writable = true;
}

static void sink_answer(struct link *l, struct span bytes, bool close)
{
    sink_write(l, bytes);
    sink_of(l)->awaits = false;
    sink_of(l)->over |= close;
}

static void sink_park(struct link *l)
{
    assert_true(sink_of(l)->awaits);
}

static void sink_name(const struct link *l, char out[LINK_NAME_MAX])
{
    (void)l;
    out[0] = '\0';
}

static void sink_kill(struct link *l)
{
    sink_of(l)->over = true;
}

static const struct link_ops ops_sink = {.name = sink_name,
                                         .write = sink_write,
                                         .choked = sink_choked,
                                         .socket = sink_socket,
                                         .want_writable = sink_want_writable,
                                         .answer = sink_answer,
                                         .park = sink_park,
                                         .kill = sink_kill};

void sink_open(struct sink *s, struct world *w)
{
    s->link = (struct link){.ops = &ops_sink, .app = w->app};
    s->awaits = s->over = s->choked = s->wants_writable = false;
    s->len = 0;
    s->heard[0] = '\0';
}

void sink_closes(struct world *w, struct sink *s)
{
    world_enter(w);
    front_closed(&s->link);
    world_leave(w);
}

void sink_drains(struct world *w, struct sink *s)
{
    for (unsigned i = 0; i < TURNS_MAX && s->wants_writable && !s->over; i++) {
        s->wants_writable = false;
        world_enter(w);
        front_writable(&s->link);
        world_leave(w);
    }
}

void sink_sends(struct world *w, struct sink *s, const struct request *req)
{
    s->req = *req;
    s->req.host = SPAN("127.0.0.1:5001");
    s->req.keep_alive = true;
    s->req.is_1_1 = true;
    s->req.now = w->now;
    s->awaits = true;
    s->len = 0;
    s->heard[0] = '\0';
    world_enter(w);
    front_request(&s->link, &s->req);
    s->req.body = (struct span){NULL, 0};
    world_leave(w);
    sink_drains(w, s);
}

void sink_asks(struct world *w, struct sink *s, enum method method, const char *path,
               const char *query, const char *body)
{
    sink_sends(w, s,
               &(struct request){.method = method,
                                 .path = span_of(path),
                                 .query = span_of(query),
                                 .body = span_of(body)});
}

void sink_upgrades(struct world *w, struct sink *s, const char *path, const char *query)
{
    struct request req = {.method = METHOD_GET,
                          .path = span_of(path),
                          .query = span_of(query),
                          .host = SPAN("127.0.0.1:5001"),
                          .caller = guard_token(&w->app->guard, SPAN("")),
                          .now = w->now};
    s->link.is_ws = true;
    s->link.deflate = true;
    world_enter(w);
    front_ws_open(&s->link, &req);
    world_leave(w);
}

void sink_says(struct world *w, struct sink *s, const char *text)
{
    if (s->over)
        return;
    world_enter(w);
    front_ws_message(&s->link, span_of(text), false);
    world_leave(w);
}
