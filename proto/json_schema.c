/* SPDX-License-Identifier: MIT */
/*
 * Walks schema and value together, so its depth is the schema's. On the way down it appends where
 * it is to `out`; what is found right takes that back again, what is wrong goes on to the sentence.
 */
#include "proto/json_schema.h"

#include "proto/json_text.h"
#include "proto/json_write.h"
#include "proto/number.h"

#include <math.h>
#include <string.h>

enum { SHOWN_MAX = 64 }; /* bytes of a name that are repeated */

static bool check(const struct fields *schema, const struct fields *value, struct buf *out);

static bool is_type(struct span type, const struct fields *value)
{
    double number;
    switch (fields_type(value)) {
    case FIELDS_NULL:
        return span_is(type, "null");
    case FIELDS_BOOL:
        return span_is(type, "boolean");
    case FIELDS_NUMBER:
        return span_is(type, "number") ||
               (span_is(type, "integer") && fields_as_number(value, &number) && isfinite(number) &&
                floor(number) == number);
    case FIELDS_STRING:
        return span_is(type, "string");
    case FIELDS_ARRAY:
        return span_is(type, "array");
    case FIELDS_OBJECT:
        break;
    }
    return span_is(type, "object");
}

static void say_type(struct span type, struct buf *out)
{
    bool vowel = type.len > 0 && strchr("aeio", type.ptr[0]);
    buf_add_str(out, span_is(type, "null") ? "" : vowel ? "an " : "a ");
    buf_add_span(out, type);
}

/* "type" is one name or a list of them. */
static bool check_type(const struct fields *type, const struct fields *value, struct buf *out)
{
    struct span name;
    if (fields_as_string(type, &name)) {
        if (is_type(name, value))
            return true;
        buf_add_str(out, " must be ");
        say_type(name, out);
        return false;
    }
    for (const struct fields *at = fields_first(type); at; at = fields_next(at)) {
        if (fields_as_string(at, &name) && is_type(name, value))
            return true;
    }
    buf_add_str(out, " must be ");
    for (const struct fields *at = fields_first(type); at; at = fields_next(at)) {
        if (at != fields_first(type))
            buf_add_str(out, " or ");
        if (fields_as_string(at, &name))
            say_type(name, out);
    }
    return false;
}

static bool check_enum(const struct fields *list, const struct fields *value, struct buf *out)
{
    struct span text;
    for (const struct fields *at = fields_first(list); at; at = fields_next(at)) {
        if (fields_equal(at, value))
            return true;
    }
    buf_add_str(out, " must be one of");
    for (const struct fields *at = fields_first(list); at; at = fields_next(at)) {
        buf_add_str(out, at == fields_first(list) ? " " : ", ");
        if (fields_as_string(at, &text))
            buf_add_span(out, text);
    }
    return false;
}

/* A bound is kept when the schema has none. */
static bool check_bound(const struct fields *schema, const char *word, double sign, double measure,
                        const char *says, struct buf *out)
{
    double bound;
    if (!fields_number(schema, word, &bound) || sign * (measure - bound) >= 0)
        return true;
    buf_add_str(out, says);
    num_write_significant(out, bound, 15);
    return false;
}

static bool check_number(const struct fields *schema, double number, struct buf *out)
{
    return check_bound(schema, "minimum", 1, number, " must be at least ", out) &&
           check_bound(schema, "maximum", -1, number, " must be at most ", out);
}

static double count_characters(struct span text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    return (double)count;
}

static bool check_string(const struct fields *schema, struct span text, struct buf *out)
{
    double length = count_characters(text);
    return check_bound(schema, "minLength", 1, length,
                       " must have a number of characters of at least ", out) &&
           check_bound(schema, "maxLength", -1, length,
                       " must have a number of characters of at most ", out);
}

static bool check_array(const struct fields *schema, const struct fields *array, struct buf *out)
{
    double count = (double)fields_count(array);
    const struct fields *items = fields_object(schema, "items");
    size_t place = 0;
    if (!check_bound(schema, "minItems", 1, count, " must have a number of items of at least ",
                     out) ||
        !check_bound(schema, "maxItems", -1, count, " must have a number of items of at most ",
                     out))
        return false;
    for (const struct fields *at = fields_first(array); items && at; at = fields_next(at)) {
        size_t here = out->len;
        buf_addf(out, "[%zu]", place++);
        if (!check(items, at, out))
            return false;
        out->len = here;
    }
    return true;
}

static void add_name(const char *name, struct buf *out)
{
    size_t len = strlen(name);
    if (out->len > 0 && out->ptr[out->len - 1] != ' ')
        buf_add_char(out, '.');
    if (len <= SHOWN_MAX)
        buf_add_str(out, name);
    else
        buf_add_str(out, "a member with a long name");
}

static bool check_required(const struct fields *schema, const struct fields *object,
                           struct buf *out)
{
    const struct fields *required = fields_array(schema, "required");
    struct span name;
    for (const struct fields *at = fields_first(required); at; at = fields_next(at)) {
        if (!fields_as_string(at, &name) || fields_has(object, name.ptr))
            continue;
        add_name(name.ptr, out);
        buf_add_str(out, " is required");
        return false;
    }
    return true;
}

static bool check_members(const struct fields *schema, const struct fields *object, struct buf *out)
{
    const struct fields *properties = fields_object(schema, "properties");
    const struct fields *others = fields_object(schema, "additionalProperties");
    bool others_allowed = true;
    (void)fields_bool(schema, "additionalProperties", &others_allowed);
    for (const struct fields *at = fields_first(object); at; at = fields_next(at)) {
        size_t here = out->len;
        const struct fields *own = properties ? fields_object(properties, fields_name(at)) : NULL;
        add_name(fields_name(at), out);
        if (!own && !others_allowed) {
            buf_add_str(out, " is not known here");
            return false;
        }
        own = own ? own : others;
        if (own && !check(own, at, out))
            return false;
        out->len = here;
    }
    return true;
}

static bool check_inside(const struct fields *schema, const struct fields *value, struct buf *out)
{
    struct span text;
    double number;
    if (fields_as_number(value, &number))
        return check_number(schema, number, out);
    if (fields_as_string(value, &text))
        return check_string(schema, text, out);
    if (fields_type(value) == FIELDS_ARRAY)
        return check_array(schema, value, out);
    if (fields_type(value) == FIELDS_OBJECT)
        return check_required(schema, value, out) && check_members(schema, value, out);
    return true;
}

static bool check(const struct fields *schema, const struct fields *value, struct buf *out)
{
    const struct fields *type = fields_any(schema, "type");
    const struct fields *list = fields_array(schema, "enum");
    if (type && !check_type(type, value, out))
        return false;
    if (list && !check_enum(list, value, out))
        return false;
    return check_inside(schema, value, out);
}

bool json_schema_check(const struct fields *schema, const struct fields *value, const char *name,
                       struct buf *out)
{
    size_t here = out->len;
    buf_add_str(out, name);
    if (!check(schema, value, out))
        return false;
    out->len = here;
    return true;
}
