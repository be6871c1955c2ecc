/* SPDX-License-Identifier: MIT */
/*
 * The connection is ours only after the route has returned, and events may come before: they wait
 * in the queue as those do that the client does not take.
 *
 * A wire that fails is not given up from inside: whoever sends is in the midst of its own work. The
 * link is cut, and we hear of it in a later call.
 */
#include "streamd/mcp/wire.h"

#include "streamd/app.h"
#include "streamd/mcp/post.h"
#include "streamd/mcp/stream.h"

#include <stdlib.h>

static struct mcp_wire *wire_of(struct transfer *t)
{
    return LIST_ENTRY(t, struct mcp_wire, transfer);
}

static void fail(struct mcp_wire *wire)
{
    wire->broken = true;
    if (wire->bound)
        wire->transfer.link->ops->kill(wire->transfer.link);
}

/* The wire may be gone afterwards. */
static void flush(struct mcp_wire *wire)
{
    struct transfer *t = &wire->transfer;
    while (!wire->broken && t->begun && wire->queue.len > 0 && !t->waits) {
        size_t n = wire->queue.len < TRANSFER_PIECE_MAX ? wire->queue.len : TRANSFER_PIECE_MAX;
        (void)transfer_write(t, (struct span){wire->queue.ptr, n});
        buf_consume(&wire->queue, n);
    }
    if (!wire->broken && t->begun && wire->ending && !t->ended && wire->queue.len == 0)
        transfer_end(t);
}

static void begin_stream(struct mcp_wire *wire)
{
    struct reply head;
    reply_init(&head, 1);
    head.content_type = "text/event-stream";
    head.extra_headers = "X-Accel-Buffering: no\r\n";
    bool follows = transfer_begin(&wire->transfer, &head);
    reply_fini(&head);
    if (follows)
        flush(wire);
}

static void begin(struct transfer *t, const struct request *req)
{
    struct mcp_wire *wire = wire_of(t);
    (void)req;
    wire->bound = true;
    if (wire->broken)
        t->link->ops->kill(t->link);
    else if (wire->streams)
        begin_stream(wire);
}

static void writable(struct transfer *t)
{
    flush(wire_of(t));
}

static void gone(struct transfer *t)
{
    struct mcp_wire *wire = wire_of(t);
    if (wire->stream)
        wire->stream->wire = NULL;
    if (wire->post)
        mcp_post_wire_gone(wire->post);
    mcp_wire_destroy(wire);
}

static const struct transfer_ops ops = {.begin = begin, .writable = writable, .gone = gone};

struct mcp_wire *mcp_wire_create(struct mcp *mcp)
{
    struct mcp_wire *wire = calloc(1, sizeof(*wire));
    if (!wire)
        return NULL;
    wire->transfer.ops = &ops;
    wire->transfer.impatient = true; /* to close the stream is to give up the request */
    wire->mcp = mcp;
    wait_init(&wire->quiet);
    buf_init(&wire->queue, mcp->app->config->max_outbox_bytes + 2 * (size_t)MCP_MESSAGE_MAX);
    return wire;
}

void mcp_wire_destroy(struct mcp_wire *wire)
{
    wait_cancel(&wire->quiet);
    buf_fini(&wire->queue);
    free(wire);
}

void mcp_wire_hand_over(struct mcp_wire *wire, struct reply *reply)
{
    reply->transfer = &wire->transfer;
}

static void listen_for_quiet(struct mcp_wire *wire)
{
    waitlist_add(&wire->mcp->quiet, &wire->quiet, wire->mcp->app->now.us);
    mcp_arm(wire->mcp);
}

void mcp_wire_stream(struct mcp_wire *wire)
{
    wire->streams = true;
    listen_for_quiet(wire);
    if (wire->bound)
        begin_stream(wire);
}

void mcp_wire_send(struct mcp_wire *wire, struct span text)
{
    if (wire->broken || wire->ending)
        return;
    if (wire->queue.len > wire->mcp->app->config->max_outbox_bytes) {
        fail(wire);
        return;
    }
    buf_add_span(&wire->queue, text);
    if (buf_status(&wire->queue) != OK) {
        fail(wire);
        return;
    }
    listen_for_quiet(wire);
    flush(wire);
}

void mcp_wire_end(struct mcp_wire *wire)
{
    wire->ending = true;
    wire->post = NULL;
    if (wire->stream)
        wire->stream->wire = NULL;
    wire->stream = NULL;
    flush(wire);
}

void mcp_wire_answer(struct mcp_wire *wire, struct reply *reply)
{
    wire->post = NULL;
    transfer_answer(&wire->transfer, reply);
}

void mcp_wire_on_quiet(struct wait *wait, uint64_t now_us)
{
    struct mcp_wire *wire = LIST_ENTRY(wait, struct mcp_wire, quiet);
    (void)now_us;
    if (wire->queue.len == 0)
        mcp_wire_send(wire, SPAN(":\n\n"));
    else
        listen_for_quiet(wire);
}
