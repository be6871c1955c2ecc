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
#include "streamd/http/compat_view.h"
#include "streamd/http/history.h"
#include "streamd/http/params.h"
#include "streamd/http/router.h"
#include "streamd/http/run_etag.h"
#include "streamd/ingest/push.h"

enum { SESSIONS_LIMIT_MAX = 1000 };

/* The state of that name, or SESSION_STATES. */
static enum session_state state_named(struct span name)
{
    unsigned state = 0;
    while (state < SESSION_STATES && !span_is(name, session_state_name(state)))
        state++;
    return state;
}

static bool listed(const struct session *s, enum session_state wanted)
{
    return wanted == SESSION_STATES ? s->state != SESSION_EXPIRED : s->state == wanted;
}

/* The live runs, or those of one state; expired ones only when asked for. */
static void write_sessions(struct registry *registry, enum session_state wanted, uint64_t limit,
                           uint64_t offset, struct buf *out)
{
    uint64_t total = 0;
    buf_add_str(out, "{\"sessions\":[");
    LIST_EACH (at, &registry->sessions) {
        struct session *s = LIST_ENTRY(at, struct session, link);
        if (!listed(s, wanted))
            continue;
        if (total >= offset && total - offset < limit) {
            json_write_comma(out);
            session_write_summary(s, out);
        }
        total++;
    }
    buf_add_char(out, ']');
    json_write_pair_u64(out, "total", total);
    buf_add_char(out, '}');
}

static void answer_sessions(struct app *app, const struct request *req, struct reply *reply)
{
    struct query_value status;
    enum session_state wanted = SESSION_STATES;
    uint64_t limit = param_limit(req);
    uint64_t offset = 0;
    if (!param_u64(req, "offset", reply, &offset))
        return;
    if (query_find(req->query, "status", &status)) {
        wanted = state_named(query_span(&status));
        if (wanted == SESSION_STATES) {
            reply_error(reply, 400,
                        "status must be starting, running, completed, failed or expired");
            return;
        }
    }
    reply_open_data(reply);
    write_sessions(&app->registry, wanted, limit < SESSIONS_LIMIT_MAX ? limit : SESSIONS_LIMIT_MAX,
                   offset, &reply->body);
    reply_close_data(reply);
}

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

const struct route routes_training[] = {
    {"/api/training/sessions", METHOD_GET, answer_sessions, "The runs, newest first"},
    {"/api/training/status/", METHOD_GET, answer_status, "One run and its newest record"},
    {"/api/training/metrics/", METHOD_GET, answer_metrics, "The newest record of a run"},
    {"/api/training/history/", METHOD_GET, history_answer, "What a run has recorded so far"},
    {"/api/training/events/", METHOD_GET, answer_events,
     "The events of a run, as Server-Sent Events"},
    {"/api/training/ingest", METHOD_POST, answer_ingest, "Trainer lines, one JSON object a line"},
    {NULL, 0, NULL, NULL},
};
