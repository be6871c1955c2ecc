/* SPDX-License-Identifier: MIT */
#include "streamd/transport/socketio.h"

#include "proto/fields.h"
#include "proto/json_scan.h"
#include "proto/json_write.h"
#include "proto/sio.h"
#include "streamd/auth/guard.h"
#include "streamd/transport/peers.h"
#include "streamd/transport/random_id.h"
#include "streamd/transport/recovery.h"

#include <stdlib.h>

enum { NAMESPACES_MAX = 8, ARGS_MAX = 9 };

struct joined {
    const struct socketio_namespace *nsp; /* borrows */
    char id[SOCKETIO_ID_LEN + 1];
};

/* The Socket.IO part of an engine. */
struct socketio {
    struct sio_reader reader;
    struct joined joined[NAMESPACES_MAX];
    size_t count;
};

static struct joined *find_joined(const struct engine *e, struct span name)
{
    struct socketio *s = e->socketio;
    for (size_t i = 0; i < s->count; i++) {
        if (span_is(name, s->joined[i].nsp->name))
            return &s->joined[i];
    }
    return NULL;
}

struct span socketio_id(const struct engine *e, const struct socketio_namespace *nsp)
{
    struct joined *j = find_joined(e, span_of(nsp->name));
    return j ? span_of(j->id) : (struct span){NULL, 0};
}

void socketio_emit(struct engine *e, const struct socketio_namespace *nsp, const char *event,
                   struct span payload)
{
    struct buf packet;
    buf_init(&packet, e->peer->peers->config->max_outbox_bytes);
    sio_write_event(&packet, span_of(nsp->name), span_of(event), payload);
    if (buf_status(&packet) == OK)
        engine_send_text(e, buf_span(&packet));
    buf_fini(&packet);
}

void socketio_send(struct engine *e, const struct sio_packet *packet,
                   const struct span *attachments)
{
    struct buf text;
    buf_init(&text, e->peer->peers->config->max_outbox_bytes);
    sio_write_packet(&text, packet);
    if (buf_status(&text) == OK) {
        engine_send_text(e, buf_span(&text));
        for (unsigned i = 0; i < packet->attachments; i++)
            engine_send_binary(e, attachments[i]);
    }
    buf_fini(&text);
}

void socketio_ack(const struct socketio_call *call, struct span args)
{
    if (!call->message->packet.has_id)
        return;
    struct buf text;
    buf_init(&text, call->engine->peer->peers->config->max_outbox_bytes);
    sio_write_ack(&text, span_of(call->nsp->name), call->message->packet.id, args);
    if (buf_status(&text) == OK)
        engine_send_text(call->engine, buf_span(&text));
    buf_fini(&text);
}

static const struct socketio_namespace *find_namespace(const struct peers *peers, struct span name)
{
    for (const struct socketio_namespace *n = peers->namespaces; n; n = n->next) {
        if (span_is(name, n->name))
            return n;
    }
    return NULL;
}

static void refuse_connect(struct engine *e, struct span nsp, const char *why)
{
    struct buf *text = &e->peer->peers->text;
    buf_reset(text);
    sio_write_connect_error(text, nsp, span_of(why));
    engine_send_text(e, buf_span(text));
}

static void accept_connect(struct engine *e, struct joined *j, struct span auth)
{
    struct buf json;
    struct buf *text = &e->peer->peers->text;
    struct span pid = j->nsp->recovers ? recovery_connect(e, auth, j->id) : (struct span){NULL, 0};
    buf_init(&json, 256);
    buf_add_char(&json, '{');
    json_write_pair_string(&json, "sid", span_of(j->id));
    if (pid.len > 0)
        json_write_pair_string(&json, "pid", pid);
    buf_add_char(&json, '}');
    buf_reset(text);
    sio_write_connect(text, span_of(j->nsp->name), buf_span(&json));
    buf_fini(&json);
    engine_send_text(e, buf_span(text));
    peer_settled(e->peer);
    j->nsp->connected(e, j->nsp, auth);
    recovery_resume(e);
}

/* Who connects: by the token in his auth, else as whom his first request came. NULL, and he has
 * been refused: he may not watch. */
static const struct caller *caller_of(struct engine *e, const struct sio_packet *packet)
{
    const struct caller *caller = e->peer->caller;
    struct fields *auth = NULL;
    struct span token;
    char why[GUARD_WHY_MAX];
    if (packet->data.len > 0 && fields_parse(packet->data, &auth, NULL) == OK &&
        fields_is_object(auth) && fields_string(auth, "token", &token))
        caller = guard_token(e->peer->peers->guard, token);
    fields_destroy(auth);
    if (guard_allows(caller, SCOPE_READ, why))
        return caller;
    refuse_connect(e, packet->nsp, why);
    return NULL;
}

