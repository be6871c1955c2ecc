/* SPDX-License-Identifier: MIT */
/*
 * wire: the HTTP connection an answer goes out on: later and whole, or as a stream of events.
 *
 * What the client does not take yet waits in a queue of at most --max-outbox-bytes and one message;
 * past it the connection is cut. A stream that says nothing for a while says a comment, so that no
 * proxy takes it for dead. The wire frees itself once the connection is done with it, after telling
 * whoever it belongs to.
 */
#ifndef STREAMD_MCP_WIRE_H
#define STREAMD_MCP_WIRE_H

#include "streamd/mcp/mcp.h"
#include "streamd/transport/transfer.h"

struct mcp_post;
struct mcp_stream;

struct mcp_wire {
    struct transfer transfer;
    struct mcp *mcp;           /* borrows */
    struct mcp_post *post;     /* borrows; whose answer it waits for, or NULL */
    struct mcp_stream *stream; /* borrows; whose events it carries, or NULL */
    struct buf queue;
    struct wait quiet; /* in mcp.quiet while it streams */
    bool bound;        /* the connection is ours */
    bool streams;
    bool ending; /* once the queue is empty */
    bool broken;
};

enum { MCP_QUIET_US = 15 * 1000 * 1000 };

/* NULL when out of memory. Either handed over or destroyed. */
struct mcp_wire *mcp_wire_create(struct mcp *mcp);
void mcp_wire_destroy(struct mcp_wire *wire);

/* The request's answer comes by this. */
void mcp_wire_hand_over(struct mcp_wire *wire, struct reply *reply);

/* Begins a stream of events, once. */
void mcp_wire_stream(struct mcp_wire *wire);

/* An event, or more of them, as they stand. */
void mcp_wire_send(struct mcp_wire *wire, struct span text);

/* The stream is over; the wire may be gone afterwards. */
void mcp_wire_end(struct mcp_wire *wire);

/* Answers whole, when it has not begun to stream; the wire is gone afterwards. */
void mcp_wire_answer(struct mcp_wire *wire, struct reply *reply);

/* For mcp.quiet. */
void mcp_wire_on_quiet(struct wait *wait, uint64_t now_us);

#endif
