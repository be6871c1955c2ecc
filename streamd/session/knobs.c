/* SPDX-License-Identifier: MIT */
/*
 * A declaration comes from a trainer, whose config is free: what makes no sense as a knob is no
 * error, it is only none. What a watcher asks for is refused in words, since it may be corrected.
 */
#include "streamd/session/knobs.h"

#include "proto/fields.h"
#include "proto/json_write.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const type_names[KNOB_TYPES] = {"float", "int", "bool"};

void knobs_fini(struct knobs *k)
{
    free(k->each);
    *k = (struct knobs){0};
}

bool knob_value_find(const struct fields *f, const char *name, struct knob_value *out)
{
    struct knob_value value = {0};
    bool truth = false;
    if (fields_bool(f, name, &truth))
        value = (struct knob_value){true, truth};
    else if (!fields_number(f, name, &value.number))
        return false;
    *out = value;
    return true;
}

void knob_value_write_bare(struct buf *out, struct knob_value value)
{
    if (isnan(value.number))
        buf_add_str(out, "null");
    else if (value.is_bool)
        json_write_bool(out, value.number != 0);
    else
        num_write_double(out, value.number);
}

void knob_value_write(struct buf *out, const char *name, struct knob_value value)
{
    json_write_name(out, name);
    knob_value_write_bare(out, value);
}

/* ---- declaring ---- */

static bool name_valid(struct span name)
{
    if (name.len == 0 || name.len > KNOB_NAME_BYTES_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && !(c && strchr("._:/-", c)))
            return false;
    }
    return true;
}

static bool read_type(const struct fields *f, enum knob_type *out)
{
    struct span name = SPAN("float");
    (void)fields_string(f, "type", &name);
    for (int i = 0; i < KNOB_TYPES; i++) {
        *out = (enum knob_type)i;
        if (span_is(name, type_names[i]))
            return true;
    }
    return false;
}

/* Is that a value of the knob's type? */
static bool fits(const struct knob *k, struct knob_value value)
{
    if ((k->type == KNOB_BOOL) != value.is_bool)
        return false;
    return k->type != KNOB_INT || value.number == trunc(value.number);
}

static bool read_knob(struct span name, struct span object, struct knob *out)
{
    struct fields *f = NULL;
    struct knob k = {.min = -INFINITY, .max = INFINITY, .value = NAN};
    struct knob_value value;
    if (!name_valid(name) || fields_parse(object, &f, NULL) != OK)
        return false;
    memcpy(k.name, name.ptr, name.len);
    bool good = fields_is_object(f) && read_type(f, &k.type);
    (void)fields_number(f, "min", &k.min);
    (void)fields_number(f, "max", &k.max);
    if (good && knob_value_find(f, "value", &value) && fits(&k, value))
        k.value = value.number;
    fields_destroy(f);
    *out = k;
    return good && k.min <= k.max;
}

static struct knob *find(const struct knobs *k, struct span name)
{
    for (size_t i = 0; i < k->count; i++) {
        if (span_is(name, k->each[i].name))
            return &k->each[i];
    }
    return NULL;
}

/* A name that comes twice has the last declaration. */
static void add(struct knobs *k, struct span name, struct span object)
{
    struct knob knob;
    if (!read_knob(name, object, &knob))
        return;
    struct knob *place = find(k, name);
    if (place)
        *place = knob;
    else if (k->count < KNOBS_MAX)
        k->each[k->count++] = knob;
}

enum status knobs_read(struct knobs *k, struct span object)
{
    struct json_scan scan;
    struct json_value key;
    struct span value;
    knobs_fini(k);
    if (object.len == 0)
        return OK;
    k->each = calloc(KNOBS_MAX, sizeof(*k->each));
    if (!k->each)
        return E_NOMEM;
    json_scan_init(&scan, object, JSON_WORDS);
    if (json_next(&scan, &key) == JSON_OBJECT_BEGIN) {
        while (json_next(&scan, &key) == JSON_KEY && json_skip(&scan, &value) == OK)
            add(k, key.escaped ? SPAN("") : key.raw, value);
    }
    if (k->count == 0)
        knobs_fini(k);
    return OK;
}

enum status knobs_declare(struct knobs *k, struct span config)
{
    struct span declared = {NULL, 0};
    (void)json_member(config, JSON_WORDS, "knobs", &declared);
    return knobs_read(k, declared);
}

static struct knob_value value_of(const struct knob *k)
{
    return (struct knob_value){k->type == KNOB_BOOL, k->value};
}

void knobs_write(const struct knobs *k, struct buf *out)
{
    buf_add_char(out, '{');
    for (size_t i = 0; i < k->count; i++) {
        const struct knob *each = &k->each[i];
        json_write_key(out, span_of(each->name));
        buf_add_char(out, '{');
        json_write_pair_string(out, "type", span_of(type_names[each->type]));
        if (isfinite(each->min))
            json_write_pair_double(out, "min", each->min);
        if (isfinite(each->max))
            json_write_pair_double(out, "max", each->max);
        knob_value_write(out, "value", value_of(each));
        buf_add_char(out, '}');
    }
    buf_add_char(out, '}');
}

/* ---- setting ---- */

struct words {
    char *text;
    size_t len;
};

__attribute__((format(printf, 2, 3))) static void say(struct words *w, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(w->text + w->len, KNOB_WHY_MAX - w->len, format, args);
    va_end(args);
    w->len += n > 0 ? (size_t)n : 0;
    if (w->len >= KNOB_WHY_MAX)
        w->len = KNOB_WHY_MAX - 1;
}

/* "a number from 1e-06 to 1" */
static void say_range(struct words *w, const struct knob *k)
{
    static const char *const kinds[KNOB_TYPES] = {"a number", "a whole number", "true or false"};
    say(w, "%s", kinds[k->type]);
    if (k->type == KNOB_BOOL)
        return;
    if (isfinite(k->min))
        say(w, isfinite(k->max) ? " from %.9g" : " of at least %.9g", k->min);
    if (isfinite(k->max))
        say(w, isfinite(k->min) ? " to %.9g" : " of at most %.9g", k->max);
}

static void say_names(struct words *w, const struct knobs *k)
{
    for (size_t i = 0; i < k->count; i++)
        say(w, "%s%s", i == 0 ? "" : ", ", k->each[i].name);
}

bool knobs_allow(const struct knobs *k, struct span name, struct knob_value value,
                 char why[KNOB_WHY_MAX])
{
    struct words w = {why, 0};
    const struct knob *knob = find(k, name);
    why[0] = '\0';
    if (k->count == 0) {
        say(&w, "The run has declared no knobs");
    } else if (!knob) {
        say(&w, "The run has no such knob; it has ");
        say_names(&w, k);
    } else if (!fits(knob, value)) {
        say(&w, "%s must be ", knob->name);
        say_range(&w, knob);
    } else if (!(value.number >= knob->min && value.number <= knob->max)) {
        say(&w, "%s must be ", knob->name);
        say_range(&w, knob);
        say(&w, ", not %.9g", value.number);
    }
    return w.len == 0;
}

void knobs_apply(struct knobs *k, struct span name, struct knob_value value)
{
    struct knob *knob = find(k, name);
    if (knob && fits(knob, value))
        knob->value = value.number;
}
