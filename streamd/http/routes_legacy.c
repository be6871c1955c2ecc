/* SPDX-License-Identifier: MIT */
/*
 * The older pages that only poll, as a view on the same sessions: they start the command of
 * --trainer-command, tell its trainer to pause, and read the newest record in the compatibility
 * form. What they press is in legacy_control.c; here is what they read.
 *
 * They know other words than we do. A page that is told "starting" stops polling and shows no
 * button, so a session runs from the moment it was started; "stopped" gives it the start button
 * back, where the newer of these pages want to hear "error".
 */
#include "proto/json_write.h"
#include "proto/query.h"
#include "proto/record_json.h"
#include "streamd/app.h"
#include "streamd/http/compat_view.h"
#include "streamd/http/legacy_control.h"
#include "streamd/http/router.h"

static struct span status_of(const struct app *app, const struct session *s, const char *failed)
{
    switch (s->state) {
    case SESSION_COMPLETED:
        return SPAN("completed");
    case SESSION_FAILED:
    case SESSION_EXPIRED:
        return span_of(failed);
    default:
        break;
    }
    bool paused =
        app->control.trainers && trainer_command_paused(app->control.trainers, session_id(s));
    return paused ? SPAN("paused") : SPAN("running");
}

/* {"sessionId","status","metrics"}, and the error of a run that failed */
static void answer_view(struct app *app, const struct request *req, struct span id,
                        const char *failed, struct reply *reply)
{
    struct session *s = registry_find_live(&app->registry, id);
    struct buf *out = &reply->body;
    struct record record;
    if (!s) {
        reply_error(reply, 404, "Session not found");
        return;
    }
    compat_view(s, req->now.wall_s, &record);
    buf_add_char(out, '{');
    json_write_pair_string(out, "sessionId", session_id(s));
    json_write_pair_string(out, "status", status_of(app, s, failed));
    json_write_name(out, "metrics");
    record_write_payload(out, &record);
    json_write_name(out, "timestamp");
    num_write_rounded(out, s->last_update_s, 3);
    if (s->error)
        json_write_pair_string(out, "error", span_of(s->error));
    buf_add_char(out, '}');
}

static void answer_phase(struct app *app, const struct request *req, struct reply *reply)
{
    struct query_value id;
    if (query_find(req->query, "sessionId", &id) && id.len > 0)
        answer_view(app, req, query_span(&id), "stopped", reply);
    else
        reply_error(reply, 400, "sessionId required");
}

static void answer_status(struct app *app, const struct request *req, struct reply *reply)
{
    answer_view(app, req, req->tail, "error", reply);
}

const struct route routes_legacy[] = {
    {"/api/phases/cognate", METHOD_POST, SCOPE_CONTROL, legacy_phase,
     "Start, pause, resume or stop a trainer"},
    {"/api/phases/cognate", METHOD_GET, SCOPE_READ, answer_phase,
     "A run as the older pages poll it"},
    {"/api/cognate/start", METHOD_POST, SCOPE_CONTROL, legacy_start, "Start a trainer"},
    {"/api/cognate/status/", METHOD_GET, SCOPE_READ, answer_status,
     "A run as the older pages poll it"},
    {"/api/cognate/stop/", METHOD_POST, SCOPE_CONTROL, legacy_stop, "Stop a trainer"},
    {"/api/progress/", METHOD_GET, SCOPE_READ, answer_status, "A run as the older pages poll it"},
    {NULL, 0, SCOPE_PUBLIC, NULL, NULL},
};
