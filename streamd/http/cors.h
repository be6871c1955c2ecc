/* SPDX-License-Identifier: MIT */
/*
 * cors: which origins may read our answers.
 *
 * Same origin, localhost and 127.0.0.1 (any port), and what --allow-origin adds; compared exactly
 * on scheme, host and port. `null` is nobody. The same answer guards WebSocket upgrades.
 */
#ifndef STREAMD_HTTP_CORS_H
#define STREAMD_HTTP_CORS_H

#include "base/span.h"
#include "streamd/config.h"

#include <stdbool.h>

/* May a page of `origin` that asked for `host` read the answer? An empty origin: not a browser's
 * cross-origin request, so true. */
bool cors_allowed(const struct config *config, struct span origin, struct span host);

#endif
