/* SPDX-License-Identifier: MIT */
/*
 * tunnel: a way to the hub's feed that looks like a local socket.
 *
 * What is written to the socket comes out of the hub's feed (ingest/feed.h), and the other way
 * round. Behind it is a thread of its own, with a WebSocket over TCP or TLS, which may wait for a
 * name, a connection or a handshake without anybody else having to. The socket ends when the
 * connection does, or never came about; upstream_why then says why.
 */
#ifndef STREAMD_RELAY_TUNNEL_H
#define STREAMD_RELAY_TUNNEL_H

#include "streamd/relay/upstream.h"

enum { TUNNEL_TIMEOUT_MS = 5000 }; /* for name, connection and TLS, then again for the upgrade */

/* The caller's end, non-blocking; closing it ends the tunnel. -1: no thread, memory or descriptor.
 */
int tunnel_open(struct upstream *hub);

#endif
