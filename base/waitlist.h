/* SPDX-License-Identifier: MIT */
/*
 * waitlist: many things that each wait the same time.
 *
 * Ten thousand watchers are pinged at the same interval: in the order they began to wait they also
 * end, so a list is enough and every operation is O(1). Nodes are embedded and borrowed; a node is
 * in at most one waitlist.
 */
#ifndef BASE_WAITLIST_H
#define BASE_WAITLIST_H

#include "base/list.h"

#include <stdint.h>

struct wait;

/* Called once the delay has passed; the node waits no longer and may be added again anywhere. */
typedef void wait_fn(struct wait *wait, uint64_t now_us);

struct wait {
    struct list link;
    uint64_t due_us;
};

struct waitlist {
    struct list waits; /* of wait.link, earliest first */
    uint64_t delay_us;
    wait_fn *on_due;
};

void waitlist_init(struct waitlist *l, uint64_t delay_us, wait_fn *on_due);

void wait_init(struct wait *w);
bool wait_pending(const struct wait *w);

/* Waits from now_us on; restarts when it waited already, in this list or another. */
void waitlist_add(struct waitlist *l, struct wait *w, uint64_t now_us);

/* Waits no longer; harmless when it did not. */
void wait_cancel(struct wait *w);

/* Calls every node whose delay has passed, oldest first; nodes added meanwhile are left. */
void waitlist_run(struct waitlist *l, uint64_t now_us);

/* When the first one is due; UINT64_MAX when none waits. */
uint64_t waitlist_next_us(const struct waitlist *l);

#endif
