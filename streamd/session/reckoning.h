/* SPDX-License-Identifier: MIT */
/*
 * reckoning: what follows from the records of a run, and from nothing else.
 *
 * The engine, what the names of this run mean to it, and where the phases changed. The same records
 * give the same reckoning, to the bit, whether they come live or are read back from the archive; so
 * one that was lost is made again. A plain value, about 20 KiB; its texts are static.
 */
#ifndef STREAMD_SESSION_RECKONING_H
#define STREAMD_SESSION_RECKONING_H

#include "insight/insight.h"
#include "streamd/session/record_point.h"

enum { PHASE_MARKS_MAX = 64 /* the latest; for bands on charts */ };

/* A phase and where the run entered it. */
struct phase_mark {
    enum insight_phase phase;
    double step, epoch, time_s;
    uint64_t offset; /* of the record that changed it; 0: an event did */
};

struct reckoning {
    struct insight engine;
    struct point_names names;
    struct phase_mark marks[PHASE_MARKS_MAX]; /* oldest first */
    size_t mark_count;
    double time_s; /* POINT_TIME_S of the newest record */
};

/* `config`: of the session, a JSON object; empty: none. */
void reckoning_begin(struct reckoning *r, struct span config);

/* The next record, completed; `offset` is its own, `wall_s` when it came. */
const struct assessment *reckoning_record(struct reckoning *r, const struct record *record,
                                          double wall_s, uint64_t offset);

/* See insight_event. */
const struct assessment *reckoning_event(struct reckoning *r, enum insight_event event,
                                         const char *detail);

#endif
