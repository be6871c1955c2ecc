/* SPDX-License-Identifier: MIT */
/*
 * relay: the daemon beside a trainer that is not beside the hub (decision 015).
 *
 * The trainer speaks to the same Unix socket in the same words. Its lines go to the hub, whose
 * answers come back; while the hub is away they wait on this disk. It keeps no history and shows
 * nothing: its HTTP listener has the host service's POST, health and counters. All of it is on the
 * loop's thread; a tunnel has one of its own.
 */
#ifndef STREAMD_RELAY_RELAY_H
#define STREAMD_RELAY_RELAY_H

#include "base/list.h"
#include "base/strmap.h"
#include "base/timers.h"
#include "proto/line.h"
#include "streamd/http/reply.h"
#include "streamd/ingest/door.h"
#include "streamd/relay/missing.h"
#include "streamd/relay/upstream.h"

#include <ev.h>

enum {
    RELAY_RUNS_MAX = 1024,                   /* on their way at a time */
    RELAY_MEMORY_MAX = 1024 * 1024,          /* bytes of a run that wait in memory */
    RELAY_START_MAX = LINE_BYTES_MAX - 2048, /* a `start`, with what its file adds */
    RELAY_CHUNK_BYTES = 16 * 1024,           /* read of a trainer at once */
};

/* All borrowed for the relay's life. */
struct relay_params {
    struct upstream *hub;
    const char *to;       /* the hub as it was named, which its files bear */
    const char *folder;   /* for spool files */
    uint64_t spool_bytes; /* of a run's file */
    const struct config *config;
    struct stats *stats;
    struct timers *timers;
    struct line_decoder *decoder;
    const struct now *now; /* of the present wake-up */
    uint64_t seed;         /* a number that no peer can know */
};

struct relay {
    struct relay_params params;
    struct ev_loop *loop;
    struct door door;
    ev_prepare prepare;
    struct list callers;  /* of caller.link; owned */
    struct list carriers; /* of carrier.link; owned */
    struct strmap by_id;  /* carriers */
    struct list postings; /* of posting.link; each is its connection's */
    struct missing missing;
    struct buf head; /* of a line, being made */
    struct buf tail;
    struct buf location;       /* header of the redirect at hand */
    pthread_mutex_t fork_lock; /* clients/c asks for one */
    bool reached;              /* the hub was there when it was last tried */
    bool draining;
    char *chunk; /* owns; what is read goes here. NULL while a caller that waits has kept it */
};

/* NULL when out of memory. */
struct relay *relay_create(const struct relay_params *params);
void relay_destroy(struct relay *r);

/* Takes up what earlier relays left, and listens for trainers. False after logging why. */
bool relay_open(struct relay *r, struct ev_loop *loop);

/* Lets go of the loop: of trainers, hub and timers. What is not delivered stays on the disk. */
void relay_close(struct relay *r);

/* Hears no trainer any more, keeps what waits, and ends with the last run that is delivered. */
void relay_drain(struct relay *r);

/* Nothing is on its way to a hub that is there. */
bool relay_is_drained(const struct relay *r);

/* The run of this id; NULL: nothing of it is on its way. */
struct carrier *relay_find(struct relay *r, struct span id);

/*
 * The same, begun when there is none: as by a `start` with resume, or, `implied`, with one that
 * only asks the hub where the run stands. NULL: as many as may be, or no memory.
 */
struct carrier *relay_run(struct relay *r, struct span id, bool implied);

/* A new one; `anew`: the hub is to begin it anew. NULL: as many as may be, or no memory. */
struct carrier *relay_add(struct relay *r, struct span id, struct span start, bool anew);

/* What is not answered here is answered by the hub: 307 to the same path there; 404 for one that is
 * too long. The reply borrows from the relay until the next one. */
void relay_redirect(struct relay *r, struct span path, struct span query, struct reply *reply);

/* A connection came about, or was lost (`was_up`), or did not come about: a line in the log when
 * the hub comes or goes; and when it comes, the other runs try at once. */
void relay_note_hub(struct relay *r, bool reached, bool was_up);

/*
 * Takes a line of a run that nobody here said, and has it on disk. Not OK: nothing happened, and
 * *out_why says why (static); E_NOMEM, E_IO: not now.
 */
MUST_CHECK enum status relay_post(struct relay *r, struct carrier *c, struct span text,
                                  const char **out_why);

#endif
