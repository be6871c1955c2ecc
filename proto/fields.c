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
    const cJSON *node = member(f, name);
    if (!cJSON_IsString(node))
        return false;
    *out = span_of(node->valuestring);
    return true;
}

bool fields_number(const struct fields *f, const char *name, double *out)
{
    const cJSON *node = member(f, name);
    if (!cJSON_IsNumber(node))
        return false;
    *out = node->valuedouble;
    return true;
}

bool fields_is_null(const struct fields *f, const char *name)
{
    return cJSON_IsNull(member(f, name));
}

bool fields_bool(const struct fields *f, const char *name, bool *out)
{
    const cJSON *node = member(f, name);
    if (!cJSON_IsBool(node))
        return false;
    *out = cJSON_IsTrue(node);
    return true;
}

const struct fields *fields_object(const struct fields *f, const char *name)
{
    const cJSON *node = member(f, name);
    return cJSON_IsObject(node) ? (const struct fields *)(const void *)node : NULL;
}
