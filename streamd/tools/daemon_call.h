/* SPDX-License-Identifier: MIT */
/*
 * daemon_call: one HTTP request to a running daemon, for the tools that ask it.
 *
 * Blocking and simple: HTTP/1.0, a connection a call. Shows the token of $STREAMD_TOKEN,
 * which is no option, since everybody sees the arguments of a process. Streams
 * are daemon_events.h's.
 */
#ifndef STREAMD_TOOLS_DAEMON_CALL_H
#define STREAMD_TOOLS_DAEMON_CALL_H

#include "base/buf.h"
#include "streamd/tools/daemon_link.h"

enum { DAEMON_ANSWER_MAX = 64 << 20 };

struct daemon_call {
    const char *url;     /* as daemon_place_read; NULL: $STREAMD_URL, else http://127.0.0.1:5001 */
    const char *ca_file; /* as daemon_link_open */
    const char *method;
    const char *path; /* escaped */
    struct span body; /* JSON; empty: none */
};

/*
 * The answer's body into `out`, and its status. NULL when there is one, else why there is none:
 * static, or of strerror.
 */
const char *daemon_call(const struct daemon_call *call, int *out_status, struct buf *out);

/* A connection on which that was asked and nothing was read yet. NULL, or why there is none. */
const char *daemon_open(const struct daemon_call *call, struct daemon_link *out);

/* Drops the head of what was answered so far. False: it is not all there, or none of HTTP. */
bool daemon_take_head(struct buf *answer, int *out_status);

/* Appends text as one segment of a path. */
void daemon_path_add(struct buf *path, const char *text);

#endif
