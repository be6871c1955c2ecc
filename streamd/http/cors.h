/* SPDX-License-Identifier: MIT */
/*
 * cors: whose pages may talk to us, and under which name we answer.
 *
 * An origin is allowed when it is the one that was asked (same origin), localhost, 127.0.0.1 or
 * [::1] on any port, or one that --allow-origin adds; compared exactly on scheme, host and port.
 * `null` is nobody. The same answer guards WebSocket upgrades.
 *
 * Allowed origins may send credentials: a Socket.IO client with withCredentials cannot poll
 * otherwise, the origin is always named and never `*`, and the daemon gives out no cookies.
 */
#ifndef STREAMD_HTTP_CORS_H
#define STREAMD_HTTP_CORS_H

#include "base/span.h"
#include "streamd/config.h"

#include <stdbool.h>

/* May a page of `origin` that asked for `host` read the answer? An empty origin: not a browser's
 * cross-origin request, so true. */
bool cors_allowed(const struct config *config, struct span origin, struct span host);

/* Is a Host header's value one `name[:port]`, `1.2.3.4[:port]` or `[v6][:port]`? */
bool host_valid(struct span host);

/*
 * Does the daemon answer under this name? While every --listen is a loopback address, only to IP
 * addresses, localhost and the hosts of --allow-origin: any other name is a page's own that was
 * made to point at this machine (DNS rebinding), and would pass for the same origin. Otherwise to
 * every valid name.
 */
bool host_allowed(const struct config *config, struct span host);

#endif
