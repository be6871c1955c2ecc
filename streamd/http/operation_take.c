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
#include "streamd/ingest/intake.h"
#include "streamd/ingest/kept_answer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ANSWERS_MAX = 4096 };

static void refuse_metrics(struct reply *reply, const char *why)
{
    operation_refuse(reply, 400, "Invalid metrics payload: ", span_of(why));
}

/* ---- an epoch ---- */

struct epoch_line {
    struct buf text; /* owns */
    unsigned seen;   /* bit f: the field was there, with a number */
    const char *why; /* static; NULL: nothing is wrong */
    char message[64];
};

static void blame(struct epoch_line *e, enum epoch_field field, const char *why)
{
    (void)snprintf(e->message, sizeof(e->message), "%s %s", epoch_field_name(field), why);
    e->why = e->message;
}

/* A time may also be written as one. */
static void take_time(struct epoch_line *e, enum json_token token, const struct json_value *value)
{
    double epoch_s;
    if (token != JSON_STRING || !time_read_iso(value->raw, &epoch_s)) {
        blame(e, EPOCH_TIMESTAMP, "must be a time as 2026-01-31T12:00:00Z");
        return;
    }
    json_write_name(&e->text, "timestamp");
    num_write_double(&e->text, epoch_s);
}

static void take_known(struct epoch_line *e, enum epoch_field field, enum json_token token,
                       const struct json_value *value)
{
    bool is_number = token == JSON_NUMBER;
    bool may_lack = epoch_field_optional(field) && token == JSON_NULL;
    double number = is_number ? num_double(value->num) : 0;
    if (field == EPOCH_TIMESTAMP && !is_number && !may_lack)
        take_time(e, token, value);
    else if (!is_number && !may_lack)
        blame(e, field, "must be a number");
    else if (field == EPOCH_NUMBER && !(number >= 0 && number < 1e15 && number == trunc(number)))
        blame(e, field, "must be a whole number, 0 or more");
    else if (is_number)
        json_write_pair_raw(&e->text, epoch_field_name(field), value->raw);
    if (is_number)
        e->seen |= 1U << field;
}

/* Whatever else has a number is told, too, as a line would. */
static void take_member(struct epoch_line *e, struct json_scan *scan, struct span key)
{
    struct json_scan value_scan;
    struct json_value value = {.escaped = false};
    struct span raw;
    enum epoch_field field = epoch_field_find(key);
    if (json_skip(scan, &raw) != OK)
        return;
    json_scan_init(&value_scan, raw, JSON_WORDS);
    enum json_token token = json_next(&value_scan, &value);
    if (field != EPOCH_FIELDS) {
        take_known(e, field, token, &value);
    } else if (token == JSON_NUMBER) {
        json_write_comma(&e->text);
        buf_add_char(&e->text, '"');
        buf_add_span(&e->text, key);
        buf_add_str(&e->text, "\":");
        buf_add_span(&e->text, value.raw);
    }
}

/* `body` passed json_check and is an object. False: e->why says what is wrong with it. */
static bool read_epoch(struct epoch_line *e, struct span id, struct span body)
{
    struct json_scan scan;
    struct json_value value;
    buf_add_str(&e->text, "{\"type\":\"epoch\"");
    json_write_pair_string(&e->text, "sessionId", id);
    buf_add_str(&e->text, ",\"metrics\":{");
    json_scan_init(&scan, body, JSON_WORDS);
    (void)json_next(&scan, &value);
    while (!e->why && json_next(&scan, &value) == JSON_KEY)
        take_member(e, &scan, value.raw);
    buf_add_str(&e->text, "}}");
    for (unsigned f = 0; f < EPOCH_FIELDS && !e->why; f++) {
        if (!epoch_field_optional(f) && !(e->seen >> f & 1U))
            blame(e, f, "is missing");
    }
    if (!e->why && buf_status(&e->text) != OK)
        e->why = "it is longer than a line may be";
    return !e->why;
}

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

static bool add_epoch(struct app *app, const struct request *req, struct span body,
                      struct reply *reply)
{
    struct epoch_line e = {.why = NULL};
    buf_init(&e.text, app->config->max_line);
    bool good = read_epoch(&e, req->tail, body);
    if (!good)
        refuse_metrics(reply, e.why);
    else
        good = take_line(app, req, buf_span(&e.text), reply);
    buf_fini(&e.text);
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

void operation_add_metrics(struct app *app, const struct request *req, struct reply *reply)
{
    struct session *s = operation_find(app, req, reply);
    struct buf *out = &reply->body;
    struct span body;
    if (!s || !operation_body(req, false, &body, reply))
        return;
    bool good =
        operation_is_training(s) ? add_epoch(app, req, body, reply) : add_keys(req, s, body, reply);
    if (!good)
        return;
    buf_add_char(out, '{');
    json_write_pair_bool(out, "success", true);
    json_write_pair_string(out, "message", SPAN("Metrics added successfully"));
    json_write_pair_string(out, "operation_id", req->tail);
    buf_add_char(out, '}');
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
        if (choose_id(app, req, body, id, reply))
            begin(app, req, id, text, reply);
        fields_destroy(body);
    }
}
