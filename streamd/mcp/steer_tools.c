/* SPDX-License-Identifier: MIT */
/*
 * request_stop and start_training. A run whose trainer was told to stop is stopping, and has
 * stopped when it is over; that it was told is said, never that it has obeyed. Who asked and why is
 * in the audit of its orders, as with any other.
 */
#include "streamd/mcp/tools.h"

#include "proto/json_write.h"
#include "streamd/app.h"
#include "streamd/http/legacy_control.h"
#include "streamd/mcp/run_words.h"
#include "streamd/session/interpreter.h"

#include <math.h>
#include <stdio.h>

/* ---- request_stop ---- */

/* The daemon sees no files: it can say of which epoch the best checkpoint is. */
static void write_checkpoint(const struct session *s, struct buf *out)
{
    const struct assessment *a = session_assessment(s);
    char text[64];
    if (!a || !isfinite(a->best.epoch)) {
        json_write_pair_raw(out, "will_keep_checkpoint", SPAN("null"));
        return;
    }
    (void)snprintf(text, sizeof(text), "of epoch %.15g", a->best.epoch);
    json_write_pair_string(out, "will_keep_checkpoint", span_of(text));
}

static void write_stop(const struct session *s, bool accepted, const char *note,
                       struct reply *reply)
{
    struct buf *out = &reply->body;
    buf_add_char(out, '{');
    json_write_pair_bool(out, "accepted", accepted);
    json_write_pair_string(out, "status", span_of(run_status(s)));
    if (accepted)
        write_checkpoint(s, out);
    json_write_pair_string(out, "note", span_of(note));
    buf_add_char(out, '}');
}

static const char note_told[] = "The trainer was told. Wait for type status to see it end.";
static const char note_dry[] = "Dry run: nothing was said; a trainer would be told.";
static const char note_before[] = "It was asked to stop before. Wait for type status.";

/* A kill is as soon as a trainer can; the daemon itself ends only processes that it started. */
static struct order_ask ask_of(const struct mcp_call *call, const struct session *s)
{
    struct span mode = answer_text(call, "mode", SPAN("after_epoch"));
    return (struct order_ask){.session_id = session_id(s),
                              .command = ORDER_STOP,
                              .reason = answer_text(call, "reason", SPAN("")),
                              .mode = span_is(mode, "kill") ? SPAN("after_batch") : mode,
                              .dry_run = answer_flag(call, "dry_run"),
                              .who = {.via = SPAN("mcp"), .client = mcp_call_client(call)}};
}

void answer_request_stop(struct mcp_call *call, struct reply *reply)
{
    struct session *s = answer_session(call, "session_id", reply);
    struct control_result result;
    if (!s)
        return;
    const struct order_ask ask = ask_of(call, s);
    if (run_is_over(s))
        write_stop(s, false, "The run is over.", reply);
    else if (!ask.dry_run && run_stop_order(s))
        write_stop(s, true, note_before, reply);
    else if (control_send(&call->app->control, &ask, call->now, &result))
        write_stop(s, true, ask.dry_run ? note_dry : note_told, reply);
    else
        write_stop(s, false, result.why, reply);
}

/* ---- start_training ---- */

static void write_started(const struct session *s, struct reply *reply)
{
    struct buf *out = &reply->body;
    reply->status = 200;
    buf_reset(out);
    buf_add_char(out, '{');
    json_write_pair_string(out, "session_id", session_id(s));
    json_write_pair_string(out, "status", span_of(run_status(s)));
    buf_add_char(out, '}');
}

static void start(struct mcp_call *call, struct span id, struct reply *reply)
{
    struct buf body;
    buf_init(&body, 1024);
    buf_add_char(&body, '{');
    json_write_pair_string(&body, "sessionId", id);
    buf_add_char(&body, '}');
    const struct request req = {.method = METHOD_POST,
                                .body = buf_span(&body),
                                .content_type = SPAN("application/json"),
                                .now = call->now};
    legacy_start(call->app, &req, reply);
    const struct session *s = registry_find(&call->app->registry, id);
    if (reply->status == 200 && s)
        write_started(s, reply);
    buf_fini(&body);
}

void answer_start_training(struct mcp_call *call, struct reply *reply)
{
    struct span id = answer_text(call, "project_id", SPAN(""));
    const struct session *s = registry_find_live(&call->app->registry, id);
    if (!call->app->control.trainers)
        answer_refuse(reply, "No trainer is configured: the daemon has to be started with "
                             "--trainer-command. A trainer that is started elsewhere appears in "
                             "list_sessions by itself.");
    else if (!session_id_valid(id))
        answer_refuse(reply, "project_id must be 1 to 128 of A-Z a-z 0-9 . _ : -");
    else if (s && !session_finished(s))
        write_started(s, reply);
    else
        start(call, id, reply);
}
