/* SPDX-License-Identifier: MIT */
/*
 * An epoch that is POSTed becomes the line that a trainer would have sent, and goes the way of one:
 * the same limits, the same history, the same watchers who see it. What answers has been kept.
 */
#include "streamd/http/operations.h"

#include "proto/fields.h"
#include "proto/json_write.h"
#include "streamd/app.h"
#include "streamd/http/operation_reply.h"
#include "streamd/http/operation_write.h"
#include "streamd/ingest/epoch_line.h"
#include "streamd/ingest/intake.h"
#include "streamd/ingest/kept_answer.h"
#include "streamd/relay/posting.h"

#include <stdio.h>

enum { ANSWERS_MAX = 4096 };

static void refuse_metrics(struct reply *reply, const char *why)
{
    operation_refuse(reply, 400, OPERATION_BAD_METRICS, span_of(why));
}

/* ---- an epoch ---- */

/* False, and the reply says why not. */
static bool take_line(struct app *app, const struct request *req, struct span line,
                      struct reply *reply)
{
    struct intake intake;
    struct buf answers;
    struct line_error error;
    buf_init(&answers, ANSWERS_MAX);
    intake_init(&intake, &app->registry, &app->decoder, &answers);
    enum status status = intake_line(&intake, line, req->now, &error);
    if (status == E_NOMEM)
        operation_failed(reply, status);
    else if (status != OK)
        refuse_metrics(reply, error.why);
    intake_fini(&intake);
    buf_fini(&answers);
    return status == OK;
}

static bool add_epoch(struct app *app, const struct request *req, const struct operation_told *told,
                      struct reply *reply)
{
    struct epoch_line e;
    epoch_line_init(&e, app->config->max_line);
    enum status status = epoch_line_read(&e, told->id, told->metrics);
    bool good = status == OK && take_line(app, req, buf_span(&e.text), reply);
    if (status == E_NOMEM)
        operation_failed(reply, status);
    else if (status != OK)
        refuse_metrics(reply, e.why);
    epoch_line_fini(&e);
    return good;
}

/* ---- keys of another job ---- */

static bool add_keys(const struct request *req, struct session *s, struct span body,
                     struct reply *reply)
{
    if (operation_status_ended(operation_status(s))) {
        refuse_metrics(reply, "the operation has ended");
        return false;
    }
    enum status status = operation_merge(s, body, req->now);
    if (status == E_LIMIT)
        refuse_metrics(reply, "with what was told before it is more than 65536 bytes");
    else if (status != OK)
        operation_failed(reply, status);
    return status == OK;
}

bool operation_take(struct app *app, const struct request *req, struct session *s,
                    const struct operation_told *told, struct reply *reply)
{
    return !s || operation_is_training(s) ? add_epoch(app, req, told, reply)
                                          : add_keys(req, s, told->metrics, reply);
}

void operation_write_added(struct span id, struct buf *out)
{
    buf_add_char(out, '{');
    json_write_pair_bool(out, "success", true);
    json_write_pair_string(out, "message", SPAN("Metrics added successfully"));
    json_write_pair_string(out, "operation_id", id);
    buf_add_char(out, '}');
}

static void add_at_hub(struct app *app, const struct request *req, struct reply *reply)
{
    struct posting_ask ask = {.kind = POSTING_METRICS, .id = req->tail};
    if (!session_id_valid(req->tail))
        operation_refuse(reply, 404, "Operation not found: ", req->tail);
    else if (operation_body(req, false, &ask.object, reply))
        posting_take(app->relay, &ask, reply);
}

void operation_add_metrics(struct app *app, const struct request *req, struct reply *reply)
{
    if (app->relay) {
        add_at_hub(app, req, reply);
        return;
    }
    struct session *s = operation_find(app, req, reply);
    struct operation_told told = {.id = req->tail};
    if (!s || !operation_body(req, false, &told.metrics, reply) ||
        !operation_take(app, req, s, &told, reply))
        return;
    operation_write_added(req->tail, &reply->body);
    answer_when_kept(&app->registry.keeping, reply);
}

/* ---- a new one ---- */

/* The id that is asked for, or one made for it. */
static bool choose_id(struct app *app, const struct request *req, const struct fields *body,
                      char out[OPERATION_ID_MAX + 1], struct reply *reply)
{
    struct span id;
    struct span type;
    if (!operation_text(body, "operation_id", &id, reply) ||
        !operation_text(body, "operation_type", &type, reply))
        return false;
    if (type.ptr && !operation_type_valid(type)) {
        operation_invalid(reply, "body.operation_type", "1 to 64 of a-z 0-9 _ -",
                          "string_pattern_mismatch");
        return false;
    }
    if (!id.ptr && !operation_id_make(type.ptr ? type : SPAN("training"), req->now.wall_s, out)) {
        operation_failed(reply, E_IO);
        return false;
    }
    if (!id.ptr)
        return true;
    if (!session_id_valid(id)) {
        operation_invalid(reply, "body.operation_id", "1 to 128 of A-Z a-z 0-9 . _ : -",
                          "string_pattern_mismatch");
        return false;
    }
    (void)snprintf(out, OPERATION_ID_MAX + 1, "%.*s", (int)id.len, id.ptr);
    if (!registry_find(&app->registry, id))
        return true;
    operation_refuse(reply, 409, "Operation exists: ", id);
    return false;
}

static void begin(struct app *app, const struct request *req, const char *id, struct span config,
                  struct reply *reply)
{
    struct session *s = NULL;
    const struct line line = {.type = LINE_START, .session_id = span_of(id), .config = config};
    enum status status = registry_start(&app->registry, &line, req->now, &s);
    if (status != OK) {
        operation_failed(reply, status);
        return;
    }
    reply_open_data(reply);
    operation_write_whole(s, SPAN("null"), &reply->body);
    reply_close_data(reply);
    answer_when_kept(&app->registry.keeping, reply);
}

static void begin_at_hub(struct app *app, const struct fields *body, const char *id,
                         struct span config, struct reply *reply)
{
    struct posting_ask ask = {.kind = POSTING_BEGIN, .id = span_of(id), .object = config};
    (void)fields_string(body, "operation_type", &ask.type);
    posting_take(app->relay, &ask, reply);
}

/* The body is its config. */
void operation_create(struct app *app, const struct request *req, struct reply *reply)
{
    char id[OPERATION_ID_MAX + 1];
    struct fields *body;
    struct span text;
    if (!operation_body(req, true, &text, reply))
        return;
    enum status status = text.len > LINE_BYTES_MAX ? E_LIMIT : fields_parse(text, &body, NULL);
    if (status == E_NOMEM) {
        operation_failed(reply, status);
    } else if (status != OK) {
        operation_invalid(reply, "body", "Input should be strict JSON of at most 65536 bytes",
                          "dict_type");
    } else {
        bool good = choose_id(app, req, body, id, reply);
        if (good && app->relay)
            begin_at_hub(app, body, id, text, reply);
        else if (good)
            begin(app, req, id, text, reply);
        fields_destroy(body);
    }
}
