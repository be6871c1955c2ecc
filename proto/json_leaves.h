/* SPDX-License-Identifier: MIT */
/*
 * json_leaves: a nested JSON object as a flat list, `optimizer/lr` for {"optimizer":{"lr":..}}.
 *
 * For configurations: small, read rarely, compared and searched by name. Arrays are leaves. Paths
 * are unescaped; values are JSON as it came, without white space around.
 */
#ifndef PROTO_JSON_LEAVES_H
#define PROTO_JSON_LEAVES_H

#include "base/span.h"
#include "base/status.h"

enum { JSON_LEAVES_MAX = 512, JSON_PATH_MAX = 256 };

/* Borrows the value for the call, and the path. */
typedef void json_leaf_fn(void *context, struct span path, struct span value);

/*
 * Calls `leaf` for each in the order of the text. E_MALFORMED: not a JSON object. E_LIMIT: more
 * leaves, or a longer path, than the bounds; those before it were given.
 */
MUST_CHECK enum status json_leaves(struct span object, json_leaf_fn *leaf, void *context);

#endif
