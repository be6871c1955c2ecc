/* SPDX-License-Identifier: MIT */
/*
 * A walk over some fifteen rows costs less than hashing the path would, and keeps the order of the
 * tables the order of the documents. Rows with the same pattern and different methods are allowed;
 * a path that some row has with another method is a 405 that names them all, never a 404.
 *
 * A page of a foreign origin may read nothing (cors.h), but a browser sends its "simple" POST first
 * and asks nobody. So a write with a foreign Origin is refused before a route sees it.
 */
#include "streamd/http/router.h"

#include "streamd/app.h"
#include "streamd/auth/guard.h"
#include "streamd/http/cors.h"
#include "streamd/relay/relay.h"

#include <string.h>

const struct route *const route_tables[] = {
    routes_training, routes_operations, routes_host, routes_legacy,
    routes_mcp,      routes_service,    NULL};
const struct route *const route_tables_relay[] = {routes_operations_relay, routes_host,
                                                  routes_service, NULL};

/* Their protocol has its own word for it. */
static bool is_agents(const struct request *req)
{
    return span_is(req->path, "/mcp") || span_starts(req->path, SPAN("/mcp/"));
}

bool router_refuse(const struct config *config, const struct request *req, struct reply *reply)
{
    const unsigned reads = METHOD_GET | METHOD_HEAD | METHOD_OPTIONS;
    if (!host_valid(req->host))
        reply_error(reply, 400, "The Host header is missing or malformed");
    else if (!host_allowed(config, req->host))
        reply_error(reply, is_agents(req) ? 403 : 421,
                    "The daemon listens on loopback and does not answer under this Host: use an IP "
                    "address or localhost, or start it with --allow-origin");
    else if (req->content_encoding.len > 0 && !span_is_nocase(req->content_encoding, "identity"))
        reply_error(reply, 415, "Send the body without Content-Encoding");
    else if (!(req->method & reads) && !cors_allowed(config, req->origin, req->host))
        reply_error(reply, 403, "This origin may not write: see --allow-origin");
    else
        return false;
    return true;
}

/* What stands in the path between `before` and `after`, if that is one segment. */
static bool takes_id(struct span path, struct span before, struct span after, struct span *out)
{
    if (path.len <= before.len + after.len || !span_starts(path, before) ||
        !span_eq((struct span){path.ptr + path.len - after.len, after.len}, after))
        return false;
    *out = (struct span){path.ptr + before.len, path.len - before.len - after.len};
    return !memchr(out->ptr, '/', out->len);
}

/* Sets the request's tail when the pattern takes one. */
static bool matches(const struct route *route, struct request *req)
{
    struct span pattern = span_of(route->pattern);
    const char *id = strstr(route->pattern, "{id}");
    if (id)
        return takes_id(req->path, (struct span){route->pattern, (size_t)(id - route->pattern)},
                        span_of(id + strlen("{id}")), &req->tail);
    if (pattern.ptr[pattern.len - 1] != '/')
        return span_eq(pattern, req->path);
    if (req->path.len <= pattern.len || !span_starts(req->path, pattern))
        return false;
    req->tail = (struct span){req->path.ptr + pattern.len, req->path.len - pattern.len};
    return true;
}

/* The row for path and method, or NULL and added to *allow the methods that the path takes here. */
static const struct route *find_row(const struct route *table, struct request *req, unsigned *allow)
{
    unsigned method = req->method == METHOD_HEAD ? METHOD_GET : req->method;
    for (const struct route *route = table; route->pattern; route++) {
        if (!matches(route, req))
            continue;
        if (route->methods & method)
            return route;
        *allow |= route->methods;
    }
    return NULL;
}

static const struct route *find_route(const struct app *app, struct request *req, unsigned *allow)
{
    const struct route *found = NULL;
    const struct route *const *tables = app->relay ? route_tables_relay : route_tables;
    for (size_t t = 0; tables[t] && !found; t++)
        found = find_row(tables[t], req, allow);
    if (!found && app->more_routes)
        found = find_row(app->more_routes, req, allow);
    return found;
}

/* A 401 names the scheme (RFC 9110 11.6.1). */
bool router_refuses_scope(enum scope scope, const struct request *req, struct reply *reply)
{
    const struct caller *caller = req->caller ? req->caller : guard_nobody();
    char why[GUARD_WHY_MAX];
    if (guard_allows(caller, scope, why))
        return false;
    reply_error(reply, guard_status(caller), why);
    if (reply->status == 401)
        reply->extra_headers = "WWW-Authenticate: Bearer realm=\"streamd\"\r\n";
    return true;
}

bool router_forbids(struct app *app, struct request *req, struct reply *reply)
{
    unsigned allow = 0;
    const struct route *route = find_route(app, req, &allow);
    return route && router_refuses_scope(route->scope, req, reply);
}

static void refuse_method(const struct request *req, unsigned allow, struct reply *reply)
{
    if (req->method == METHOD_OPTIONS) {
        reply_options(reply, allow);
        return;
    }
    reply_error(reply, 405, "This path does not take that method");
    reply->allow = allow;
}

void router_answer(struct app *app, struct request *req, struct reply *reply)
{
    unsigned allow = 0;
    if (router_refuse(app->config, req, reply))
        return;
    const struct route *route = find_route(app, req, &allow);
    if (route && router_refuses_scope(route->scope, req, reply))
        return;
    if (route)
        route->answer(app, req, reply);
    else if (app->relay && (allow == 0 || req->method != METHOD_OPTIONS))
        relay_redirect(app->relay, req->path, req->query, reply);
    else if (allow != 0)
        refuse_method(req, allow, reply);
    else if (!assets_answer(app->assets, req, reply))
        reply_error(reply, 404, "Not found");
    else if (req->method != METHOD_GET && req->method != METHOD_HEAD)
        refuse_method(req, METHOD_GET, reply);
}
