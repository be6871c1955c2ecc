/* SPDX-License-Identifier: MIT */
#include "streamd/http/operations.h"

#include "proto/json_write.h"
#include "proto/query.h"
#include "streamd/app.h"
#include "streamd/http/operation_reply.h"
#include "streamd/http/operation_write.h"

#include <stdio.h>

enum {
    LIMIT_DEFAULT = 10,
    LIMIT_MAX = 1000,
    PAGE_BYTES = 4 << 20, /* a page ends with the operation that passes it */
};

/* ---- what is asked for ---- */

static bool bad_query(struct reply *reply, const char *name, const char *message, const char *type)
{
    char field[64];
    (void)snprintf(field, sizeof(field), "query.%s", name);
    operation_invalid(reply, field, message, type);
    return false;
}

/* *out stays as it is when it is not there. */
static bool read_number(const struct request *req, const char *name, uint64_t low, uint64_t high,
                        uint64_t *out, struct reply *reply)
{
    struct query_value value;
    char message[96];
    uint64_t number;
    if (!query_find(req->query, name, &value))
        return true;
    if (!span_u64(query_span(&value), &number) || number < low || number > high) {
        (void)snprintf(message, sizeof(message), "Input should be a whole number from %llu to %llu",
                       (unsigned long long)low, (unsigned long long)high);
        return bad_query(reply, name, message, "int_parsing");
    }
    *out = number;
    return true;
}

static bool read_flag(const struct request *req, const char *name, bool *out, struct reply *reply)
{
    struct query_value value;
    *out = false;
    if (!query_find(req->query, name, &value))
        return true;
    *out = span_is_nocase(query_span(&value), "true") || span_is(query_span(&value), "1");
    if (*out || span_is_nocase(query_span(&value), "false") || span_is(query_span(&value), "0"))
        return true;
    return bad_query(reply, name, "Input should be a valid boolean", "bool_parsing");
}

struct filter {
    enum operation_status status; /* OPERATION_STATUSES: any */
    bool active_only;
    bool has_type;
    struct query_value type;
    uint64_t limit, offset;
};

static bool read_filter(const struct request *req, struct filter *f, struct reply *reply)
{
    struct query_value status;
    f->status = OPERATION_STATUSES;
    f->limit = LIMIT_DEFAULT;
    f->offset = 0;
    f->has_type = query_find(req->query, "operation_type", &f->type);
    if (query_find(req->query, "status", &status)) {
        f->status = operation_status_find(query_span(&status));
        if (f->status == OPERATION_STATUSES)
            return bad_query(reply, "status",
                             "Input should be 'pending', 'resuming', 'running', 'completed', "
                             "'failed' or 'cancelled'",
                             "enum");
    }
    return read_flag(req, "active_only", &f->active_only, reply) &&
           read_number(req, "limit", 1, LIMIT_MAX, &f->limit, reply) &&
           read_number(req, "offset", 0, UINT64_MAX, &f->offset, reply);
}

/* ---- the list ---- */

static bool passes(struct session *s, enum operation_status status, const struct filter *f)
{
    return (f->status == OPERATION_STATUSES || status == f->status) &&
           (!f->active_only || !operation_status_ended(status)) &&
           (!f->has_type || span_is(query_span(&f->type), operation_of(s)->type));
}

void operations_list(struct app *app, const struct request *req, struct reply *reply)
{
    struct filter f;
    struct buf *out = &reply->body;
    uint64_t total = 0;
    uint64_t active = 0;
    if (!read_filter(req, &f, reply))
        return;
    buf_add_str(out, "{\"success\":true,\"data\":[");
    LIST_EACH (at, &app->registry.sessions) {
        struct session *s = LIST_ENTRY(at, struct session, link);
        enum operation_status status = operation_status(s);
        active += !operation_status_ended(status);
        if (!passes(s, status, &f))
            continue;
        if (total >= f.offset && total - f.offset < f.limit && out->len < PAGE_BYTES) {
            json_write_comma(out);
            operation_write_row(s, req->now.wall_s, out);
        }
        total++;
    }
    buf_add_char(out, ']');
    json_write_pair_u64(out, "total_count", total);
    json_write_pair_u64(out, "active_count", active);
    buf_add_char(out, '}');
}

