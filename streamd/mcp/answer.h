/* SPDX-License-Identifier: MIT */
/*
 * answer: a tool that answers as a route of HTTP does.
 *
 * What the tools say is what the routes know, and some of it comes later, by the same inquiry or
 * wait. So a tool's function writes a reply: one JSON object, or a refusal, or it leaves the answer
 * to reply.later; here that becomes the call's answer. The same functions answer for resources,
 * without arguments.
 */
#ifndef STREAMD_MCP_ANSWER_H
#define STREAMD_MCP_ANSWER_H

#include "streamd/http/reply.h"
#include "streamd/mcp/tool.h"

struct session;

typedef void answer_fn(struct mcp_call *call, struct reply *reply);

/* Answers the call with what `fn` writes, now or later. */
void answer_call(struct mcp_call *call, answer_fn *fn);

/* It could not be done: a sentence that says why, and what to call next. */
void answer_refuse(struct reply *reply, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The session that the argument (of a resource: its uri) names, an expired one too; NULL, and the
 * reply is a refusal. */
struct session *answer_session(const struct mcp_call *call, const char *argument,
                               struct reply *reply);

/* Arguments that may be left out; the protocol has held them against the schema. */
double answer_number(const struct mcp_call *call, const char *name, double otherwise);
bool answer_flag(const struct mcp_call *call, const char *name);
struct span answer_text(const struct mcp_call *call, const char *name, struct span otherwise);

#endif
