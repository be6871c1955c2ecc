/* SPDX-License-Identifier: MIT */
/*
 * json_schema: is this value what that schema says? As much of JSON Schema as tools' arguments
 * need.
 *
 * Held are type, enum, required, properties, additionalProperties (false), items, minItems,
 * maxItems, minimum, maximum, minLength, maxLength (in characters). Other words are let be, so a
 * schema that needs them needs a check by hand as well. Text that is too long is not repeated in
 * what is said about it.
 */
#ifndef PROTO_JSON_SCHEMA_H
#define PROTO_JSON_SCHEMA_H

#include "base/buf.h"
#include "proto/fields.h"

/*
 * True when `value` is right. Otherwise one sentence is appended to `out`: what is wrong with the
 * first thing that is, and where ("names[2] must be a string"). `name` is what the value itself is
 * called there.
 */
bool json_schema_check(const struct fields *schema, const struct fields *value, const char *name,
                       struct buf *out);

#endif
