/* SPDX-License-Identifier: MIT */
/*
 * lws_server: libwebsockets as a guest on our libev loop.
 *
 * Owns the lws context and the listening sockets; accepts itself and hands the sockets to lws, so
 * that every --listen address, TCP_NODELAY, buffer sizes and the connection limit are ours to set.
 */
#ifndef STREAMD_TRANSPORT_LWS_SERVER_H
#define STREAMD_TRANSPORT_LWS_SERVER_H

#include "base/buf.h"
#include "streamd/transport/lws_deflate.h"
#include "streamd/transport/visitors.h"

#include <ev.h>
#include <libwebsockets.h>

struct app;
struct lws_server;
struct service;

struct listener {
    ev_io io;
    struct lws_server *server; /* borrows */
    int fd;                    /* owns; -1: unused */
};

struct lws_server {
    struct app *app;              /* borrows */
    struct ev_loop *loop;         /* borrows */
    struct lws_context *context;  /* owns */
    struct lws_vhost *vhost;      /* borrows from the context */
    SSL_CTX *tls;                 /* borrows from the vhost; NULL without --tls-cert */
    lws_sorted_usec_list_t pulse; /* keeps lws's timers going, see lws_server.c */
    struct visitors visitors;
    struct lws_deflate deflate;
    struct outlet *outlet;      /* owns */
    struct buf inflated;        /* scratch: one message */
    struct listener *listeners; /* owns */
    size_t listener_count;
    uint64_t silent;          /* connections that have not asked for anything yet */
    uint64_t drained_us;      /* when no more were accepted; 0: they are */
    uint64_t max_connections; /* --max-connections, or what the file descriptors allow */
};

/* Listens everywhere, or on the sockets of `service` if it has any, and says so on stdout, a line
 * each. NULL after logging why. */
struct lws_server *lws_server_create(struct app *app, struct ev_loop *loop,
                                     const struct service *service);

/* Drops all connections. */
void lws_server_destroy(struct lws_server *s);

/* Reads the certificate again, for new connections. What stands stays when that fails, which is
 * logged. */
void lws_server_reload(struct lws_server *s);

/* No new connections. */
void lws_server_drain(struct lws_server *s);

/* Is a request likely to come still, on a connection that was accepted just before the drain? */
bool lws_server_expects(const struct lws_server *s);

#endif
