/* SPDX-License-Identifier: MIT */
/*
 * A parked poll is answered long after its request was read, so the few things the answer depends
 * on (origin and host for CORS, gzip, keep-alive) are copied with it.
 */
#include "streamd/transport/engine_poll.h"

#include "proto/json_write.h"
#include "proto/query.h"
#include "streamd/http/media.h"
#include "streamd/transport/front.h"
#include "streamd/transport/peers.h"
#include "streamd/transport/replay.h"

#include <stdlib.h>
#include <string.h>

enum { REPLY_LIMIT = 8 << 20 };

struct parked_poll {
    struct link *link; /* borrows */
    uint64_t since_us; /* the wake-up that parked it */
    struct request request;
    char text[]; /* what the request's origin and host borrow */
};

void engine_refuse(struct reply *reply, enum engine_refusal refusal)
{
    static const char *const messages[] = {
        "Transport unknown", "Session ID unknown", "Bad handshake method",
        "Bad request",       "Forbidden",          "Unsupported protocol version",
    };
    reply->status = 400;
    buf_reset(&reply->body);
    buf_add_char(&reply->body, '{');
    json_write_pair_u64(&reply->body, "code", (uint64_t)refusal);
    json_write_pair_string(&reply->body, "message", span_of(messages[refusal]));
    buf_add_char(&reply->body, '}');
}

bool engine_check_version(const struct request *req, const char *transport, struct reply *reply)
{
    struct query_value value;
    bool known =
        query_find(req->query, "transport", &value) && span_is(query_span(&value), transport);
    if (!known) {
        bool other = span_is(query_span(&value), "websocket");
        engine_refuse(reply, other ? ENGINE_BAD_REQUEST : ENGINE_UNKNOWN_TRANSPORT);
        return false;
    }
    if (!query_find(req->query, "EIO", &value) || !span_is(query_span(&value), "4")) {
        engine_refuse(reply, ENGINE_UNSUPPORTED);
        return false;
    }
    return true;
}

static struct parked_poll *park(struct link *l, const struct request *req)
{
    struct parked_poll *poll = malloc(sizeof(*poll) + req->origin.len + req->host.len);
    if (!poll)
        return NULL;
    poll->link = l;
    poll->since_us = req->now.us;
    poll->request = (struct request){
        .method = req->method,
        .origin = {poll->text, req->origin.len},
        .host = {poll->text + req->origin.len, req->host.len},
        .accept_gzip = req->accept_gzip,
        .keep_alive = req->keep_alive,
    };
    if (req->origin.len)
        memcpy(poll->text, req->origin.ptr, req->origin.len);
    if (req->host.len)
        memcpy(poll->text + req->origin.len, req->host.ptr, req->host.len);
    return poll;
}

static void answer_text(struct link *l, const struct request *req, struct span text)
{
    struct reply reply;
    reply_init(&reply, REPLY_LIMIT);
    reply.content_type = "text/plain; charset=UTF-8";
    reply.shared_body = text;
    reply.pack_shared = true;
    front_answer(l, req, &reply);
    reply_fini(&reply);
}

/* Answers the parked poll, which is no longer parked then. */
static void answer_poll(struct engine *e, struct span payload)
{
    struct parked_poll *poll = e->poll;
    e->poll = NULL;
    poll->link->peer = NULL;
    poll->request.now = e->peer->peers->now;
    answer_text(poll->link, &poll->request, payload);
    free(poll);
}

/* Moves what waits into the frames scratch, as one payload. */
static struct span take_payload(struct engine *e, unsigned packets)
{
    struct peer *p = e->peer;
    struct buf *payload = &p->peers->frames;
    struct outbox_entry entry;
    buf_reset(payload);
    for (unsigned i = 0; i < packets && subscriber_take(&p->subscriber, &entry); i++) {
        if (entry.finish == FINISH_BINARY)
            eio_payload_add_binary(payload, refbuf_span(entry.bytes));
        else
            eio_payload_add_text(payload, refbuf_span(entry.bytes));
        p->peers->stats->messages_sent++;
        refbuf_unref(entry.bytes);
    }
    p->peers->stats->messages_bytes_wire += payload->len;
    return buf_span(payload);
}

void engine_poll_flush(struct engine *e)
{
    struct peer *p = e->peer;
    if (p->subscriber.overflowed) {
        p->peers->stats->peers_closed_slow++;
        peer_close(p, CLOSE_SLOW, "too slow: outbox is full");
        return;
    }
    if (!e->poll || p->state != PEER_OPEN)
        return;
    if (e->probed) {
        engine_poll_noop(e);
        return;
    }
    replay_flush(p);
    struct span payload = take_payload(e, EIO_ANSWER_PACKETS_MAX);
    if (payload.len == 0)
        return;
    p->peers->stats->writes++;
    answer_poll(e, payload);
}

void engine_poll_noop(struct engine *e)
{
    if (e->poll)
        answer_poll(e, SPAN("6"));
}

void engine_poll_release(struct engine *e)
{
    if (e->poll && e->poll->since_us != e->peer->peers->now.us)
        engine_poll_noop(e);
}

void engine_poll_refuse(struct engine *e)
{
    struct parked_poll *poll = e->poll;
    struct reply reply;
    if (!poll)
        return;
    e->poll = NULL;
    poll->link->peer = NULL;
    reply_init(&reply, REPLY_LIMIT);
    engine_refuse(&reply, ENGINE_BAD_REQUEST);
    front_answer(poll->link, &poll->request, &reply);
    reply_fini(&reply);
    free(poll);
}

