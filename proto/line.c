/* SPDX-License-Identifier: MIT */
/*
 * One pass over the line. `type` may come last, so every known key is taken as it comes, by the
 * handler its row in the table names, and only at the end is it asked whether the type has what it
 * needs. The line is put together in a local and given to the caller whole.
 */
#include "proto/line.h"

#include "proto/json_scan.h"
#include "proto/line_metrics.h"

#include <stdlib.h>
#include <string.h>

/* Room for names that are flattened or unescaped, four times what a line can bring. */
enum { TEXT_BYTES_MAX = 4 * LINE_BYTES_MAX };

struct reading {
    struct line_decoder *d;
    struct json_scan scan;
    struct line line;
    struct line_error error;
    size_t at; /* where the value at hand begins */
};

/* Takes the value that `token` began, never JSON_NULL or JSON_ERROR. */
typedef enum status take_fn(struct reading *r, enum json_token token, struct json_value *v);

void line_decoder_init(struct line_decoder *d, uint64_t seed)
{
    *d = (struct line_decoder){.seed = seed};
    buf_init(&d->text, TEXT_BYTES_MAX);
}

void line_decoder_fini(struct line_decoder *d)
{
    free(d->extra);
    free(d->index);
    buf_fini(&d->text);
    *d = (struct line_decoder){.seed = d->seed, .text = d->text};
}

static enum status refuse(struct reading *r, const char *code, const char *why)
{
    return line_refuse(&r->error, E_MALFORMED, code, why, r->at);
}

static bool whole_number(enum json_token token, const struct json_value *v, uint64_t *out)
{
    const int64_t most = (int64_t)1 << 53;
    if (token != JSON_NUMBER || v->num.kind != NUM_INT || v->num.i < 0 || v->num.i > most)
        return false;
    *out = (uint64_t)v->num.i;
    return true;
}

/* Passes over what is left of the value. */
static enum status json_pass(struct reading *r, enum json_token token)
{
    bool container = token == JSON_OBJECT_BEGIN || token == JSON_ARRAY_BEGIN;
    return container && json_leave(&r->scan) != OK ? line_refuse_json(&r->error, &r->scan) : OK;
}

/* A string of at most max bytes into *out. */
static enum status take_string(struct reading *r, enum json_token token, struct json_value *v,
                               size_t max, struct span *out)
{
    if (token != JSON_STRING)
        return refuse(r, "field", "a string is expected");
    enum status status = line_text(r->d, v);
    if (status != OK)
        return line_refuse_room(&r->error, status, r->at);
    *out = v->raw;
    return out->len <= max ? OK : refuse(r, "field", "project and name have at most 256 bytes");
}

static enum status take_project(struct reading *r, enum json_token token, struct json_value *v)
{
    return take_string(r, token, v, LINE_NAME_BYTES_MAX, &r->line.project);
}

static enum status take_name(struct reading *r, enum json_token token, struct json_value *v)
{
    return take_string(r, token, v, LINE_NAME_BYTES_MAX, &r->line.name);
}

static enum status take_error(struct reading *r, enum json_token token, struct json_value *v)
{
    return take_string(r, token, v, LINE_BYTES_MAX, &r->line.error);
}

/* What only an answer has. Other lines may have other things under these names: what is none of
 * ours is as good as absent. */
static enum status take_order_id(struct reading *r, enum json_token token, struct json_value *v)
{
    r->line.has_order_id = whole_number(token, v, &r->line.order_id);
    return json_pass(r, token);
}

static enum status take_value(struct reading *r, enum json_token token, struct json_value *v)
{
    bool truth = token == JSON_TRUE || token == JSON_FALSE;
    r->line.has_value = truth || token == JSON_NUMBER;
    r->line.value_is_bool = truth;
    r->line.value = token == JSON_NUMBER ? num_double(v->num) : token == JSON_TRUE;
    return json_pass(r, token);
}

static enum status take_text(struct reading *r, enum json_token token, struct json_value *v,
                             struct span *out)
{
    return token == JSON_STRING ? take_string(r, token, v, LINE_BYTES_MAX, out)
                                : json_pass(r, token);
}

static enum status take_outcome(struct reading *r, enum json_token token, struct json_value *v)
{
    return take_text(r, token, v, &r->line.outcome);
}

static enum status take_message(struct reading *r, enum json_token token, struct json_value *v)
{
    return take_text(r, token, v, &r->line.message);
}

static const struct {
    struct span name;
    enum line_type type;
} types[] = {
#define LINE_ROW(type, name) {{(name), sizeof(name) - 1}, (type)},
    LINE_TABLE(LINE_ROW)
#undef LINE_ROW
};

