/* SPDX-License-Identifier: MIT */
/*
 * A cancelled operation is cancelled at once, for whoever asks about it; its trainer is told to
 * stop and ends the session when it does. One without a trainer that could be told, or cancelled by
 * force, ends here.
 */
#include "streamd/http/operations.h"

#include "proto/fields.h"
#include "proto/json_write.h"
#include "streamd/app.h"
#include "streamd/http/operation_reply.h"
#include "streamd/ingest/kept_answer.h"
#include "streamd/relay/posting.h"
#include "streamd/session/session_life.h"

#include <stdio.h>
#include <string.h>

enum { REASON_BYTES_MAX = 1024 };

static bool has_ended(const struct session *s)
{
    return operation_status_ended(operation_status(s));
}

/* ---- cancelling ---- */

struct cancel {
    struct app *app;
    const struct request *req; /* borrows */
    struct span reason;
    bool force;
    bool told; /* a trainer was */
};

static enum status cancel_one(struct cancel *c, struct session *s)
{
    const struct order_ask ask = {.session_id = session_id(s),
                                  .command = ORDER_STOP,
                                  .reason = c->reason.len > 0 ? c->reason : SPAN("cancelled"),
                                  .who = control_who(c->req, SPAN("operations"))};
    struct control_result result;
    enum status status = operation_cancel(s, c->reason, c->req->now);
    if (status != OK)
        return status;
    c->told = control_send(&c->app->control, &ask, c->req->now, &result);
    if (!c->told || c->force)
        session_fail(s, ask.reason, c->req->now);
    return OK;
}

/* Those that named it as their parent. One that finds no memory goes on. */
static void cancel_children(struct cancel *c, const char *parent, struct buf *out)
{
    buf_add_char(out, '[');
    LIST_EACH_SAFE (at, &c->app->registry.sessions) {
        struct session *s = LIST_ENTRY(at, struct session, link);
        if (has_ended(s) || strcmp(operation_of(s)->parent, parent) != 0 || cancel_one(c, s) != OK)
            continue;
        json_write_comma(out);
        json_write_string(out, session_id(s));
    }
    buf_add_char(out, ']');
}

static void write_cancelled(struct cancel *c, struct session *s, struct reply *reply)
{
    struct buf *out = &reply->body;
    bool told = c->told;
    reply_open_data(reply);
    buf_add_char(out, '{');
    json_write_pair_bool(out, "success", true);
    json_write_pair_string(out, "operation_id", session_id(s));
    json_write_pair_string(out, "status", SPAN("cancelled"));
    json_write_name(out, "cancelled_at");
    time_write_iso(s->operation.cancelled_s, out);
    if (c->reason.len > 0)
        json_write_pair_string(out, "cancellation_reason", c->reason);
    else
        json_write_pair_raw(out, "cancellation_reason", SPAN("null"));
    json_write_pair_bool(out, "task_cancelled", told);
    json_write_pair_bool(out, "remote_cancelled", false);
    json_write_name(out, "children_cancelled");
    cancel_children(c, s->id, out);
    buf_add_char(out, '}');
    reply_close_data(reply);
}

/* Reads {"reason","force"}; false, and the reply is a 422. */
static bool read_cancel(const struct fields *body, struct cancel *c, struct reply *reply)
{
    if (!operation_text(body, "reason", &c->reason, reply))
        return false;
    if (c->reason.len > REASON_BYTES_MAX) {
        operation_invalid(reply, "body.reason", "String should have at most 1024 bytes",
                          "string_too_long");
        return false;
    }
    if (!fields_has(body, "force") || fields_bool(body, "force", &c->force))
        return true;
    operation_invalid(reply, "body.force", "Input should be a valid boolean", "bool_type");
    return false;
}

static void cancel(struct app *app, const struct request *req, struct session *s,
                   const struct fields *body, struct reply *reply)
{
    struct cancel c = {.app = app, .req = req};
    char why[64];
    if (!read_cancel(body, &c, reply))
        return;
    if (has_ended(s)) {
        (void)snprintf(why, sizeof(why), "(status: %s)",
                       operation_status_name(operation_status(s)));
        operation_refuse(reply, 400, "Operation already finished ", span_of(why));
        return;
    }
    enum status status = cancel_one(&c, s);
    if (status != OK) {
        operation_failed(reply, status);
        return;
    }
    write_cancelled(&c, s, reply);
    answer_when_kept(&app->registry.keeping, reply);
}

/* The body as fields; NULL, and the reply is a 422 (or 500). */
static struct fields *read_body(const struct request *req, bool optional, struct reply *reply)
{
    struct fields *body = NULL;
    struct span text;
    if (!operation_body(req, optional, &text, reply))
        return NULL;
    enum status status = fields_parse(text, &body, NULL);
    if (status == OK)
        return body;
    if (status == E_NOMEM)
        operation_failed(reply, status);
    else
        operation_invalid(reply, "body", "Input should be strict JSON", "json_invalid");
    return NULL;
}

