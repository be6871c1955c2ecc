/* SPDX-License-Identifier: MIT */
/*
 * missing: runs whose trainer has left the relay without a last word.
 *
 * What session/orphans.h is on a daemon: the hub cannot see the process, so the relay looks, by the
 * same rules, and says so (`gone`, P-17). Somebody who speaks of the run again is no less than the
 * trainer. Embedded in the relay.
 */
#ifndef STREAMD_RELAY_MISSING_H
#define STREAMD_RELAY_MISSING_H

#include "base/list.h"
#include "base/span.h"
#include "base/timers.h"
#include "streamd/session/orphans.h" /* the times */

struct relay;

struct missing {
    struct list all; /* of absence.link, owned; at most RELAY_RUNS_MAX */
    size_t count;
    struct timer look;
    struct relay *relay; /* borrows */
};

void missing_init(struct missing *m, struct relay *relay);
void missing_fini(struct missing *m);

/* The connection of the run's trainer, this process, has ended. One that is not known (0) is not
 * missed. */
void missing_add(struct missing *m, struct span id, int pid);

/* Somebody speaks of the run. */
void missing_forget(struct missing *m, struct span id);

#endif
