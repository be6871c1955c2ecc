/* SPDX-License-Identifier: MIT */
/*
 * request: one HTTP request as the routes see it.
 *
 * Plain values borrowed from the connection for the length of the call. `path` is percent-decoded
 * and free of NUL and control bytes; `query` is raw (proto/query.h reads it).
 */
#ifndef STREAMD_HTTP_REQUEST_H
#define STREAMD_HTTP_REQUEST_H

#include "base/span.h"
#include "streamd/clock.h"

enum method {
    METHOD_GET = 1,
    METHOD_HEAD = 2,
    METHOD_POST = 4,
    METHOD_PUT = 8,
    METHOD_DELETE = 16,
    METHOD_PATCH = 32,
    METHOD_OPTIONS = 64,
};

struct caller;

struct request {
    enum method method;
    struct span path;  /* decoded, starts with '/' */
    struct span query; /* raw, without '?' */
    struct span tail;  /* what followed the route's prefix, e.g. the session id */
    struct span body;
    struct span host; /* header values; empty when absent */
    struct span origin;
    struct span content_type;
    struct span content_encoding;
    struct span if_none_match;
    struct span last_event_id;
    struct span access_control_request_method;
    struct span accept;
    struct span mcp_session_id; /* of the Model Context Protocol, as the three below */
    struct span mcp_protocol_version;
    struct span mcp_method;
    struct span mcp_name;
    struct span mcp_param_session_id; /* that tools ask for (mcp/param_header.h) */
    struct span mcp_param_operation_id;
    struct span user_agent;
    struct span peer; /* who is at the other end, as link.h has it; of a write alone */
    struct span authorization;
    bool accept_gzip;
    bool is_1_1; /* HTTP/1.1; else 1.0 */
    bool keep_alive;
    bool remote; /* it does not come over loopback, or was forwarded */
    struct now now;
    const struct caller *caller; /* borrows; who asks and what he may (auth/caller.h). NULL: not
                                  * asked yet, and may do nothing */
};

#endif