void operation_stop(struct app *app, const struct request *req, struct reply *reply)
{
    struct session *s = operation_find(app, req, reply);
    struct fields *body = s ? read_body(req, true, reply) : NULL;
    if (!body)
        return;
    cancel(app, req, s, body, reply);
    fields_destroy(body);
}

/* ---- its status, said by who runs it ---- */

/* It runs, be it again. An expired one has to be resumed by its trainer. */
static enum status set_running(struct session *s, struct now now)
{
    if (s->state == SESSION_EXPIRED)
        return E_STATE;
    operation_reopen(&s->operation);
    session_touch(s, now);
    if (session_finished(s))
        session_reopen(s, now);
    if (s->state == SESSION_STARTING)
        session_enter(s, SESSION_RUNNING);
    return OK;
}

static enum status set_resuming(struct session *s, struct now now)
{
    if (!session_finished(s))
        return E_STATE;
    operation_reopen(&s->operation);
    session_touch(s, now);
    s->resumed = true;
    return OK;
}

/* One that was taken up after its end ends once more. */
static enum status set_ended(struct cancel *c, struct session *s, enum operation_status next)
{
    struct now now = c->req->now;
    if (has_ended(s))
        return E_STATE;
    if (next == OPERATION_CANCELLED)
        return cancel_one(c, s);
    if (session_finished(s))
        session_reopen(s, now);
    if (next == OPERATION_COMPLETED)
        session_complete(s, now);
    else
        session_fail(s, c->reason.ptr ? c->reason : SPAN("failed"), now);
    return OK;
}

/* E_STATE: it may not change so; else as operation_cancel. */
static enum status set_status(struct cancel *c, struct session *s, enum operation_status next)
{
    if (next == operation_status(s) && !operation_status_ended(next))
        return OK;
    switch (next) {
    case OPERATION_RUNNING:
        return set_running(s, c->req->now);
    case OPERATION_RESUMING:
        return set_resuming(s, c->req->now);
    case OPERATION_COMPLETED:
    case OPERATION_FAILED:
    case OPERATION_CANCELLED:
        return set_ended(c, s, next);
    default:
        return E_STATE;
    }
}

static void answer_status(struct app *app, const struct session *s, enum operation_status previous,
                          struct reply *reply)
{
    struct buf *out = &reply->body;
    buf_add_char(out, '{');
    json_write_pair_bool(out, "success", true);
    json_write_pair_string(out, "operation_id", session_id(s));
    json_write_pair_string(out, "previous_status", span_of(operation_status_name(previous)));
    json_write_pair_string(out, "new_status", span_of(operation_status_name(operation_status(s))));
    buf_add_char(out, '}');
    answer_when_kept(&app->registry.keeping, reply);
}

static bool read_status(const struct fields *body, enum operation_status *out,
                        struct span *out_error, struct reply *reply)
{
    struct span name = {NULL, 0};
    if (!operation_text(body, "status", &name, reply) ||
        !operation_text(body, "error_message", out_error, reply))
        return false;
    *out = operation_status_find(name);
    if (!name.ptr)
        operation_invalid(reply, "body.status", "Field required", "missing");
    else if (*out == OPERATION_STATUSES)
        operation_invalid(reply, "body.status",
                          "Input should be 'pending', 'resuming', 'running', 'completed', "
                          "'failed' or 'cancelled'",
                          "enum");
    else if (out_error->len > REASON_BYTES_MAX)
        operation_invalid(reply, "body.error_message", "String should have at most 1024 bytes",
                          "string_too_long");
    else
        return true;
    return false;
}

static void change_status(struct cancel *c, struct session *s, enum operation_status next,
                          struct reply *reply)
{
    char why[80];
    enum operation_status previous = operation_status(s);
    enum status status = set_status(c, s, next);
    if (status == OK) {
        answer_status(c->app, s, previous, reply);
    } else if (status == E_STATE) {
        (void)snprintf(why, sizeof(why), "from %s to %s", operation_status_name(previous),
                       operation_status_name(next));
        operation_refuse(reply, 400, "Status cannot change ", span_of(why));
    } else {
        operation_failed(reply, status);
    }
}

void operation_set_status(struct app *app, const struct request *req, struct reply *reply)
{
    enum operation_status next;
    struct cancel c = {.app = app, .req = req};
    struct session *s = operation_find(app, req, reply);
    struct fields *body = s ? read_body(req, false, reply) : NULL;
    if (!body)
        return;
    if (read_status(body, &next, &c.reason, reply))
        change_status(&c, s, next, reply);
    fields_destroy(body);
}

void operation_send_on(struct app *app, const struct request *req, struct reply *reply)
{
    const struct posting_ask ask = {
        .kind = POSTING_ONWARD, .id = req->tail, .path = req->path, .query = req->query};
    posting_take(app->relay, &ask, reply);
}
