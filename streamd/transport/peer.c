/* SPDX-License-Identifier: MIT */
/*
 * The flush is the hot path of the daemon. A watcher with one thing waiting (the usual case) gets
 * the shared bytes themselves; only with two or more are they laid end to end in a scratch buffer,
 * so that it still is one write. What waits while the connection is choked stays in the subscriber,
 * where newer updates replace older ones; nothing is handed to the kernel's queue ahead of need.
 */
#include "streamd/transport/peer.h"

#include "proto/wsframe.h"
#include "streamd/auth/guard.h"
#include "streamd/log.h"
#include "streamd/transport/engine.h"
#include "streamd/transport/peers.h"
#include "streamd/transport/replay.h"
#include "streamd/transport/watch.h"

#include <assert.h>
#include <stdlib.h>

/* One write carries at most this, give or take one message. */
enum { WRITE_BYTES = 64 * 1024 };

struct peer *peer_of(struct subscriber *s)
{
    return LIST_ENTRY(s, struct peer, subscriber);
}

static void peer_enter(struct peer *p, enum peer_state next)
{
    static const bool allowed[PEER_STATES][PEER_STATES] = {
        [PEER_OPEN] = {[PEER_CLOSING] = true},
        [PEER_CLOSING] = {[PEER_DOOMED] = true},
    };
    assert(allowed[p->state][next]);
    p->state = (uint8_t)next;
}

struct peer *peer_create(struct peers *peers, const struct dialect *dialect, struct link *link,
                         enum form form)
{
    struct peer *p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    p->dialect = dialect;
    p->peers = peers;
    p->caller = guard_nobody();
    p->link = link;
    if (link)
        link->peer = p;
    subscriber_init(&p->subscriber, peers->hub, &dialect->subscriber, form);
    p->subscriber.chain.follows = link && link->follows;
    list_init(&p->all);
    list_init(&p->turn);
    list_init(&p->asked);
    list_add_tail(&peers->all, &p->all);
    wait_init(&p->heartbeat);
    wait_init(&p->deadline);
    waitlist_add(&peers->ping, &p->heartbeat, peers->now.us);
    waitlist_add(&peers->connect, &p->deadline, peers->now.us);
    peers_arm(peers);
    peers->stats->peers++;
    peers->stats->peers_opened++;
    return p;
}

static void doom(struct peer *p)
{
    peer_enter(p, PEER_DOOMED);
    wait_cancel(&p->deadline);
    list_remove(&p->all);
    list_add_tail(&p->peers->doomed, &p->all);
    p->peers->stats->peers--;
}

void peer_close(struct peer *p, unsigned code, const char *why)
{
    if (p->state != PEER_OPEN)
        return;
    log_debug("peer", "close dialect=%s code=%u why=\"%s\"", p->dialect->name, code, why);
    peer_enter(p, PEER_CLOSING);
    wait_cancel(&p->heartbeat);
    wait_cancel(&p->deadline);
    p->dialect->goodbye(p, code, why);
    list_remove(&p->turn);
    subscriber_fini(&p->subscriber);
    watch_forget(p);
    if (p->link) {
        /* Who did not answer a ping will hardly answer this. */
        struct peers *peers = p->peers;
        waitlist_add(code == CLOSE_TIMEOUT ? &peers->linger_silent : &peers->linger, &p->deadline,
                     peers->now.us);
        peers_arm(p->peers);
    } else {
        doom(p);
    }
}

void peer_link_gone(struct peer *p)
{
    p->link = NULL;
    if (p->state == PEER_OPEN)
        peer_close(p, CLOSE_NORMAL, "connection closed");
    else if (p->state == PEER_CLOSING)
        doom(p);
}

void peer_alive(struct peer *p)
{
    if (p->state != PEER_OPEN)
        return;
    waitlist_add(&p->peers->ping, &p->heartbeat, p->peers->now.us);
    peers_arm(p->peers);
}

void peer_settled(struct peer *p)
{
    if (p->state == PEER_OPEN)
        wait_cancel(&p->deadline);
}

static void send_message(struct peer *p, struct membership *of, struct message *m)
{
    if (p->state != PEER_OPEN)
        return;
    p->peers->stats->messages_bytes_plain += message_plain_bytes(m);
    subscriber_send(&p->subscriber, of, m);
}

static bool offer_message(struct peer *p, struct membership *of, struct message *m)
{
    const struct refbuf *bytes = message_form(m, (enum form)p->subscriber.form);
    bool room = p->state == PEER_OPEN && subscriber_has_room(&p->subscriber, bytes);
    if (room)
        send_message(p, of, m);
    return room;
}

void peer_send_event(struct peer *p, const char *event, struct span payload)
{
    struct message m;
    message_init(&m, p->peers->encoder, event, payload, 0);
    send_message(p, NULL, &m);
    message_fini(&m);
}

bool peer_offer_event(struct peer *p, const char *event, struct span payload)
{
    struct message m;
    message_init(&m, p->peers->encoder, event, payload, 0);
    bool room = offer_message(p, NULL, &m);
    message_fini(&m);
    return room;
}

void peer_send_update(struct peer *p, struct membership *of, struct span payload, uint64_t offset)
{
    struct message m;
    message_init(&m, p->peers->encoder, "progress_update", payload, offset);
    send_message(p, of, &m);
    message_fini(&m);
}

