/* SPDX-License-Identifier: MIT */
/*
 * The runs are read back one after the other on the archive's thread while the connection waits;
 * each leaves its collation, and the answer is written when all are there.
 */
#include "streamd/http/compare.h"

#include "proto/query.h"
#include "proto/spelling.h"
#include "streamd/app.h"
#include "streamd/http/inquiry.h"
#include "streamd/session/ask.h"

#include <stdlib.h>
#include <string.h>

_Static_assert((int)COMPARE_RUNS_MAX <= (int)INQUIRY_SESSIONS_MAX, "one inquiry reads them all");

struct comparing {
    struct inquiry inquiry;
    struct collation_plan plan;
    struct collation *collation[COMPARE_RUNS_MAX]; /* own */
};

static struct comparing *of(struct inquiry *q)
{
    return LIST_ENTRY(q, struct comparing, inquiry);
}

/* ---- the answer ---- */

static void write_runs(struct inquiry *q, struct reply *reply)
{
    struct compared runs[COMPARE_RUNS_MAX];
    for (size_t i = 0; i < q->count; i++)
        runs[i] = (struct compared){inquiry_session(q, i), of(q)->collation[i]};
    reply_open_data(reply);
    compare_write(&reply->body, runs, q->count);
    reply_close_data(reply);
}

static void write_answer(struct inquiry *q, enum status status, struct reply *reply)
{
    if (status == E_NOT_FOUND)
        reply_error(reply, 404, "Session not found");
    else if (status != OK)
        reply_error(reply, 503, "History cannot be read at present");
    else
        write_runs(q, reply);
}

static void ask(struct inquiry *q, const struct session *s, struct reading_request *out)
{
    ask_of_reckoning(s, out);
    out->form = READING_COLLATION;
    out->collation = of(q)->plan;
}

static enum status take(struct inquiry *q, struct span piece)
{
    struct collation *read = piece.len == sizeof(*read) ? malloc(sizeof(*read)) : NULL;
    if (!read)
        return E_NOMEM;
    memcpy(read, piece.ptr, sizeof(*read));
    (void)insight_now(&read->reckoning.engine);
    of(q)->collation[q->at] = read;
    return OK;
}

static void destroy(struct inquiry *q)
{
    for (size_t i = 0; i < q->count; i++)
        free(of(q)->collation[i]);
    free(of(q));
}

static const struct inquiry_ops ops_comparing = {
    .ask = ask, .take = take, .write = write_answer, .destroy = destroy};

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
    struct inquiry *q = &c->inquiry;
    struct session *s = registry_find(&q->app->registry, id);
    for (size_t i = 0; s && i < q->count; i++) {
        if (inquiry_session(q, i) == s)
            return true;
    }
    if (!s || q->count == COMPARE_RUNS_MAX) {
        reply_error(reply, s ? 400 : 404, s ? "ids names more than 8 runs" : "Session not found");
        return false;
    }
    inquiry_add(q, s);
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
    struct comparing *c = inquiry_possible(app) ? calloc(1, sizeof(*c)) : NULL;
    if (!c) {
        reply_error(reply, 503, "History cannot be read at present");
        return;
    }
    inquiry_init(&c->inquiry, &ops_comparing, app);
    if (read_plan(req, reply, &c->plan) && read_ids(c, req, reply))
        inquiry_leave(&c->inquiry, reply);
    else
        inquiry_destroy(&c->inquiry);
}
