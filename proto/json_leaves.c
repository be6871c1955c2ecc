/* SPDX-License-Identifier: MIT */
#include "proto/json_leaves.h"

#include "proto/json_scan.h"

struct walk {
    struct json_scan scan;
    json_leaf_fn *leaf;
    void *context;
    struct buf path;
    size_t lens[JSON_DEPTH_MAX]; /* of the path at each depth of objects */
    unsigned depth;
    unsigned leaves;
};

/* The path of the object at hand, and the key behind it. */
static enum status add_key(struct walk *w, const struct json_value *key)
{
    w->path.len = w->lens[w->depth];
    if (w->path.len > 0)
        buf_add_char(&w->path, '/');
    if (key->escaped)
        json_unescape(key->raw, &w->path);
    else
        buf_add_span(&w->path, key->raw);
    return buf_status(&w->path);
}

/* A value is due: an object is entered, anything else is a leaf. */
static enum status take_value(struct walk *w)
{
    struct json_scan before = w->scan;
    struct json_value value;
    struct span raw;
    if (json_next(&w->scan, &value) == JSON_OBJECT_BEGIN) {
        if (++w->depth >= JSON_DEPTH_MAX)
            return E_LIMIT;
        w->lens[w->depth] = w->path.len;
        return OK;
    }
    w->scan = before;
    if (json_skip(&w->scan, &raw) != OK)
        return E_MALFORMED;
    if (w->leaves++ == JSON_LEAVES_MAX)
        return E_LIMIT;
    w->leaf(w->context, buf_span(&w->path), raw);
    return OK;
}

static enum status step(struct walk *w, bool *out_end)
{
    struct json_value value;
    enum status status;
    switch (json_next(&w->scan, &value)) {
    case JSON_KEY:
        status = add_key(w, &value);
        return status == OK ? take_value(w) : status;
    case JSON_OBJECT_END:
        *out_end = w->depth == 0;
        w->depth -= w->depth > 0;
        return OK;
    default:
        return E_MALFORMED;
    }
}

enum status json_leaves(struct span object, json_leaf_fn *leaf, void *context)
{
    struct walk w = {.leaf = leaf, .context = context};
    struct json_value value;
    enum status status = OK;
    bool end = false;
    json_scan_init(&w.scan, object, JSON_WORDS);
    if (json_next(&w.scan, &value) != JSON_OBJECT_BEGIN)
        return E_MALFORMED;
    buf_init(&w.path, JSON_PATH_MAX);
    while (status == OK && !end)
        status = step(&w, &end);
    if (status == OK && json_next(&w.scan, &value) != JSON_END)
        status = E_MALFORMED;
    buf_fini(&w.path);
    return status;
}
