/* SPDX-License-Identifier: MIT */
/*
 * transfer: an HTTP answer that is not there yet, or is longer than memory should hold.
 *
 * A route that cannot answer at once makes a transfer, embedded in what waits, and leaves it in
 * reply.transfer. The front then parks the connection and binds the two. Later the transfer answers
 * whole (transfer_answer), or streams: transfer_begin sends the headers (Transfer-Encoding: chunked
 * for HTTP/1.1, else the end of the body is the end of the connection), transfer_write a piece,
 * transfer_end the end. The connection goes on with its next request afterwards.
 */
#ifndef STREAMD_TRANSPORT_TRANSFER_H
#define STREAMD_TRANSPORT_TRANSFER_H

#include "streamd/http/reply.h"
#include "streamd/transport/link.h"

struct transfer;

struct transfer_ops {
    /* The connection is bound: begin the work. `req` lives until the transfer is over. */
    void (*begin)(struct transfer *t, const struct request *req);
    /* What was written has left: the next piece may be written. */
    void (*writable)(struct transfer *t);
    /* The client is gone, or the transfer is over: give up what waits for it and free it. */
    void (*gone)(struct transfer *t);
};

struct transfer {
    const struct transfer_ops *ops; /* borrows */
    struct link *link;              /* borrows; NULL before begin */
    const struct request *req;      /* borrows from the link */
    bool chunked;
    bool begun; /* headers are out */
};

/* Answers whole, as front_answer does; then `gone`. */
void transfer_answer(struct transfer *t, struct reply *reply);

/* Status, content type and extra headers of `reply` go out; its body is not looked at. True: a body
 * is to follow; false (HEAD): the answer is complete and `gone` has been called. */
bool transfer_begin(struct transfer *t, struct reply *reply);

/* Sends a piece; false: wait for `writable` before the next. */
bool transfer_write(struct transfer *t, struct span piece);

/* The body is complete; then `gone`. */
void transfer_end(struct transfer *t);

/* The body cannot be completed: the connection is cut, so that the client sees it; then `gone`. */
void transfer_abort(struct transfer *t);

#endif
