/* SPDX-License-Identifier: MIT */
#include "base/waitlist.h"

#include <assert.h>

void waitlist_init(struct waitlist *l, uint64_t delay_us, wait_fn *on_due)
{
    list_init(&l->waits);
    l->delay_us = delay_us;
    l->on_due = on_due;
}

void wait_init(struct wait *w)
{
    list_init(&w->link);
    w->due_us = 0;
}

bool wait_pending(const struct wait *w)
{
    return !list_empty(&w->link);
}

void waitlist_add(struct waitlist *l, struct wait *w, uint64_t now_us)
{
    list_remove(&w->link);
    w->due_us = now_us + l->delay_us;
    list_add_tail(&l->waits, &w->link);
}

void wait_cancel(struct wait *w)
{
    list_remove(&w->link);
}

void waitlist_run(struct waitlist *l, uint64_t now_us)
{
    /* A node added during the run is due later than now_us, unless the delay is zero. */
    assert(l->delay_us > 0);
    struct list *first;
    while ((first = list_first(&l->waits)) != NULL) {
        struct wait *w = LIST_ENTRY(first, struct wait, link);
        if (w->due_us > now_us)
            return;
        list_remove(&w->link);
        l->on_due(w, now_us);
    }
}

uint64_t waitlist_next_us(const struct waitlist *l)
{
    const struct list *first = list_first(&l->waits);
    return first ? LIST_ENTRY(first, struct wait, link)->due_us : UINT64_MAX;
}
