/* SPDX-License-Identifier: MIT */
/*
 * The envelope is scanned twice: first the whole text for being JSON at all, since a parse error
 * must be told from a bad request and has no id; then its members, of which the last of a name
 * counts. Both are one pass without allocation.
 */
#include "proto/jsonrpc.h"

#include "proto/json_scan.h"
#include "proto/json_write.h"

#include <string.h>

/* A member as it came: its type, and its bytes with quotes. */
struct member {
    enum json_token token; /* JSON_END: there is none */
    struct span raw;
};

struct envelope {
    struct member jsonrpc;
    struct member id;
    struct member method;
    struct member params;
    struct member result;
    struct member error;
};

static struct member *place_of(struct envelope *e, struct span name)
{
    struct {
        const char *name;
        struct member *place;
    } const places[] = {{"jsonrpc", &e->jsonrpc}, {"id", &e->id},         {"method", &e->method},
                        {"params", &e->params},   {"result", &e->result}, {"error", &e->error}};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        if (span_is(name, places[i].name))
            return places[i].place;
    }
    return NULL;
}

static enum json_token token_of(struct span raw)
{
    switch (raw.ptr[0]) {
    case '{':
        return JSON_OBJECT_BEGIN;
    case '[':
        return JSON_ARRAY_BEGIN;
    case '"':
        return JSON_STRING;
    case 't':
        return JSON_TRUE;
    case 'f':
        return JSON_FALSE;
    case 'n':
        return JSON_NULL;
    default:
        return JSON_NUMBER;
    }
}

/* The members of a text that was checked to be one object. */
static void read_envelope(struct span text, struct envelope *out)
{
    struct json_scan s;
    struct json_value key;
    *out = (struct envelope){{JSON_END, {NULL, 0}}, {JSON_END, {NULL, 0}}, {JSON_END, {NULL, 0}},
                             {JSON_END, {NULL, 0}}, {JSON_END, {NULL, 0}}, {JSON_END, {NULL, 0}}};
    json_scan_init(&s, text, JSON_STRICT);
    (void)json_next(&s, &key);
    while (json_next(&s, &key) == JSON_KEY) {
        struct member *place = place_of(out, key.raw);
        struct span raw;
        if (json_skip(&s, &raw) != OK)
            return;
        if (place)
            *place = (struct member){token_of(raw), raw};
    }
}

static bool is_there(const struct member *m)
{
    return m->token != JSON_END;
}

static bool is_id(const struct member *m)
{
    bool kind = m->token == JSON_STRING || m->token == JSON_NUMBER;
    return kind && m->raw.len <= JSONRPC_ID_MAX;
}

static enum status read_method(const struct member *m, char out[JSONRPC_METHOD_MAX + 1])
{
    struct buf text;
    buf_init(&text, m->raw.len + 1);
    json_unescape((struct span){m->raw.ptr + 1, m->raw.len - 2}, &text);
    size_t len = text.len < JSONRPC_METHOD_MAX ? text.len : JSONRPC_METHOD_MAX;
    if (len > 0)
        memcpy(out, text.ptr, len);
    out[len] = '\0';
    enum status status = buf_status(&text);
    buf_fini(&text);
    return status;
}

/* NULL when it is a message of JSON-RPC. */
static const char *read_message(const struct envelope *e, struct jsonrpc_message *out)
{
    bool answers = is_there(&e->result) || is_there(&e->error);
    if (!span_eq(e->jsonrpc.raw, SPAN("\"2.0\"")))
        return "jsonrpc must be \"2.0\"";
    if (is_there(&e->id) && !is_id(&e->id))
        return "id must be a string or a number, of at most 256 bytes";
    if (is_there(&e->method) && (e->method.token != JSON_STRING || answers))
        return "method must be a string, and is not for an answer";
    if (!is_there(&e->method) && !answers)
        return "There is no method";
    if (is_there(&e->params) && e->params.token != JSON_OBJECT_BEGIN)
        return "params must be an object";
    if (answers && !is_there(&e->id))
        return "An answer must have an id";
    if (answers) {
        out->kind = JSONRPC_RESPONSE;
        return NULL;
    }
    out->kind = is_there(&e->id) ? JSONRPC_REQUEST : JSONRPC_NOTIFICATION;
    out->params = e->params.raw;
    return NULL;
}

enum status jsonrpc_read(struct span text, struct jsonrpc_message *out,
                         struct jsonrpc_fault *out_fault)
{
    struct envelope e;
    struct json_error error;
    *out = (struct jsonrpc_message){.kind = JSONRPC_REQUEST};
    if (json_check(text, JSON_STRICT, &error) != OK) {
        *out_fault = (struct jsonrpc_fault){JSONRPC_PARSE_ERROR, error.why};
        return E_MALFORMED;
    }
    text = span_trim(text);
    const char *why = NULL;
    if (text.ptr[0] == '[')
        why = "Batches are not spoken here: send one message at a time";
    else if (text.ptr[0] != '{')
        why = "A message is an object";
    if (!why) {
        read_envelope(text, &e);
        out->id = is_id(&e.id) ? e.id.raw : (struct span){NULL, 0};
        why = read_message(&e, out);
    }
    if (why) {
        *out_fault = (struct jsonrpc_fault){JSONRPC_INVALID_REQUEST, why};
        return E_MALFORMED;
    }
    if (out->kind == JSONRPC_RESPONSE || read_method(&e.method, out->method) == OK)
        return OK;
    *out_fault = (struct jsonrpc_fault){JSONRPC_INTERNAL_ERROR, "Out of memory"};
    return E_NOMEM;
}

static void write_head(struct buf *out, struct span id)
{
    buf_add_str(out, "{\"jsonrpc\":\"2.0\",\"id\":");
    buf_add_span(out, id.len > 0 ? id : SPAN("null"));
}

void jsonrpc_write_result(struct buf *out, struct span id, struct span json)
{
    write_head(out, id);
    json_write_pair_raw(out, "result", json);
    buf_add_char(out, '}');
}

void jsonrpc_write_error(struct buf *out, struct span id, int code, struct span message,
                         struct span data_json)
{
    write_head(out, id);
    buf_add_str(out, ",\"error\":{\"code\":");
    buf_add_i64(out, code);
    json_write_pair_string(out, "message", message);
    if (data_json.len > 0)
        json_write_pair_raw(out, "data", data_json);
    buf_add_str(out, "}}");
}

void jsonrpc_write_notification(struct buf *out, const char *method, struct span params_json)
{
    buf_add_str(out, "{\"jsonrpc\":\"2.0\"");
    json_write_pair_string(out, "method", span_of(method));
    if (params_json.len > 0)
        json_write_pair_raw(out, "params", params_json);
    buf_add_char(out, '}');
}
