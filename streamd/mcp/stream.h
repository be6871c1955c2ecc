/* SPDX-License-Identifier: MIT */
/*
 * stream: a series of server-sent events, which may outlive its connection.
 *
 * The modern era has no ids and nothing to come back to: such a stream lasts as long as its wire.
 * Those of a legacy session begin with an empty event that has an id; what is sent is kept (the
 * session's events, --mcp-max-replay-bytes), and a GET with Last-Event-ID goes on behind that one,
 * with this stream and no other. An id is `<number of the stream>-<number of the event>`.
 */
#ifndef STREAMD_MCP_STREAM_H
#define STREAMD_MCP_STREAM_H

#include "streamd/mcp/session.h"
#include "streamd/mcp/wire.h"

enum { MCP_STREAMS_MAX = 32, MCP_RETRY_MS = 1000 };

struct mcp_stream {
    struct mcp_session *session; /* borrows; NULL: modern */
    struct list link;            /* in session.streams, the newest last */
    struct mcp_wire *wire;       /* borrows; NULL: nobody is connected */
    uint64_t number;
    uint64_t events; /* sent so far */
    bool ended;      /* no more will come */
};

/* One that goes out on this wire. With a session, that owns it; else the caller does. NULL when out
 * of memory. */
struct mcp_stream *mcp_stream_create(struct mcp_session *session, struct mcp_wire *wire);

/* Its wire goes on without it. */
void mcp_stream_destroy(struct mcp_stream *s);

/* `json` is one message. */
void mcp_stream_send(struct mcp_stream *s, struct span json);

/* The last was sent. One without a session is gone afterwards. */
void mcp_stream_end(struct mcp_stream *s);

/* Goes on behind the event of that id on a new wire, instead of the one it has. False: there is
 * no such stream any more. */
bool mcp_stream_resume(struct mcp_session *session, struct span last_event_id,
                       struct mcp_wire *wire);

#endif
