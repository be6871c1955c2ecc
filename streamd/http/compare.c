/* SPDX-License-Identifier: MIT */
/*
 * The runs are read back one after the other on the archive's thread while the connection waits;
 * each leaves its collation, and the answer is written when all are there.
 */
#include "streamd/http/compare.h"

#include "proto/query.h"
#include "proto/spelling.h"
#include "streamd/app.h"
#include "streamd/session/ask.h"
#include "streamd/transport/transfer.h"

#include <stdlib.h>
#include <string.h>

struct comparing {
    struct transfer transfer;
    struct reading reading;
    struct app *app; /* borrows */
    struct collation_plan plan;
    size_t count;
    size_t at; /* which is being read */
    struct session_handle session[COMPARE_RUNS_MAX];
    struct collation *collation[COMPARE_RUNS_MAX]; /* own */
};

/* ---- the answer ---- */

static void refuse(struct comparing *c, int status, const char *why)
{
    struct reply reply;
    reply_init(&reply, REPLY_BODY_MAX);
    reply_error(&reply, status, why);
    transfer_answer(&c->transfer, &reply);
    reply_fini(&reply);
}

static void answer(struct comparing *c)
{
    struct compared runs[COMPARE_RUNS_MAX];
    struct reply reply;
    for (size_t i = 0; i < c->count; i++) {
        runs[i] = (struct compared){c->session[i].session, c->collation[i]};
        if (!runs[i].session) {
            refuse(c, 404, "Session not found");
            return;
        }
    }
    reply_init(&reply, REPLY_BODY_MAX);
    reply_open_data(&reply);
    compare_write(&reply.body, runs, c->count);
    reply_close_data(&reply);
    transfer_answer(&c->transfer, &reply);
    reply_fini(&reply);
}

static void read_next(struct comparing *c)
{
    const struct session *s = c->session[c->at].session;
    struct reading_request *q = s ? malloc(sizeof(*q)) : NULL; /* too large for a stack */
    enum status status = E_NOMEM;
    if (q) {
        ask_of_reckoning(s, q);
        q->form = READING_COLLATION;
        q->collation = c->plan;
        status = ask_begin(&c->app->registry, &c->reading, q);
    }
    free(q);
    if (status != OK)
        refuse(c, s ? 503 : 404, s ? "History cannot be read at present" : "Session not found");
}

static void on_piece(struct reading *reading, struct refbuf *piece, bool last, enum status status)
{
    struct comparing *c = LIST_ENTRY(reading, struct comparing, reading);
    struct collation *read =
        status == OK && last && piece->len == sizeof(*read) ? malloc(sizeof(*read)) : NULL;
    if (!read) {
        refuse(c, 503, "History cannot be read at present");
        return;
    }
    memcpy(read, refbuf_span(piece).ptr, sizeof(*read));
    (void)insight_now(&read->reckoning.engine);
    c->collation[c->at++] = read;
    if (c->at == c->count)
        answer(c);
    else
        read_next(c);
}

static void begin(struct transfer *t, const struct request *req)
{
    (void)req;
    read_next(LIST_ENTRY(t, struct comparing, transfer));
}

static void destroy(struct comparing *c)
{
    reading_cancel(&c->reading);
    for (size_t i = 0; i < c->count; i++) {
        session_handle_fini(&c->session[i]);
        free(c->collation[i]);
    }
    free(c);
}

static void gone(struct transfer *t)
{
    destroy(LIST_ENTRY(t, struct comparing, transfer));
}

static const struct transfer_ops ops_comparing = {.begin = begin, .gone = gone};

/* ---- the question ---- */

static bool set_metric(struct collation_plan *plan, struct span name)
{
    const struct spelling *known = spelling_find(name);
    plan->field = RECORD_FIELDS;
    if (known && known->kind == SPELL_FIELD)
        plan->field = known->field;
    if (known && known->kind == SPELL_RENAME)
        name = known->rename;
    if (name.len == 0 || name.len >= sizeof(plan->metric))
        return false;
    memset(plan->metric, 0, sizeof(plan->metric));
    memcpy(plan->metric, name.ptr, name.len);
    return true;
}

/* `val_loss<0.3`, with any of < <= > >=; equal counts as reached in either form. */
static bool read_target(struct span text, struct collation_plan *plan)
{
    struct num value;
    size_t at = 0;
    while (at < text.len && text.ptr[at] != '<' && text.ptr[at] != '>')
        at++;
    if (at == text.len || !set_metric(plan, (struct span){text.ptr, at}))
        return false;
    plan->at_least = text.ptr[at++] == '>';
    at += at < text.len && text.ptr[at] == '=';
    if (!num_parse((struct span){text.ptr + at, text.len - at}, &value) || !num_is_finite(value))
        return false;
    plan->has_target = true;
    plan->target = num_double(value);
    return true;
}

static bool read_plan(const struct request *req, struct reply *reply, struct collation_plan *out)
{
    struct query_value value;
    *out = (struct collation_plan){.field = RECORD_FIELDS};
    if (query_find(req->query, "metric", &value) && !set_metric(out, query_span(&value))) {
        reply_error(reply, 400, "metric must be the name of one metric");
        return false;
    }
    if (query_find(req->query, "target", &value) && !read_target(query_span(&value), out)) {
        reply_error(reply, 400, "target must be a metric, < or >, and a number: val_loss<0.3");
        return false;
    }
    return true;
}

/* Repeats count once. */
static bool add_run(struct comparing *c, struct span id, struct reply *reply)
{
    struct session *s = registry_find(&c->app->registry, id);
    for (size_t i = 0; s && i < c->count; i++) {
        if (c->session[i].session == s)
            return true;
    }
    if (!s || c->count == COMPARE_RUNS_MAX) {
        reply_error(reply, s ? 400 : 404, s ? "ids names more than 8 runs" : "Session not found");
        return false;
    }
    session_handle_init(&c->session[c->count]);
    session_handle_set(&c->session[c->count++], s);
    return true;
}

static bool read_ids(struct comparing *c, const struct request *req, struct reply *reply)
{
    struct query_value ids;
    if (!query_find(req->query, "ids", &ids) || ids.len == 0) {
        reply_error(reply, 400, "ids must name runs: ids=a,b");
        return false;
    }
    struct span rest = query_span(&ids);
    while (rest.ptr) {
        if (!add_run(c, span_cut(&rest, ','), reply))
            return false;
    }
    return true;
}

void compare_answer(struct app *app, const struct request *req, struct reply *reply)
{
    struct comparing *c = app->registry.keeping.keeper ? calloc(1, sizeof(*c)) : NULL;
    if (!c) {
        reply_error(reply, 503, "History cannot be read at present");
        return;
    }
    c->app = app;
    c->transfer.ops = &ops_comparing;
    c->reading.on_piece = on_piece;
    if (read_plan(req, reply, &c->plan) && read_ids(c, req, reply))
        reply->transfer = &c->transfer;
    else
        destroy(c);
}
