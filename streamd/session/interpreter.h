/* SPDX-License-Identifier: MIT */
/*
 * interpreter: what the engine (insight/) makes of one session, and who is told.
 *
 * A session that is talking has one; it takes each record as it is kept. What changes is told to
 * whoever hears the session: `phase_changed` and `alert` as lifecycle events, at once and in order;
 * `insight`, the whole verdict, at most every INSIGHT_EVERY_US and only to who keeps up. An
 * interpreter costs about 20 KiB, so there are at most `--max-insights`: past that the session that
 * has been silent longest goes without one until it speaks again.
 */
#ifndef STREAMD_SESSION_INTERPRETER_H
#define STREAMD_SESSION_INTERPRETER_H

#include "insight/insight.h"
#include "streamd/clock.h"
#include "streamd/session/interpreters.h"
#include "streamd/session/record_point.h"

enum {
    INSIGHT_EVERY_US = 2 * 1000 * 1000,
    INSIGHT_TICK_US = 1000 * 1000, /* how often silent runs are looked at */
    PHASE_MARKS_MAX = 64,          /* the latest; for bands on charts */
};

struct record;
struct session;

/* A phase and where the run entered it. */
struct phase_mark {
    enum insight_phase phase;
    double step, epoch, time_s;
    uint64_t offset; /* of the record that changed it; 0: an event did */
};

struct interpreter {
    struct session *session; /* borrows */
    struct list link;        /* in interpreters.all, the one that spoke longest ago first */
    struct insight engine;
    struct point_names names;
    struct phase_mark marks[PHASE_MARKS_MAX]; /* oldest first */
    size_t mark_count;
    unsigned told;      /* bit k: the finding of kind k was told and still stands */
    bool partial;       /* it did not see the run from its first record on */
    bool untold;        /* there is news that no `insight` has told */
    uint64_t told_us;   /* when the last `insight` went */
    uint64_t seen_us;   /* of the newest record */
    double seen_time_s; /* its POINT_TIME_S */
};

/* A record was kept; out of memory, the session goes without an interpreter. */
void interpret_record(struct session *s, const struct record *r, struct now now);

/* The run completed, crashed, or goes on after either; `detail` may be NULL. */
void interpret_event(struct session *s, enum insight_event event, const char *detail,
                     struct now now);

/* The session begins anew, or ends: its interpreter is gone. */
void interpreter_forget(struct session *s);

/* What is known of the run now; NULL where nothing is. */
const struct assessment *session_assessment(const struct session *s);

#endif
