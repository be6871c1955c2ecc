/* SPDX-License-Identifier: MIT */
/*
 * engine: Engine.IO v4 sessions, over long-polling, over WebSocket and through the upgrade.
 *
 * An engine is the part of a peer that outlives its links: the sid, which transport it is on, the
 * poll that is parked, the WebSocket that is probing. What it carries is the mount's business:
 * Socket.IO at /socket.io/, anything else that is registered (the conformance build has an echo).
 *
 *   POLLING ──ws with sid, 2probe──▶ PROBING ──5──▶ WEBSOCKET
 *      ▲                               │ (ws closes, 10 s)            a session opened by WebSocket
 *      └───────────────────────────────┘                             starts there
 */
#ifndef STREAMD_TRANSPORT_ENGINE_H
#define STREAMD_TRANSPORT_ENGINE_H

#include "base/waitlist.h"
#include "streamd/http/reply.h"
#include "streamd/http/request.h"
#include "streamd/transport/link.h"
#include "streamd/transport/peer.h"

struct engine;
struct parked_poll;
struct peers;
struct recovery;
struct socketio;

/* What speaks on top of Engine.IO at one path. */
struct engine_mount {
    const char *path; /* with slashes at both ends */
    void (*opened)(struct engine *e);
    void (*message)(struct engine *e, struct span message, bool binary);
    void (*closed)(struct engine *e);
    void (*destroy)(struct engine *e); /* NULL: nothing to free */
    const struct engine_mount *next;   /* borrows; NULL at the end */
};

enum engine_transport { ENGINE_POLLING, ENGINE_PROBING, ENGINE_WEBSOCKET };

enum { ENGINE_SID_LEN = 24 }; /* base64url of 144 random bits */

struct engine {
    struct peer *peer;                /* borrows; owns us */
    const struct engine_mount *mount; /* borrows */
    struct parked_poll *poll;         /* owns; the GET that waits for packets */
    struct link *probe;               /* borrows; the WebSocket that may take over */
    struct link *post;                /* borrows; the POST whose body is being sent */
    struct wait upgrade;              /* in peers.upgrade while probing */
    struct socketio *socketio;        /* owns; the Socket.IO mount's own state */
    struct recovery *recovery;        /* owns until it closes; NULL unless it may recover */
    enum engine_transport transport;
    bool probed;        /* 2probe was answered: polls end at once and nothing is sent on them */
    bool failed;        /* the client broke the protocol */
    bool asks_recovery; /* by its query; see recovery.h */
    char sid[ENGINE_SID_LEN + 1];
};

/* The mount whose path this is, or NULL. */
const struct engine_mount *engine_mount_find(const struct peers *peers, struct span path);

/* The request that began on this link has come whole: its claim ends, whoever answers it. */
void engine_request_came(struct link *l);

/* One HTTP request of the polling transport: answered, or parked. */
void engine_request(struct peers *peers, const struct engine_mount *mount, struct link *l,
                    const struct request *req);

/* The headers of a request to this mount are there, its body is not: claims a session's POST, so
 * that a second one meanwhile, and a connection that breaks, end the session. */
void engine_request_begins(struct peers *peers, const struct engine_mount *mount, struct link *l,
                           const struct request *req);

/* May this request become this mount's WebSocket? True, or the reply is the refusal. */
bool engine_may_upgrade(struct peers *peers, const struct request *req, struct reply *refusal);

void engine_ws_open(struct peers *peers, const struct engine_mount *mount, struct link *l,
                    const struct request *req);

/* Queues one message; the peer's flush frames it. */
void engine_send_text(struct engine *e, struct span packet); /* with its digit, e.g. 42[...] */
void engine_send_binary(struct engine *e, struct span bytes);

/* Is there no connection of it at the moment? So it is between polls, or when one was lost. */
bool engine_is_adrift(const struct engine *e);

/* The client broke the protocol: close the session. */
void engine_fail(struct engine *e, const char *why);

void engine_on_upgrade_due(struct wait *w, uint64_t now_us);

void engine_destroy(struct engine *e);

#endif
