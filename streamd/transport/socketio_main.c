/* SPDX-License-Identifier: MIT */
/*
 * The daemon's own namespace "/": its events are the commands of watch.h, so a Socket.IO client and
 * a plain WebSocket ask for the same things in the same words.
 */
#include "streamd/transport/socketio.h"

#include "proto/json_write.h"
#include "streamd/transport/peers.h"
#include "streamd/transport/recovery.h"
#include "streamd/transport/watch.h"

static void connected(struct engine *e, const struct socketio_namespace *nsp, struct span auth)
{
    (void)auth;
    struct buf json;
    buf_init(&json, 256);
    buf_add_char(&json, '{');
    json_write_pair_string(&json, "client_id", socketio_id(e, nsp));
    buf_add_char(&json, '}');
    peer_send_event(e->peer, "connection_established", buf_span(&json));
    buf_fini(&json);
}

static void disconnected(struct engine *e)
{
    subscriber_leave_all(&e->peer->subscriber);
    recovery_forget(e); /* it left on purpose */
}

static void command(const struct socketio_call *call)
{
    struct buf ack;
    buf_init(&ack, WATCH_ACK_BYTES_MAX);
    struct span data = call->arg_count ? call->args[0] : (struct span){NULL, 0};
    buf_add_char(&ack, '[');
    if (!watch_command(call->engine->peer, call->message->packet.event, data, &ack))
        buf_add_str(&ack, "{\"success\":false,\"error\":\"no such event\"}");
    buf_add_char(&ack, ']');
    socketio_ack(call, buf_span(&ack));
    buf_fini(&ack);
}

const struct socketio_namespace socketio_main = {
    .name = "/",
    .connected = connected,
    .disconnected = disconnected,
    .other = command,
    .recovers = true,
};
