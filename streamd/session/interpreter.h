/* SPDX-License-Identifier: MIT */
/*
 * interpreter: what the engine (insight/) makes of one session, and who is told.
 *
 * A session that is talking has one; it takes each record as it is kept. What changes is told to
 * whoever hears the session: `phase_changed` and `alert` as lifecycle events, at once and in order;
 * `insight`, the whole verdict, at most every INSIGHT_EVERY_US and only to who keeps up. An
 * interpreter costs about 20 KiB, so there are at most `--max-insights`: past that the session that
 * spoke longest ago goes without one until it speaks again, if it is over or has been silent for
 * INSIGHT_TENURE_US; while there is no such session, who comes goes without. Where the run had
 * begun before its interpreter did (the daemon was restarted, or it had made room) what came before
 * is read back from the archive; until then the verdict is `partial`.
 */
#ifndef STREAMD_SESSION_INTERPRETER_H
#define STREAMD_SESSION_INTERPRETER_H

#include "streamd/clock.h"
#include "streamd/session/interpreters.h"
#include "streamd/session/reckoning.h"
#include "streamd/store/keeper.h"

enum {
    INSIGHT_EVERY_US = 2 * 1000 * 1000,
    INSIGHT_TICK_US = 1000 * 1000, /* how often silent runs are looked at */
    INSIGHT_TENURE_US = 60 * 1000 * 1000,
    INSIGHT_RECALLS_MAX = 64, /* runs that are read back at a time */
};

struct record;
struct session;

struct interpreter {
    struct session *session; /* borrows */
    struct list link;        /* in interpreters.all, the one that spoke longest ago first */
    struct reckoning reckoning;
    struct reading reading; /* of what came before, while `recalling` */
    uint64_t recalled;      /* the offset up to which it goes */
    uint64_t batch;         /* that has the newest of it */
    bool partial;           /* it has not seen the run from its first record on */
    bool recalling;
    bool untold;          /* there is news that no `insight` has told */
    struct advice advice; /* to stop, as it was last told */
    uint64_t advices;     /* how often */
    unsigned told;        /* finding_mark: those that were told and still stand */
    uint64_t told_us;     /* when the last `insight` went */
    uint64_t seen_us;     /* when the newest record came */
};

/* A record was kept; out of memory, the session goes without an interpreter. */
void interpret_record(struct session *s, const struct record *r, struct now now);

/* The run completed, crashed, or goes on after either; `detail` may be NULL. */
void interpret_event(struct session *s, enum insight_event event, const char *detail,
                     struct now now);

/* Takes over what was read back up to that offset, of a session that has none; somebody has asked
 * for it, so another goes without even if it is busy. NULL: out of memory, or --max-insights 0. */
struct interpreter *interpreter_adopt(struct session *s, const struct reckoning *reckoning,
                                      struct now now);

/* The session begins anew, or ends: its interpreter is gone. */
void interpreter_forget(struct session *s);

/* What is known of the run now; NULL where nothing is. */
const struct assessment *session_assessment(const struct session *s);

#endif
