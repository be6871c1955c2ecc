/* SPDX-License-Identifier: MIT */
/*
 * Each of lws's events is answered with what is to become of the connection, so that it is closed
 * from inside lws's own call. Outside of one it is ended with shutdown(), which lws then hears of;
 * a parked connection it does not hear, so the end of that is brought about in lws_link_on_gone.
 */
#include "streamd/transport/lws_link.h"

#include "proto/json_text.h"
#include "streamd/transport/address.h"
#include "streamd/transport/front.h"
#include "streamd/transport/lws_park.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static const char too_many[] = "Too many requests or bytes from your address: wait a moment";

/* For a request body, from its headers to its last byte. */
enum { BODY_US = 20 * LWS_US_PER_SEC };

struct lws_link *lws_link_of(struct lws *wsi)
{
    return lws_get_opaque_user_data(wsi);
}

static struct lws_link *from(const struct link *l)
{
    return LIST_ENTRY(l, struct lws_link, link);
}

static void name(const struct link *l, char out[LINK_NAME_MAX])
{
    address_of_peer(from(l)->fd, out, LINK_NAME_MAX);
}

static void kill_link(struct link *link)
{
    struct lws_link *l = from(link);
    l->finished = true;
    shutdown(l->fd, SHUT_RDWR);
    if (l->park)
        lws_park_end(l->park);
}

static bool choked(const struct link *link)
{
    const struct lws_link *l = from(link);
    if (l->finished)
        return true;
    return l->park ? lws_park_kept(l->park).len > 0 : lws_partial_buffered(l->wsi);
}

/*
 * What lws writes by itself, a pong, it writes when a third of the send buffer is free, and it is
 * at most 131 octets: it is not cut, so nothing of it is kept back behind which we would have to
 * wait.
 */
static int socket_of(const struct link *link)
{
    const struct lws_link *l = from(link);
    bool direct = l->link.is_ws && !l->park && !l->finished && !l->tls;
    return direct ? l->fd : -1;
}

static void want_writable(struct link *link)
{
    struct lws_link *l = from(link);
    if (l->park)
        lws_park_want_writable(l->park);
    else
        lws_callback_on_writable(l->wsi);
}

/*
 * A WebSocket's frames go straight to the socket while lws keeps nothing back for it, and what the
 * kernel does not take is then lws's to keep: half of what a write costs us beside the kernel is
 * lws looking at it.
 */
static bool send_bytes(struct lws_link *l, struct span bytes)
{
    if (l->park)
        return lws_park_write(l->park, bytes);
    if (l->link.is_ws && !l->tls && !lws_partial_buffered(l->wsi)) {
        ssize_t n = send(l->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n == (ssize_t)bytes.len)
            return true;
        if (n > 0)
            bytes = (struct span){bytes.ptr + n, bytes.len - (size_t)n};
    }
    /* LWS_WRITE_HTTP sends the bytes untouched; it neither writes to them nor before them. */
    unsigned char *ptr = (unsigned char *)(uintptr_t)bytes.ptr;
    return lws_write(l->wsi, ptr, bytes.len, LWS_WRITE_HTTP) >= 0;
}

static void write_bytes(struct link *link, struct span bytes)
{
    struct lws_link *l = from(link);
    if (!l->finished && bytes.len > 0 && !send_bytes(l, bytes))
        kill_link(link);
}

static void forget_exchange(struct lws_link *l)
{
    if (!l->exchange)
        return;
    exchange_fini(l->exchange);
    free(l->exchange);
    l->exchange = NULL;
}

/* The connection is lws's again; what was kept is sent first. */
static void unpark(struct lws_link *l)
{
    struct lws_park *park = l->park;
    if (!park)
        return;
    l->park = NULL;
    lws_rx_flow_control(l->wsi, 1);
    write_bytes(&l->link, lws_park_kept(park));
    lws_park_destroy(park);
}

static void answer(struct link *link, struct span bytes, bool close)
{
    struct lws_link *l = from(link);
    unpark(l);
    write_bytes(link, bytes);
    forget_exchange(l);
    if (close || lws_http_transaction_completed(l->wsi)) {
        l->finished = true;
        /* In a callback the return value closes; outside, the next writable callback does. */
        if (!l->in_callback)
            lws_callback_on_writable(l->wsi);
    }
}

static void park(struct link *link)
{
    struct lws_link *l = from(link);
    l->park = lws_park_create(l);
    if (!l->park)
        kill_link(link);
}

