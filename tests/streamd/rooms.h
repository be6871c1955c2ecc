/* SPDX-License-Identifier: MIT */
/*
 * rooms: a hub and subscribers that write down what they take, without sessions and connections.
 */
#ifndef TESTS_STREAMD_ROOMS_H
#define TESTS_STREAMD_ROOMS_H

#include "streamd/room/subscriber.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct rooms {
    struct stats stats;
    struct encoder encoder;
    struct hub hub;
};

/* Takes all that waits, one entry a line, when it is flushed. */
struct listener {
    struct subscriber subscriber;
    struct buf heard;
    unsigned flushes;
    bool deaf; /* takes nothing, and is flushed again next time */
};

static inline void listener_flush(struct subscriber *s)
{
    struct listener *l = LIST_ENTRY(s, struct listener, subscriber);
    struct outbox_entry entry;
    l->flushes++;
    if (l->deaf) {
        subscriber_mark_dirty(s);
        return;
    }
    while (subscriber_take(s, &entry)) {
        buf_add_span(&l->heard, refbuf_span(entry.bytes));
        buf_add_char(&l->heard, '\n');
        refbuf_unref(entry.bytes);
    }
}

static const struct subscriber_ops listener_ops = {.flush = listener_flush};

static inline void rooms_init(struct rooms *r, size_t max_bytes, size_t max_messages)
{
    memset(r, 0, sizeof(*r));
    hub_init(&r->hub, &r->stats, max_bytes, max_messages, 1);
    assert_int_equal(encoder_init(&r->encoder, &r->stats, false), OK);
}

static inline void rooms_fini(struct rooms *r)
{
    encoder_fini(&r->encoder);
    hub_fini(&r->hub);
}

static inline void listener_init(struct listener *l, struct rooms *r)
{
    memset(l, 0, sizeof(*l));
    subscriber_init(&l->subscriber, &r->hub, &listener_ops, FORM_PACKET);
    buf_init(&l->heard, 1 << 20);
}

static inline void listener_fini(struct listener *l)
{
    subscriber_fini(&l->subscriber);
    buf_fini(&l->heard);
}

static inline struct membership *listener_join(struct listener *l, const char *room)
{
    struct membership *m = NULL;
    assert_int_equal(subscriber_join(&l->subscriber, span_of(room), 100, &m), OK);
    return m;
}

/* What it has heard since the last time; borrows. */
static inline const char *listener_heard(struct listener *l)
{
    buf_add_char(&l->heard, '\0');
    assert_int_equal(buf_status(&l->heard), OK);
    l->heard.len = 0;
    return l->heard.ptr;
}

/* An update or event with this JSON payload to a room that exists. */
static inline void publish_update(struct rooms *r, const char *room, const char *json,
                                  uint64_t offset)
{
    struct message m;
    message_init(&m, &r->encoder, "u", span_of(json), offset);
    room_publish_update(room_find(&r->hub, span_of(room)), &m);
    message_fini(&m);
}

static inline void publish_event(struct rooms *r, const char *room, const char *json,
                                 uint64_t after)
{
    struct message m;
    message_init(&m, &r->encoder, "e", span_of(json), 0);
    m.after = after;
    room_publish_event(room_find(&r->hub, span_of(room)), &m);
    message_fini(&m);
}

#endif
