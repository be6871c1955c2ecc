/* SPDX-License-Identifier: MIT */
/*
 * carrier: one run on its way to the hub.
 *
 *     AWAY ──tunnel, `start` written──▶ OPENING ──`started`──▶ UP
 *      ▲                                   │                   │
 *      └─────────── lost: wait, ───────────┴───────────────────┘
 *
 * While it is UP, lines go through in memory and the hub's acknowledgements come back: seq and ack
 * are end to end. While it is not, lines go to the run's spool file, and what is synced there is
 * acknowledged to the trainer in the hub's place. Each has a connection of its own, so that to the
 * hub it is a trainer like any other. It lives until all is delivered and nobody here speaks of the
 * run any more. Owned by the relay.
 */
#ifndef STREAMD_RELAY_CARRIER_H
#define STREAMD_RELAY_CARRIER_H

#include "base/timers.h"
#include "clients/c/link.h"
#include "proto/line.h"
#include "streamd/relay/backlog.h"

#include <ev.h>

struct relay;

enum carrier_state { CARRIER_AWAY, CARRIER_OPENING, CARRIER_UP };

enum carrier_numbers {
    NUMBERS_NONE,    /* no line has shown it yet */
    NUMBERS_TRAINER, /* as the trainer says */
    NUMBERS_OURS,    /* the trainer gives none: we do, so that nothing is repeated */
};

/* What kind of job the run is, as far as that is known here. */
enum carrier_job {
    JOB_NOT_KNOWN, /* the hub has not said */
    JOB_NONE,      /* the hub has no such run */
    JOB_TRAINING,
    JOB_OTHER,
};

struct carrier {
    struct list link;    /* in relay.carriers */
    struct relay *relay; /* borrows */
    char id[SESSION_ID_BYTES_MAX + 1];
    struct buf start; /* the newest `start`, up to its last field, which is `resume` */
    struct backlog backlog;
    struct link uplink;
    ev_io readable;
    ev_io writable;
    struct timer attempt;    /* AWAY: the next; OPENING, UP: patience is at an end */
    struct timer keep;       /* what waits in memory goes to the disk */
    struct list attachments; /* of attachment.of_carrier */
    uint8_t state;           /* enum carrier_state */
    uint8_t numbers;         /* enum carrier_numbers */
    uint8_t job;             /* enum carrier_job */
    bool implied;            /* nobody here has said `start`: the hub is only asked */
    bool anew;               /* the hub is to begin it anew */
    bool placed;       /* where the run stands is known: the hub has said so, or it begins anew */
    bool introduced;   /* the hub has heard the newest `start` */
    bool ended;        /* the run's end was said, and nothing since */
    unsigned failures; /* attempts since it was UP */
    size_t refused;    /* lines that the hub refused since it acknowledged one */
    uint64_t heard_us; /* when it last acknowledged something */
};

/* NULL: out of memory. `start` is what relay_line_start made; `anew`:
 * the hub is to begin it anew. It connects when the loop runs on. */
struct carrier *carrier_create(struct relay *relay, struct span id, struct span start, bool anew);

/* Goes on with a file that an earlier relay left. NULL: it cannot be read. */
struct carrier *carrier_reopen(struct relay *relay, struct leftover *from);

/* Nobody here speaks of it. What is not delivered stays in the file, if it is there. */
void carrier_destroy(struct carrier *c);

/* A `start`. Without `resume` all must be delivered (backlog_empty): the hub begins it anew only
 * then. NULL, or "out of memory". */
const char *carrier_start(struct carrier *c, struct span start, bool resume);

/*
 * Takes a line of the run, `text`, decoded as `line`. Not OK: it did nothing and *out_error says
 * why. A repeat is OK.
 */
MUST_CHECK enum status carrier_take(struct carrier *c, const struct line *line, struct span text,
                                    struct line_error *out_error);

/* The trainer's process is gone: the hub is to hear it after all that it said. E_NOMEM. */
MUST_CHECK enum status carrier_gone(struct carrier *c, int pid);

/* Moves what waits to the disk, now. False: not all of it is there. */
bool carrier_keep(struct carrier *c);

/* As much waits in memory as may: no more is to be taken. */
bool carrier_full(const struct carrier *c);

/* At the end of a wake-up: sends what may be sent, and tells the callers how far it is safe. */
void carrier_turn(struct carrier *c);

/* All is delivered, and nobody here speaks of it. */
bool carrier_is_done(const struct carrier *c);

/* Ends the connection; for carrier_take.c. */
void carrier_hang_up(struct carrier *c);

/* Somebody else has reached the hub: try now. */
void carrier_hurry(struct carrier *c);

struct span carrier_id(const struct carrier *c);

#endif
