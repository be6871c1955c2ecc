/* SPDX-License-Identifier: MIT */
/*
 * With libev lws hears nothing of a client that goes away while no answer is due, and the loop
 * would spin on the readable socket; so reading is paused in lws and we peek for the end of the
 * stream ourselves. But of a connection whose reading is paused lws 4.1.6 does not serve the
 * writing either: what a write had left over would stay there, and the loop spin on the writable
 * socket. So what is streamed is sent by us as well, and what is left over is kept here.
 */
#include "streamd/transport/lws_park.h"

#include "streamd/transport/front.h"
#include "streamd/transport/lws_link.h"
#include "streamd/transport/tls.h"
#include "streamd/transport/transfer.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { KEPT_LIMIT = 8 << 20 };

struct lws_park {
    ev_io in;
    ev_io out;
    struct lws_link *link; /* borrows */
    struct buf kept;
    bool wanted; /* front_writable is */
};

/* As recv: what there is to be read, without reading it; a farewell under TLS is the end as well.
 */
static ssize_t look(const struct lws_park *p)
{
    char head[5];
    ssize_t n = recv(p->in.fd, head, sizeof(head), MSG_PEEK | MSG_DONTWAIT);
    bool over = n > 0 && p->link->tls && tls_is_farewell((struct span){head, (size_t)n});
    return over ? 0 : n;
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
    (void)events;
    struct lws_park *p = LIST_ENTRY(io, struct lws_park, in);
    ssize_t n = look(p);
    bool quiet = n < 0 && (errno == EAGAIN || errno == EINTR);
    const struct transfer *t = p->link->link.transfer;
    /* A pipelined request waits until this one is answered. A client that has said all it will may
     * be reading still: an answer that comes to an end goes on until a write fails. */
    bool patient = n > 0 || (n == 0 && t && !t->impatient);
    if (patient)
        ev_io_stop(loop, io);
    if (p->link->finished || (!patient && !quiet))
        lws_link_on_gone(p->link);
}

/* Sends from the start of `bytes`; answers how many went, or -1 when the connection is broken. */
static ssize_t send_some(const struct lws_park *p, struct span bytes)
{
    if (p->link->tls)
        return tls_send(lws_get_ssl(p->link->wsi), bytes);
    ssize_t n = send(p->out.fd, bytes.ptr, bytes.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : n;
}

static void on_writable(struct ev_loop *loop, ev_io *io, int events)
{
    (void)events;
    struct lws_park *p = LIST_ENTRY(io, struct lws_park, out);
    if (p->kept.len > 0) {
        ssize_t n = send_some(p, buf_span(&p->kept));
        if (n < 0) {
            ev_io_stop(loop, io);
            lws_park_end(p);
            return;
        }
        buf_consume(&p->kept, (size_t)n);
    }
    if (p->kept.len > 0)
        return;
    ev_io_stop(loop, io);
    if (p->wanted) {
        p->wanted = false;
        front_writable(&p->link->link);
    }
}

struct lws_park *lws_park_create(struct lws_link *l)
{
    struct lws_park *p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    int fd = lws_get_socket_fd(l->wsi);
    p->link = l;
    buf_init(&p->kept, KEPT_LIMIT);
    lws_set_timeout(l->wsi, NO_PENDING_TIMEOUT, 0);
    lws_rx_flow_control(l->wsi, 0);
    ev_io_init(&p->in, on_readable, fd, EV_READ);
    ev_io_init(&p->out, on_writable, fd, EV_WRITE);
    ev_io_start(l->server->loop, &p->in);
    return p;
}

void lws_park_destroy(struct lws_park *p)
{
    if (!p)
        return;
    ev_io_stop(p->link->server->loop, &p->in);
    ev_io_stop(p->link->server->loop, &p->out);
    buf_fini(&p->kept);
    free(p);
}

bool lws_park_write(struct lws_park *p, struct span bytes)
{
    ssize_t n = p->kept.len > 0 ? 0 : send_some(p, bytes);
    if (n < 0)
        return false;
    if ((size_t)n == bytes.len)
        return true;
    buf_add(&p->kept, bytes.ptr + n, bytes.len - (size_t)n);
    ev_io_start(p->link->server->loop, &p->out);
    return buf_status(&p->kept) == OK;
}

struct span lws_park_kept(const struct lws_park *p)
{
    return buf_span(&p->kept);
}

void lws_park_want_writable(struct lws_park *p)
{
    p->wanted = true;
    ev_io_start(p->link->server->loop, &p->out);
}

void lws_park_end(struct lws_park *p)
{
    p->link->finished = true;
    ev_feed_event(p->link->server->loop, &p->in, EV_READ);
}
