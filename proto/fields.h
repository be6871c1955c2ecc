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

/* The member that is an object, that is an array, whatever it is; borrowed from f. NULL when there
 * is none. */
const struct fields *fields_object(const struct fields *f, const char *name);
const struct fields *fields_array(const struct fields *f, const char *name);
const struct fields *fields_any(const struct fields *f, const char *name);

/* ---- a value by itself: what fields_parse gave, an item of an array, a member ---- */

enum fields_type {
    FIELDS_NULL,
    FIELDS_BOOL,
    FIELDS_NUMBER,
    FIELDS_STRING,
    FIELDS_ARRAY,
    FIELDS_OBJECT,
};

enum fields_type fields_type(const struct fields *f);

/* As above, of the value itself. */
bool fields_as_string(const struct fields *f, struct span *out);
bool fields_as_number(const struct fields *f, double *out);
bool fields_as_bool(const struct fields *f, bool *out);

/* The items of an array or the members of an object, in the order in which they stand, duplicates
 * too; NULL at the end, and of any other value or NULL. */
const struct fields *fields_first(const struct fields *f);
const struct fields *fields_next(const struct fields *item);
size_t fields_count(const struct fields *f);

/* The name of a member, borrowed; NULL for an item. */
const char *fields_name(const struct fields *member);

/* Are the two the same JSON value? Of objects the order of members does not count. */
bool fields_equal(const struct fields *a, const struct fields *b);

#endif
