/* SPDX-License-Identifier: MIT */
/*
 * registry_sweep: once a minute, who has grown old leaves: the live list first, the history later.
 *
 * A sweep of very many sessions is done in portions, a wake-up each, so that it holds nobody up and
 * its news reach the watchers before their outboxes are full of them.
 */
#ifndef STREAMD_SESSION_REGISTRY_SWEEP_H
#define STREAMD_SESSION_REGISTRY_SWEEP_H

#include "streamd/session/registry.h"

/* The first sweep is a minute from now. E_NOMEM. */
MUST_CHECK enum status registry_sweep_init(struct registry *r, uint64_t now_us);
void registry_sweep_fini(struct registry *r);

/* The session is about to leave its place in the list of all; a sweep goes on behind it. */
void registry_sweep_pass(struct registry *r, struct session *s);

#endif
