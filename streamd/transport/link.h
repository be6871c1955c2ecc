/* SPDX-License-Identifier: MIT */
/*
 * link: one TCP connection, seen from above and from below.
 *
 * Below stands an implementation of link_ops (lws_link.c over libwebsockets; tests/flow's fake).
 * Above stand the functions it calls when something came: they decide, the implementation does not.
 * The implementation owns the link and frees it after front_closed; a link names the peer it serves
 * and never owns it.
 */
#ifndef STREAMD_TRANSPORT_LINK_H
#define STREAMD_TRANSPORT_LINK_H

#include "base/span.h"

#include <stdbool.h>

struct app;
struct link;
struct peer;
struct transfer;

enum { LINK_NAME_MAX = 64 };

struct link_ops {
    /* Who is at the other end, for people: "127.0.0.1:40312"; "" when it is not known. */
    void (*name)(const struct link *l, char out[LINK_NAME_MAX]);
    /* Bytes for the wire as they are, never blocking: what the kernel does not take is kept and
     * sent first later; the link is choked until then, and when it is to end. */
    void (*write)(struct link *l, struct span bytes);
    bool (*choked)(const struct link *l);
    /* The socket that takes the same bytes as `write`, as long as the link is not choked; -1: there
     * is none (TLS, HTTP). */
    int (*socket)(const struct link *l);
    /* front_writable will be called once nothing is kept any more. */
    void (*want_writable)(struct link *l);
    /* The HTTP request is answered whole by these bytes; then the next request, or close. */
    void (*answer)(struct link *l, struct span bytes, bool close);
    /* The HTTP request is answered later, or by a stream of writes: no timeout, but front_closed
     * if the client goes away meanwhile. */
    void (*park)(struct link *l);
    /* Drops the connection; front_closed follows, not before this returns to the loop. */
    void (*kill)(struct link *l);
};

struct link {
    const struct link_ops *ops; /* borrows */
    struct app *app;            /* borrows */
    struct peer *peer;          /* borrows; NULL: plain HTTP, or its peer is gone */
    struct transfer *transfer;  /* borrows; the answer under way, or NULL */
    bool remote;                /* the other end is no loopback address */
    bool is_ws;                 /* after the upgrade */
    bool deflate;               /* permessage-deflate was agreed */
    bool follows;               /* and the client keeps its inflater from message to message */
};

#endif