static const struct link_ops ops_lws = {
    .name = name,
    .write = write_bytes,
    .choked = choked,
    .socket = socket_of,
    .want_writable = want_writable,
    .answer = answer,
    .park = park,
    .kill = kill_link,
};

struct lws_link *lws_link_create(struct lws_server *server, struct lws *wsi)
{
    struct lws_link *l = calloc(1, sizeof(*l));
    if (!l)
        return NULL;
    l->link = (struct link){.ops = &ops_lws, .app = server->app};
    l->wsi = wsi;
    l->fd = lws_get_socket_fd(wsi);
    l->tls = server->tls != NULL;
    l->server = server;
    server->app->stats.connections++;
    server->silent++;
    return l;
}

void lws_link_destroy(struct lws_link *l)
{
    lws_park_destroy(l->park);
    l->park = NULL;
    front_closed(&l->link);
    forget_exchange(l);
    lws_receive_fini(&l->receive);
    visitors_leave(&l->server->visitors, l->visitor);
    l->server->app->stats.connections--;
    if (!l->reused)
        l->server->silent--;
    free(l);
}

static bool count_refusal(struct lws_link *l, bool may)
{
    l->server->app->stats.visits_refused += !may;
    return may;
}

bool lws_link_may_ask(struct lws_link *l)
{
    struct lws_server *s = l->server;
    return count_refusal(l, visitor_asks(&s->visitors, l->visitor, s->app->now.us));
}

bool lws_link_may_send(struct lws_link *l, size_t bytes)
{
    struct lws_server *s = l->server;
    return count_refusal(l, visitor_sends(&s->visitors, l->visitor, bytes, s->app->now.us));
}

/* Calls into the front, and answers lws: nonzero closes. */
static int run_request(struct lws_link *l)
{
    struct request *req = &l->exchange->request;
    req->now = l->server->app->now;
    l->in_callback = true;
    front_request(&l->link, req);
    l->in_callback = false;
    return l->finished ? -1 : 0;
}

static int refuse(struct lws_link *l, struct request_fault fault)
{
    l->in_callback = true;
    front_refuse(&l->link, &l->exchange->request, fault.status, fault.why);
    l->in_callback = false;
    return -1;
}

/* Reads the headers into a new exchange. False when out of memory. */
static bool read_exchange(struct lws_link *l, struct request_fault *fault)
{
    size_t max_body = l->server->app->config->max_payload;
    forget_exchange(l);
    l->exchange = malloc(sizeof(*l->exchange));
    if (!l->exchange)
        return false;
    exchange_init(l->exchange, max_body);
    *fault = exchange_read(l->exchange, l->wsi, max_body);
    l->exchange->request.now = l->server->app->now;
    l->exchange->request.remote = l->link.remote || l->exchange->request.remote;
    return true;
}

/*
 * Not when lws holds input that came with an earlier request: of a request that it takes from there
 * lws 4.1.6 reads the body from the first byte of the head on, and then spins for ever. It only
 * tells whether any connection has such input, so now and then an honest one is asked to repeat.
 */
static bool may_have_body(const struct lws_link *l)
{
    return !l->reused || lws_service_adjust_timeout(l->server->context, 1, 0) != 0;
}

static void note_request(struct lws_link *l)
{
    if (!l->reused)
        l->server->silent--;
    l->reused = true;
}

int lws_link_on_request(struct lws_link *l)
{
    struct request_fault fault;
    if (!read_exchange(l, &fault))
        return -1;
    if (!fault.status && !lws_link_may_ask(l))
        fault = (struct request_fault){429, too_many};
    if (l->exchange->awaits_body && !may_have_body(l))
        fault = (struct request_fault){503, "A request with a body must not be pipelined"};
    note_request(l);
    if (fault.status)
        return refuse(l, fault);
    if (l->exchange->awaits_body) {
        /* lws's own timeout begins anew with every piece, so a body may drip for ever. */
        lws_set_timer_usecs(l->wsi, BODY_US);
        front_request_begins(&l->link, &l->exchange->request);
        if (l->exchange->expects_continue && !l->finished)
            write_bytes(&l->link, SPAN("HTTP/1.1 100 Continue\r\n\r\n"));
        return l->finished ? -1 : 0; /* answered by lws_link_on_body_end */
    }
    if (l->exchange->request.method & (METHOD_POST | METHOD_PUT | METHOD_PATCH) &&
        lws_hdr_total_length(l->wsi, WSI_TOKEN_POST_URI) > 0)
        return 0; /* so is a POST of no bytes */
    return run_request(l);
}

