/* SPDX-License-Identifier: MIT */
/*
 * routes: answers of every kind a transfer can give, for tests/wire/transfer.test.ts.
 *
 *   /test/later/<ms>       answered whole after so long, with the body that came or "later"
 *   /test/stream/<bytes>   so many bytes, 64 KiB a piece; the byte at i is 'a' + i % 26
 *   /test/broken/<bytes>   the same, but cut off instead of ended
 */
#ifndef TESTS_CONFORMANCE_ROUTES_H
#define TESTS_CONFORMANCE_ROUTES_H

#include "streamd/http/router.h"

/* For app.more_routes; ended by a NULL pattern. */
extern const struct route conformance_routes[];

#endif
