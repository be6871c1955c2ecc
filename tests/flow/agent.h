/* SPDX-License-Identifier: MIT */
/*
 * agent: a client of /mcp, one connection a request, so that several may be open at a time.
 *
 * Its bytes are read as they come: agent_hears wants a piece of text among those that were not
 * looked at yet, and passes over it. The headers of its era are set.
 */
#ifndef TESTS_FLOW_AGENT_H
#define TESTS_FLOW_AGENT_H

#include "streamd/http/request.h"
#include "tests/flow/world.h"

enum { AGENT_BODY_MAX = 4096 };

struct agent {
    struct world *world;
    struct client *client;
    struct conn *conn; /* borrows from the client */
    struct request req;
    char body[AGENT_BODY_MAX];
    char path[32];
    char session[64];
    char last_event_id[64];
};

/* What goes between the braces of a modern request's params. */
#define MODERN_META                                                                                \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                       \
    "\"io.modelcontextprotocol/clientCapabilities\":{}}"

/* A modern request: `{"jsonrpc":"2.0","id":ID,"method":METHOD,"params":{_meta,MEMBERS}}` with its
 * headers; `members` may be "". *req borrows all of it. */
void agent_writes(struct request *req, char body[AGENT_BODY_MAX], const char *id,
                  const char *method, const char *members);

/* POSTs such a request. */
void agent_asks(struct agent *a, struct world *w, const char *id, const char *method,
                const char *members);

/* Begins a legacy session, whose id is kept for what follows. */
void agent_initializes(struct agent *a, struct world *w);

/* The same of an agent that has a session: of `of`. */
void agent_asks_legacy(struct agent *a, const struct agent *of, const char *id, const char *method,
                       const char *members);

/* GET or DELETE with the session of `of`; `last` may be "". */
void agent_opens(struct agent *a, const struct agent *of, enum method method, const char *last);

/* A request with that body as it stands, and those headers of `req` that are set. */
void agent_sends(struct agent *a, struct world *w, const struct request *req, const char *body);

/* Text that must have come. */
void agent_hears(struct agent *a, const char *text);

/* Nothing more has come that was not looked at. */
void agent_hears_nothing(struct agent *a);

/* All that has come; borrowed. */
struct span agent_heard(const struct agent *a);

void agent_leaves(struct agent *a);

#endif
