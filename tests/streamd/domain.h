/* SPDX-License-Identifier: MIT */
/*
 * domain: everything between a trainer's line and a watcher's connection, without either.
 *
 * A registry with its rooms, an intake as trainers have one, and watchers that write down what they
 * are sent. The clock is `now`; domain_advance stops at every deadline on the way, as the loop
 * does.
 */
#ifndef TESTS_STREAMD_DOMAIN_H
#define TESTS_STREAMD_DOMAIN_H

#include "streamd/ingest/intake.h"
#include "streamd/options.h"
#include "streamd/room/subscriber.h"
#include "streamd/session/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct domain {
    struct config config;
    struct stats stats;
    struct timers timers;
    struct encoder encoder;
    struct hub hub;
    struct registry registry;
    struct line_decoder decoder;
    struct now now;
    struct buf answers;
    struct intake intake;
    struct line_error error;
};

/* Watches rooms and keeps, one after the other, the Socket.IO packets it was sent. */
struct watcher {
    struct subscriber subscriber;
    struct buf heard;
};

/* To be changed by a test before domain_open, if it wants other limits. */
static inline void domain_defaults(struct domain *d)
{
    memset(d, 0, sizeof(*d));
    options_defaults(&d->config);
    d->now = (struct now){.us = 1000000, .wall_s = 1700000000};
}

static inline void domain_open(struct domain *d)
{
    log_set_level(LOG_ERROR);
    timers_init(&d->timers);
    hub_init(&d->hub, &d->stats, d->config.max_outbox_bytes, d->config.max_outbox_messages, 1);
    line_decoder_init(&d->decoder, 2);
    assert_int_equal(encoder_init(&d->encoder, &d->stats, false), OK);
    assert_int_equal(registry_init(&d->registry, &d->config, &d->timers, &d->hub, &d->encoder,
                                   &d->stats, d->now),
                     OK);
    buf_init(&d->answers, 1 << 20);
    intake_init(&d->intake, &d->registry, &d->decoder, &d->answers);
}

static inline void domain_close(struct domain *d)
{
    intake_fini(&d->intake);
    buf_fini(&d->answers);
    registry_fini(&d->registry);
    encoder_fini(&d->encoder);
    line_decoder_fini(&d->decoder);
    hub_fini(&d->hub);
    timers_fini(&d->timers);
}

/* The end of a wake-up. */
static inline void domain_leave(struct domain *d)
{
    timers_run(&d->timers, d->now.us);
    registry_publish_due(&d->registry, d->now.us);
    hub_flush(&d->hub);
}

static inline void domain_advance(struct domain *d, uint64_t by_us)
{
    uint64_t end_us = d->now.us + by_us;
    double end_s = d->now.wall_s + (double)by_us * 1e-6;
    for (;;) {
        uint64_t next_us = timers_next_us(&d->timers);
        if (next_us >= end_us)
            break;
        d->now.us = next_us > d->now.us ? next_us : d->now.us;
        domain_leave(d);
    }
    d->now = (struct now){end_us, end_s};
    domain_leave(d);
}

static inline enum status domain_line(struct domain *d, const char *line)
{
    return intake_line(&d->intake, span_of(line), d->now, &d->error);
}

/* A line that must be taken. */
static inline void domain_take(struct domain *d, const char *line)
{
    if (domain_line(d, line) != OK)
        fail_msg("refused %s: %s", line, d->error.why);
}

static inline struct session *domain_session(struct domain *d, const char *id)
{
    return registry_find(&d->registry, span_of(id));
}

/* What is in a buf, as a C string. */
static inline const char *text_of(struct buf *b)
{
    buf_add_char(b, '\0');
    assert_int_equal(buf_status(b), OK);
    b->len--;
    return b->ptr;
}

static inline size_t count_of(const char *text, const char *what)
{
    size_t n = 0;
    for (; (text = strstr(text, what)) != NULL; text += strlen(what))
        n++;
    return n;
}

/* Asserts that both are there, and `first` before `then`. */
static inline void assert_order(const char *text, const char *first, const char *then)
{
    const char *at = strstr(text, first);
    if (!at || !strstr(at, then))
        fail_msg("'%s' and then '%s' expected in: %s", first, then, text);
}

static inline void assert_has(const char *text, const char *what)
{
    if (!strstr(text, what))
        fail_msg("'%s' expected in: %s", what, text);
}

static inline void assert_lacks(const char *text, const char *what)
{
    if (strstr(text, what))
        fail_msg("'%s' not expected in: %s", what, text);
}

static inline void watcher_flush(struct subscriber *s)
{
    struct watcher *w = LIST_ENTRY(s, struct watcher, subscriber);
    struct outbox_entry entry;
    while (subscriber_take(s, &entry)) {
        buf_add_span(&w->heard, refbuf_span(entry.bytes));
        buf_add_char(&w->heard, '\n');
        refbuf_unref(entry.bytes);
    }
}

static const struct subscriber_ops watcher_ops = {.flush = watcher_flush};

static inline void watcher_init(struct watcher *w, struct domain *d)
{
    subscriber_init(&w->subscriber, &d->hub, &watcher_ops, FORM_PACKET);
    buf_init(&w->heard, 16 << 20);
}

static inline void watcher_join(struct watcher *w, const char *room)
{
    struct membership *membership;
    assert_int_equal(subscriber_join(&w->subscriber, span_of(room), 100, &membership), OK);
}

static inline void watcher_fini(struct watcher *w)
{
    subscriber_fini(&w->subscriber);
    buf_fini(&w->heard);
}

/* What was heard since the last time. */
static inline const char *watcher_heard(struct watcher *w)
{
    const char *text = text_of(&w->heard);
    w->heard.len = 0;
    return text;
}

#endif
