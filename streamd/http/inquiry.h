/* SPDX-License-Identifier: MIT */
/*
 * inquiry: an answer that is written once the archive has been read (as against history_stream,
 * whose pieces are the answer).
 *
 * Embedded in what is asked. The sessions in it are read one after the other; who wrote the
 * question says what of each, takes the pieces, and writes the answer when all are there.
 */
#ifndef STREAMD_HTTP_INQUIRY_H
#define STREAMD_HTTP_INQUIRY_H

#include "streamd/http/later.h"
#include "streamd/session/session.h"
#include "streamd/store/keeper.h"

enum { INQUIRY_SESSIONS_MAX = 8 };

struct app;
struct inquiry;

struct inquiry_ops {
    /* What of the session at hand (number q->at) is to be read. */
    void (*ask)(struct inquiry *q, const struct session *s, struct reading_request *out);
    /* A piece of it. Not OK: that is what write gets. */
    enum status (*take)(struct inquiry *q, struct span piece);
    /* Writes the answer. E_NOT_FOUND: a session has gone meanwhile; any other status but OK: what
     * was asked could not be read. */
    void (*write)(struct inquiry *q, enum status status, struct reply *reply);
    /* It is over: frees what it is embedded in. */
    void (*destroy)(struct inquiry *q);
};

struct inquiry {
    struct later later;
    struct reading reading;
    const struct inquiry_ops *ops; /* borrows */
    struct app *app;               /* borrows */
    struct session_handle session[INQUIRY_SESSIONS_MAX];
    size_t count;
    size_t at; /* which is being read */
};

void inquiry_init(struct inquiry *q, const struct inquiry_ops *ops, struct app *app);

/* One more session, of at most INQUIRY_SESSIONS_MAX. */
void inquiry_add(struct inquiry *q, struct session *s);

/* The session of that number; NULL when it has gone meanwhile. */
struct session *inquiry_session(const struct inquiry *q, size_t i);

/* Lets the sessions go and calls ops->destroy; for one that was not left to a reply. */
void inquiry_destroy(struct inquiry *q);

/* The reply is its answer, and it the reply's. */
void inquiry_leave(struct inquiry *q, struct reply *reply);

/* Can anything be asked? */
bool inquiry_possible(const struct app *app);

#endif
