/* SPDX-License-Identifier: MIT */
#include "streamd/transport/front.h"

#include "streamd/app.h"
#include "streamd/auth/guard.h"
#include "streamd/http/cors.h"
#include "streamd/http/router.h"
#include "streamd/ingest/feed.h"
#include "streamd/transport/engine.h"
#include "streamd/transport/plain.h"
#include "streamd/transport/sse.h"
#include "streamd/transport/transfer.h"

void front_answer(struct link *l, const struct request *req, struct reply *reply)
{
    struct app *app = l->app;
    struct buf *text = &app->peers.text;
    buf_reset(text);
    reply_render(reply, req, app->config, app->encoder.deflater, &app->stats, text);
    if (buf_status(text) == OK)
        l->ops->answer(l, buf_span(text), reply->close || !req->keep_alive);
    else
        l->ops->kill(l);
}

void front_refuse(struct link *l, struct request *req, int status, const char *why)
{
    struct reply reply;
    reply_init(&reply, 4096);
    reply_error(&reply, status, why);
    reply.close = true;
    reply.extra_headers = status == 429 ? "Retry-After: 1\r\n" : NULL;
    front_answer(l, req, &reply);
    reply_fini(&reply);
}

void front_request_begins(struct link *l, const struct request *req)
{
    struct peers *peers = &l->app->peers;
    const struct engine_mount *mount = engine_mount_find(peers, req->path);
    if (mount)
        engine_request_begins(peers, mount, l, req);
}

static void open_events(struct link *l, struct request *req, struct reply *reply)
{
    if (router_forbids(l->app, req, reply))
        front_answer(l, req, reply);
    else
        sse_open(&l->app->peers, l, req);
}

static void answer_route(struct link *l, struct request *req, struct reply *reply)
{
    router_answer(l->app, req, reply);
    if (reply->transfer)
        transfer_bind(reply->transfer, l, req);
    else
        front_answer(l, req, reply);
}

void front_request(struct link *l, struct request *req)
{
    struct peers *peers = &l->app->peers;
    const struct engine_mount *mount = engine_mount_find(peers, req->path);
    struct reply reply;
    char name[LINK_NAME_MAX];
    if (!(req->method & (METHOD_GET | METHOD_HEAD | METHOD_OPTIONS))) {
        l->ops->name(l, name);
        req->peer = span_of(name);
    }
    engine_request_came(l);
    reply_init(&reply, REPLY_BODY_MAX);
    req->caller = guard_request(&l->app->guard, req);
    if (router_refuse(l->app->config, req, &reply))
        front_answer(l, req, &reply);
    else if (mount)
        engine_request(peers, mount, l, req);
    else if (sse_path(req->path) && req->method == METHOD_GET)
        open_events(l, req, &reply);
    else
        answer_route(l, req, &reply);
    reply_fini(&reply);
}

bool front_may_upgrade(struct app *app, struct request *req, struct reply *refusal)
{
    req->caller = guard_request(&app->guard, req);
    if (app->relay) {
        reply_error(refusal, 404, "Not here: this is a relay, the runs are at its hub");
        return false;
    }
    if (!cors_allowed(app->config, req->origin, req->host)) {
        reply_error(refusal, 403, "Origin not allowed");
        return false;
    }
    if (router_refuse(app->config, req, refusal))
        return false;
    if (req->caller == guard_nobody() && guard_shows_token(req)) {
        reply_error(refusal, 401, guard_needs_token);
        return false;
    }
    if (app->peers.draining) {
        reply_error(refusal, 503, "server is going away");
        return false;
    }
    if (engine_mount_find(&app->peers, req->path))
        return engine_may_upgrade(&app->peers, req, refusal);
    if (span_is(req->path, FEED_PATH) && app->control.unix_ingest)
        return !router_refuses_scope(SCOPE_WRITE, req, refusal);
    if (span_is(req->path, "/ws"))
        return true;
    reply_error(refusal, 404, "No WebSocket here");
    return false;
}

void front_ws_open(struct link *l, const struct request *req)
{
    struct peers *peers = &l->app->peers;
    const struct engine_mount *mount = engine_mount_find(peers, req->path);
    if (mount)
        engine_ws_open(peers, mount, l, req);
    else if (span_is(req->path, FEED_PATH))
        feed_open(peers, l, req);
    else
        plain_open(peers, l, req);
}

void front_ws_message(struct link *l, struct span message, bool binary)
{
    struct peer *p = l->peer;
    if (p && p->state == PEER_OPEN)
        p->dialect->message(p, l, message, binary);
}

void front_ws_pong(struct link *l)
{
    if (l->peer && l->peer->link == l && !l->peer->engine)
        peer_alive(l->peer);
}

void front_ws_error(struct link *l, unsigned code, const char *why)
{
    if (l->peer)
        peer_close(l->peer, code, why);
    else
        l->ops->kill(l);
}

void front_writable(struct link *l)
{
    if (l->transfer)
        transfer_link_writable(l->transfer);
    else if (l->peer && l->peer->link == l && l->peer->state == PEER_OPEN)
        subscriber_mark_dirty(&l->peer->subscriber);
}

void front_closed(struct link *l)
{
    struct peer *p = l->peer;
    l->peer = NULL;
    if (p)
        p->dialect->link_closed(p, l);
    if (l->transfer)
        transfer_link_closed(l->transfer);
}
