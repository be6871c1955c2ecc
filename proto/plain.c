/* SPDX-License-Identifier: MIT */
#include "proto/plain.h"

static enum status refuse(struct json_error *error, const char *why, size_t at)
{
    *error = (struct json_error){.code = "syntax", .why = why, .at = at};
    return E_MALFORMED;
}

static bool is_scalar_id(struct span raw)
{
    return raw.len > 0 && raw.len <= 64 &&
           (raw.ptr[0] == '"' || raw.ptr[0] == '-' || (raw.ptr[0] >= '0' && raw.ptr[0] <= '9'));
}

/* Puts one member where it belongs; `raw` is its value. */
static enum status take_member(struct span key, struct span raw, struct plain_message *m,
                               struct json_error *error, size_t at)
{
    if (span_is(key, "event")) {
        if (raw.ptr[0] != '"')
            return refuse(error, "\"event\" must be a string", at);
        m->event = (struct span){raw.ptr + 1, raw.len - 2};
    } else if (span_is(key, "data")) {
        m->data = raw;
    } else if (span_is(key, "id")) {
        if (!is_scalar_id(raw))
            return refuse(error, "\"id\" must be a number or a short string", at);
        m->id = raw;
    }
    return OK;
}

enum status plain_decode(struct span text, struct plain_message *out, struct json_error *error)
{
    struct plain_message m = {0};
    struct json_scan scan;
    struct json_value value;
    struct span raw;
    json_scan_init(&scan, text, JSON_STRICT);
    enum json_token token = json_next(&scan, &value);
    if (token != JSON_OBJECT_BEGIN) {
        if (token == JSON_ERROR)
            *error = scan.error;
        return token == JSON_ERROR ? E_MALFORMED : refuse(error, "expected an object", 0);
    }
    while ((token = json_next(&scan, &value)) == JSON_KEY) {
        struct span key = value.raw;
        if (json_skip(&scan, &raw) != OK)
            break;
        enum status status = take_member(key, raw, &m, error, (size_t)(raw.ptr - text.ptr));
        if (status != OK)
            return status;
    }
    if (token == JSON_OBJECT_END)
        token = json_next(&scan, &value);
    if (token != JSON_END) {
        *error = scan.error;
        return E_MALFORMED;
    }
    if (m.event.len == 0)
        return refuse(error, "\"event\" is missing", text.len);
    *out = m;
    return OK;
}

void plain_write_ack(struct buf *out, struct span id, struct span data)
{
    buf_add_str(out, "{\"event\":\"ack\",\"id\":");
    buf_add_span(out, id);
    buf_add_str(out, ",\"data\":");
    buf_add_span(out, data);
    buf_add_char(out, '}');
}
