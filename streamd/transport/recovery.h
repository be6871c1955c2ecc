/* SPDX-License-Identifier: MIT */
/*
 * recovery: Socket.IO's connection state recovery.
 *
 * A client asks for it when it connects ({"recover":true} in its auth, or ?recover=1) and is given
 * a secret, the pid; each of its messages carries a serial as one more argument, which an
 * unmodified client remembers. When it is cut off, its rooms and its trail (room/trail.h) are kept
 * for a while; a CONNECT with the pid and the serial gets them back, and what was missed since:
 * updates from history (replay.h), events from the journal. If one thing is in doubt the client
 * begins anew with another pid, and knows it: there is never a silent hole.
 *
 * A pid serves one client at a time, and only one that connects with the same auth.
 */
#ifndef STREAMD_TRANSPORT_RECOVERY_H
#define STREAMD_TRANSPORT_RECOVERY_H

#include "base/span.h"
#include "base/strmap.h"
#include "base/waitlist.h"

struct engine;

struct recoveries {
    struct strmap by_pid; /* → struct recovery; owns those that are kept */
    struct waitlist kept; /* of recovery.wait: who is away, longest first */
    size_t count;         /* of them */
};

void recoveries_init(struct recoveries *all, uint64_t keep_us, uint64_t seed);

/* All engines must be gone. */
void recoveries_fini(struct recoveries *all);

/*
 * A CONNECT to the daemon's own namespace. `sid` is the id it is to get, and may become the one it
 * had before. Answers the pid to be told: borrows from the engine's recovery; empty when the client
 * asks for none, or there is no memory.
 */
struct span recovery_connect(struct engine *e, struct span auth, char *sid);

/* CONNECT was answered: if it has come back, sends what it missed. */
void recovery_resume(struct engine *e);

/* The engine closes, and its last word is written: what it may come back to is kept. */
void recovery_keep(struct engine *e);

/* The client left on purpose. It is in no room. */
void recovery_forget(struct engine *e);

#endif