bool peer_offer_update(struct peer *p, struct membership *of, struct span payload, uint64_t offset)
{
    struct message m;
    message_init(&m, p->peers->encoder, "progress_update", payload, offset);
    bool room = offer_message(p, of, &m);
    message_fini(&m);
    return room;
}

/* Appends one entry to the scratch as it goes on a stream. */
static void add_entry(struct buf *frames, const struct outbox_entry *e)
{
    if (e->finish != FINISH_NOTHING) {
        unsigned char head[WS_HEADER_MAX];
        enum ws_opcode op = e->finish == FINISH_TEXT ? WS_TEXT : WS_BINARY;
        buf_add(frames, head, wsframe_header(head, op, false, e->bytes->len));
    }
    buf_add_span(frames, refbuf_span(e->bytes));
}

/* Takes what is to be written next; what is to be deflated has been, unless there was no memory to
 * do it in. False when nothing waits. */
static bool take_entry(struct peer *p, struct outbox_entry *out)
{
    if (!subscriber_take(&p->subscriber, out))
        return false;
    if (out->finish != FINISH_DEFLATE)
        return true;
    struct refbuf *frame = chain_next(&p->peers->encoder->chain, &p->subscriber.chain, out->bytes);
    out->finish = FINISH_TEXT;
    if (!frame)
        return true;
    refbuf_unref(out->bytes);
    *out = (struct outbox_entry){.bytes = frame, .finish = FINISH_NOTHING};
    return true;
}

static void write_bytes(struct peer *p, struct span bytes, uint64_t messages)
{
    struct stats *stats = p->peers->stats;
    stats->writes++;
    stats->messages_sent += messages;
    stats->messages_bytes_wire += bytes.len;
    p->link->ops->write(p->link, bytes);
}

/* False when nothing waited. */
static bool write_waiting(struct peer *p)
{
    struct buf *frames = &p->peers->frames;
    struct outbox_entry first;
    struct outbox_entry next = {.bytes = NULL};
    if (!take_entry(p, &first))
        return false;
    if (!take_entry(p, &next) && first.finish == FINISH_NOTHING) {
        write_bytes(p, refbuf_span(first.bytes), 1);
        refbuf_unref(first.bytes);
        return true;
    }
    uint64_t messages = 1;
    buf_reset(frames);
    add_entry(frames, &first);
    refbuf_unref(first.bytes);
    for (bool more = next.bytes != NULL; more;
         more = frames->len < WRITE_BYTES && take_entry(p, &next)) {
        add_entry(frames, &next);
        refbuf_unref(next.bytes);
        messages++;
    }
    if (buf_status(frames) == OK)
        write_bytes(p, buf_span(frames), messages);
    else
        peer_close(p, CLOSE_INTERNAL, "out of memory");
    return true;
}

void peer_prefetch_stream(const struct subscriber *s)
{
    const struct peer *p = LIST_ENTRY(s, struct peer, subscriber);
    __builtin_prefetch(p->link);
    __builtin_prefetch((const void *)((uintptr_t)p->link + 64)); /* it may be NULL */
}

/* Nothing waits: the room can write to it past us, if its connection is of that kind. */
static void hush(struct peer *p)
{
    struct link *l = p->link;
    chain_rest(&p->subscriber.chain);
    int socket = l->ops->choked(l) ? -1 : l->ops->socket(l);
    if (socket >= 0)
        subscriber_hush(&p->subscriber, socket);
}

void peer_flush_stream(struct subscriber *s)
{
    struct peer *p = peer_of(s);
    if (s->overflowed) {
        p->peers->stats->peers_closed_slow++;
        peer_close(p, CLOSE_SLOW, "too slow: outbox is full");
        return;
    }
    if (!p->link || p->state != PEER_OPEN)
        return;
    if (p->link->ops->choked(p->link)) {
        p->link->ops->want_writable(p->link);
        return;
    }
    replay_flush(p);
    (void)write_waiting(p);
    if (p->state != PEER_OPEN)
        return;
    if (subscriber_waiting(s))
        p->link->ops->want_writable(p->link);
    else
        hush(p);
}

void peer_write_rest(struct subscriber *s, struct span rest)
{
    struct peer *p = peer_of(s);
    subscriber_rouse(s);
    if (p->link)
        p->link->ops->write(p->link, rest);
}

void peer_write_close(struct peers *peers, struct link *l, unsigned code, const char *why)
{
    unsigned char head[WS_HEADER_MAX];
    unsigned char payload[WS_CONTROL_MAX];
    size_t n = wsframe_close_payload(payload, code, span_of(why));
    buf_reset(&peers->frames);
    buf_add(&peers->frames, head, wsframe_header(head, WS_CLOSE, false, n));
    buf_add(&peers->frames, payload, n);
    l->ops->write(l, buf_span(&peers->frames));
}

void peer_write_last(struct peer *p)
{
    if (p->subscriber.overflowed)
        return;
    while (!p->link->ops->choked(p->link) && write_waiting(p))
        continue;
}

bool peer_ping_ws(struct peer *p)
{
    unsigned char head[WS_HEADER_MAX];
    struct span payload = SPAN(PEER_PING_PAYLOAD);
    size_t n = wsframe_header(head, WS_PING, false, payload.len);
    subscriber_push(&p->subscriber, refbuf_create2((struct span){(const char *)head, n}, payload),
                    FINISH_NOTHING);
    return true;
}

void peer_goodbye_ws(struct peer *p, unsigned code, const char *why)
{
    if (!p->link)
        return;
    peer_write_last(p);
    peer_write_close(p->peers, p->link, code, why);
}
