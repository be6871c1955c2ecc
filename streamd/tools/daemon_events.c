/* SPDX-License-Identifier: MIT */
/*
 * An event is its lines up to an empty one; the daemon writes each field on a line of its own, and
 * the data on one. Comments keep the connection alive and say nothing.
 */
#include "streamd/tools/daemon_events.h"

#include "base/buf.h"
#include "streamd/tools/daemon_call.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

enum { EVENT_BYTES_MAX = 16 << 20 };

struct listening {
    const struct daemon_events *events; /* borrows */
    struct daemon_link link;
    struct buf text; /* owned; what came and is no whole line yet, behind `at` */
    struct buf name;
    struct buf data;
    bool in_body;
    uint64_t until_ms; /* monotonic; 0: for ever */
};

static uint64_t monotonic_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void keep_field(struct span line, struct span name, struct buf *out)
{
    if (!span_starts(line, name))
        return;
    buf_reset(out);
    buf_add_span(out, span_trim((struct span){line.ptr + name.len, line.len - name.len}));
}

/* False: the listener has enough. */
static bool take_line(struct listening *l, struct span line)
{
    bool goes_on = true;
    if (line.len > 0) {
        keep_field(line, SPAN("event:"), &l->name);
        keep_field(line, SPAN("data:"), &l->data);
        return true;
    }
    if (l->data.len > 0)
        goes_on = l->events->on_event(l->events->context, buf_span(&l->name), buf_span(&l->data));
    buf_reset(&l->name);
    buf_reset(&l->data);
    return goes_on;
}

static bool take_lines(struct listening *l)
{
    const char *end;
    while (l->text.len > 0 && (end = memchr(l->text.ptr, '\n', l->text.len)) != NULL) {
        struct span line = {l->text.ptr, (size_t)(end - l->text.ptr)};
        bool goes_on = take_line(l, span_trim(line));
        buf_consume(&l->text, line.len + 1);
        if (!goes_on)
            return false;
    }
    return true;
}

/* Waits until there is something to read. */
static bool wait_readable(const struct listening *l)
{
    struct pollfd wait = {.fd = l->link.fd, .events = POLLIN};
    if (daemon_link_has_more(&l->link))
        return true;
    for (;;) {
        uint64_t now_ms = monotonic_ms();
        uint64_t left_ms = l->until_ms > now_ms ? l->until_ms - now_ms : 0;
        int limit = l->until_ms == 0 ? -1 : left_ms > INT32_MAX ? INT32_MAX : (int)left_ms;
        int ready = poll(&wait, 1, limit);
        if (ready > 0)
            return true;
        if (ready == 0 && left_ms <= INT32_MAX)
            return false;
    }
}

static enum daemon_events_end lost(const char **why, const char *words)
{
    *why = words;
    return EVENTS_LOST;
}

static enum daemon_events_end listen_on(struct listening *l, const char **why)
{
    char piece[16384];
    int status = 0;
    while (wait_readable(l)) {
        ssize_t n = daemon_link_receive(&l->link, piece, sizeof(piece));
        if (n < 0 && errno == EAGAIN)
            continue; /* a part of what is sealed together */
        if (n <= 0)
            return lost(why, "the daemon has ended the connection");
        buf_add(&l->text, piece, (size_t)n);
        if (buf_status(&l->text) != OK)
            return lost(why, status_text(buf_status(&l->text)));
        l->in_body = l->in_body || daemon_take_head(&l->text, &status);
        if (status != 0 && status != 200)
            return lost(why, "the daemon does not tell its events");
        if (l->in_body && !take_lines(l))
            return EVENTS_ENOUGH;
    }
    return EVENTS_TIMEOUT;
}

enum daemon_events_end daemon_events(const struct daemon_events *events, const char **why)
{
    const struct daemon_call call = {
        .url = events->url, .ca_file = events->ca_file, .method = "GET", .path = events->path};
    struct listening l = {.events = events};
    *why = daemon_open(&call, &l.link);
    if (*why)
        return EVENTS_LOST;
    l.until_ms = events->timeout_ms ? monotonic_ms() + events->timeout_ms : 0;
    buf_init(&l.text, EVENT_BYTES_MAX);
    buf_init(&l.name, EVENT_BYTES_MAX);
    buf_init(&l.data, EVENT_BYTES_MAX);
    enum daemon_events_end end = listen_on(&l, why);
    buf_fini(&l.text);
    buf_fini(&l.name);
    buf_fini(&l.data);
    daemon_link_close(&l.link);
    return end;
}
