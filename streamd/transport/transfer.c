/* SPDX-License-Identifier: MIT */
/*
 * A transfer leaves its link before the last bytes are handed over, because with them the link may
 * take up its next request; and `gone` is called after that, because it frees us.
 *
 * The end waits until the client has taken what was written before: only then is a connection that
 * closes, or a daemon that leaves, sure to lose nothing. A client that has closed its half may
 * still read (lws_park.c); one that is really gone is met by the next write.
 *
 * A chunk is laid out in one buffer with its size, as three writes would be three packets.
 */
#include "streamd/transport/transfer.h"

#include "streamd/app.h"
#include "streamd/transport/front.h"

#include <assert.h>

static struct app *app_of(const struct transfer *t)
{
    return t->link->app;
}

/* The request as if it had come now, for the Date of its answer. */
static struct request request_now(const struct transfer *t)
{
    struct request req = *t->req;
    req.now = app_of(t)->now;
    return req;
}

/* The link, which is free for its last bytes of this answer. */
static struct link *leave(struct transfer *t)
{
    struct link *l = t->link;
    wait_cancel(&t->stall);
    l->app->stats.transfers--;
    l->transfer = NULL;
    t->link = NULL;
    t->req = NULL;
    return l;
}

static void close_when_draining(const struct transfer *t, struct reply *reply)
{
    reply->close = reply->close || app_of(t)->peers.draining;
}

static void wait_for_client(struct transfer *t)
{
    struct app *app = app_of(t);
    if (t->link->ops->choked(t->link)) {
        waitlist_add(&app->peers.stalled, &t->stall, app->now.us);
        peers_arm(&app->peers);
    }
    t->waits = true;
    t->link->ops->want_writable(t->link);
}

void transfer_bind(struct transfer *t, struct link *l, const struct request *req)
{
    assert(!l->transfer && !t->link);
    wait_init(&t->stall);
    t->link = l;
    t->req = req;
    t->chunked = req->is_1_1;
    l->transfer = t;
    l->app->stats.transfers++;
    l->ops->park(l);
    t->ops->begin(t, req);
}

void transfer_answer(struct transfer *t, struct reply *reply)
{
    assert(!t->begun);
    struct request req = request_now(t);
    close_when_draining(t, reply);
    front_answer(leave(t), &req, reply);
    t->ops->gone(t);
}

/* Scratch is the app's, and what did not fit into memory cannot be gone on with. */
static void send_scratch(struct transfer *t)
{
    const struct buf *text = &app_of(t)->peers.text;
    if (buf_status(text) == OK)
        t->link->ops->write(t->link, buf_span(text));
    else
        t->link->ops->kill(t->link);
}

bool transfer_begin(struct transfer *t, struct reply *reply)
{
    struct app *app = app_of(t);
    struct buf *text = &app->peers.text;
    assert(!t->begun);
    reply->stream = true;
    reply->chunked = t->chunked;
    reply->close = reply->close || !t->chunked;
    if (t->req->method == METHOD_HEAD) {
        transfer_answer(t, reply);
        return false;
    }
    struct request req = request_now(t);
    close_when_draining(t, reply);
    buf_reset(text);
    reply_render(reply, &req, app->config, app->encoder.deflater, &app->stats, text);
    t->close = reply->close || !req.keep_alive;
    t->begun = true;
    send_scratch(t);
    return true;
}

static void send_chunk(struct transfer *t, struct span piece)
{
    struct buf *text = &app_of(t)->peers.text;
    buf_reset(text);
    buf_addf(text, "%zx\r\n", piece.len);
    buf_add_span(text, piece);
    buf_add_str(text, "\r\n");
    send_scratch(t);
}

bool transfer_write(struct transfer *t, struct span piece)
{
    struct stats *stats = &app_of(t)->stats;
    assert(t->begun && !t->ended && !t->waits && piece.len <= TRANSFER_PIECE_MAX);
    if (piece.len > 0 && t->chunked) /* an empty chunk would be the last */
        send_chunk(t, piece);
    else
        t->link->ops->write(t->link, piece);
    stats->http_bytes_plain += piece.len;
    stats->http_bytes_wire += piece.len;
    t->turn_bytes += piece.len;
    if (t->turn_bytes < TRANSFER_TURN_BYTES && !t->link->ops->choked(t->link))
        return true;
    wait_for_client(t);
    return false;
}

static void finish(struct transfer *t)
{
    struct link *l = leave(t);
    l->ops->answer(l, t->chunked ? SPAN("0\r\n\r\n") : SPAN(""), t->close);
    t->ops->gone(t);
}

void transfer_end(struct transfer *t)
{
    assert(t->begun && !t->ended);
    t->ended = true;
    if (t->link->ops->choked(t->link))
        wait_for_client(t);
    else
        finish(t);
}

void transfer_abort(struct transfer *t)
{
    struct link *l = leave(t);
    l->ops->kill(l);
    t->ops->gone(t);
}

void transfer_link_writable(struct transfer *t)
{
    if (!t->waits)
        return;
    t->waits = false;
    t->turn_bytes = 0;
    wait_cancel(&t->stall);
    if (t->ended)
        finish(t);
    else
        t->ops->writable(t);
}

void transfer_link_closed(struct transfer *t)
{
    (void)leave(t);
    t->ops->gone(t);
}

void transfer_on_stall_due(struct wait *w, uint64_t now_us)
{
    struct transfer *t = LIST_ENTRY(w, struct transfer, stall);
    if (peers_wait_again(&app_of(t)->peers.stalled, w, now_us))
        return;
    app_of(t)->stats.transfers_cut++;
    transfer_abort(t);
}
