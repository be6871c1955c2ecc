/* SPDX-License-Identifier: MIT */
/*
 * registry_look: sessions of a store that somebody only looks at.
 *
 * For offline tools beside a running daemon: nothing is written, no session is found by its id or
 * stands in a list, and each is let go before the next is looked at.
 */
#ifndef STREAMD_SESSION_REGISTRY_LOOK_H
#define STREAMD_SESSION_REGISTRY_LOOK_H

#include "streamd/session/registry.h"

/* The registry, which has no store of its own, speaks of the store's epoch from now on. E_IO,
 * E_NOMEM. */
MUST_CHECK enum status registry_look_begin(struct registry *r, struct store *store);

/* The session of that row, with its newest record. E_MALFORMED: the row makes no sense; E_NOMEM. */
MUST_CHECK enum status registry_look(struct registry *r, const struct store_session *row,
                                     struct session **out);

/* NULL is allowed. */
void registry_look_end(struct session *s);

#endif