int lws_link_on_timer(struct lws_link *l)
{
    /* Nobody disarms it: an exchange whose body has come awaits none. */
    if (!l->exchange || !l->exchange->awaits_body || l->finished)
        return 0;
    return refuse(l, (struct request_fault){408, "The body took too long"});
}

int lws_link_on_body(struct lws_link *l, struct span piece)
{
    if (!l->exchange)
        return 0;
    if (!lws_link_may_send(l, piece.len))
        return refuse(l, (struct request_fault){429, too_many});
    buf_add_span(&l->exchange->body, piece);
    return 0;
}

int lws_link_on_body_end(struct lws_link *l)
{
    if (!l->exchange)
        return 0;
    if (buf_status(&l->exchange->body) != OK)
        return refuse(l, (struct request_fault){413, "Body is larger than --max-payload"});
    l->exchange->request.body = buf_span(&l->exchange->body);
    l->exchange->awaits_body = false; /* the answer may take longer than a body */
    return run_request(l);
}

int lws_link_on_upgrade(struct lws_link *l, char *protocol)
{
    struct request_fault fault;
    struct reply refusal;
    if (strcasecmp(protocol, "websocket") != 0) {
        /* To answer h2c from here lws lets us choose between its own HTTP/2, which is none of ours,
         * and a close. Of a protocol that it does not know it makes a plain request. */
        protocol[0] = '-';
        return 0;
    }
    if (!read_exchange(l, &fault))
        return -1;
    note_request(l);
    if (!fault.status && !lws_link_may_ask(l))
        fault = (struct request_fault){429, too_many};
    if (fault.status)
        return refuse(l, fault);
    reply_init(&refusal, 4096);
    fault = exchange_check_upgrade(l->exchange, l->wsi);
    if (fault.status) {
        reply_error(&refusal, fault.status, fault.why);
        refusal.allow = METHOD_GET;
        refusal.extra_headers = fault.status == 426 ? "Sec-WebSocket-Version: 13\r\n" : NULL;
    }
    bool may = !fault.status && front_may_upgrade(l->server->app, &l->exchange->request, &refusal);
    if (!may) {
        refusal.close = true;
        l->in_callback = true;
        front_answer(&l->link, &l->exchange->request, &refusal);
        l->in_callback = false;
    }
    reply_fini(&refusal);
    return may ? 0 : -1;
}

int lws_link_on_ws_open(struct lws_link *l)
{
    if (!l->exchange)
        return -1;
    l->link.is_ws = true;
    front_ws_open(&l->link, &l->exchange->request);
    forget_exchange(l);
    return l->finished ? -1 : 0;
}

int lws_link_on_pong(struct lws_link *l)
{
    lws_receive_pong(l);
    front_ws_pong(&l->link);
    return l->finished ? -1 : 0;
}

/* The code for a close frame that breaks RFC 6455 (5.5.1, 7.4); 0: it does not. Of codes lws judges
 * all below 5000 itself, of reasons it does not see that the last character is cut. */
static unsigned close_fault(struct span payload)
{
    const unsigned char *code = (const unsigned char *)payload.ptr;
    if (payload.len == 0)
        return 0;
    if (payload.len == 1 || (code[0] << 8 | code[1]) >= 5000)
        return CLOSE_PROTOCOL;
    return json_utf8_valid((struct span){payload.ptr + 2, payload.len - 2}) ? 0 : CLOSE_INVALID;
}

int lws_link_on_peer_close(struct lws_link *l, struct span payload)
{
    /* The answer to our own close frame: nothing more to be said. */
    if (l->link.peer && l->link.peer->state != PEER_OPEN)
        return -1;
    unsigned fault = close_fault(payload);
    if (fault) {
        front_ws_error(&l->link, fault, "bad close frame");
        return -1;
    }
    /* Otherwise lws echoes it, behind what is buffered, which may take long: the watcher is gone by
     * now, and may be back already on another connection. */
    front_closed(&l->link);
    return 0;
}

int lws_link_on_writable(struct lws_link *l)
{
    if (l->finished)
        return -1;
    front_writable(&l->link);
    return 0;
}

void lws_link_on_gone(struct lws_link *l)
{
    front_closed(&l->link);
    lws_park_destroy(l->park);
    l->park = NULL;
    l->finished = true;
    /* A connection that is shut down is writable, whatever its buffers hold. */
    shutdown(l->fd, SHUT_RDWR);
    lws_rx_flow_control(l->wsi, 1);
    lws_callback_on_writable(l->wsi);
}
