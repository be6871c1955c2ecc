/* SPDX-License-Identifier: MIT */
/*
 * router: method and path → the function that answers.
 *
 * One table of routes, each with its methods; the OpenAPI text and docs come from the same rows.
 * A pattern that ends in '/' takes a non-empty tail (decoded, in request.tail); one with {id} takes
 * a segment there, without a '/', in the same place; any other is exact.
 */
#ifndef STREAMD_HTTP_ROUTER_H
#define STREAMD_HTTP_ROUTER_H

#include "streamd/auth/scope.h"
#include "streamd/http/reply.h"
#include "streamd/http/request.h"

struct app;

typedef void route_fn(struct app *app, const struct request *req, struct reply *reply);

struct route {
    const char *pattern;
    unsigned methods; /* of enum method; HEAD follows GET, OPTIONS is always answered */
    enum scope scope; /* what whoever asks must have */
    route_fn *answer;
    const char *summary; /* for docs */
};

/* The rows of each file, ended by a NULL pattern. */
extern const struct route routes_training[];         /* /api/training/… */
extern const struct route routes_operations[];       /* /api/v1/operations… */
extern const struct route routes_operations_relay[]; /* those of them that a relay takes */
extern const struct route routes_host[];             /* /sessions/{id}/metrics */
extern const struct route routes_legacy[];           /* /api/phases, /api/cognate, /api/progress */
extern const struct route routes_mcp[];              /* /mcp, /mcp/operations */
extern const struct route routes_service[];          /* /health, /metrics, /api/training/stats */

/* The daemon's, one after the other, ended by NULL; and those of a relay. */
extern const struct route *const route_tables[];
extern const struct route *const route_tables_relay[];

/*
 * What no route has to think of; also to be asked before a transport's own request (Socket.IO, /ws,
 * SSE). True and the reply filled: no Host or an odd one (400), a Host that is not ours (421), an
 * encoded body (415), a write from a page of another origin (403).
 */
bool router_refuse(const struct config *config, const struct request *req, struct reply *reply);

/* May he who asks not do what needs this scope? True and the reply filled: 401 or 403. */
bool router_refuses_scope(enum scope scope, const struct request *req, struct reply *reply);

/*
 * May he who asks do what the row for this path and method does? False where there is no such row.
 * As router_refuses_scope. For a transport that answers a row's path itself (SSE).
 */
bool router_forbids(struct app *app, struct request *req, struct reply *reply);

/*
 * Answers any request that is not a transport's own: finds the route, or 404, 405 with Allow, 204
 * for OPTIONS; the static files are asked last. Includes router_refuse and router_forbids.
 */
void router_answer(struct app *app, struct request *req, struct reply *reply);

#endif