void engine_poll_close(struct engine *e)
{
    if (!e->poll)
        return;
    (void)take_payload(e, EIO_ANSWER_PACKETS_MAX - 1);
    eio_payload_add_text(&e->peer->peers->frames, SPAN("1"));
    answer_poll(e, buf_span(&e->peer->peers->frames));
}

bool engine_poll_forget(struct engine *e, const struct link *l)
{
    if (!e->poll || e->poll->link != l)
        return false;
    free(e->poll);
    e->poll = NULL;
    return true;
}

static void get(struct engine *e, struct link *l, const struct request *req, struct reply *reply)
{
    if (e->poll) {
        peer_close(e->peer, CLOSE_PROTOCOL, "two polls at once");
        engine_refuse(reply, ENGINE_BAD_REQUEST);
        front_answer(l, req, reply);
        return;
    }
    e->poll = park(l, req);
    if (!e->poll) {
        reply_error(reply, 503, "out of memory");
        front_answer(l, req, reply);
        return;
    }
    l->peer = e->peer;
    l->ops->park(l);
    subscriber_mark_dirty(&e->peer->subscriber);
}

void engine_post_release(struct engine *e)
{
    if (e->post)
        e->post->peer = NULL;
    e->post = NULL;
}

/* Takes the client's packets one by one; false at the first that is none or may not come. */
static bool take_packets(struct engine *e, struct span body)
{
    struct peers *peers = e->peer->peers;
    struct eio_payload payload;
    struct eio_packet packet;
    struct buf binary;
    buf_init(&binary, peers->config->max_payload);
    enum status status = eio_payload_init(&payload, body, EIO_PAYLOAD_PACKETS_MAX, &binary);
    while (status == OK && e->peer->state == PEER_OPEN) {
        status = eio_payload_next(&payload, &packet);
        if (status == OK)
            engine_packet(e, &packet);
    }
    buf_fini(&binary);
    return !e->failed && (status == OK || status == E_NOT_FOUND);
}

static void post(struct engine *e, struct link *l, const struct request *req, struct reply *reply)
{
    bool text = media_type_is(req->content_type, "text/plain");
    if (!text || !take_packets(e, req->body)) {
        if (text)
            engine_fail(e, "malformed payload");
        engine_refuse(reply, ENGINE_BAD_REQUEST);
        front_answer(l, req, reply);
        return;
    }
    answer_text(l, req, SPAN("ok"));
}

void engine_request_begins(struct peers *peers, const struct engine_mount *mount, struct link *l,
                           const struct request *req)
{
    struct query_value sid;
    if (req->method != METHOD_POST || !query_find(req->query, "sid", &sid))
        return;
    struct engine *e = strmap_find(&peers->engines, query_span(&sid));
    if (!e || e->mount != mount || e->transport == ENGINE_WEBSOCKET)
        return;
    if (e->post) {
        engine_fail(e, "two posts at once");
        return;
    }
    e->post = l;
    l->peer = e->peer;
}

void engine_request_came(struct link *l)
{
    struct engine *e = l->peer ? l->peer->engine : NULL;
    if (e && e->post == l)
        engine_post_release(e);
}

static void open_session(struct peers *peers, const struct engine_mount *mount, struct link *l,
                         const struct request *req, struct reply *reply)
{
    if (req->method != METHOD_GET) {
        engine_refuse(reply, ENGINE_BAD_METHOD);
        front_answer(l, req, reply);
        return;
    }
    /* One connection could open any number of sessions. */
    bool full = peers->stats->peers >= peers->config->max_connections;
    peers->stats->connections_refused += full;
    struct engine *e = peers->draining || full ? NULL : engine_create(peers, mount, NULL, req);
    if (!e || e->peer->state != PEER_OPEN) {
        reply_error(reply, 503, "cannot take another client");
        front_answer(l, req, reply);
        return;
    }
    get(e, l, req, reply);
}

static void request(struct peers *peers, const struct engine_mount *mount, struct link *l,
                    const struct request *req, struct reply *reply)
{
    struct query_value sid;
    if (req->method == METHOD_OPTIONS) {
        reply->status = 204;
        reply->allow = METHOD_GET | METHOD_POST;
        front_answer(l, req, reply);
        return;
    }
    if (!engine_check_version(req, "polling", reply)) {
        front_answer(l, req, reply);
        return;
    }
    if (!query_find(req->query, "sid", &sid)) {
        open_session(peers, mount, l, req, reply);
        return;
    }
    struct engine *e = strmap_find(&peers->engines, query_span(&sid));
    if (!e || e->mount != mount)
        engine_refuse(reply, ENGINE_UNKNOWN_SID);
    else if (e->transport == ENGINE_WEBSOCKET)
        engine_refuse(reply, ENGINE_BAD_REQUEST);
    else if (req->method == METHOD_GET) {
        get(e, l, req, reply);
        return;
    } else if (req->method == METHOD_POST) {
        post(e, l, req, reply);
        return;
    } else
        engine_refuse(reply, ENGINE_BAD_METHOD);
    front_answer(l, req, reply);
}

void engine_request(struct peers *peers, const struct engine_mount *mount, struct link *l,
                    const struct request *req)
{
    struct reply reply;
    reply_init(&reply, REPLY_LIMIT);
    request(peers, mount, l, req, &reply);
    reply_fini(&reply);
}
