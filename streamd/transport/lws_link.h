/* SPDX-License-Identifier: MIT */
/*
 * lws_link: a link over libwebsockets.
 *
 * Made when a connection is accepted, freed when lws destroys its wsi. What lws reports is turned
 * into the front's events here; what the front asks for is done by the rules of lws 4.1.6: what
 * goes out is pre-framed bytes in LWS_WRITE_HTTP writes, never a framing write; a connection is
 * ended by shutdown() or from inside its own callback, never freed from outside.
 */
#ifndef STREAMD_TRANSPORT_LWS_LINK_H
#define STREAMD_TRANSPORT_LWS_LINK_H

#include "base/buf.h"
#include "streamd/app.h"
#include "streamd/transport/link.h"
#include "streamd/transport/lws_receive.h"
#include "streamd/transport/lws_request.h"
#include "streamd/transport/lws_server.h"

struct lws_park;

struct lws_link {
    struct link link;
    struct lws *wsi;           /* borrows; lws's connection */
    struct lws_server *server; /* borrows */
    struct exchange *exchange; /* owns; the request being read or answered, or NULL */
    struct visitor *visitor;   /* borrows; who must be left, or NULL */
    struct lws_park *park;     /* owns; NULL unless parked */
    int fd;                    /* the socket; lws's to close */
    struct lws_receive receive;
    bool tls;         /* what goes out is sealed, by lws or tls_send */
    bool in_callback; /* lws is calling: closing is a return value */
    bool finished;    /* close once it can be done */
    bool reused;      /* the connection has carried a request before */
};

/* The link of a wsi; NULL before it has one. */
struct lws_link *lws_link_of(struct lws *wsi);

/* NULL when out of memory. */
struct lws_link *lws_link_create(struct lws_server *server, struct lws *wsi);
void lws_link_destroy(struct lws_link *l);

/* May its address ask, or send so much more? False: it is counted. */
bool lws_link_may_ask(struct lws_link *l);
bool lws_link_may_send(struct lws_link *l, size_t bytes);

/* lws's events. The int is what the lws callback returns: nonzero ends the connection. */
int lws_link_on_request(struct lws_link *l);
int lws_link_on_timer(struct lws_link *l);
int lws_link_on_body(struct lws_link *l, struct span piece);
int lws_link_on_body_end(struct lws_link *l);
/* May change the name of the protocol. */
int lws_link_on_upgrade(struct lws_link *l, char *protocol);
int lws_link_on_ws_open(struct lws_link *l);
int lws_link_on_pong(struct lws_link *l);
int lws_link_on_peer_close(struct lws_link *l, struct span payload);
int lws_link_on_writable(struct lws_link *l);

/* The client of a parked request is gone, or the link was killed. */
void lws_link_on_gone(struct lws_link *l);

#endif
