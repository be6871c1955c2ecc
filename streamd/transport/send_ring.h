/* SPDX-License-Identifier: MIT */
/*
 * send_ring: one thread's way of giving the kernel hundreds of sends with one call, by io_uring.
 *
 * A ring belongs to the thread that made it.
 */
#ifndef STREAMD_TRANSPORT_SEND_RING_H
#define STREAMD_TRANSPORT_SEND_RING_H

#include "base/refbuf.h"

#include <liburing.h>
#include <stdbool.h>

struct subscriber;

enum { SEND_BATCH = 512 };

struct sending {
    struct subscriber *to; /* borrows */
    struct refbuf *bytes;  /* shares; only the loop counts */
    int socket;
    uint32_t taken; /* of the bytes, by the kernel */
};

/* Which of the sendings are one thread's: those of a socket stay together, in their order. */
struct send_share {
    unsigned number;
    unsigned of;
};

struct send_ring {
    struct io_uring ring;
    unsigned calls; /* system calls made; the owner's to reset */
    bool broken;    /* the kernel refused it in the middle: nothing is taken any more */
};

/* 0, or an errno. */
int send_ring_init(struct send_ring *r);
void send_ring_fini(struct send_ring *r);

/* Sends those of the share, and says of each what was taken. Waits for no socket. */
void send_ring_run(struct send_ring *r, struct sending *sendings, unsigned count,
                   struct send_share share);

#endif
