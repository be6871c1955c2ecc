/* SPDX-License-Identifier: MIT */
/*
 * One loop over the object and everything inside it, so that nesting costs no stack: the names of
 * the open objects stand one after the other in `prefix`, and `outer` remembers how long it was
 * before each. Names that need neither unescaping nor flattening are borrowed from the line; the
 * others go to the decoder's text, which is allocated at its full size the first time and hence
 * never moves under the spans that point into it.
 */
#include "proto/line_metrics.h"

#include "proto/line_extras.h"
#include "proto/spelling.h"

#include <string.h>

struct metrics {
    struct line_decoder *d;
    struct json_scan *scan;
    struct record *r;
    struct line_error *error;
    size_t key_at;  /* where the key at hand stands in the text */
    unsigned depth; /* objects open inside the metrics object */
    size_t prefix_len;
    char prefix[LINE_NAME_BYTES_MAX];
    size_t outer[JSON_DEPTH_MAX];
};

enum status line_refuse(struct line_error *error, enum status status, const char *code,
                        const char *why, size_t at)
{
    *error = (struct line_error){code, why, at};
    return status;
}

enum status line_refuse_json(struct line_error *error, const struct json_scan *scan)
{
    return line_refuse(error, E_MALFORMED, scan->error.code, scan->error.why, scan->error.at);
}

enum status line_refuse_room(struct line_error *error, enum status status, size_t at)
{
    if (status == E_LIMIT)
        return line_refuse(error, status, "metrics", "the names are too long together", at);
    return line_refuse(error, status, "no_memory", "out of memory", at);
}

enum status line_text_room(struct line_decoder *d, size_t n)
{
    if (n > d->text.limit - d->text.len)
        return E_LIMIT;
    return buf_reserve(&d->text, d->text.limit - d->text.len) == OK ? OK : E_NOMEM;
}

enum status line_text(struct line_decoder *d, struct json_value *v)
{
    if (!v->escaped)
        return OK;
    enum status status = line_text_room(d, v->raw.len);
    if (status != OK)
        return status;
    size_t from = d->text.len;
    json_unescape(v->raw, &d->text);
    v->raw = (struct span){d->text.ptr + from, d->text.len - from};
    return OK;
}

static enum status refuse_name(struct metrics *m, const char *why)
{
    return line_refuse(m->error, E_MALFORMED, "metrics", why, m->key_at);
}

/* Escapes are the only way a control character gets into a name. */
static bool has_control(struct span name)
{
    for (size_t i = 0; i < name.len; i++) {
        if ((unsigned char)name.ptr[i] < 0x20)
            return true;
    }
    return false;
}

/* Makes key->raw the name as the trainer meant it, without those of the objects around it. */
static enum status read_name(struct metrics *m, struct json_value *key)
{
    bool escaped = key->escaped;
    m->key_at = (size_t)(key->raw.ptr - m->scan->start);
    enum status status = line_text(m->d, key);
    if (status != OK)
        return line_refuse_room(m->error, status, m->key_at);
    if (key->raw.len == 0)
        return refuse_name(m, "the name of a metric is empty");
    if (m->prefix_len + key->raw.len > LINE_NAME_BYTES_MAX)
        return refuse_name(m, "the name of a metric is longer than 256 bytes");
    if (escaped && has_control(key->raw))
        return refuse_name(m, "the name of a metric has a control character");
    return OK;
}

static enum status open_object(struct metrics *m, struct span name)
{
    if (m->prefix_len + name.len + 1 > sizeof(m->prefix))
        return refuse_name(m, "the name of a metric is longer than 256 bytes");
    m->outer[m->depth++] = m->prefix_len;
    memcpy(m->prefix + m->prefix_len, name.ptr, name.len);
    m->prefix_len += name.len;
    m->prefix[m->prefix_len++] = '/';
    return OK;
}

/* The name with those of the objects around it, in the decoder's text. */
static enum status flat_name(struct metrics *m, struct span *name)
{
    size_t from = m->d->text.len;
    enum status status = line_text_room(m->d, m->prefix_len + name->len);
    if (status != OK)
        return line_refuse_room(m->error, status, m->key_at);
    buf_add(&m->d->text, m->prefix, m->prefix_len);
    buf_add_span(&m->d->text, *name);
    *name = (struct span){m->d->text.ptr + from, m->d->text.len - from};
    return OK;
}

