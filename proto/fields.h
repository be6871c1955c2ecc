/* SPDX-License-Identifier: MIT */
/*
 * fields: reading a small structured message by name, the only place that knows cJSON.
 *
 * For requests from watchers (subscribe_session, POST bodies), never for the stream of metrics. The
 * text is held to json_check's strict grammar before cJSON sees it. Names are compared with their
 * case; of duplicate keys the last one counts.
 */
#ifndef PROTO_FIELDS_H
#define PROTO_FIELDS_H

#include "base/span.h"
#include "base/status.h"
#include "proto/json_scan.h"

struct fields;

/* *out is owned by the caller. E_MALFORMED fills *error (which may be NULL); E_NOMEM. */
MUST_CHECK enum status fields_parse(struct span json, struct fields **out,
                                    struct json_error *error);

/* NULL is allowed. Only for what fields_parse gave, not for fields_object's children. */
void fields_destroy(struct fields *f);

bool fields_is_object(const struct fields *f);

/* Is there a member of that name, null included? */
bool fields_has(const struct fields *f, const char *name);

bool fields_is_null(const struct fields *f, const char *name);

/* False, *out untouched, when there is no such member or it has another type. Spans borrow. */
bool fields_string(const struct fields *f, const char *name, struct span *out);
bool fields_number(const struct fields *f, const char *name, double *out);
bool fields_bool(const struct fields *f, const char *name, bool *out);

/* The member that is an object, borrowed from f; NULL when there is none. */
const struct fields *fields_object(const struct fields *f, const char *name);

#endif