/* ---- one of them ---- */

static void write_show(struct session *s, struct span metrics, struct reply *reply)
{
    reply_open_data(reply);
    operation_write_whole(s, metrics, &reply->body);
    reply_close_data(reply);
}

static void show_with_metrics(struct app *app, struct session *s,
                              const struct operation_epochs *epochs, struct reply *reply)
{
    struct buf metrics;
    (void)app;
    buf_init(&metrics, REPLY_BODY_MAX);
    operation_write_metrics(s, epochs, &metrics);
    if (buf_status(&metrics) == OK)
        write_show(s, buf_span(&metrics), reply);
    else
        operation_failed(reply, buf_status(&metrics));
    buf_fini(&metrics);
}

void operation_show(struct app *app, const struct request *req, struct reply *reply)
{
    bool with_metrics;
    struct session *s = operation_find(app, req, reply);
    if (!s || !read_flag(req, "include_metrics", &with_metrics, reply))
        return;
    if (with_metrics)
        operation_epochs_answer(app, s, 0, show_with_metrics, reply);
    else
        write_show(s, SPAN("null"), reply);
}

void operation_answer_metrics(struct session *s, const struct operation_epochs *epochs,
                              bool with_cursor, struct reply *reply)
{
    struct buf *out = &reply->body;
    reply_open_data(reply);
    buf_add_char(out, '{');
    json_write_pair_string(out, "operation_id", session_id(s));
    json_write_pair_string(out, "operation_type", span_of(operation_of(s)->type));
    json_write_name(out, "metrics");
    operation_write_metrics(s, epochs, out);
    if (with_cursor)
        json_write_pair_u64(out, "cursor", epochs->trend->count);
    buf_add_char(out, '}');
    reply_close_data(reply);
}

static void metrics_whole(struct app *app, struct session *s, const struct operation_epochs *epochs,
                          struct reply *reply)
{
    (void)app;
    operation_answer_metrics(s, epochs, false, reply);
}

static void metrics_after(struct app *app, struct session *s, const struct operation_epochs *epochs,
                          struct reply *reply)
{
    (void)app;
    operation_answer_metrics(s, epochs, true, reply);
}

void operation_metrics(struct app *app, const struct request *req, struct reply *reply)
{
    uint64_t cursor = UINT64_MAX;
    struct session *s = operation_find(app, req, reply);
    if (!s || !read_number(req, "cursor", 0, UINT64_MAX - 1, &cursor, reply))
        return;
    bool given = cursor != UINT64_MAX;
    operation_epochs_answer(app, s, given ? cursor : 0, given ? metrics_after : metrics_whole,
                            reply);
}

void operation_results(struct app *app, const struct request *req, struct reply *reply)
{
    struct session *s = operation_find(app, req, reply);
    struct buf *out = &reply->body;
    char why[64];
    if (!s)
        return;
    const char *status = operation_status_name(operation_status(s));
    if (!operation_status_ended(operation_status(s))) {
        (void)snprintf(why, sizeof(why), "(status: %s)", status);
        operation_refuse(reply, 400, "Operation not finished ", span_of(why));
        return;
    }
    buf_add_char(out, '{');
    json_write_pair_bool(out, "success", true);
    json_write_pair_string(out, "operation_id", session_id(s));
    json_write_pair_string(out, "operation_type", span_of(operation_of(s)->type));
    json_write_pair_string(out, "status", span_of(status));
    json_write_name(out, "results");
    operation_write_results(s, out);
    buf_add_char(out, '}');
}
