/* SPDX-License-Identifier: MIT */
/*
 * peer: one watcher, whatever it speaks.
 *
 * A plain WebSocket and an SSE stream are a peer on one link for as long as that lives. A Socket.IO
 * client is a peer that changes links: a poll at a time, then a WebSocket. The peer embeds its
 * subscriber (rooms and what waits) and waits on two lists: the heartbeat, and one deadline (first
 * subscribe or CONNECT; then, when closing, how long it may take to go).
 *
 * Nothing dies inside a callback: peer_close marks, takes the peer out of its rooms and says
 * goodbye; peers_reap frees at the end of the wake-up, once its link is gone.
 *
 *   OPEN ──peer_close──▶ CLOSING (link may finish) ──link gone / deadline──▶ DOOMED ──reap──▶ freed
 */
#ifndef STREAMD_TRANSPORT_PEER_H
#define STREAMD_TRANSPORT_PEER_H

#include "base/waitlist.h"
#include "streamd/auth/scope.h"
#include "streamd/room/subscriber.h"
#include "streamd/transport/link.h"

struct caller;
struct engine;
struct feed;
struct peer;
struct peers;

/* What differs between the kinds of watchers. All static. */
struct dialect {
    const char *name; /* for logs and stats */
    enum scope scope; /* without which nobody stays */
    /* The heartbeat is due: ask for a sign of life. True: one is awaited. */
    bool (*ping)(struct peer *p);
    /* A whole message came in on `l`, which is the peer's or one it is moving to. NULL: its clients
     * cannot say anything. */
    void (*message)(struct peer *p, struct link *l, struct span message, bool binary);
    /* `l`, which names this peer, is gone. */
    void (*link_closed)(struct peer *p, struct link *l);
    /* The peer is closing: say so on the wire, where there is a way, and give up what it owns. */
    void (*goodbye)(struct peer *p, unsigned code, const char *why);
    struct subscriber_ops subscriber;
};

enum peer_state { PEER_OPEN, PEER_CLOSING, PEER_DOOMED, PEER_STATES };

struct peer {
    struct subscriber subscriber;
    const struct dialect *dialect; /* borrows */
    struct peers *peers;           /* borrows */
    const struct caller *caller;   /* borrows; who it is and what it may. peer_create: nobody */
    struct link *link;     /* borrows; where updates go. NULL between polls and after it closed */
    struct engine *engine; /* owns; NULL unless Socket.IO */
    struct feed *feed;     /* borrows; NULL unless it is a trainer (feed.h) */
    struct list all;       /* in peers.all, or peers.doomed */
    struct wait heartbeat; /* in peers.ping or peers.pong */
    struct list turn;      /* in peers.replay_turns */
    struct list asked;     /* of watch.c's readings of history for this peer */
    struct wait deadline;  /* in peers.connect, .linger or .linger_silent */
    uint8_t state;         /* enum peer_state */
};

/* NULL when out of memory. The link, when given, names the peer from now on. */
struct peer *peer_create(struct peers *peers, const struct dialect *dialect, struct link *link,
                         enum form form);

/* Idempotent. `code` is a WebSocket close code; `why` a static text that travels to the client. */
void peer_close(struct peer *p, unsigned code, const char *why);

/* A sign of life came: the next ping is an interval away. */
void peer_alive(struct peer *p);

/* The peer has said what it wants (subscribed, connected): the connect timeout is off. */
void peer_settled(struct peer *p);

/* Sends one event to this peer alone, in its own form. */
void peer_send_event(struct peer *p, const char *event, struct span payload);

/* The same, if there is room for it in the outbox; false otherwise, and nothing has happened. */
bool peer_offer_event(struct peer *p, const char *event, struct span payload);

/* The same two for a progress_update of one of its rooms. */
void peer_send_update(struct peer *p, struct membership *of, struct span payload, uint64_t offset);
bool peer_offer_update(struct peer *p, struct membership *of, struct span payload, uint64_t offset);

/* The link that serves this peer is gone and no other will come. */
void peer_link_gone(struct peer *p);

/* subscriber_ops.flush for every dialect with a stream (ws, SSE): one write for all that waits. */
void peer_flush_stream(struct subscriber *s);

/* subscriber_ops.rest for the same. */
void peer_write_rest(struct subscriber *s, struct span rest);

/* For a goodbye: writes all that waits, as far as the connection takes it. The peer has a link. */
void peer_write_last(struct peer *p);

/* subscriber_ops.prefetch for the same. */
void peer_prefetch_stream(const struct subscriber *s);

/* Writes a WebSocket close frame. */
void peer_write_close(struct peers *peers, struct link *l, unsigned code, const char *why);

/* dialect.ping of a WebSocket: a ping frame, queued. */
bool peer_ping_ws(struct peer *p);

/* Writes a close frame and waits for the client to go, at most peers.linger. */
void peer_goodbye_ws(struct peer *p, unsigned code, const char *why);

struct peer *peer_of(struct subscriber *s);

/* What our ws pings carry: lws 4.1.6 does not report an empty pong, and inside a fragmented message
 * this is how the extension knows a pong from data. */
#define PEER_PING_PAYLOAD "streamd!"

/* Close codes of ours, beside those of RFC 6455. */
enum {
    CLOSE_GOING_AWAY = 1001,
    CLOSE_PROTOCOL = 1002,
    CLOSE_UNSUPPORTED = 1003,
    CLOSE_INVALID = 1007,
    CLOSE_POLICY = 1008,
    CLOSE_TOO_BIG = 1009,
    CLOSE_INTERNAL = 1011,
    CLOSE_TRY_LATER = 1013,
    CLOSE_NORMAL = 1000,
    CLOSE_SLOW = 4008,    /* the outbox was full */
    CLOSE_TIMEOUT = 4009, /* no pong, or nothing asked for in time */
};

#endif
