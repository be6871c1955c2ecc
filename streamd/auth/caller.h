/* SPDX-License-Identifier: MIT */
/*
 * caller: who asks, and what for it may.
 *
 * Every request and every watcher borrows one. It lives as long as the guard (guard.h) that gave
 * it, so it may be kept; its scopes may change meanwhile, when the tokens are read again, and are
 * then those that count. Nothing of the token itself is in it: the name is what may be written
 * down.
 */
#ifndef STREAMD_AUTH_CALLER_H
#define STREAMD_AUTH_CALLER_H

#include "streamd/auth/scope.h"

enum { CALLER_NAME_MAX = 64 };

struct caller {
    char name[CALLER_NAME_MAX + 1]; /* of its token; "local", "anonymous" or "nobody" without one */
    unsigned scopes;                /* of enum scope */
    bool by_token;                  /* the name is a token's */
};

/* Has it all of these scopes? */
static inline bool caller_may(const struct caller *c, unsigned scopes)
{
    return (c->scopes & scopes) == scopes;
}

#endif
