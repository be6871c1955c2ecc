/* SPDX-License-Identifier: MIT */
/*
 * Choking is told as lws tells it: a link is choked only once it had to keep something, so the
 * first write into a full pipe is taken whole. Whatever lws would punish with a lost or corrupt
 * stream (an answer to no request, two answers to one) fails the test.
 */
#include "tests/flow/fake_link.h"

#include "base/list.h"
#include "streamd/room/outlet.h"
#include "streamd/transport/front.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include <cmocka.h>

enum { WIRE_LIMIT = 256 << 20 };

struct fake_link {
    struct link link;
    struct conn *conn; /* borrows; owns us */
};

struct sending {
    struct conn *conn;     /* borrows */
    struct refbuf *bytes;  /* shares */
    struct subscriber *to; /* borrows */
};

struct fake_outlet {
    struct outlet outlet;
    struct conn **conns; /* owns the array, by number; NULL: gone */
    size_t count;
    struct sending *sendings; /* owns */
    size_t sending_count;
    size_t sending_cap;
};

static struct conn *conn_of(const struct link *l)
{
    return LIST_ENTRY(l, struct fake_link, link)->conn;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void deliver(struct conn *c, struct span bytes)
{
    buf_add_span(&c->wire, bytes);
    if (c->window != SIZE_MAX)
        c->window -= bytes.len;
    assert_int_equal(buf_status(&c->wire), OK);
}

static void take(struct conn *c, struct span bytes)
{
    size_t n = c->kept.len > 0 ? 0 : least(bytes.len, c->window);
    deliver(c, (struct span){bytes.ptr, n});
    buf_add(&c->kept, bytes.ptr + n, bytes.len - n);
    assert_int_equal(buf_status(&c->kept), OK);
}

static void write_bytes(struct link *l, struct span bytes)
{
    struct conn *c = conn_of(l);
    if (c->killed || c->finished)
        return;
    c->writes++;
    take(c, bytes);
}

static bool choked(const struct link *l)
{
    const struct conn *c = conn_of(l);
    return c->killed || c->kept.len > 0;
}

static int socket_of(const struct link *l)
{
    const struct conn *c = conn_of(l);
    return c->outlet && l->is_ws && !c->parked && !c->finished ? c->number : -1;
}

static void want_writable(struct link *l)
{
    conn_of(l)->wants_writable = true;
}

static void answer(struct link *l, struct span bytes, bool close)
{
    struct conn *c = conn_of(l);
    assert_true(c->awaits);
    c->awaits = false;
    c->parked = false;
    if (!c->killed && !c->finished)
        take(c, bytes);
    c->finished = c->finished || close;
}

static void park(struct link *l)
{
    struct conn *c = conn_of(l);
    assert_true(c->awaits && !c->parked);
    c->parked = true;
}

static void name_link(const struct link *l, char out[LINK_NAME_MAX])
{
    (void)l;
    (void)snprintf(out, LINK_NAME_MAX, "127.0.0.1:7");
}

static void kill_link(struct link *l)
{
    conn_of(l)->killed = true;
}

static const struct link_ops ops_fake = {
    .write = write_bytes,
    .choked = choked,
    .socket = socket_of,
    .want_writable = want_writable,
    .answer = answer,
    .park = park,
    .kill = kill_link,
    .name = name_link,
};

static void outlet_send(struct outlet *o, int socket, struct refbuf *bytes, struct subscriber *to)
{
    struct fake_outlet *f = LIST_ENTRY(o, struct fake_outlet, outlet);
    assert_true(socket >= 0 && (size_t)socket < f->count && f->conns[socket]);
    if (f->sending_count == f->sending_cap) {
        f->sending_cap = f->sending_cap ? f->sending_cap * 2 : 16;
        f->sendings = realloc(f->sendings, f->sending_cap * sizeof(*f->sendings));
        assert_non_null(f->sendings);
    }
    f->sendings[f->sending_count++] = (struct sending){f->conns[socket], refbuf_ref(bytes), to};
}

static void outlet_finish(struct outlet *o)
{
    struct fake_outlet *f = LIST_ENTRY(o, struct fake_outlet, outlet);
    for (size_t i = 0; i < f->sending_count; i++) {
        struct sending *s = &f->sendings[i];
        struct conn *c = s->conn;
        assert_true(c->link && c->kept.len == 0 && !c->finished);
        size_t n = c->killed ? 0 : least(s->bytes->len, c->window);
        c->writes++;
        deliver(c, (struct span){s->bytes->bytes, n});
        if (n < s->bytes->len)
            s->to->ops->rest(s->to, (struct span){s->bytes->bytes + n, s->bytes->len - n});
        refbuf_unref(s->bytes);
    }
    f->sending_count = 0;
}

static void outlet_destroy(struct outlet *o)
{
    struct fake_outlet *f = LIST_ENTRY(o, struct fake_outlet, outlet);
    free(f->sendings);
    free(f->conns);
    free(f);
}

static const struct outlet_ops ops_outlet = {
    .send = outlet_send,
    .finish = outlet_finish,
    .destroy = outlet_destroy,
};

struct outlet *fake_outlet_create(void)
{
    struct fake_outlet *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->outlet.ops = &ops_outlet;
    return &f->outlet;
}

/* A number for the connection, as a socket has one. */
static void enlist(struct fake_outlet *f, struct conn *c)
{
    f->conns = realloc(f->conns, (f->count + 1) * sizeof(*f->conns));
    assert_non_null(f->conns);
    c->outlet = f;
    c->number = (int)f->count;
    f->conns[f->count++] = c;
}

struct conn *conn_open(struct app *app, size_t window)
{
    struct conn *c = calloc(1, sizeof(*c));
    struct fake_link *f = calloc(1, sizeof(*f));
    assert_true(c && f);
    *f = (struct fake_link){.link = {.ops = &ops_fake, .app = app}, .conn = c};
    c->link = &f->link;
    c->window = window;
    buf_init(&c->wire, WIRE_LIMIT);
    buf_init(&c->kept, WIRE_LIMIT);
    app->stats.connections++;
    if (app->hub.outlet)
        enlist(LIST_ENTRY(app->hub.outlet, struct fake_outlet, outlet), c);
    return c;
}

void conn_deflates(struct conn *c)
{
    c->inflater = calloc(1, sizeof(*c->inflater));
    assert_non_null(c->inflater);
    assert_int_equal(inflateInit2(c->inflater, -15), Z_OK);
    c->link->deflate = true;
    c->link->follows = true;
}

void conn_destroy(struct conn *c)
{
    assert_null(c->link);
    if (c->inflater)
        inflateEnd(c->inflater);
    free(c->inflater);
    buf_fini(&c->wire);
    buf_fini(&c->kept);
    free(c);
}

void conn_open_window(struct conn *c, size_t bytes)
{
    c->window = bytes;
    size_t n = least(c->kept.len, bytes);
    deliver(c, (struct span){c->kept.ptr, n});
    buf_consume(&c->kept, n);
}

void conn_hang_up(struct conn *c)
{
    struct link *l = c->link;
    if (!l)
        return;
    l->app->stats.connections--;
    front_closed(l);
    c->link = NULL;
    if (c->outlet)
        c->outlet->conns[c->number] = NULL;
    c->awaits = false;
    c->parked = false;
    free(LIST_ENTRY(l, struct fake_link, link));
}

static bool is_over(const struct conn *c)
{
    return c->killed || (c->finished && c->kept.len == 0);
}

bool conn_ready(const struct conn *c)
{
    return c->link && (is_over(c) || (c->wants_writable && c->kept.len == 0));
}

void conn_step(struct conn *c)
{
    if (is_over(c)) {
        conn_hang_up(c);
        return;
    }
    c->wants_writable = false;
    front_writable(c->link);
}
