/* SPDX-License-Identifier: MIT */
/*
 * "Local" is who has a loopback address and was not forwarded: behind a proxy on the same machine
 * everybody has one, and X-Forwarded-For or Forwarded are what proxies add. That a stranger adds
 * them himself only takes rights away from him.
 */
#include "streamd/auth/guard.h"

#include "proto/query.h"
#include "streamd/http/request.h"
#include "streamd/log.h"

#include <stdio.h>

const char guard_needs_token[] = "A valid token is needed: Authorization: Bearer TOKEN";

static const struct caller nobody = {"nobody", 0, false};
static const struct caller anonymous = {"anonymous", SCOPE_ALL, false};
static const struct caller local = {"local", SCOPE_ALL, false};

bool guard_init(struct guard *g, const struct config *config)
{
    char why[TOKENS_WHY_MAX];
    g->config = config;
    tokens_init(&g->tokens);
    if (!config->token_file || tokens_read(&g->tokens, config->token_file, why))
        return true;
    log_error("auth", "cannot read tokens: %s", why);
    return false;
}

void guard_fini(struct guard *g)
{
    if (g->config)
        tokens_fini(&g->tokens);
}

void guard_reload(struct guard *g)
{
    char why[TOKENS_WHY_MAX];
    if (!g->config->token_file)
        return;
    if (tokens_read(&g->tokens, g->config->token_file, why))
        log_info("auth", "tokens read again tokens=%zu", g->tokens.count);
    else
        log_error("auth", "cannot read tokens: %s; those of before go on, ignoring", why);
}

/* What stands behind the scheme, which is any case's (RFC 9110 11.1); empty: another scheme. */
static struct span bearer(struct span authorization)
{
    struct span rest = authorization;
    struct span scheme = span_cut(&rest, ' ');
    return span_is_nocase(scheme, "bearer") ? span_trim(rest) : (struct span){NULL, 0};
}

/* EventSource and WebSocket of browsers send no headers of one's own. */
static bool takes_query(struct span path)
{
    return span_is(path, "/ws") || span_starts(path, SPAN("/api/training/events/"));
}

bool guard_shows_token(const struct request *req)
{
    struct query_value token;
    return req->authorization.len > 0 ||
           (takes_query(req->path) && query_find(req->query, "token", &token));
}

const struct caller *guard_token(const struct guard *g, struct span token)
{
    const struct caller *c = tokens_find(&g->tokens, token);
    if (!g->config->token_file)
        return &anonymous;
    return c ? c : &nobody;
}

const struct caller *guard_request(const struct guard *g, const struct request *req)
{
    struct query_value token;
    if (!g->config->token_file)
        return &anonymous;
    if (req->authorization.len > 0)
        return guard_token(g, bearer(req->authorization));
    if (takes_query(req->path) && query_find(req->query, "token", &token))
        return guard_token(g, query_span(&token));
    return req->remote || g->config->require_token ? &nobody : &local;
}

const struct caller *guard_nobody(void)
{
    return &nobody;
}

bool guard_allows(const struct caller *c, unsigned scope, char why[GUARD_WHY_MAX])
{
    char has[SCOPES_TEXT_MAX];
    char needs[SCOPES_TEXT_MAX];
    if (caller_may(c, scope))
        return true;
    if (c->scopes == 0)
        (void)snprintf(why, GUARD_WHY_MAX, "%s", guard_needs_token);
    else
        (void)snprintf(why, GUARD_WHY_MAX, "The token %s has the scope %s; this needs %s", c->name,
                       scopes_text(c->scopes, has), scopes_text(scope, needs));
    return false;
}

int guard_status(const struct caller *c)
{
    return c->scopes == 0 ? 401 : 403;
}
