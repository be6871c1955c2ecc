/* SPDX-License-Identifier: MIT */
/*
 * feed: a trainer that is not on this machine: a WebSocket at FEED_PATH.
 *
 * It speaks the very lines of the Unix socket, both ways, and is led to one of that socket's
 * trainers over a pair of local sockets; so what a line does, acknowledgements, control and
 * back-pressure are those of a trainer here (decision 015). Binary messages are a stream of bytes;
 * a text message is whole lines, whose last may lack its newline. Who sends more than
 * FEED_WAITING_MAX ahead of what is taken is closed with 1009.
 */
#ifndef STREAMD_INGEST_FEED_H
#define STREAMD_INGEST_FEED_H

#include "streamd/transport/link.h"

struct list;
struct peers;
struct request;

#define FEED_PATH "/api/training/ingest"

enum { FEED_WAITING_MAX = 1024 * 1024 };

/* The 101 is out: makes the peer. */
void feed_open(struct peers *peers, struct link *l, const struct request *req);

/* Ends one of the list (of feed.link) that unix_ingest_feeds has. */
void feed_end(struct list *link);

#endif
