/* SPDX-License-Identifier: MIT */
/*
 * sink: a connection without memory of its own.
 *
 * For tests in which allocations fail: every one of them is the app's, none is a client's. What
 * came last is kept in place, as much of it as there is room for.
 */
#ifndef TESTS_FLOW_SINK_H
#define TESTS_FLOW_SINK_H

#include "streamd/http/request.h"
#include "streamd/transport/link.h"
#include "tests/flow/world.h"

enum { SINK_HEARD_MAX = 64 * 1024 };

struct sink {
    struct link link;
    struct request req; /* the last; an answer that comes later looks at its headers */
    bool awaits;        /* the answer to its request */
    bool over;          /* the app has ended it */
    bool choked;
    bool wants_writable;
    size_t len;
    char heard[SINK_HEARD_MAX]; /* since its last request, `len` bytes and a NUL */
};

/* A connection that nobody has said anything on. */
void sink_open(struct sink *s, struct world *w);
void sink_closes(struct world *w, struct sink *s);

/* One HTTP request, sent whole. `req` needs what sets it apart; the host is filled in; the texts of
 * its headers must last. The answer is read to its end, unless it is a stream or waits for
 * something.
 */
void sink_sends(struct world *w, struct sink *s, const struct request *req);
void sink_asks(struct world *w, struct sink *s, enum method method, const char *path,
               const char *query, const char *body);

/* It becomes a WebSocket; says a message, unless it is over. */
void sink_upgrades(struct world *w, struct sink *s, const char *path, const char *query);
void sink_says(struct world *w, struct sink *s, const char *text);

/* Takes what waits for it to be writable. */
void sink_drains(struct world *w, struct sink *s);

#endif
