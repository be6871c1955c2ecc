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
#include "streamd/session/bulletin.h"
#include "streamd/session/interpreters.h"
#include "streamd/session/journal.h"
#include "streamd/session/keeping.h"
#include "streamd/session/orders.h"
#include "streamd/session/orphans.h"
#include "streamd/session/session.h"

enum { REGISTRY_EPOCH_MAX = 17 };

struct registry {
    struct strmap by_id;         /* owns the sessions */
    struct list sessions;        /* of session.link, newest start first */
    struct list finished;        /* of session.aging: COMPLETED and FAILED, longest first */
    struct list expired;         /* of session.aging: EXPIRED, longest first */
    struct list due;             /* of session.due */
    struct list recounts;        /* of recount.link: summaries to be made again */
    struct timers *timers;       /* borrows */
    struct timer sweep;          /* every 60 s, and for each further portion of one */
    struct list *sweep_at;       /* borrows; where a sweep goes on; NULL: none is under way */
    struct hub *hub;             /* borrows */
    struct encoder *encoder;     /* borrows */
    const struct config *config; /* borrows */
    struct stats *stats;         /* borrows */
    struct series_budget budget;
    struct buf scratch; /* payloads are written here before they are shared */
    struct buf metrics; /* a session's newest record, before its metrics_cache */
    struct keeping keeping;
    struct interpreters interpreters;
    struct notify *notify; /* borrows; NULL: nobody is to be told */
    struct orphans orphans;
    struct journal journal;
    struct bulletin bulletin;
    struct orders orders;
    struct line_decoder decoder; /* for newest records of restored sessions */
    uint64_t next_key;
    uint64_t age_base_us; /* what the store's clock is ahead of ours; may have wrapped */
    char epoch[REGISTRY_EPOCH_MAX];
    char previous_epoch[REGISTRY_EPOCH_MAX]; /* "": none */
    unsigned announced; /* events since watchers were last written to between two lines */
};

MUST_CHECK enum status registry_init(struct registry *r, const struct config *config,
                                     struct timers *timers, struct hub *hub,
                                     struct encoder *encoder, struct stats *stats, struct now now);
void registry_fini(struct registry *r);

/*
 * Takes over what the store has: every session as it was, a running one for its trainer to come
 * back. From then on what happens is kept there. The epoch is another one when the store is new, or
 * when the last daemon ended without saying good-bye: offsets it told and did not keep may be given
 * again. Not OK: why has been logged; the store is destroyed in any case.
 */
MUST_CHECK enum status registry_open(struct registry *r, const struct keeping_params *params,
                                     struct now now);

/* Offsets that were told may be given again from here on. */
void registry_begin_epoch(struct registry *r);

/* May whoever has seen `since` in that epoch (empty: this one) go on from there? */
bool registry_recovers(const struct registry *r, const struct session *s, struct span epoch,
                       uint64_t since);

/* NULL when unknown; an EXPIRED session is still found (its history answers). */
struct session *registry_find(struct registry *r, struct span id);

/* As registry_find, but NULL for EXPIRED ones too. */
struct session *registry_find_live(struct registry *r, struct span id);

/*
 * A `start`. Creates, or takes up again: a known id with `resume` keeps its history and lastSeq;
 * without `resume` it begins anew in place (history and its offsets kept, seq and time reset).
 * An empty id gets a uuid4. Past max_sessions the one that expired longest ago is dropped, else the
 * one that finished longest ago. E_LIMIT when all are running; E_NOMEM. The session is valid until
 * the next call of registry_start, registry_remove or timers_run: see session_handle.
 */
MUST_CHECK enum status registry_start(struct registry *r, const struct line *start, struct now now,
                                      struct session **out);

/* Removes a session now: session_cleanup to its room, then gone with its history. */
void registry_remove(struct registry *r, struct session *s);

/*
 * Somebody wants it gone: the same, and told also when it had expired before. E_STATE, and nothing
 * has happened: it is not over, or its trainer has come back to it.
 */
MUST_CHECK enum status registry_forget(struct registry *r, struct session *s);

/* Publishes every session whose first-at-once update came in this wake-up. Call once per wake-up.
 */
void registry_publish_due(struct registry *r, uint64_t now_us);

/* For a drain: publishes what still waits for its pace, too. */
void registry_publish_all(struct registry *r, uint64_t now_us);

/*
 * Sends a lifecycle event to the session's room and to `*`. `payload` is borrowed, and may be the
 * registry's own scratch. The update that waits must have gone before: session_publish.
 */
void registry_announce(struct registry *r, struct session *s, const char *event,
                       struct span payload);

/* The same for a payload that is open, an object without its end: it is closed; and, dated, gets
 * the time before. */
void registry_announce_open(struct session *s, const char *event, struct buf *payload);
void registry_announce_dated(struct session *s, const char *event, struct buf *payload,
                             struct now now);

/*
 * To be called between two lines: writes to the watchers when one more event might find an outbox
 * full that nobody had the chance to empty. Watchers may be closed.
 */
void registry_relieve(struct registry *r);

#endif
