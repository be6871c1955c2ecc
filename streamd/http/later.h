/* SPDX-License-Identifier: MIT */
/*
 * later: an answer that is not there yet, and comes whole.
 *
 * Embedded in what makes it. Who asked over HTTP waits by way of the transfer in it; who asked from
 * inside the daemon (a tool that calls a route) takes reply.later instead and waits by later_await.
 * Either way the work begins when somebody waits, and exactly one `gone` follows: after the answer,
 * or instead of it.
 */
#ifndef STREAMD_HTTP_LATER_H
#define STREAMD_HTTP_LATER_H

#include "streamd/http/reply.h"
#include "streamd/transport/transfer.h"

struct later;

struct later_ops {
    /* Somebody waits: begin the work. It may answer at once. */
    void (*begin)(struct later *l);
    /* Nobody waits any more: give the work up and free it. */
    void (*gone)(struct later *l);
};

/* Who waits inside the daemon. */
struct later_waiter {
    /* The answer, borrowed for the call. The waiter is free again. */
    void (*answered)(struct later_waiter *w, struct reply *reply);
    struct later *later; /* borrows; NULL: it waits for nothing */
};

struct later {
    struct transfer transfer;
    const struct later_ops *ops; /* borrows */
    struct later_waiter *waiter; /* borrows; NULL: the transfer waits */
};

/* It is the reply's from now on. */
void later_leave(struct later *l, const struct later_ops *ops, struct reply *reply);

/* Answers; then `gone`. */
void later_answer(struct later *l, struct reply *reply);

/* Waits for reply->later, which is not NULL; what `reply` holds otherwise is of no use. */
void later_await(struct reply *reply, struct later_waiter *w);

/* Waits no longer; harmless for one that waits for nothing. */
void later_give_up(struct later_waiter *w);

#endif
