/* SPDX-License-Identifier: MIT */
/*
 * session: what `initialize` begins over HTTP, in the legacy eras.
 *
 * Found again by the Mcp-Session-Id header. Ends with DELETE, after --mcp-session-idle without a
 * request or an open stream, or to make room for another when there are --mcp-max-sessions.
 */
#ifndef STREAMD_MCP_SESSION_H
#define STREAMD_MCP_SESSION_H

#include "streamd/mcp/work.h"

enum { MCP_SESSION_ID_LEN = 32, MCP_SESSION_HEADER_MAX = 64 };

struct mcp_stream;

struct mcp_session {
    struct mcp_party party;
    struct mcp *mcp;             /* borrows */
    const struct mcp_set *set;   /* borrows; of the endpoint it began at */
    const struct caller *caller; /* borrows; whose it is */
    struct wait idle;            /* in mcp.idle */
    struct list streams;         /* of mcp_stream.link; owned */
    struct mcp_stream *standing; /* borrows; that of GET, for what belongs to no request */
    struct list events;          /* of mcp_event.link, of all streams; owned */
    size_t event_bytes;
    uint64_t next_stream;
    char id[MCP_SESSION_ID_LEN + 1];
    char header[MCP_SESSION_HEADER_MAX]; /* "Mcp-Session-Id: ..\r\n" */
};

/* NULL: out of memory, or all are in use. */
struct mcp_session *mcp_session_create(struct mcp *mcp, const struct mcp_set *set,
                                       const struct caller *caller);
void mcp_session_destroy(struct mcp_session *s);

/* NULL when he has none of that id at this endpoint. It counts as used now. */
struct mcp_session *mcp_session_find(struct mcp *mcp, const struct mcp_set *set,
                                     const struct caller *caller, struct span id);

/* Keeps that many bytes of the newest events. */
void mcp_session_forget_events(struct mcp_session *session, size_t keep_bytes);

/* For mcp.idle. */
void mcp_session_on_idle(struct wait *wait, uint64_t now_us);

/* ---- of any party ---- */

void mcp_party_init(struct mcp_party *p, struct mcp *mcp);

/* Its works are dropped. */
void mcp_party_fini(struct mcp_party *p);

/* A notification to it, which belongs to no request; `members` of its params, without braces. */
void mcp_write_notification(struct buf *out, const char *method, struct span members);

/* A notification of the client: one that gives up a request drops it. `params` may be NULL. */
void mcp_party_hears(struct mcp_party *p, const char *method, const struct fields *params);

#endif
