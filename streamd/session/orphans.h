/* SPDX-License-Identifier: MIT */
/*
 * orphans: running sessions whose trainer's connection has ended.
 *
 * A trainer that loses its connection comes back; one that was killed does not, and nobody else
 * would ever say so. So a session whose connection ended is looked at every second: while something
 * is said of it, or its process lives, nothing happens; when that process is gone and nobody has
 * come back within ORPHAN_GRACE_US, the session has failed. Whoever resumes it afterwards, or only
 * says something new, takes it up again. Embedded in the registry.
 */
#ifndef STREAMD_SESSION_ORPHANS_H
#define STREAMD_SESSION_ORPHANS_H

#include "base/list.h"
#include "base/timers.h"
#include "streamd/clock.h"

enum {
    ORPHAN_GRACE_US = 5 * 1000 * 1000,
    ORPHAN_LOOK_US = 1000 * 1000,
    /* A connection that was shorter is a script that opens one for each line it says. */
    ORPHAN_LIVED_US = 5 * 1000 * 1000,
};

struct registry;
struct session;

struct orphans {
    struct list all; /* of session.orphan */
    struct timer timer;
    struct registry *registry; /* borrows */
    double wall_ahead_s;       /* of our own clock, when one was added last */
};

void orphans_init(struct orphans *o, struct registry *registry);
/* After every session is gone. */
void orphans_fini(struct orphans *o);

/* The connection of its trainer, a process of this machine, has ended. A session that is over is
 * none. */
void orphan_add(struct session *s, int pid, struct now now);

/*
 * That process is gone, without a last word, and nobody has come back: the session has failed. One
 * that is over stays as it ended, also when somebody had meant to take it up again.
 */
void orphan_give_up(struct session *s, uint64_t pid, struct now now);

/* It is no orphan (any more). */
void orphan_remove(struct session *s);

#endif
