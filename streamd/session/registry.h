/* SPDX-License-Identifier: MIT */
/*
 * registry: every session, by id and in order of start.
 *
 * Creates sessions from `start` lines, finds them, lets finished and silent ones leave the live
 * list and later the history, within the limits of config. Owns all sessions; nobody else frees
 * one.
 */
#ifndef STREAMD_SESSION_REGISTRY_H
#define STREAMD_SESSION_REGISTRY_H

#include "base/strmap.h"
#include "streamd/config.h"
#include "streamd/room/room.h"
#include "streamd/session/session.h"

struct registry {
    struct strmap by_id;         /* owns the sessions */
    struct list sessions;        /* of session.link, newest start first */
    struct list due;             /* of session.due */
    struct timers *timers;       /* borrows */
    struct timer sweep;          /* every 60 s */
    struct hub *hub;             /* borrows */
    struct encoder *encoder;     /* borrows */
    const struct config *config; /* borrows */
    struct stats *stats;         /* borrows */
    struct series_budget budget;
    struct room *all;   /* borrows; the room `*` */
    struct buf scratch; /* payloads are written here before they are shared */
};

MUST_CHECK enum status registry_init(struct registry *r, const struct config *config,
                                     struct timers *timers, struct hub *hub,
                                     struct encoder *encoder, struct stats *stats, struct now now);
void registry_fini(struct registry *r);

/* NULL when unknown; an EXPIRED session is still found (its history answers). */
struct session *registry_find(struct registry *r, struct span id);

/* As registry_find, but NULL for EXPIRED ones too. */
struct session *registry_find_live(struct registry *r, struct span id);

/*
 * A `start`. Creates, or takes up again: a known id with `resume` keeps its history and lastSeq;
 * without `resume` on a finished session it begins anew in place (history kept, seq reset).
 * An empty id gets a uuid4. E_LIMIT past max_sessions when none can be dropped; E_NOMEM.
 */
MUST_CHECK enum status registry_start(struct registry *r, const struct line *start, struct now now,
                                      struct session **out);

/* Removes a session now: session_cleanup to its room, then gone with its history. */
void registry_remove(struct registry *r, struct session *s);

/* Publishes every session whose first-at-once update came in this wake-up. Call once per wake-up.
 */
void registry_publish_due(struct registry *r, uint64_t now_us);

/* Sends a lifecycle event to the session's room and to `*`. `payload` is borrowed. */
void registry_announce(struct registry *r, struct session *s, const char *event,
                       struct span payload);

#endif