static enum status take_type(struct reading *r, enum json_token token, struct json_value *v)
{
    struct span name = {NULL, 0};
    enum status status = take_string(r, token, v, LINE_BYTES_MAX, &name);
    if (status != OK)
        return status;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (span_eq(types[i].name, name)) {
            r->line.type = types[i].type;
            return OK;
        }
    }
    return refuse(r, "type", "no such type of line");
}

static enum status take_session_id(struct reading *r, enum json_token token, struct json_value *v)
{
    static const char why[] = "sessionId is 1 to 128 of A-Z a-z 0-9 . _ : -";
    struct span id = {NULL, 0};
    if (token != JSON_STRING)
        return refuse(r, "session_id", why);
    enum status status = take_string(r, token, v, LINE_BYTES_MAX, &id);
    if (status != OK)
        return status;
    if (!session_id_valid(id))
        return refuse(r, "session_id", why);
    r->line.session_id = id;
    return OK;
}

static enum status take_seq(struct reading *r, enum json_token token, struct json_value *v)
{
    r->line.has_seq = whole_number(token, v, &r->line.seq);
    return r->line.has_seq ? OK : refuse(r, "seq", "seq is a whole number from 0 to 2^53");
}

static enum status take_model_index(struct reading *r, enum json_token token, struct json_value *v)
{
    r->line.has_model_index = whole_number(token, v, &r->line.model_index);
    return r->line.has_model_index
               ? OK
               : refuse(r, "field", "modelIndex is a whole number from 0 to 2^53");
}

static enum status take_resume(struct reading *r, enum json_token token, struct json_value *v)
{
    (void)v;
    if (token != JSON_TRUE && token != JSON_FALSE)
        return refuse(r, "field", "resume is true or false");
    r->line.resume = token == JSON_TRUE;
    return OK;
}

/* The object that was just entered, as it came. */
static enum status take_raw(struct reading *r, struct span *out)
{
    const char *start = r->scan.at - 1;
    if (json_leave(&r->scan) != OK)
        return line_refuse_json(&r->error, &r->scan);
    *out = (struct span){start, (size_t)(r->scan.at - start)};
    return OK;
}

static enum status take_config(struct reading *r, enum json_token token, struct json_value *v)
{
    (void)v;
    return token == JSON_OBJECT_BEGIN ? take_raw(r, &r->line.config)
                                      : refuse(r, "field", "config is an object");
}

/* What only a relay says; elsewhere it is as good as absent. */
static enum status take_report(struct reading *r, enum json_token token, struct json_value *v)
{
    (void)v;
    return token == JSON_OBJECT_BEGIN ? take_raw(r, &r->line.report) : json_pass(r, token);
}

static enum status take_implied(struct reading *r, enum json_token token, struct json_value *v)
{
    (void)v;
    r->line.implied = token == JSON_TRUE;
    return json_pass(r, token);
}

static enum status take_pid(struct reading *r, enum json_token token, struct json_value *v)
{
    if (!whole_number(token, v, &r->line.pid))
        r->line.pid = 0;
    return json_pass(r, token);
}

static enum status take_metrics(struct reading *r, enum json_token token, struct json_value *v)
{
    (void)v;
    if (token != JSON_OBJECT_BEGIN)
        return refuse(r, "metrics", "metrics is an object");
    r->line.has_metrics = true;
    return line_read_metrics(r->d, &r->scan, &r->line.record, &r->error);
}

/* In the order in which clients write them most. */
static const struct {
    struct span name;
    take_fn *take;
} keys[] = {
    {{"type", 4}, take_type},
    {{"sessionId", 9}, take_session_id},
    {{"seq", 3}, take_seq},
    {{"metrics", 7}, take_metrics},
    {{"modelIndex", 10}, take_model_index},
    {{"config", 6}, take_config},
    {{"project", 7}, take_project},
    {{"name", 4}, take_name},
    {{"error", 5}, take_error},
    {{"resume", 6}, take_resume},
    {{"session_id", 10}, take_session_id},
    {{"model_index", 11}, take_model_index},
    {{"id", 2}, take_order_id},
    {{"outcome", 7}, take_outcome},
    {{"value", 5}, take_value},
    {{"message", 7}, take_message},
    {{"report", 6}, take_report},
    {{"implied", 7}, take_implied},
    {{"pid", 3}, take_pid},
};

static take_fn *find_key(struct span name)
{
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (span_eq(keys[i].name, name))
            return keys[i].take;
    }
    return NULL;
}

