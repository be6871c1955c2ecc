/* SPDX-License-Identifier: MIT */
/*
 * daemon_call: one HTTP request to a running daemon, for the tools that ask it.
 *
 * Blocking and plain: HTTP/1.0, a connection a call, no TLS. Shows the token of $STREAMD_TOKEN,
 * which is no option, since everybody sees the arguments of a process.
 */
#ifndef STREAMD_TOOLS_DAEMON_CALL_H
#define STREAMD_TOOLS_DAEMON_CALL_H

#include "base/buf.h"

enum { DAEMON_ANSWER_MAX = 64 << 20, DAEMON_CALL_TIMEOUT_S = 10 };

struct daemon_call {
    const char *url; /* http://host:port; NULL: $STREAMD_URL, else http://127.0.0.1:5001 */
    const char *method;
    const char *path; /* escaped */
    struct span body; /* JSON; empty: none */
};

/*
 * The answer's body into `out`, and its status. NULL when there is one, else why there is none:
 * static, or of strerror.
 */
const char *daemon_call(const struct daemon_call *call, int *out_status, struct buf *out);

/* Appends text as one segment of a path. */
void daemon_path_add(struct buf *path, const char *text);

#endif
