/* SPDX-License-Identifier: MIT */
/*
 * curves_question: an answer that is written from the curves of some runs, read back whole.
 */
#ifndef STREAMD_MCP_CURVES_QUESTION_H
#define STREAMD_MCP_CURVES_QUESTION_H

#include "streamd/http/inquiry.h"
#include "streamd/mcp/answer.h"
#include "streamd/session/curves.h"

/* Which value of a curve counts. */
enum curves_at { CURVES_BEST, CURVES_LAST, CURVES_COMMON };

struct curves_question {
    struct inquiry inquiry;
    struct curves_plan plan;
    struct curves *curves[INQUIRY_SESSIONS_MAX]; /* own; as many as inquiry.count */
    void (*write)(const struct curves_question *q, struct buf *out);
    size_t points;   /* get_metrics */
    bool stats_only; /* get_metrics */
    bool highest;    /* compare_sessions: more is better */
    enum curves_at at;
};

/* All zero but for that; NULL, and the reply is a refusal, when nothing can be read. */
struct curves_question *curves_question_create(struct mcp_call *call, struct reply *reply);

/* The reply is its answer; it has at least one session. */
void curves_question_leave(struct curves_question *q, struct reply *reply);

/* For one that is not left. */
void curves_question_destroy(struct curves_question *q);

/* The name is the next one that is asked for; false: it is too long, or one too many. */
bool curves_question_name(struct curves_question *q, struct span name);

#endif