static void on_connect(struct engine *e, const struct sio_packet *packet)
{
    struct socketio *s = e->socketio;
    const struct socketio_namespace *nsp = find_namespace(e->peer->peers, packet->nsp);
    const struct caller *caller;
    if (packet->refused)
        refuse_connect(e, packet->nsp, packet->refused);
    else if (!nsp)
        refuse_connect(e, packet->nsp, "Invalid namespace");
    else if (find_joined(e, packet->nsp))
        return; /* a second CONNECT changes nothing */
    else if (s->count == NAMESPACES_MAX)
        refuse_connect(e, packet->nsp, "Too many namespaces");
    else if ((caller = caller_of(e, packet)) != NULL) {
        struct joined *j = &s->joined[s->count++];
        j->nsp = nsp;
        e->peer->caller = caller;
        random_id(j->id, SOCKETIO_ID_LEN);
        accept_connect(e, j, packet->data);
    }
}

static void on_disconnect(struct engine *e, const struct sio_packet *packet)
{
    struct socketio *s = e->socketio;
    struct joined *j = find_joined(e, packet->nsp);
    if (!j)
        return;
    const struct socketio_namespace *nsp = j->nsp;
    *j = s->joined[--s->count];
    if (nsp->disconnected)
        nsp->disconnected(e);
}

static void on_event(struct engine *e, const struct sio_message *m)
{
    struct joined *j = find_joined(e, m->packet.nsp);
    if (!j) {
        engine_fail(e, "event before connect");
        return;
    }
    struct span items[ARGS_MAX];
    size_t n;
    struct socketio_call call = {.engine = e, .nsp = j->nsp, .message = m};
    if (json_array_split(m->packet.data, items, ARGS_MAX, &n) == OK) {
        call.arg_count = n - 1;
        for (size_t i = 0; i + 1 < n; i++)
            call.args[i] = items[i + 1];
    }
    for (const struct socketio_event *at = j->nsp->events; at && at->name; at++) {
        if (span_is(m->packet.event, at->name)) {
            at->handle(&call);
            return;
        }
    }
    if (j->nsp->other)
        j->nsp->other(&call);
    else
        socketio_ack(&call, SPAN("[{\"success\":false,\"error\":\"no such event\"}]"));
}

static void dispatch(struct engine *e, const struct sio_message *m)
{
    switch (m->packet.type) {
    case SIO_CONNECT:
        on_connect(e, &m->packet);
        break;
    case SIO_DISCONNECT:
        on_disconnect(e, &m->packet);
        break;
    case SIO_EVENT:
    case SIO_BINARY_EVENT:
        on_event(e, m);
        break;
    case SIO_ACK:
    case SIO_BINARY_ACK:
        break; /* we never ask for one */
    case SIO_CONNECT_ERROR:
        engine_fail(e, "unexpected packet type");
        break;
    }
}

static void opened(struct engine *e)
{
    e->socketio = calloc(1, sizeof(*e->socketio));
    if (!e->socketio) {
        peer_close(e->peer, CLOSE_INTERNAL, "out of memory");
        return;
    }
    sio_reader_init(&e->socketio->reader, e->peer->peers->config->max_payload, SIO_ATTACHMENTS_MAX);
}

static void message(struct engine *e, struct span bytes, bool binary)
{
    struct sio_message m;
    const char *why;
    struct sio_reader *reader = &e->socketio->reader;
    enum sio_progress progress = binary ? sio_reader_binary(reader, bytes, &m, &why)
                                        : sio_reader_text(reader, bytes, &m, &why);
    if (progress == SIO_ERROR)
        engine_fail(e, why);
    else if (progress == SIO_PACKET)
        dispatch(e, &m);
}

/* May be called from within a dispatch of ours: the reader is freed with the engine. */
static void closed(struct engine *e)
{
    if (e->socketio)
        e->socketio->count = 0;
}

static void destroy(struct engine *e)
{
    if (!e->socketio)
        return;
    sio_reader_fini(&e->socketio->reader);
    free(e->socketio);
}

const struct engine_mount engine_mount_socketio = {
    .path = "/socket.io/",
    .opened = opened,
    .message = message,
    .closed = closed,
    .destroy = destroy,
};
