/* SPDX-License-Identifier: MIT */
/*
 * post: a request of an agent that came as a POST, and how its answer goes out.
 *
 * At once as JSON, in the reply; later as JSON; or, from its first notification on, as a stream of
 * events that ends with the answer. In the legacy eras a stream may lose its connection and the
 * work goes on (stream.h); in all other cases a connection that is gone ends it.
 */
#ifndef STREAMD_MCP_POST_H
#define STREAMD_MCP_POST_H

#include "streamd/http/reply.h"
#include "streamd/mcp/session.h"

struct mcp_post;

struct mcp_post_params {
    struct mcp *mcp;
    const struct mcp_set *set;
    struct mcp_session *session; /* borrows; NULL: modern */
    const struct caller *caller;
    struct span id;
    struct fields *params; /* takes */
    enum mcp_version version;
    bool takes_events; /* else its notifications are left out, and the answer is always JSON */
};

/* Lets the method work. The reply is the answer, or that it comes later. */
void mcp_post_answer(const struct mcp_post_params *params, const char *method, struct reply *reply);

/* For the wire: it is gone. */
void mcp_post_wire_gone(struct mcp_post *post);

/* A reply with one message, and what belongs to it. */
void mcp_reply_json(struct reply *reply, int http_status, struct span text);

#endif
