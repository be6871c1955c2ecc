/* SPDX-License-Identifier: MIT */
/*
 * outlet: the way to the sockets for what goes to many at once.
 *
 * A room hands over each quiet member's socket with bytes that are finished and shared; nothing of
 * the member itself is read. Bytes may be held back until `finish`, so that one system call carries
 * hundreds of sends. What a socket does not take whole is the subscriber's again (its ops->rest),
 * during a send or the finish.
 *
 * The implementations are outlet_uring.c, outlet_send.c and tests/flow's.
 */
#ifndef STREAMD_ROOM_OUTLET_H
#define STREAMD_ROOM_OUTLET_H

#include "base/refbuf.h"

struct outlet;
struct subscriber;

struct outlet_ops {
    /* Shares the bytes until they are sent. Nothing is kept back for the socket by anybody else. */
    void (*send)(struct outlet *o, int socket, struct refbuf *bytes, struct subscriber *to);
    /* All that was handed over is with the kernel, or with its subscriber again. */
    void (*finish)(struct outlet *o);
    void (*destroy)(struct outlet *o);
};

struct outlet {
    const struct outlet_ops *ops; /* borrows */
};

#endif
