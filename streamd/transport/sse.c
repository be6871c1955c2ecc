/* SPDX-License-Identifier: MIT */
#include "streamd/transport/sse.h"

#include "proto/query.h"
#include "streamd/http/reply.h"
#include "streamd/transport/front.h"
#include "streamd/transport/peers.h"
#include "streamd/transport/replay.h"
#include "streamd/transport/watch.h"

static const struct span prefix = {"/api/training/events/", sizeof("/api/training/events/") - 1};

bool sse_path(struct span path)
{
    return span_starts(path, prefix) && path.len > prefix.len;
}

/* Proxies cut idle streams after a minute or so: an SSE comment goes out each ping interval. TCP
 * tells when the client is gone; there is nothing it could answer with. */
static bool ping(struct peer *p)
{
    subscriber_push(&p->subscriber, refbuf_create(SPAN(":\n\n")), FINISH_NOTHING);
    return false;
}

static void on_link_closed(struct peer *p, struct link *l)
{
    (void)l;
    peer_link_gone(p);
}

static void goodbye(struct peer *p, unsigned code, const char *why)
{
    (void)code;
    if (!p->link)
        return;
    peer_write_last(p);
    struct buf *text = &p->peers->text;
    buf_reset(text);
    buf_addf(text, "event: error\ndata: {\"message\":\"%s\"}\n\n", why);
    p->link->ops->answer(p->link, buf_span(text), true);
}

static const struct dialect dialect_sse = {
    .name = "sse",
    .scope = SCOPE_READ,
    .ping = ping,
    .link_closed = on_link_closed,
    .goodbye = goodbye,
    .subscriber = {.flush = peer_flush_stream,
                   .prefetch = peer_prefetch_stream,
                   .rest = peer_write_rest,
                   .end_replay = replay_destroy},
};

static bool read_since(const struct request *req, uint64_t *since)
{
    struct query_value value;
    *since = UINT64_MAX;
    if (req->last_event_id.len)
        return span_u64(req->last_event_id, since);
    if (query_find(req->query, "since", &value))
        return span_u64(query_span(&value), since);
    return true;
}

static void refuse(struct link *l, struct request *req, int status, const char *why)
{
    struct reply reply;
    reply_init(&reply, 4096);
    reply_error(&reply, status, why);
    front_answer(l, req, &reply);
    reply_fini(&reply);
}

static void start(struct peers *peers, struct link *l, const struct request *req)
{
    struct reply head;
    struct buf *text = &peers->text;
    reply_init(&head, 1);
    head.content_type = "text/event-stream";
    head.extra_headers = "X-Accel-Buffering: no\r\n";
    head.stream = true;
    head.close = true; /* without a length, the end of the body is the end of the connection */
    buf_reset(text);
    reply_render(&head, req, peers->config, peers->encoder->deflater, peers->stats, text);
    l->ops->park(l);
    l->ops->write(l, buf_span(text));
    reply_fini(&head);
}

void sse_open(struct peers *peers, struct link *l, struct request *req)
{
    struct span id = {req->path.ptr + prefix.len, req->path.len - prefix.len};
    struct query_value epoch;
    struct watch_since since = {.offset = UINT64_MAX};
    if (!session_id_valid(id) && !span_is(id, "*")) {
        refuse(l, req, 400, "sessionId is not valid");
        return;
    }
    if (!read_since(req, &since.offset)) {
        refuse(l, req, 400, "Last-Event-ID and since must be an offset");
        return;
    }
    struct peer *p = peers->draining ? NULL : peer_create(peers, &dialect_sse, l, FORM_SSE);
    if (!p) {
        refuse(l, req, 503, "cannot take another client");
        return;
    }
    p->caller = req->caller;
    start(peers, l, req);
    if (query_find(req->query, "epoch", &epoch))
        since.epoch = query_span(&epoch);
    const char *why = watch_subscribe(p, id, &since);
    if (why)
        peer_close(p, CLOSE_INTERNAL, why);
}
