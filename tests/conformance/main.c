/* SPDX-License-Identifier: MIT */
/*
 * The daemon with what the official Engine.IO and Socket.IO suites want to talk to: an Engine.IO
 * echo at /engine.io/, and in the namespaces "/" and "/custom" an `auth` event on connect,
 * `message` that comes back as `message-back`, and `message-with-ack` that is acknowledged with its
 * arguments; and beside them the routes of routes.h and the rows of agents.h. They are registered
 * on the tables every build has; the protocol code knows nothing of them.
 */
#include "base/buf.h"
#include "streamd/app.h"
#include "streamd/daemon.h"
#include "streamd/transport/socketio.h"
#include "tests/conformance/agents.h"
#include "tests/conformance/routes.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 1 << 20 };

static void echo_opened(struct engine *e)
{
    peer_settled(e->peer);
}

static void echo_message(struct engine *e, struct span message, bool binary)
{
    struct buf packet;
    if (binary) {
        engine_send_binary(e, message);
        return;
    }
    buf_init(&packet, TEXT_MAX);
    buf_add_char(&packet, '4');
    buf_add_span(&packet, message);
    engine_send_text(e, buf_span(&packet));
    buf_fini(&packet);
}

static void echo_closed(struct engine *e)
{
    (void)e;
}

static struct engine_mount echo = {
    .path = "/engine.io/",
    .opened = echo_opened,
    .message = echo_message,
    .closed = echo_closed,
};

/*
 * The `auth` event of one connect, said a moment later: the suites listen for one message at a
 * time, and with `ws` they miss the second of two that came in one segment, as all do that we say
 * within a wake-up.
 */
struct greeting {
    struct list link; /* in greetings */
    struct timer timer;
    struct peers *peers;                  /* borrows */
    const struct socketio_namespace *nsp; /* borrows */
    struct buf auth;
    char sid[ENGINE_SID_LEN];
};

enum { GREETING_US = 10 * 1000 };

static struct list greetings = {&greetings, &greetings};

static void on_greeting_due(struct timer *timer, uint64_t now_us)
{
    struct greeting *g = LIST_ENTRY(timer, struct greeting, timer);
    struct engine *e = strmap_find(&g->peers->engines, (struct span){g->sid, ENGINE_SID_LEN});
    (void)now_us;
    if (e && socketio_id(e, g->nsp).len > 0)
        socketio_emit(e, g->nsp, "auth", buf_span(&g->auth));
    list_remove(&g->link);
    buf_fini(&g->auth);
    free(g);
}

static void connected(struct engine *e, const struct socketio_namespace *nsp, struct span auth)
{
    struct peers *peers = e->peer->peers;
    struct greeting *g = calloc(1, sizeof(*g));
    if (!g)
        return;
    g->peers = peers;
    g->nsp = nsp;
    memcpy(g->sid, e->sid, ENGINE_SID_LEN);
    buf_init(&g->auth, TEXT_MAX);
    buf_add_span(&g->auth, auth.len ? auth : SPAN("{}"));
    timer_init(&g->timer, on_greeting_due);
    list_init(&g->link);
    list_add_tail(&greetings, &g->link);
    if (timers_arm(peers->timers, &g->timer, peers->now.us + GREETING_US) != OK)
        on_greeting_due(&g->timer, peers->now.us);
}

/* The call's arguments as an array, `first` before them when it is not empty. */
static void write_arguments(const struct socketio_call *call, struct span first, struct buf *out)
{
    buf_add_char(out, '[');
    buf_add_span(out, first);
    for (size_t i = 0; i < call->arg_count; i++) {
        if (i > 0 || first.len > 0)
            buf_add_char(out, ',');
        buf_add_span(out, call->args[i]);
    }
    buf_add_char(out, ']');
}

static void send_back(const struct socketio_call *call)
{
    struct buf array;
    buf_init(&array, TEXT_MAX);
    write_arguments(call, SPAN("\"message-back\""), &array);
    struct sio_packet packet = call->message->packet;
    packet.has_id = false;
    packet.data = buf_span(&array);
    socketio_send(call->engine, &packet, call->message->attachments);
    buf_fini(&array);
}

static void acknowledge(const struct socketio_call *call)
{
    struct buf array;
    buf_init(&array, TEXT_MAX);
    write_arguments(call, (struct span){0}, &array);
    struct sio_packet packet = call->message->packet;
    packet.type = packet.attachments ? SIO_BINARY_ACK : SIO_ACK;
    packet.data = buf_span(&array);
    socketio_send(call->engine, &packet, call->message->attachments);
    buf_fini(&array);
}

static const struct socketio_event events[] = {
    {"message", send_back},
    {"message-with-ack", acknowledge},
    {0},
};

static const struct socketio_namespace custom = {
    .name = "/custom",
    .connected = connected,
    .events = events,
};

/* Found before the daemon's own "/", which it stands in for. */
static struct socketio_namespace plain = {
    .name = "/",
    .connected = connected,
    .events = events,
    .next = &custom,
};

static void setup(struct app *app)
{
    echo.next = app->peers.mounts;
    app->peers.mounts = &echo;
    app->peers.namespaces = &plain;
    app->more_routes = conformance_routes;
    app->mcp.more = &conformance_agents;
}

int main(int argc, char **argv)
{
    return daemon_main(argc, argv, setup);
}
