/* SPDX-License-Identifier: MIT */
/*
 * keeping: what of the sessions has still to reach the store, and who waits for it.
 *
 * Sessions say what has changed; now and then (--commit-interval-ms, or 1,000 records) all of it is
 * handed to the keeper as one batch. Whoever has promised something to a peer (an ack, the answer
 * to a POST) waits here for the batch in which it stands. Nothing is acknowledged before that.
 *
 * Without a keeper (tests of the domain alone) everything counts as kept at once.
 */
#ifndef STREAMD_SESSION_KEEPING_H
#define STREAMD_SESSION_KEEPING_H

#include "base/timers.h"
#include "streamd/config.h"
#include "streamd/stats.h"
#include "streamd/store/keeper.h"

struct session;

struct keeping {
    struct keeper *keeper; /* owns; NULL: everything is kept at once */
    struct timers *timers; /* borrows */
    struct stats *stats;   /* borrows */
    struct batch *open;    /* owns; being built, NULL while it is empty */
    struct list unkept;    /* of session.unkept: their rows go with the open batch */
    struct list waits;     /* of keeping_wait.link, by number */
    struct timer flush;
    struct buf state;   /* scratch */
    uint64_t number;    /* of the open batch */
    uint64_t trimmed;   /* number of the batch with the last cut: trim.h */
    uint64_t committed; /* number of the newest batch on disk */
    uint64_t records;   /* of the open batch, and of the runs that will go into it */
    uint64_t seen_us;   /* now_us of this wake-up */
    uint64_t interval_us;
    uint64_t max_bytes; /* given to the keeper and not on disk yet: past this trainers wait */
    bool urgent;        /* somebody waits for it: flush at the end of the wake-up */
    bool inline_work;   /* the keeper has no thread */
    bool shedding;      /* some sessions are not kept: shedding.h */
    bool troubled;      /* the keeper could not commit when it was last heard */
};

/* Somebody who waits until what he did is on disk. Embedded; zeroed before its first use. */
struct keeping_wait {
    struct list link;
    uint64_t number;
    /* kept: it is on disk. Otherwise the disk is in trouble and it is not known when it will be;
     * not called for those who do not mind (`patient`). Not in the list any more. */
    void (*done)(struct keeping_wait *w, bool kept);
    bool patient;
};

/* `store` is taken; NULL: there is no keeper. `wake` as in keeper_params. */
struct keeping_params {
    const struct config *config; /* borrows */
    struct timers *timers;       /* borrows */
    struct stats *stats;         /* borrows */
    struct store *store;         /* takes */
    void (*wake)(void *context);
    void *wake_context;
    bool inline_work;
};

/* E_NOMEM also stands for a thread that could not be had. */
MUST_CHECK enum status keeping_init(struct keeping *k, const struct keeping_params *params);
void keeping_fini(struct keeping *k);

/* The session's row has changed. */
void keeping_touch(struct keeping *k, struct session *s);

/* A record was added to the session's run (session.run). */
void keeping_record(struct keeping *k, struct session *s);

/* To be called between two lines: hands over what has become enough for a batch. Not in the middle
 * of one, since a record and its seq stand in the same batch. */
void keeping_relieve(struct keeping *k);

/* Ends the session's run: the next record begins a new one. False: out of memory, it goes on. */
bool keeping_cut(struct keeping *k, struct session *s);

/* No more is expected of this session for now. */
void keeping_seal(struct keeping *k, struct session *s);

/* What the session recorded before that offset is not to be kept any longer. False: no memory. */
bool keeping_trim(struct keeping *k, const struct session *s, uint64_t offset);

/* An order and what came of it so far; `entry` is copied. While the disk holds everything up it is
 * only logged: a peer could ask for any number of them. */
void keeping_audit(struct keeping *k, const struct store_audit *row);

/* That order is not to be kept any longer. */
void keeping_drop(struct keeping *k, uint64_t order);

/* A value of the whole store. */
void keeping_meta(struct keeping *k, const char *name, struct span value);

/* Nothing of this session is to be kept any longer. */
void keeping_forget(struct keeping *k, struct session *s);

/* Before a session is freed: it is in no list any more. */
void keeping_leave(struct session *s);

/* The daemon ends in good order: everything, and that it is so, goes into a last batch. */
void keeping_goodbye(struct keeping *k);

/* Hands over what there is; how long it takes is the keeper's. Quietly keeps it when out of memory.
 */
void keeping_flush(struct keeping *k);

/* A wake-up begins, and ends. */
void keeping_enter(struct keeping *k, uint64_t now_us);
void keeping_flush_if_urgent(struct keeping *k);

/* When woken: batches are on disk, readings have pieces, the disk is or is not well. */
void keeping_receive(struct keeping *k);

/* The batch with which everything said so far is on disk. */
uint64_t keeping_awaited(const struct keeping *k);

/* Waits for everything said so far; `done` may be called at once. */
void keeping_await(struct keeping *k, struct keeping_wait *w);
void keeping_cancel(struct keeping_wait *w);

/* Is nothing to be kept that is not on disk? Also while the disk is in trouble. */
bool keeping_is_idle(const struct keeping *k);

/* Has the keeper as much to do as it may have? Trainers are not read until it has less. */
bool keeping_full(const struct keeping *k);

#endif
