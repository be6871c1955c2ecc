/* SPDX-License-Identifier: MIT */
/*
 * peers: all watchers, their heartbeats, and what they share.
 */
#ifndef STREAMD_TRANSPORT_PEERS_H
#define STREAMD_TRANSPORT_PEERS_H

#include "base/timers.h"
#include "base/waitlist.h"
#include "streamd/room/room.h"
#include "streamd/session/registry.h"
#include "streamd/transport/peer.h"
#include "streamd/transport/recovery.h"

struct control;
struct engine_mount;
struct guard;
struct socketio_namespace;

struct peers {
    struct list all;    /* of peer.all: open and closing */
    struct list doomed; /* of peer.all: to be freed by peers_reap */
    struct waitlist ping;
    struct waitlist pong;
    struct waitlist connect;
    struct waitlist linger;        /* the goodbye was said, the client has not gone yet */
    struct waitlist linger_silent; /* the same for one that was silent before, too */
    struct waitlist upgrade;       /* of engine.upgrade */
    struct waitlist stalled;       /* of transfer.stall */
    struct list reading;           /* of replay.c's replays that read from the archive */
    struct list replay_turns;      /* of peer.turn: who waits to replay from the archive */
    unsigned replays;              /* readings of it under way */
    struct timer timer;            /* armed for the earliest of them */
    struct recoveries recoveries;
    struct strmap engines; /* sid → struct engine */
    struct buf text;       /* scratch: one payload or packet */
    struct buf frames;     /* scratch: what one write carries */
    struct now now;        /* of this wake-up, set by peers_enter */

    const struct engine_mount *mounts;           /* borrows; linked */
    const struct socketio_namespace *namespaces; /* borrows; linked */
    struct timers *timers;                       /* borrows */
    struct hub *hub;                             /* borrows */
    struct encoder *encoder;                     /* borrows */
    struct registry *registry;                   /* borrows */
    const struct control *control;               /* borrows */
    const struct guard *guard;                   /* borrows */
    const struct config *config;                 /* borrows */
    struct stats *stats;                         /* borrows */
    bool draining;                               /* SIGTERM came: nobody new, everybody gets 1001 */
};

struct peers_params {
    struct timers *timers;
    struct hub *hub;
    struct encoder *encoder;
    struct registry *registry;
    const struct control *control;
    const struct guard *guard;
    const struct config *config;
    struct stats *stats;
};

MUST_CHECK enum status peers_init(struct peers *peers, const struct peers_params *params,
                                  uint64_t seed);

/* All links must be gone. */
void peers_fini(struct peers *peers);

void peers_enter(struct peers *peers, struct now now);

/* Frees what is doomed. Call when nothing iterates: at the end of the wake-up. */
void peers_reap(struct peers *peers);

/* Closes everybody with 1001 and refuses newcomers. */
void peers_drain(struct peers *peers);

/* The tokens were read again: closes whom they do not let watch any more. */
void peers_review(struct peers *peers);

/* After a SIGSTOP or a suspended laptop every answer is overdue, but it may be in the socket. True:
 * so it may be, and is waited for once more. */
bool peers_wait_again(struct waitlist *l, struct wait *w, uint64_t now_us);

/* Sees to it that the timer fires for the earliest of the waitlists. */
void peers_arm(struct peers *peers);

#endif
