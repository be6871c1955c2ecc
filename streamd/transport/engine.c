/* SPDX-License-Identifier: MIT */
/*
 * The session and its packets; the polling requests are in engine_poll.c. While a WebSocket is
 * probing, polls end at once with a noop and nothing is sent on either road, so that no packet can
 * be lost or doubled at the change: what waits in the outbox goes out on the WebSocket after its
 * `5`, or on the next poll when the probe came to nothing.
 */
#include "streamd/transport/engine.h"

#include "proto/eio.h"
#include "proto/query.h"
#include "proto/wsframe.h"
#include "streamd/transport/engine_poll.h"
#include "streamd/transport/front.h"
#include "streamd/transport/peers.h"
#include "streamd/transport/random_id.h"
#include "streamd/transport/recovery.h"
#include "streamd/transport/replay.h"
#include "streamd/transport/socketio.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const struct dialect dialect_engine;

const struct engine_mount *engine_mount_find(const struct peers *peers, struct span path)
{
    for (const struct engine_mount *m = peers->mounts; m; m = m->next) {
        struct span mount = span_of(m->path);
        bool bare = path.len + 1 == mount.len && span_starts(mount, path);
        if (bare || span_eq(path, mount))
            return m;
    }
    return NULL;
}

static void send_open(struct engine *e)
{
    const struct config *config = e->peer->peers->config;
    struct buf *text = &e->peer->peers->text;
    buf_reset(text);
    eio_write_open(text, &(struct eio_open){
                             .sid = {e->sid, ENGINE_SID_LEN},
                             .upgrades = e->transport == ENGINE_POLLING,
                             .ping_interval_ms = (uint32_t)config->ping_interval_ms,
                             .ping_timeout_ms = (uint32_t)config->ping_timeout_ms,
                             .max_payload_bytes = (uint32_t)config->max_payload,
                         });
    engine_send_text(e, buf_span(text));
}

static enum form ws_form(const struct link *l)
{
    return l->deflate ? FORM_SOCKETIO_DEFLATED : FORM_SOCKETIO;
}

struct engine *engine_create(struct peers *peers, const struct engine_mount *mount, struct link *ws,
                             const struct request *req)
{
    struct query_value recover;
    struct engine *e = calloc(1, sizeof(*e));
    if (!e)
        return NULL;
    wait_init(&e->upgrade);
    e->mount = mount;
    e->asks_recovery =
        query_find(req->query, "recover", &recover) && span_is(query_span(&recover), "1");
    e->transport = ws ? ENGINE_WEBSOCKET : ENGINE_POLLING;
    random_id(e->sid, ENGINE_SID_LEN);
    if (strmap_put(&peers->engines, (struct span){e->sid, ENGINE_SID_LEN}, e) != OK) {
        free(e);
        return NULL;
    }
    e->peer = peer_create(peers, &dialect_engine, ws, ws ? ws_form(ws) : FORM_PACKET);
    if (!e->peer) {
        (void)strmap_take(&peers->engines, (struct span){e->sid, ENGINE_SID_LEN});
        free(e);
        return NULL;
    }
    e->peer->engine = e;
    e->peer->caller = req->caller;
    send_open(e);
    mount->opened(e);
    return e;
}

void engine_destroy(struct engine *e)
{
    if (!e)
        return;
    assert(!e->poll && !e->probe && !e->post && !wait_pending(&e->upgrade));
    if (e->mount->destroy)
        e->mount->destroy(e);
    free(e);
}

bool engine_is_adrift(const struct engine *e)
{
    return e->transport == ENGINE_POLLING && !e->poll && !e->post;
}

void engine_send_text(struct engine *e, struct span packet)
{
    if (e->peer->state == PEER_OPEN)
        subscriber_push(&e->peer->subscriber, refbuf_create(packet), FINISH_TEXT);
}

void engine_send_binary(struct engine *e, struct span bytes)
{
    if (e->peer->state == PEER_OPEN)
        subscriber_push(&e->peer->subscriber, refbuf_create(bytes), FINISH_BINARY);
}

void engine_fail(struct engine *e, const char *why)
{
    if (e->peer->state != PEER_OPEN)
        return;
    e->failed = true;
    e->peer->peers->stats->errors++;
    peer_close(e->peer, CLOSE_PROTOCOL, why);
}

void engine_packet(struct engine *e, const struct eio_packet *packet)
{
    switch (packet->type) {
    case EIO_PONG:
        peer_alive(e->peer);
        break;
    case EIO_MESSAGE:
        e->mount->message(e, packet->data, packet->binary);
        break;
    case EIO_CLOSE:
        engine_poll_noop(e);
        peer_close(e->peer, CLOSE_NORMAL, "closed by client");
        break;
    case EIO_NOOP:
        break;
    case EIO_OPEN:
    case EIO_PING:
    case EIO_UPGRADE:
        engine_fail(e, "unexpected packet type");
        break;
    }
}

/* One frame to one link, past the outbox: only the probe's answer goes this way. */
static void write_frame(struct link *l, const char *text)
{
    unsigned char frame[WS_HEADER_MAX + 16];
    size_t n = strlen(text);
    assert(n <= 16);
    size_t head = wsframe_header(frame, WS_TEXT, false, n);
    memcpy(frame + head, text, n);
    l->ops->write(l, (struct span){(const char *)frame, head + n});
}

