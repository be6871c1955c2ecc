/* SPDX-License-Identifier: MIT */
/*
 * plain: the WebSocket at /ws, JSON messages without a protocol around them.
 */
#ifndef STREAMD_TRANSPORT_PLAIN_H
#define STREAMD_TRANSPORT_PLAIN_H

#include "streamd/http/request.h"
#include "streamd/transport/link.h"

struct peers;

/* The 101 is out: makes the peer, and subscribes it to every sessionId of the query. */
void plain_open(struct peers *peers, struct link *l, const struct request *req);

#endif
