/* SPDX-License-Identifier: MIT */
/*
 * fake_link: a connection without a socket, the second implementation of link_ops.
 *
 * A conn is what the client holds: the bytes that came, and how many more it will take. The link is
 * what the app holds; it is freed as soon as the connection is gone, so that a pointer the app
 * keeps too long is met by AddressSanitizer. Like lws, a link reports nothing from inside a call:
 * that it can be written to again and that it is gone are steps of the loop (conn_step).
 */
#ifndef TESTS_FLOW_FAKE_LINK_H
#define TESTS_FLOW_FAKE_LINK_H

#include "base/buf.h"
#include "streamd/app.h"
#include "streamd/transport/link.h"

struct fake_outlet;
struct outlet;

struct conn {
    struct fake_outlet *outlet;  /* borrows; where our number stands for us */
    int number;                  /* what the app takes for a socket */
    struct link *link;           /* owns; NULL once the connection is gone */
    struct buf wire;             /* what has come to the client and was not read yet */
    struct buf kept;             /* what was written and not taken */
    size_t window;               /* bytes the client still takes; SIZE_MAX: all */
    uint64_t writes;             /* calls of link_ops.write */
    struct z_stream_s *inflater; /* owns; NULL unless it takes compressed messages */
    bool awaits;                 /* a request has no answer yet */
    bool parked;                 /* and it may take its time */
    bool wants_writable;         /* front_writable was asked for */
    bool finished;               /* closes once what is kept has gone */
    bool killed;                 /* closes at once */
};

/*
 * The third outlet: it holds back until the finish whatever the window takes. A send to a
 * connection that is gone, or that has kept something back, ends the test: nobody quiet is either.
 */
struct outlet *fake_outlet_create(void);

/* `window`: bytes the client takes at first. Ends the test when out of memory. */
struct conn *conn_open(struct app *app, size_t window);

/* permessage-deflate was agreed, and the client keeps its inflater from message to message. */
void conn_deflates(struct conn *c);

/* The connection must be gone. */
void conn_destroy(struct conn *c);

/* From now on the client takes so many bytes more; what was kept flows as far as they go. */
void conn_open_window(struct conn *c, size_t bytes);

/* The client goes away: front_closed now. Call inside a wake-up; harmless when it was gone. */
void conn_hang_up(struct conn *c);

/*
 * One step of what a loop would do for this connection. conn_ready says whether there is one;
 * conn_step does it, inside a wake-up.
 */
bool conn_ready(const struct conn *c);
void conn_step(struct conn *c);

#endif
