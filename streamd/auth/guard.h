/* SPDX-License-Identifier: MIT */
/*
 * guard: who somebody is, from where he comes and the token he shows.
 *
 * Without --token-file everybody is "anonymous" and may do all. With it, a token is needed from
 * other machines and for what another machine had forwarded; who comes over loopback is "local" and
 * may do all, unless --require-token. Whoever shows a token is who the token says, wherever he
 * comes from; one that is not known makes him "nobody", who may do nothing.
 */
#ifndef STREAMD_AUTH_GUARD_H
#define STREAMD_AUTH_GUARD_H

#include "streamd/auth/tokens.h"
#include "streamd/config.h"

struct request;

struct guard {
    const struct config *config; /* borrows */
    struct tokens tokens;
};

/* False after logging why: the token file could not be read. */
bool guard_init(struct guard *g, const struct config *config);

/* Every caller dies with it. A guard that is all zero is allowed. */
void guard_fini(struct guard *g);

/* Reads the token file again. What stood there stays when that fails, which is logged. */
void guard_reload(struct guard *g);

/*
 * Who asks: by `Authorization: Bearer`, else by `?token=` where the path is one that a browser
 * opens without headers (/ws, /api/training/events/), else by where the request comes from.
 */
const struct caller *guard_request(const struct guard *g, const struct request *req);

/* Does it show any, a good or a bad one? */
bool guard_shows_token(const struct request *req);

/* Who shows this token; "nobody" when it is not known. */
const struct caller *guard_token(const struct guard *g, struct span token);

/* Who may do nothing. */
const struct caller *guard_nobody(void);

/* What a refusal says: the same to whoever has no token and to whoever has a wrong one. */
extern const char guard_needs_token[];

enum { GUARD_WHY_MAX = 192 };

/*
 * May he? True; or false, with the words for him in `why`. 401 is the answer to nobody, 403 to
 * somebody who may do other things: guard_status.
 */
bool guard_allows(const struct caller *c, unsigned scope, char why[GUARD_WHY_MAX]);
int guard_status(const struct caller *c);

#endif
