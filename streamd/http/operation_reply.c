/* SPDX-License-Identifier: MIT */
#include "streamd/http/operation_reply.h"

#include "proto/fields.h"
#include "proto/json_write.h"
#include "streamd/app.h"

#include <stdio.h>

/* A body that was begun is no answer. */
static struct buf *begin(struct reply *reply, int status)
{
    reply->status = status;
    buf_reset(&reply->body);
    buf_add_char(&reply->body, '{');
    return &reply->body;
}

void operation_refuse(struct reply *reply, int status, const char *what, struct span why)
{
    struct buf text;
    struct buf *out = begin(reply, status);
    buf_init(&text, 4096);
    buf_add_str(&text, what);
    buf_add_span(&text, why);
    json_write_pair_string(out, "detail", buf_span(&text));
    buf_add_char(out, '}');
    buf_fini(&text);
}

struct session *operation_find(struct app *app, const struct request *req, struct reply *reply)
{
    struct session *s = registry_find(&app->registry, req->tail);
    if (!s)
        operation_refuse(reply, 404, "Operation not found: ", req->tail);
    return s;
}

static struct buf *begin_error(struct reply *reply, int status, const char *code,
                               const char *message)
{
    struct buf *out = begin(reply, status);
    json_write_pair_bool(out, "success", false);
    json_write_name(out, "error");
    buf_add_char(out, '{');
    json_write_pair_string(out, "code", span_of(code));
    json_write_pair_string(out, "message", span_of(message));
    json_write_name(out, "details");
    return out;
}

void operation_invalid(struct reply *reply, const char *field, const char *message,
                       const char *type)
{
    struct buf *out = begin_error(reply, 422, "VALIDATION_ERROR", "Request validation failed");
    buf_add_str(out, "[{");
    json_write_pair_string(out, "field", span_of(field));
    json_write_pair_string(out, "message", span_of(message));
    json_write_pair_string(out, "type", span_of(type));
    buf_add_str(out, "}]}}");
}

void operation_failed(struct reply *reply, enum status status)
{
    struct buf *out = begin_error(reply, 500, "INTERNAL_SERVER_ERROR", status_text(status));
    buf_add_str(out, "{}}}");
}

static bool is_object(struct span body)
{
    struct json_scan scan;
    struct json_value value;
    json_scan_init(&scan, body, JSON_WORDS);
    return json_next(&scan, &value) == JSON_OBJECT_BEGIN;
}

bool operation_body(const struct request *req, bool optional, struct span *out, struct reply *reply)
{
    struct json_error error;
    char field[40];
    *out = span_trim(req->body);
    if (optional && out->len == 0)
        *out = SPAN("{}");
    if (json_check(*out, JSON_WORDS, &error) != OK) {
        (void)snprintf(field, sizeof(field), "body.%zu", error.at);
        operation_invalid(reply, field, error.why, "json_invalid");
        return false;
    }
    if (is_object(*out))
        return true;
    operation_invalid(reply, "body", "Input should be a valid dictionary", "dict_type");
    return false;
}

bool operation_text(const struct fields *body, const char *name, struct span *out,
                    struct reply *reply)
{
    char field[80];
    *out = (struct span){NULL, 0};
    if (!fields_has(body, name) || fields_string(body, name, out) || fields_is_null(body, name))
        return true;
    (void)snprintf(field, sizeof(field), "body.%s", name);
    operation_invalid(reply, field, "Input should be a valid string", "string_type");
    return false;
}