static enum status take_member(struct reading *r, struct json_value *key)
{
    struct json_value value;
    r->at = (size_t)(key->raw.ptr - r->scan.start);
    enum status status = line_text(r->d, key);
    if (status != OK)
        return line_refuse_room(&r->error, status, r->at);
    take_fn *take = find_key(key->raw);
    enum json_token token = json_next(&r->scan, &value);
    if (token == JSON_ERROR)
        return line_refuse_json(&r->error, &r->scan);
    if (token == JSON_NULL)
        return OK;
    bool container = token == JSON_OBJECT_BEGIN || token == JSON_ARRAY_BEGIN;
    r->at = (size_t)((container ? r->scan.at - 1 : value.raw.ptr) - r->scan.start);
    if (take)
        return take(r, token, &value);
    return json_pass(r, token);
}

static enum status take_object(struct reading *r)
{
    struct json_value key;
    enum json_token token = json_next(&r->scan, &key);
    if (token != JSON_OBJECT_BEGIN && token != JSON_ERROR)
        return line_refuse(&r->error, E_MALFORMED, "syntax", "a line is one JSON object", 0);
    while ((token = json_next(&r->scan, &key)) == JSON_KEY) {
        enum status status = take_member(r, &key);
        if (status != OK)
            return status;
    }
    if (token == JSON_OBJECT_END)
        token = json_next(&r->scan, &key);
    return token == JSON_END ? OK : line_refuse_json(&r->error, &r->scan);
}

/* Has the line what its type needs? */
static enum status judge(struct reading *r)
{
    enum line_type type = r->line.type;
    r->at = (size_t)(r->scan.at - r->scan.start);
    if (type == LINE_BLANK)
        return refuse(r, "type", "the line has no type");
    if ((type == LINE_PROGRESS || type == LINE_EPOCH) && !r->line.has_metrics)
        return refuse(r, "metrics", "progress and epoch need metrics");
    if (type == LINE_ANSWER && (!r->line.has_order_id || !r->line.outcome.ptr))
        return refuse(r, "id", "an answer needs the id of its order and an outcome");
    if (type == LINE_REPORT && !r->line.report.ptr)
        return refuse(r, "field", "a report needs an object of that name");
    return OK;
}

static enum status read_line(struct reading *r, struct span text)
{
    if (text.len > LINE_BYTES_MAX)
        return line_refuse(&r->error, E_LIMIT, "too_long", "a line has at most 65536 bytes",
                           LINE_BYTES_MAX);
    if (span_trim(text).len == 0)
        return OK;
    json_scan_init(&r->scan, text, JSON_WORDS);
    enum status status = take_object(r);
    return status == OK ? judge(r) : status;
}

enum status line_decode(struct line_decoder *d, struct span text, struct line *out_line,
                        struct line_error *out_error)
{
    struct reading r = {.d = d};
    buf_reset(&d->text);
    enum status status = read_line(&r, text);
    if (status == OK)
        *out_line = r.line;
    else
        *out_error = r.error;
    return status;
}

/* A text that is one metrics object and nothing else. */
static enum status read_metrics(struct reading *r, struct span object)
{
    struct json_value value;
    if (object.len > LINE_BYTES_MAX)
        return line_refuse(&r->error, E_LIMIT, "too_long", "metrics have at most 65536 bytes",
                           LINE_BYTES_MAX);
    json_scan_init(&r->scan, object, JSON_WORDS);
    enum json_token token = json_next(&r->scan, &value);
    if (token == JSON_ERROR)
        return line_refuse_json(&r->error, &r->scan);
    enum status status = take_metrics(r, token, &value);
    if (status == OK && json_next(&r->scan, &value) != JSON_END)
        return line_refuse_json(&r->error, &r->scan);
    return status;
}

enum status line_decode_metrics(struct line_decoder *d, struct span object,
                                struct record *out_record, struct line_error *out_error)
{
    struct reading r = {.d = d};
    buf_reset(&d->text);
    enum status status = read_metrics(&r, object);
    if (status == OK)
        *out_record = r.line.record;
    else
        *out_error = r.error;
    return status;
}

const char *line_type_name(enum line_type type)
{
    return type == LINE_BLANK ? "" : types[type - 1].name.ptr;
}

bool session_id_valid(struct span id)
{
    if (id.len == 0 || id.len > SESSION_ID_BYTES_MAX)
        return false;
    for (size_t i = 0; i < id.len; i++) {
        char c = id.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool digit = c >= '0' && c <= '9';
        if (!letter && !digit && c != '.' && c != '_' && c != ':' && c != '-')
            return false;
    }
    return true;
}
