/* SPDX-License-Identifier: MIT */
/*
 * A refusal is a row, so that curl's status and the words of a socket's acknowledgement cannot come
 * apart. A stop of a run that is over is refused too: whoever asks believes something that is not
 * so, and should hear of it. (The legacy pages expect a success there, and see to it themselves.)
 */
#include "streamd/ingest/control.h"

#include "proto/fields.h"
#include "streamd/http/trainer_command.h"
#include "streamd/ingest/unix.h"
#include "streamd/log.h"

enum { REASON_BYTES_MAX = 1024 };

static const char *const commands[] = {"stop", "pause", "resume", "checkpoint"};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static const struct control_refusal bad_command = {
    400, "command must be stop, pause, resume or checkpoint"};
static const struct control_refusal bad_reason = {400,
                                                  "reason must be a string of at most 1024 bytes"};
static const struct control_refusal no_session = {404, "Session not found"};
static const struct control_refusal over = {409, "The run is over"};
static const struct control_refusal no_trainer = {409, "No trainer of this session is connected"};

static bool is_command(struct span text)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (span_is(text, commands[i]))
            return true;
    }
    return false;
}

bool control_read(const struct fields *body, struct control_order *order,
                  const struct control_refusal **out_refusal)
{
    struct span command = {NULL, 0};
    struct span reason = {NULL, 0};
    if (!body || !fields_string(body, "command", &command) || !is_command(command)) {
        *out_refusal = &bad_command;
        return false;
    }
    bool said = fields_has(body, "reason");
    if (said && (!fields_string(body, "reason", &reason) || reason.len > REASON_BYTES_MAX)) {
        *out_refusal = &bad_reason;
        return false;
    }
    order->command = command;
    order->reason = reason;
    return true;
}

bool control_tell(const struct control *c, const struct control_order *order)
{
    bool stop = span_is(order->command, "stop");
    size_t told = c->unix_ingest ? unix_ingest_control(c->unix_ingest, order->session_id,
                                                       order->command, order->reason)
                                 : 0;
    bool signalled =
        told == 0 && stop && c->trainers && trainer_command_stop(c->trainers, order->session_id);
    if (told == 0 && !signalled)
        return false;
    struct log_text texts[3];
    log_info("control", "told session=%s command=%s trainers=%zu signalled=%d reason=%s",
             log_quoted(&texts[0], order->session_id), log_quoted(&texts[1], order->command), told,
             signalled, log_quoted(&texts[2], order->reason));
    if (c->trainers && !span_is(order->command, "checkpoint"))
        trainer_command_set_paused(c->trainers, order->session_id,
                                   span_is(order->command, "pause"));
    return true;
}

const struct control_refusal *control_send(const struct control *c,
                                           const struct control_order *order)
{
    const struct session *s = registry_find_live(c->registry, order->session_id);
    if (!s)
        return &no_session;
    if (session_finished(s))
        return &over;
    return control_tell(c, order) ? NULL : &no_trainer;
}
