/* SPDX-License-Identifier: MIT */
#include "streamd/http/later.h"

#include <assert.h>

static void begin(struct transfer *t, const struct request *req)
{
    struct later *l = LIST_ENTRY(t, struct later, transfer);
    (void)req;
    l->ops->begin(l);
}

static void gone(struct transfer *t)
{
    struct later *l = LIST_ENTRY(t, struct later, transfer);
    l->ops->gone(l);
}

/* What is answered whole never waits to be writable. */
static const struct transfer_ops ops_later = {.begin = begin, .gone = gone};

void later_leave(struct later *l, const struct later_ops *ops, struct reply *reply)
{
    l->transfer = (struct transfer){.ops = &ops_later};
    l->ops = ops;
    l->waiter = NULL;
    reply->later = l;
    reply->transfer = &l->transfer;
}

void later_answer(struct later *l, struct reply *reply)
{
    struct later_waiter *w = l->waiter;
    if (!w) {
        transfer_answer(&l->transfer, reply);
        return;
    }
    w->later = NULL;
    w->answered(w, reply);
    l->ops->gone(l);
}

void later_await(struct reply *reply, struct later_waiter *w)
{
    struct later *l = reply->later;
    assert(l && !w->later);
    reply->later = NULL;
    reply->transfer = NULL;
    l->waiter = w;
    w->later = l;
    l->ops->begin(l);
}

void later_give_up(struct later_waiter *w)
{
    struct later *l = w->later;
    if (!l)
        return;
    w->later = NULL;
    l->ops->gone(l);
}
