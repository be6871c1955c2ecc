/* SPDX-License-Identifier: MIT */
/*
 * Bytes between a peer and a local socket. What came in and finds no room there waits here, since
 * lws cannot be told to stop reading without its pings going unanswered; a relay keeps less than
 * that under way. What goes out is read only when the peer's outbox is empty, so a client that does
 * not read its answers holds up its own trainer and nothing else.
 *
 * A client that has gone may have said its last lines just before: they are still led on.
 */
#include "streamd/ingest/feed.h"

#include "base/buf.h"
#include "proto/wsframe.h"
#include "streamd/http/request.h"
#include "streamd/ingest/control.h"
#include "streamd/ingest/unix.h"
#include "streamd/transport/peers.h"

#include <errno.h>
#include <ev.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWERS_BYTES = 3072 }; /* at a time; the smallest outbox has room for them */

struct feed {
    struct list link;     /* in unix_ingest_feeds */
    struct ev_loop *loop; /* borrows */
    struct peer *peer;    /* borrows; NULL: the client has gone */
    ev_io in;
    ev_io out;
    int fd;             /* owns; the trainer has the other end */
    struct buf waiting; /* for the trainer */
};

static void destroy(struct feed *f)
{
    ev_io_stop(f->loop, &f->in);
    ev_io_stop(f->loop, &f->out);
    (void)close(f->fd);
    list_remove(&f->link);
    if (f->peer)
        f->peer->feed = NULL;
    buf_fini(&f->waiting);
    free(f);
}

void feed_end(struct list *link)
{
    destroy(LIST_ENTRY(link, struct feed, link));
}

/* False: the trainer is gone. */
static bool lead_on(struct feed *f)
{
    while (f->waiting.len > 0) {
        ssize_t n = send(f->fd, f->waiting.ptr, f->waiting.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN) {
            ev_io_start(f->loop, &f->out);
            return true;
        }
        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0)
            buf_consume(&f->waiting, (size_t)n);
    }
    ev_io_stop(f->loop, &f->out);
    return true;
}

/* The trainer has ended. */
static void end(struct feed *f)
{
    struct peer *p = f->peer;
    destroy(f);
    if (p)
        peer_close(p, CLOSE_NORMAL, "the daemon has ended it: connect again and resume");
}

/* Once the client has gone and all it said is led on, the trainer hears that there is no more; what
 * it still has to say nobody hears, but it must not find a closed door before it has read all. */
static void settle(struct feed *f)
{
    if (!lead_on(f))
        end(f);
    else if (!f->peer && f->waiting.len == 0)
        (void)shutdown(f->fd, SHUT_WR);
}

static void on_writable(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop;
    (void)events;
    settle(LIST_ENTRY(watcher, struct feed, out));
}

static void send_answers(struct peer *p, struct span bytes)
{
    unsigned char head[WS_HEADER_MAX];
    size_t n = wsframe_header(head, WS_BINARY, false, bytes.len);
    subscriber_push(&p->subscriber, refbuf_create2((struct span){(const char *)head, n}, bytes),
                    FINISH_NOTHING);
}

static void on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct feed *f = LIST_ENTRY(watcher, struct feed, in);
    char bytes[ANSWERS_BYTES];
    (void)events;
    ssize_t n = recv(f->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        end(f);
        return;
    }
    if (!f->peer)
        return;
    send_answers(f->peer, (struct span){bytes, (size_t)n});
    ev_io_stop(loop, &f->in); /* until they are written */
}

/* ---- the peer ---- */

static void on_message(struct peer *p, struct link *l, struct span message, bool binary)
{
    struct feed *f = p->feed;
    (void)l;
    if (!f)
        return;
    buf_add_span(&f->waiting, message);
    if (!binary && message.len > 0 && message.ptr[message.len - 1] != '\n')
        buf_add_char(&f->waiting, '\n');
    if (buf_status(&f->waiting) != OK)
        peer_close(p, CLOSE_TOO_BIG, "more than may wait was sent ahead: wait for acks");
    else
        settle(f);
}

static void flush(struct subscriber *s)
{
    struct feed *f = peer_of(s)->feed;
    peer_flush_stream(s);
    if (f && f->peer && !subscriber_waiting(s))
        ev_io_start(f->loop, &f->in);
}

static void goodbye(struct peer *p, unsigned code, const char *why)
{
    struct feed *f = p->feed;
    if (f) {
        f->peer = NULL;
        p->feed = NULL;
        ev_io_start(f->loop, &f->in);
        settle(f);
    }
    if (p->link)
        peer_goodbye_ws(p, code, why);
}

static void on_link_closed(struct peer *p, struct link *l)
{
    (void)l;
    peer_link_gone(p);
}

static const struct dialect dialect_feed = {
    .name = "feed",
    .scope = SCOPE_WRITE,
    .ping = peer_ping_ws,
    .message = on_message,
    .link_closed = on_link_closed,
    .goodbye = goodbye,
    .subscriber = {.flush = flush},
};

static struct feed *create(struct unix_ingest *u, struct peer *p)
{
    struct feed *f = calloc(1, sizeof(*f));
    int fd = f ? unix_ingest_adopt(u) : -1;
    if (fd < 0) {
        free(f);
        return NULL;
    }
    f->loop = unix_ingest_loop(u);
    f->peer = p;
    f->fd = fd;
    buf_init(&f->waiting, FEED_WAITING_MAX);
    ev_io_init(&f->in, on_readable, fd, EV_READ);
    ev_io_init(&f->out, on_writable, fd, EV_WRITE);
    ev_io_start(f->loop, &f->in);
    list_add_tail(unix_ingest_feeds(u), &f->link);
    return f;
}

void feed_open(struct peers *peers, struct link *l, const struct request *req)
{
    struct peer *p = peer_create(peers, &dialect_feed, l, FORM_PLAIN);
    if (!p) {
        l->ops->kill(l);
        return;
    }
    peer_settled(p);
    p->caller = req->caller;
    p->feed = create(peers->control->unix_ingest, p);
    if (!p->feed)
        peer_close(p, CLOSE_TRY_LATER, "as many trainers as allowed");
}
