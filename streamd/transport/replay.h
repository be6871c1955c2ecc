/* SPDX-License-Identifier: MIT */
/*
 * replay: what a watcher missed, sent before what is new.
 *
 * A membership that replays takes no live updates; each flush queues the next of its entries while
 * there is room in the outbox, and once it has caught up with the newest one it is live again. So a
 * watcher that missed a million entries costs no memory, and the seam has neither gap nor repeat.
 * What memory still has is read from the series, the rest from the archive, a piece at a time.
 */
#ifndef STREAMD_TRANSPORT_REPLAY_H
#define STREAMD_TRANSPORT_REPLAY_H

#include "streamd/transport/peer.h"

/* Queues the next part of what the peer's memberships still have to replay. */
void replay_flush(struct peer *p);

/* The wake-up ends: calls those who wait for their turn to read, as far as there is place. */
void replay_next_turns(struct peers *peers);

/* subscriber_ops.end_replay of every dialect. */
void replay_destroy(struct replay *r);

#endif
