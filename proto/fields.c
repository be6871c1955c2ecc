/* SPDX-License-Identifier: MIT */
/*
 * A struct fields is a cJSON node under another name: the cast keeps cJSON out of every header. Our
 * scanner goes first, because cJSON alone accepts what it should not (trailing bytes, leading
 * zeros, raw control characters, bad UTF-8) and cuts strings at an escaped NUL. cJSON copies a
 * number into 64 bytes before it reads it, so longer ones are refused here, in words, rather than
 * by a failure that looks like no memory. All members are looked at, and the last counts: cJSON's
 * own lookup finds the first of two equal keys, and everywhere else here the last one wins.
 */
#include "proto/fields.h"

#include <cjson/cJSON.h>
#include <string.h>

enum { NUMBER_BYTES_MAX = 63 };

static enum status check(struct span json, struct json_error *error)
{
    struct json_scan s;
    struct json_value value;
    json_scan_init(&s, json, JSON_STRICT);
    for (;;) {
        enum json_token token = json_next(&s, &value);
        if (token == JSON_END)
            return OK;
        if (token == JSON_ERROR) {
            *error = s.error;
            return E_MALFORMED;
        }
        if (token == JSON_NUMBER && value.raw.len > NUMBER_BYTES_MAX) {
            size_t at = (size_t)(value.raw.ptr - json.ptr);
            *error = (struct json_error){"syntax", "a number is longer than 63 bytes", at};
            return E_MALFORMED;
        }
    }
}

enum status fields_parse(struct span json, struct fields **out, struct json_error *error)
{
    struct json_error why;
    enum status status = check(json, &why);
    if (status != OK) {
        if (error)
            *error = why;
        return status;
    }
    cJSON *tree = cJSON_ParseWithLength(json.ptr, json.len);
    if (!tree)
        return E_NOMEM;
    *out = (struct fields *)(void *)tree;
    return OK;
}

static const cJSON *node_of(const struct fields *f)
{
    return (const cJSON *)(const void *)f;
}

static const struct fields *fields_of(const cJSON *node)
{
    return (const struct fields *)(const void *)node;
}

void fields_destroy(struct fields *f)
{
    cJSON_Delete((cJSON *)(void *)f);
}

bool fields_is_object(const struct fields *f)
{
    return cJSON_IsObject(node_of(f));
}

/* The last member of that name, or NULL. */
static const cJSON *member(const struct fields *f, const char *name)
{
    const cJSON *found = NULL;
    if (!fields_is_object(f))
        return NULL;
    for (const cJSON *at = node_of(f)->child; at; at = at->next) {
        if (strcmp(at->string, name) == 0)
            found = at;
    }
    return found;
}

bool fields_has(const struct fields *f, const char *name)
{
    return member(f, name) != NULL;
}

bool fields_string(const struct fields *f, const char *name, struct span *out)
{
    return fields_as_string(fields_any(f, name), out);
}

bool fields_number(const struct fields *f, const char *name, double *out)
{
    return fields_as_number(fields_any(f, name), out);
}

bool fields_is_null(const struct fields *f, const char *name)
{
    return cJSON_IsNull(member(f, name));
}

bool fields_bool(const struct fields *f, const char *name, bool *out)
{
    return fields_as_bool(fields_any(f, name), out);
}

const struct fields *fields_any(const struct fields *f, const char *name)
{
    return fields_of(member(f, name));
}

const struct fields *fields_object(const struct fields *f, const char *name)
{
    const cJSON *node = member(f, name);
    return cJSON_IsObject(node) ? fields_of(node) : NULL;
}

const struct fields *fields_array(const struct fields *f, const char *name)
{
    const cJSON *node = member(f, name);
    return cJSON_IsArray(node) ? fields_of(node) : NULL;
}

enum fields_type fields_type(const struct fields *f)
{
    const cJSON *node = node_of(f);
    if (cJSON_IsBool(node))
        return FIELDS_BOOL;
    if (cJSON_IsNumber(node))
        return FIELDS_NUMBER;
    if (cJSON_IsString(node))
        return FIELDS_STRING;
    if (cJSON_IsArray(node))
        return FIELDS_ARRAY;
    return cJSON_IsObject(node) ? FIELDS_OBJECT : FIELDS_NULL;
}

bool fields_as_string(const struct fields *f, struct span *out)
{
    if (!cJSON_IsString(node_of(f)))
        return false;
    *out = span_of(node_of(f)->valuestring);
    return true;
}

bool fields_as_number(const struct fields *f, double *out)
{
    if (!cJSON_IsNumber(node_of(f)))
        return false;
    *out = node_of(f)->valuedouble;
    return true;
}

bool fields_as_bool(const struct fields *f, bool *out)
{
    if (!cJSON_IsBool(node_of(f)))
        return false;
    *out = cJSON_IsTrue(node_of(f));
    return true;
}

const struct fields *fields_first(const struct fields *f)
{
    return f ? fields_of(node_of(f)->child) : NULL;
}

const struct fields *fields_next(const struct fields *item)
{
    return fields_of(node_of(item)->next);
}

size_t fields_count(const struct fields *f)
{
    size_t count = 0;
    for (const struct fields *at = fields_first(f); at; at = fields_next(at))
        count++;
    return count;
}

const char *fields_name(const struct fields *member)
{
    return node_of(member)->string;
}

bool fields_equal(const struct fields *a, const struct fields *b)
{
    return cJSON_Compare(node_of(a), node_of(b), true);
}
