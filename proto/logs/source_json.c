/* SPDX-License-Identifier: MIT */
/*
 * json: one document with the records in an array: `log_history` of Hugging Face's
 * trainer_state.json, whose other members describe the run, or `data` of our own exports.
 */
#include "proto/json_write.h"
#include "proto/logs/source.h"

enum { MEMBER_BYTES_MAX = 4096 };

static bool json_fits(struct span file)
{
    struct span text = span_trim(file);
    return text.len > 0 && (text.ptr[0] == '{' || text.ptr[0] == '[');
}

static enum status refuse_scan(struct source *s)
{
    const struct json_error *error = &s->scan.error;
    return source_refuse(s, E_MALFORMED, s->file.ptr + error->at,
                         error->why ? error->why : "not what a record looks like");
}

/* Looks at a member of the document: is it the array? Then *array stands before its first item. */
static enum status take_member(struct source *s, struct span key, struct json_scan *array,
                               bool *found)
{
    struct json_scan before = s->scan;
    struct json_value value;
    struct span raw;
    bool history = span_is(key, "log_history");
    if (json_skip(&s->scan, &raw) != OK)
        return refuse_scan(s);
    if ((history || span_is(key, "data")) && raw.ptr[0] == '[') {
        *array = before;
        (void)json_next(array, &value);
        *found = true;
    } else if (raw.len <= MEMBER_BYTES_MAX &&
               raw.len + key.len + 4 < s->config.limit - s->config.len) {
        json_write_key(&s->config, key);
        buf_add_span(&s->config, raw);
    }
    return OK;
}

static enum status find_array(struct source *s, bool *found)
{
    struct json_scan array = s->scan;
    struct json_value key;
    enum json_token token;
    bool history = false;
    while ((token = json_next(&s->scan, &key)) == JSON_KEY) {
        enum status status = take_member(s, key.raw, &array, found);
        if (status != OK)
            return status;
        history = history || span_is(key.raw, "log_history");
    }
    if (token != JSON_OBJECT_END || json_next(&s->scan, &key) != JSON_END)
        return refuse_scan(s);
    if (!history)
        buf_reset(&s->config); /* what an export says around its records is no config */
    s->scan = array;
    return OK;
}

static enum status json_open(struct source *s)
{
    struct json_value value;
    bool found = false;
    json_scan_init(&s->scan, s->file, JSON_WORDS);
    buf_reset(&s->config);
    buf_add_char(&s->config, '{');
    enum json_token token = json_next(&s->scan, &value);
    if (token == JSON_ARRAY_BEGIN) {
        buf_reset(&s->config);
        return OK;
    }
    if (token != JSON_OBJECT_BEGIN)
        return refuse_scan(s);
    enum status status = find_array(s, &found);
    if (status == OK && !found)
        status = source_refuse(s, E_MALFORMED, s->file.ptr,
                               "the document has no array log_history or data");
    if (s->config.len > 0)
        buf_add_char(&s->config, '}');
    return status == OK ? buf_status(&s->config) : status;
}

static enum status json_read(struct source *s, struct source_row *row)
{
    struct json_value value;
    source_row_begin(row);
    switch (json_next(&s->scan, &value)) {
    case JSON_OBJECT_BEGIN:
        s->at = (size_t)(s->scan.at - s->file.ptr) - 1;
        s->rest = (struct span){s->scan.at, (size_t)(s->scan.end - s->scan.at)};
        return source_add_members(s, &s->scan, row);
    case JSON_ARRAY_END:
        return E_NOT_FOUND;
    default:
        return refuse_scan(s);
    }
}

const struct source_ops source_json = {
    .name = "json",
    .what = "Hugging Face's trainer_state.json, our own export",
    .whole = true,
    .fits = json_fits,
    .open = json_open,
    .next = json_read,
};
