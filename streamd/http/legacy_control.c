/* SPDX-License-Identifier: MIT */
/*
 * A start registers the session before the trainer is there, so that the page's first poll, a
 * second later, finds it. If the command then cannot be spawned the session is taken away again,
 * unless it had a history: then it fails, visibly.
 *
 * A stop goes to the trainer as a control line, so that it can save and say `complete`. A trainer
 * that has not connected yet hears no line and gets SIGTERM. A stop of what has ended is done
 * already; any other command that nobody hears is a 409, for "success" would be a lie.
 */
#include "streamd/http/legacy_control.h"

#include "proto/json_write.h"
#include "streamd/app.h"
#include "streamd/http/body.h"

#include <stdio.h>

static void answer_success(struct reply *reply, struct span id, const char *status)
{
    struct buf *out = &reply->body;
    buf_add_char(out, '{');
    json_write_pair_bool(out, "success", true);
    json_write_pair_string(out, "sessionId", id);
    json_write_pair_string(out, "status", span_of(status));
    buf_add_char(out, '}');
}

/*
 * What the trainer and the session get: the page's own object, and num_models, the pages' word,
 * also under the name that everybody else understands.
 */
static void write_config(struct span config, const struct fields *body, struct buf *out)
{
    double models;
    if (config.len == 0) {
        buf_add_str(out, "{}");
        return;
    }
    json_write_minified(out, config);
    if (buf_status(out) != OK || !fields_number(body, "num_models", &models) ||
        fields_has(body, "model_count"))
        return;
    out->len--; /* its brace */
    json_write_pair_double(out, "model_count", models);
    buf_add_char(out, '}');
}

static void launch(struct app *app, const struct request *req, struct span id, struct span config,
                   struct reply *reply)
{
    struct session *s = NULL;
    struct line line = {.type = LINE_START, .session_id = id, .config = config};
    bool known = id.len > 0 && registry_find(&app->registry, id) != NULL;
    enum status status = registry_start(&app->registry, &line, req->now, &s);
    if (status != OK) {
        reply_error(reply, 503, status == E_LIMIT ? "Too many sessions" : "Out of memory");
        return;
    }
    status = trainer_command_start(app->control.trainers, session_id(s), config);
    if (status == OK) {
        answer_success(reply, session_id(s), "running");
        return;
    }
    reply_error(reply, 500, "The trainer command could not be started");
    if (known)
        session_fail(s, SPAN("the trainer command could not be started"), req->now);
    else
        registry_remove(&app->registry, s);
}

static bool may_spawn(struct app *app, struct span id, struct reply *reply)
{
    enum status status = trainer_command_may_start(app->control.trainers, id);
    if (status == E_STATE)
        reply_error(reply, 409, "A trainer of this session runs already");
    else if (status != OK)
        reply_error(reply, 503, "As many trainers as may run at once are running");
    return status == OK;
}

/* What must hold before a session is touched. */
static bool may_launch(struct app *app, struct span id, const struct buf *config,
                       struct reply *reply)
{
    const struct session *s = id.len > 0 ? registry_find_live(&app->registry, id) : NULL;
    if (!app->control.trainers)
        reply_error(reply, 503,
                    "There is no trainer command: start the daemon with --trainer-command");
    else if (id.len > 0 && !session_id_valid(id))
        reply_error(reply, 400, "sessionId must be 1 to 128 of A-Z a-z 0-9 . _ : -");
    else if (s && !session_finished(s))
        reply_error(reply, 409, "This session is running already");
    else if (buf_status(config) == E_LIMIT)
        reply_error(reply, 413, "The config is longer than 65536 bytes");
    else if (buf_status(config) != OK)
        reply_error(reply, 503, "Out of memory");
    else
        return may_spawn(app, id, reply);
    return false;
}

static void start(struct app *app, const struct request *req, struct span id, struct span config,
                  const struct fields *body, struct reply *reply)
{
    struct buf text;
    buf_init(&text, TRAINER_CONFIG_BYTES_MAX);
    write_config(config, body, &text);
    if (may_launch(app, id, &text, reply))
        launch(app, req, id, buf_span(&text), reply);
    buf_fini(&text);
}

/* The session, or NULL and the reply says why not. */
static struct session *find(struct app *app, struct span id, struct reply *reply)
{
    struct session *s = registry_find_live(&app->registry, id);
    if (!s)
        reply_error(reply, id.len > 0 ? 404 : 400,
                    id.len > 0 ? "Session not found" : "sessionId required");
    return s;
}

static const struct command {
    const char *name;
    const char *status; /* what the page shows afterwards */
} commands[] = {
    {"pause", "paused"},
    {"resume", "running"},
    {"stop", "stopped"},
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void control(struct app *app, const struct request *req, struct span id,
                    const struct command *command, struct reply *reply)
{
    struct session *s = find(app, id, reply);
    if (!s)
        return;
    const struct order_ask ask = {.session_id = id,
                                  .command = order_command_find(span_of(command->name)),
                                  .reason = SPAN("asked for by a page"),
                                  .who = control_who(req, SPAN("legacy"))};
    struct control_result result;
    bool over = session_finished(s) && ask.command == ORDER_STOP;
    if (!over && !control_send(&app->control, &ask, req->now, &result)) {
        reply_error(reply, result.http_status, result.why);
        return;
    }
    answer_success(reply, id, command->status);
}

static const struct command *find_command(struct span action)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (span_is(action, commands[i].name))
            return &commands[i];
    }
    return NULL;
}

void legacy_phase(struct app *app, const struct request *req, struct reply *reply)
{
    struct span action = {NULL, 0};
    struct span id = {NULL, 0};
    struct fields *body = body_read(req, reply);
    if (!body)
        return;
    (void)fields_string(body, "action", &action);
    (void)fields_string(body, "sessionId", &id);
    const struct command *command = find_command(action);
    const struct fields *config = fields_object(body, "config");
    struct span raw = {NULL, 0};
    (void)json_member(req->body, JSON_STRICT, "config", &raw);
    if (command)
        control(app, req, id, command, reply);
    else if (span_is(action, "start"))
        start(app, req, (struct span){NULL, 0}, config ? raw : (struct span){NULL, 0}, config,
              reply);
    else
        reply_error(reply, 400, "action must be start, pause, resume or stop");
    fields_destroy(body);
}

void legacy_start(struct app *app, const struct request *req, struct reply *reply)
{
    struct span id = {NULL, 0};
    struct fields *body = body_read(req, reply);
    if (!body)
        return;
    (void)fields_string(body, "sessionId", &id);
    start(app, req, id, span_trim(req->body), body, reply);
    fields_destroy(body);
}

void legacy_stop(struct app *app, const struct request *req, struct reply *reply)
{
    control(app, req, req->tail, &commands[COMMANDS - 1], reply);
}