static enum status put_extra(struct metrics *m, struct span name, struct num value)
{
    if (line_extras_put(m->d, name, value) == OK)
        return OK;
    return line_refuse_room(m->error, E_NOMEM, m->key_at);
}

/* From 0 to from 1. */
static struct num next_num(struct num n)
{
    if (n.kind == NUM_INT && n.i < INT64_MAX)
        return num_int(n.i + 1);
    return num_float(num_double(n) + 1);
}

static enum status take_number(struct metrics *m, struct span name, struct num value)
{
    if (m->depth > 0) {
        enum status status = flat_name(m, &name);
        return status == OK ? put_extra(m, name, value) : status;
    }
    const struct spelling *s = spelling_find(name);
    if (!s)
        return put_extra(m, name, value);
    switch (s->kind) {
    case SPELL_FIELD:
        record_set(m->r, s->field, value);
        break;
    case SPELL_INDEX:
        record_set(m->r, s->field, next_num(value));
        break;
    case SPELL_RENAME:
        return put_extra(m, s->rename, value);
    case SPELL_RESERVED:
        m->r->ignored++;
        break;
    }
    return OK;
}

static const struct spelling *top_level(const struct metrics *m, struct span name)
{
    return m->depth == 0 ? spelling_find(name) : NULL;
}

/* Is an object of that name flattened? Not under a name that the daemon writes itself. */
static bool flattens(const struct metrics *m, struct span name)
{
    const struct spelling *s = top_level(m, name);
    return !s || s->kind != SPELL_RESERVED;
}

static void ignore(struct metrics *m, struct span name)
{
    const struct spelling *s = top_level(m, name);
    m->r->ignored++;
    if (s && (s->kind == SPELL_FIELD || s->kind == SPELL_INDEX))
        m->r->wrong = (uint16_t)(m->r->wrong | 1U << s->field);
}

static enum status pass_container(struct metrics *m, struct span name)
{
    ignore(m, name);
    return json_leave(m->scan) == OK ? OK : line_refuse_json(m->error, m->scan);
}

static enum status take_member(struct metrics *m, struct json_value *key)
{
    struct json_value value;
    enum status status = read_name(m, key);
    if (status != OK)
        return status;
    switch (json_next(m->scan, &value)) {
    case JSON_NUMBER:
        return take_number(m, key->raw, value.num);
    case JSON_NULL:
        return OK;
    case JSON_STRING:
        if (num_parse_word(value.raw, &value.num))
            return take_number(m, key->raw, value.num);
        break;
    case JSON_OBJECT_BEGIN:
        return flattens(m, key->raw) ? open_object(m, key->raw) : pass_container(m, key->raw);
    case JSON_ARRAY_BEGIN:
        return pass_container(m, key->raw);
    case JSON_ERROR:
        return line_refuse_json(m->error, m->scan);
    default:
        break;
    }
    ignore(m, key->raw);
    return OK;
}

static enum status take_all(struct metrics *m)
{
    for (;;) {
        struct json_value key;
        enum json_token token = json_next(m->scan, &key);
        if (token == JSON_ERROR)
            return line_refuse_json(m->error, m->scan);
        if (token == JSON_KEY) {
            enum status status = take_member(m, &key);
            if (status != OK)
                return status;
        } else if (m->depth > 0) {
            m->prefix_len = m->outer[--m->depth];
        } else {
            return OK;
        }
    }
}

enum status line_read_metrics(struct line_decoder *d, struct json_scan *scan, struct record *r,
                              struct line_error *error)
{
    struct metrics m;
    m.d = d;
    m.scan = scan;
    m.r = r;
    m.error = error;
    m.depth = 0;
    m.prefix_len = 0;
    record_init(r);
    d->extra_count = 0;
    enum status status = take_all(&m);
    r->extra = d->extra;
    r->extra_count = d->extra_count;
    return status;
}