static void drop_probe(struct engine *e)
{
    struct link *l = e->probe;
    if (!l)
        return;
    e->probe = NULL;
    e->probed = false;
    wait_cancel(&e->upgrade);
    l->peer = NULL;
    l->ops->kill(l);
    if (e->transport == ENGINE_PROBING)
        e->transport = ENGINE_POLLING;
    subscriber_mark_dirty(&e->peer->subscriber);
}

static void finish_upgrade(struct engine *e)
{
    struct peer *p = e->peer;
    wait_cancel(&e->upgrade);
    engine_poll_release(e);
    p->link = e->probe;
    e->probe = NULL;
    e->probed = false;
    e->transport = ENGINE_WEBSOCKET;
    subscriber_set_form(&p->subscriber, ws_form(p->link));
    p->subscriber.chain.follows = p->link->follows;
}

static void probe_message(struct engine *e, struct span message, bool binary)
{
    if (!binary && span_is(message, "2probe")) {
        e->probed = true;
        write_frame(e->probe, "3probe");
        engine_poll_release(e);
    } else if (!binary && e->probed && span_is(message, "5")) {
        finish_upgrade(e);
    } else {
        drop_probe(e);
    }
}

static void on_message(struct peer *p, struct link *l, struct span message, bool binary)
{
    struct engine *e = p->engine;
    if (l == e->probe) {
        probe_message(e, message, binary);
        return;
    }
    struct eio_packet packet;
    if (binary)
        packet = eio_decode_binary(message);
    else if (eio_decode(message, &packet) != OK) {
        engine_fail(e, "malformed packet");
        return;
    }
    engine_packet(e, &packet);
}

static bool ping(struct peer *p)
{
    engine_send_text(p->engine, SPAN("2"));
    return true;
}

static void on_link_closed(struct peer *p, struct link *l)
{
    struct engine *e = p->engine;
    if (l == e->probe) {
        e->probe = NULL;
        e->probed = false;
        wait_cancel(&e->upgrade);
        e->transport = ENGINE_POLLING;
        subscriber_mark_dirty(&p->subscriber);
    } else if (l == e->post) {
        e->post = NULL;
        engine_fail(e, "post broken off");
    } else if (engine_poll_forget(e, l)) {
        peer_close(p, CLOSE_NORMAL, "poll broken off");
    } else if (l == p->link) {
        peer_link_gone(p);
    }
}

static void goodbye(struct peer *p, unsigned code, const char *why)
{
    struct engine *e = p->engine;
    (void)strmap_take(&p->peers->engines, (struct span){e->sid, ENGINE_SID_LEN});
    e->mount->closed(e);
    engine_poll_close(e);
    engine_post_release(e);
    drop_probe(e);
    peer_goodbye_ws(p, code, why);
    recovery_keep(e);
}

static void flush(struct subscriber *s)
{
    struct engine *e = peer_of(s)->engine;
    if (e->transport != ENGINE_WEBSOCKET) {
        engine_poll_flush(e);
        return;
    }
    engine_poll_refuse(e);
    peer_flush_stream(s);
}

static const struct dialect dialect_engine = {
    .name = "engine.io",
    .scope = SCOPE_READ,
    .ping = ping,
    .message = on_message,
    .link_closed = on_link_closed,
    .goodbye = goodbye,
    .subscriber = {.flush = flush,
                   .prefetch = peer_prefetch_stream,
                   .rest = peer_write_rest,
                   .end_replay = replay_destroy},
};

void engine_on_upgrade_due(struct wait *w, uint64_t now_us)
{
    (void)now_us;
    drop_probe(LIST_ENTRY(w, struct engine, upgrade));
}

bool engine_may_upgrade(struct peers *peers, const struct request *req, struct reply *refusal)
{
    struct query_value sid;
    if (!engine_check_version(req, "websocket", refusal))
        return false;
    if (!query_find(req->query, "sid", &sid))
        return true;
    if (strmap_find(&peers->engines, query_span(&sid)))
        return true;
    engine_refuse(refusal, ENGINE_UNKNOWN_SID);
    return false;
}

void engine_ws_open(struct peers *peers, const struct engine_mount *mount, struct link *l,
                    const struct request *req)
{
    struct query_value sid;
    if (!query_find(req->query, "sid", &sid)) {
        if (!engine_create(peers, mount, l, req))
            l->ops->kill(l);
        return;
    }
    /* A second WebSocket is closed as a WebSocket, which is what clients expect; the first goes on.
     */
    struct engine *e = strmap_find(&peers->engines, query_span(&sid));
    if (!e || e->mount != mount || e->transport != ENGINE_POLLING) {
        peer_write_close(peers, l, CLOSE_POLICY, "session has its transport");
        l->ops->kill(l);
        return;
    }
    e->transport = ENGINE_PROBING;
    e->probe = l;
    l->peer = e->peer;
    waitlist_add(&peers->upgrade, &e->upgrade, peers->now.us);
    peers_arm(peers);
}
