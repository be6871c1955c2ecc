/* SPDX-License-Identifier: MIT */
/*
 * One loop over an object and those inside it that count as its own, so depth costs no stack. A
 * null is no number, and a number that is not finite may be named beside in `nonFinite`, as our own
 * exports do: of two values of a name the last one counts.
 */
#include "proto/logs/source.h"

/* The key as it is meant; borrows from the file or from s->text. */
static struct span meant(struct source *s, const struct json_value *key)
{
    if (!key->escaped)
        return key->raw;
    buf_reset(&s->text);
    json_unescape(key->raw, &s->text);
    return buf_status(&s->text) == OK ? buf_span(&s->text) : (struct span){NULL, 0};
}

static bool is_own(struct span name)
{
    return span_is(name, "metrics") || span_is(name, "nonFinite");
}

static enum status add_object(struct json_scan *scan, struct span name, struct source_row *row)
{
    const char *begin = scan->at - 1;
    if (json_leave(scan) != OK)
        return E_MALFORMED;
    source_row_add_object(row, name, (struct span){begin, (size_t)(scan->at - begin)});
    return OK;
}

static void add_text(struct span name, const struct json_value *value, struct source_row *row)
{
    struct num number;
    if (source_word(value->raw, &number))
        source_row_add(row, name, number);
    else
        row->texts++;
}

/* `token` was the list's first, and is no end. */
static enum status leave_list(struct json_scan *scan, enum json_token token)
{
    if ((token == JSON_OBJECT_BEGIN || token == JSON_ARRAY_BEGIN) && json_leave(scan) != OK)
        return E_MALFORMED;
    return json_leave(scan);
}

/* COCO's evaluation is a list of twelve, of which the first is the mAP; other lists say nothing
 * that has a name. */
static enum status add_list(struct source *s, struct json_scan *scan, struct span name,
                            struct source_row *row)
{
    struct json_value value;
    enum json_token token = json_next(scan, &value);
    bool coco = name.ptr != s->text.ptr && span_has_nocase(name, SPAN("coco_eval_"));
    if (coco && token == JSON_NUMBER) {
        buf_reset(&s->text);
        buf_add_span(&s->text, name);
        buf_add_str(&s->text, "_mAP");
        if (buf_status(&s->text) == OK)
            source_row_add(row, buf_span(&s->text), value.num);
    }
    if (token == JSON_ERROR)
        return E_MALFORMED;
    return token == JSON_ARRAY_END ? OK : leave_list(scan, token);
}

/* The value of that name. *depth rises when it is an object whose members are to be read. */
static enum status add_value(struct source *s, struct json_scan *scan, struct span name,
                             struct source_row *row, unsigned *depth)
{
    struct json_value value;
    switch (json_next(scan, &value)) {
    case JSON_NUMBER:
        source_row_add(row, name, value.num);
        return OK;
    case JSON_STRING:
        add_text(name, &value, row);
        return OK;
    case JSON_TRUE:
        source_row_add_true(row, name);
        return OK;
    case JSON_OBJECT_BEGIN:
        if (!is_own(name))
            return add_object(scan, name, row);
        ++*depth;
        return OK;
    case JSON_ARRAY_BEGIN:
        return add_list(s, scan, name, row);
    case JSON_ERROR:
        return E_MALFORMED;
    default:
        return OK;
    }
}

enum status source_add_members(struct source *s, struct json_scan *scan, struct source_row *row)
{
    unsigned depth = 1;
    enum status status = OK;
    while (status == OK && depth > 0) {
        struct json_value key;
        enum json_token token = json_next(scan, &key);
        if (token == JSON_KEY)
            status = add_value(s, scan, meant(s, &key), row, &depth);
        else if (token == JSON_OBJECT_END)
            depth--;
        else
            status = E_MALFORMED;
        if (status == OK && buf_status(&s->text) == E_NOMEM)
            status = E_NOMEM; /* a name, and so its value, is missing */
    }
    if (status != OK)
        return source_refuse(s, status, scan->start + scan->error.at,
                             scan->error.why ? scan->error.why : "no object of numbers");
    return OK;
}
