/* SPDX-License-Identifier: MIT */
/*
 * The runs and their newest numbers, for whoever polls. These answers never wait for the throttle:
 * they read the session as it is. Status and metrics carry an ETag of the session's version, so a
 * poller between two records gets a 304; they say no-cache instead of no-store, for only then does
 * a browser's fetch ask with If-None-Match by itself.
 */
#include "proto/compat.h"
#include "proto/json_write.h"
#include "proto/query.h"
#include "streamd/app.h"
#include "streamd/http/body.h"
#include "streamd/http/compare.h"
#include "streamd/http/compat_view.h"
#include "streamd/http/history.h"
#include "streamd/http/insight.h"
#include "streamd/http/router.h"
#include "streamd/http/run_etag.h"
#include "streamd/http/runs.h"
#include "streamd/ingest/push.h"

static void answer_status(struct app *app, const struct request *req, struct reply *reply)
{
    struct session *s = registry_find_live(&app->registry, req->tail);
    if (!s) {
        reply_error(reply, 404, "Session not found");
        return;
    }
    reply_open_data(reply);
    session_write_status(s, &reply->body, true);
    reply_close_data(reply);
    run_etag(reply, app, s, RUN_STATUS);
}

/* The wrapper's timestamp is the record's, as the reference has it. */
static void write_compat(const struct session *s, double wall_s, struct buf *out)
{
    struct record record;
    compat_view(s, wall_s, &record);
    compat_write_http(out, session_id(s), &record, span_of(session_state_name(s->state)),
                      num_double(record.field[F_TIMESTAMP]));
}

static void answer_metrics(struct app *app, const struct request *req, struct reply *reply)
{
    struct session *s = registry_find_live(&app->registry, req->tail);
    struct query_value form;
    bool has_form = query_find(req->query, "form", &form);
    if (has_form && !span_is(query_span(&form), "compat")) {
        reply_error(reply, 400, "form must be compat");
        return;
    }
    if (!s || s->newest_offset == 0) {
        reply_error(reply, 404, "No metrics found");
        return;
    }
    const struct refbuf *metrics = session_metrics_json(s);
    if (!metrics) {
        reply_error(reply, 503, "Out of memory");
        return;
    }
    if (has_form) {
        write_compat(s, req->now.wall_s, &reply->body);
    } else {
        reply_open_data(reply);
        buf_add_span(&reply->body, refbuf_span(metrics));
        reply_close_data(reply);
    }
    run_etag(reply, app, s, has_form ? RUN_COMPAT : RUN_METRICS);
}

/* The stream is the transport's (sse.c), which takes the GETs; a HEAD is told what it would be. */
static void answer_events(struct app *app, const struct request *req, struct reply *reply)
{
    (void)app;
    (void)req;
    reply->content_type = "text/event-stream";
    reply->stream = true;
}

static void answer_ingest(struct app *app, const struct request *req, struct reply *reply)
{
    push_answer(&app->registry, &app->decoder, req, reply);
}

static void answer_control(struct app *app, const struct request *req, struct reply *reply)
{
    struct order_ask ask = {.session_id = req->tail, .who = control_who(req, SPAN("http"))};
    struct control_result result;
    struct fields *body = body_read(req, reply);
    if (!body)
        return;
    if (control_read(body, &ask, &result) && control_send(&app->control, &ask, req->now, &result)) {
        buf_add_char(&reply->body, '{');
        json_write_pair_bool(&reply->body, "success", true);
        control_write_told(&result, &reply->body);
        buf_add_char(&reply->body, '}');
    } else {
        reply_error(reply, result.http_status, result.why);
    }
    fields_destroy(body);
}

static void answer_orders(struct app *app, const struct request *req, struct reply *reply)
{
    const struct session *s = registry_find(&app->registry, req->tail);
    if (!s) {
        reply_error(reply, 404, "Session not found");
        return;
    }
    reply_open_data(reply);
    buf_add_char(&reply->body, '{');
    json_write_pair_string(&reply->body, "sessionId", req->tail);
    json_write_name(&reply->body, "knobs");
    knobs_write(&s->knobs, &reply->body);
    json_write_name(&reply->body, "orders");
    orders_write_all(s, &reply->body);
    buf_add_char(&reply->body, '}');
    reply_close_data(reply);
}

const struct route routes_training[] = {
    {"/api/training/sessions", METHOD_GET, SCOPE_READ, runs_list, "The runs, newest first"},
    {"/api/training/sessions/", METHOD_GET, SCOPE_READ, runs_show,
     "One run and what became of its metrics"},
    {"/api/training/sessions/", METHOD_DELETE, SCOPE_WRITE, runs_delete,
     "Forget a run and its history"},
    {"/api/training/sessions/", METHOD_PATCH, SCOPE_WRITE, runs_change, "Pin a run, or let it go"},
    {"/api/training/status/", METHOD_GET, SCOPE_READ, answer_status,
     "One run and its newest record"},
    {"/api/training/metrics/", METHOD_GET, SCOPE_READ, answer_metrics,
     "The newest record of a run"},
    {"/api/training/history/", METHOD_GET, SCOPE_READ, history_answer,
     "What a run has recorded so far"},
    {"/api/training/compare", METHOD_GET, SCOPE_READ, compare_answer,
     "Runs side by side, and which is better"},
    {"/api/training/insight/", METHOD_GET, SCOPE_READ, insight_answer,
     "What a run means: phase, ETA, advice"},
    {"/api/training/events/", METHOD_GET, SCOPE_READ, answer_events,
     "The events of a run, as Server-Sent Events"},
    {"/api/training/ingest", METHOD_POST, SCOPE_WRITE, answer_ingest,
     "Trainer lines, one JSON object a line"},
    {"/api/training/control/", METHOD_GET, SCOPE_READ, answer_orders,
     "What a run was told, by whom and why, and what came of it"},
    {"/api/training/control/", METHOD_POST, SCOPE_CONTROL, answer_control,
     "Tell the trainer of a run to stop, pause, resume, write a checkpoint or set a knob"},
    {NULL, 0, SCOPE_PUBLIC, NULL, NULL},
};
