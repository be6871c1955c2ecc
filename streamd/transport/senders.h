/* SPDX-License-Identifier: MIT */
/*
 * senders: threads that help the loop send the batch of a tick, and own nothing else.
 *
 * The loop hands over finished (socket, bytes) and waits until all are sent. So nothing of its
 * state is ever seen by two threads at once: a sender reads sockets and bytes, writes what was
 * taken, and touches no count of references. Each has a ring of its own (send_ring.h).
 */
#ifndef STREAMD_TRANSPORT_SENDERS_H
#define STREAMD_TRANSPORT_SENDERS_H

#include "streamd/transport/send_ring.h"

enum { SENDERS_MOST = 8 };

struct senders;

/* NULL, with an errno, when there is no memory, thread or ring for them. `count` from 1. */
struct senders *senders_create(unsigned count, int *out_errno);

/* Ends the threads. NULL is allowed. */
void senders_destroy(struct senders *s);

/* Sends them all, `own` being the ring of the calling thread, which takes a share itself. A batch
 * too small to be worth waking anybody is its alone. */
void senders_run(struct senders *s, struct send_ring *own, struct sending *sendings,
                 unsigned count);

#endif
