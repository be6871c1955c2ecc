/* SPDX-License-Identifier: MIT */
/*
 * An order to a run that is over is refused: whoever asks believes something that is not so, and
 * should hear of it. (The legacy pages expect a success there, and see to it themselves.) An order
 * that is refused is kept like any other, so that an audit also has what was tried.
 */
#include "streamd/ingest/control.h"

#include "proto/fields.h"
#include "proto/json_write.h"
#include "streamd/auth/caller.h"
#include "streamd/http/request.h"
#include "streamd/http/trainer_command.h"
#include "streamd/ingest/unix.h"
#include "streamd/session/registry.h"

#include <stdio.h>

/* False, and *out says why. */
static bool refuse(struct control_result *out, int http_status, const char *why)
{
    out->http_status = http_status;
    (void)snprintf(out->why, sizeof(out->why), "%s", why);
    return false;
}

struct order_who control_who(const struct request *req, struct span via)
{
    return (struct order_who){.via = via,
                              .peer = req->peer,
                              .caller = span_of(req->caller ? req->caller->name : ""),
                              .client = req->user_agent};
}

/* ---- reading ---- */

static bool read_command(const struct fields *body, struct order_ask *ask,
                         struct control_result *out)
{
    struct span name = {NULL, 0};
    bool given = body && fields_string(body, "command", &name);
    ask->command = given ? order_command_find(name) : ORDER_COMMANDS;
    return ask->command != ORDER_COMMANDS ||
           refuse(out, 400, "command must be stop, pause, resume, checkpoint or set");
}

static bool read_mode(const struct fields *body, struct order_ask *ask, struct control_result *out)
{
    if (!fields_has(body, "mode"))
        return true;
    bool known = fields_string(body, "mode", &ask->mode) && ask->command == ORDER_STOP &&
                 (span_is(ask->mode, "after_epoch") || span_is(ask->mode, "after_batch"));
    return known || refuse(out, 400, "mode is of a stop: after_epoch or after_batch");
}

static bool read_knob(const struct fields *body, struct order_ask *ask, struct control_result *out)
{
    if (ask->command != ORDER_SET)
        return true;
    bool named = fields_string(body, "knob", &ask->knob) && ask->knob.len <= KNOB_NAME_BYTES_MAX;
    return (named && knob_value_find(body, "value", &ask->value)) ||
           refuse(out, 400, "set needs knob, a name, and value, a number, true or false");
}

static bool read_words(const struct fields *body, struct order_ask *ask, struct control_result *out)
{
    if (fields_has(body, "reason") &&
        (!fields_string(body, "reason", &ask->reason) || ask->reason.len > ORDER_REASON_BYTES_MAX))
        return refuse(out, 400, "reason must be a string of at most 1024 bytes");
    if (fields_has(body, "client") && (!fields_string(body, "client", &ask->who.client) ||
                                       ask->who.client.len > ORDER_WORDS_BYTES_MAX))
        return refuse(out, 400, "client must be a string of at most 256 bytes");
    return !fields_has(body, "dry_run") || fields_bool(body, "dry_run", &ask->dry_run) ||
           refuse(out, 400, "dry_run must be true or false");
}

bool control_read(const struct fields *body, struct order_ask *ask, struct control_result *out)
{
    struct order_ask read = *ask;
    *out = (struct control_result){.http_status = 200};
    bool good = read_command(body, &read, out) && read_mode(body, &read, out) &&
                read_knob(body, &read, out) && read_words(body, &read, out);
    if (good)
        *ask = read;
    return good;
}

/* ---- telling ---- */

static bool refuse_order(struct control_result *out, struct order *o, int http_status,
                         const char *why, struct now now)
{
    orders_refuse(o, why, now);
    return refuse(out, http_status, why);
}

/* Is it something that can be asked of this run now? */
static bool may_ask(struct session *s, const struct order_ask *ask, struct control_result *out)
{
    if (session_finished(s))
        return refuse(out, 409, "The run is over");
    if (ask->command == ORDER_SET && !knobs_allow(&s->knobs, ask->knob, ask->value, out->why)) {
        out->http_status = 422;
        return false;
    }
    return orders_open(s) < ORDERS_OPEN_MAX ||
           refuse(out, 429, "16 orders to this run wait for an answer");
}

static size_t tell(const struct control *c, const struct order *o)
{
    struct buf value;
    buf_init(&value, KNOB_WHY_MAX);
    if (o->command == ORDER_SET)
        knob_value_write_bare(&value, o->value);
    const struct line_control line = {.session_id = session_id(o->session),
                                      .id = o->id,
                                      .command = span_of(order_command_name(o->command)),
                                      .mode = span_of(o->mode),
                                      .knob = span_of(o->knob),
                                      .value = buf_span(&value),
                                      .reason = span_of(o->reason)};
    size_t told =
        c->unix_ingest && buf_status(&value) == OK ? unix_ingest_control(c->unix_ingest, &line) : 0;
    buf_fini(&value);
    return told;
}

/* The legacy views show whether a run is paused. */
static void note_paused(const struct control *c, const struct order *o)
{
    bool changes =
        o->command == ORDER_PAUSE || o->command == ORDER_RESUME || o->command == ORDER_STOP;
    if (c->trainers && changes)
        trainer_command_set_paused(c->trainers, session_id(o->session), o->command == ORDER_PAUSE);
}

static bool preview(const struct control *c, struct order *o, struct control_result *out,
                    struct now now)
{
    struct span id = session_id(o->session);
    o->trainers = c->unix_ingest ? unix_ingest_listeners(c->unix_ingest, id) : 0;
    o->signalled = o->trainers == 0 && o->command == ORDER_STOP && c->trainers &&
                   trainer_command_runs(c->trainers, id);
    if (o->trainers == 0 && !o->signalled)
        return refuse_order(out, o, 409, "No trainer of this session is connected", now);
    orders_keep(o);
    return true;
}

static bool say(const struct control *c, struct order *o, struct control_result *out,
                struct now now)
{
    size_t told = tell(c, o);
    bool signalled = told == 0 && o->command == ORDER_STOP && c->trainers &&
                     trainer_command_stop(c->trainers, session_id(o->session));
    if (told == 0 && !signalled)
        return refuse_order(out, o, 409, "No trainer of this session is connected", now);
    note_paused(c, o);
    orders_told(o, told, signalled, now);
    return true;
}

bool control_send(const struct control *c, const struct order_ask *ask, struct now now,
                  struct control_result *out)
{
    *out = (struct control_result){.http_status = 200};
    struct session *s = registry_find_live(c->registry, ask->session_id);
    if (!s)
        return refuse(out, 404, "Session not found");
    struct order *o = orders_add(s, ask, now);
    if (!o)
        return refuse(out, 503, "Out of memory");
    out->order = o;
    if (!may_ask(s, ask, out)) {
        orders_refuse(o, out->why, now);
        return false;
    }
    return ask->dry_run ? preview(c, o, out, now) : say(c, o, out, now);
}

void control_write_told(const struct control_result *result, struct buf *out)
{
    const struct order *o = result->order;
    json_write_pair_string(out, "sessionId", session_id(o->session));
    json_write_pair_string(out, "command", span_of(order_command_name(o->command)));
    json_write_name(out, "order");
    order_write(o, out);
}
