/* SPDX-License-Identifier: MIT */
/*
 * insight_json: what the engine says, as the wire has it (docs/protocol.md).
 *
 * Every function appends members to an object that the caller has opened and will close. A number
 * that is not known is null.
 */
#ifndef STREAMD_SESSION_INSIGHT_JSON_H
#define STREAMD_SESSION_INSIGHT_JSON_H

#include "base/buf.h"
#include "insight/assessment.h"

struct interpreter;

/* "from", "to", "emoji", "reason", "action", "step", "epoch", "snapshot". */
void insight_write_transition(struct buf *out, const struct transition *t);

/* "kind", "severity", "evidence", "confidence", "action", "sinceStep". */
void insight_write_finding(struct buf *out, const struct finding *f);

/* The same members for the advice to stop, of kind "stop". */
void insight_write_advice(struct buf *out, const struct assessment *a);

/* Everything but the transitions. `metric`: the name behind val_metric, "" where there is none. */
void insight_write_members(struct buf *out, const struct assessment *a, const char *metric);

/* "phase", "reason", "best", "stop" and "eta": what a comparison has of it. */
void insight_write_verdict(struct buf *out, const struct assessment *a);

/* "phase", "phase_reason", "eta": what session_status has of it. `a` may be NULL: all null. */
void insight_write_brief(struct buf *out, const struct assessment *a);

/* insight_write_members, then "phases": where the run entered each, and "partial". */
void insight_write_interpreter(struct buf *out, struct interpreter *in);

#endif
