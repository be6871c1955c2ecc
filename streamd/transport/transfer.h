/* SPDX-License-Identifier: MIT */
/*
 * transfer: an HTTP answer that is not there yet, or is longer than memory should hold.
 *
 * A route that cannot answer at once makes a transfer, embedded in what waits, and leaves it in
 * reply.transfer. The front then parks the connection and binds the two. Later the transfer answers
 * whole (transfer_answer), or streams: transfer_begin sends the headers (Transfer-Encoding: chunked
 * for HTTP/1.1, else the end of the body is the end of the connection), transfer_write a piece,
 * transfer_end the end. The connection goes on with its next request afterwards.
 *
 * A client that stops reading holds one piece in memory, and is cut off when it has taken nothing
 * for TRANSFER_STALL_US. One that reads as fast as we write gets one piece each wake-up, so that
 * others have their turn. Exactly one `gone` follows every bind, whatever happens.
 */
#ifndef STREAMD_TRANSPORT_TRANSFER_H
#define STREAMD_TRANSPORT_TRANSFER_H

#include "base/waitlist.h"
#include "streamd/http/reply.h"
#include "streamd/transport/link.h"

enum {
    TRANSFER_PIECE_MAX = 128 * 1024,      /* bytes of one piece */
    TRANSFER_TURN_BYTES = 128 * 1024,     /* after so many the next piece waits for `writable` */
    TRANSFER_STALL_US = 60 * 1000 * 1000, /* for a client to take a piece */
};

struct transfer;

/* None of the calls below may be made after `gone`; all may be made from inside the others. */
struct transfer_ops {
    /* The connection is bound: begin the work. `req` lives until the transfer is over. */
    void (*begin)(struct transfer *t, const struct request *req);
    /* What was written has left: the next piece may be written. NULL where transfer_answer is all.
     */
    void (*writable)(struct transfer *t);
    /* The client is gone, or the transfer is over: give up what waits for it and free it. */
    void (*gone)(struct transfer *t);
};

/* Zero but for `ops` and `impatient` when a route hands it over. */
struct transfer {
    const struct transfer_ops *ops; /* borrows */
    struct link *link;              /* borrows; NULL before begin and in gone */
    const struct request *req;      /* borrows from the link; NULL before begin and in gone */
    struct wait stall;              /* in peers.stalled while the client takes nothing */
    size_t turn_bytes;              /* written since `writable` */
    bool impatient;                 /* set by its maker: a client that closes its half is gone */
    bool chunked;                   /* else the connection ends with the body */
    bool close;                     /* the connection ends with the answer */
    bool begun;                     /* headers are out */
    bool waits;                     /* for `writable` */
    bool ended;                     /* transfer_end was called */
};

/* Answers whole, as front_answer does; then `gone`. Not after transfer_begin. */
void transfer_answer(struct transfer *t, struct reply *reply);

/* Status, content type and extra headers of `reply` go out; its body is not looked at. True: a body
 * is to follow; false (HEAD): the answer is complete and `gone` has been called. */
bool transfer_begin(struct transfer *t, struct reply *reply);

/* Sends a piece; an empty one is allowed. False: wait for `writable` before the next (that of a
 * connection which has broken is never called, but `gone` is). */
bool transfer_write(struct transfer *t, struct span piece);

/* The body is complete, be it in the midst of waiting; then, now or later, `gone`. */
void transfer_end(struct transfer *t);

/* The body cannot be completed: the connection is cut, so that the client sees it (one of HTTP/1.0
 * cannot tell); then `gone`. */
void transfer_abort(struct transfer *t);

/* For the front: a request's answer is this transfer's now; the link parks. */
void transfer_bind(struct transfer *t, struct link *l, const struct request *req);

/* For the front: the link of a transfer may be written to, is gone. */
void transfer_link_writable(struct transfer *t);
void transfer_link_closed(struct transfer *t);

/* For peers.stalled. */
void transfer_on_stall_due(struct wait *w, uint64_t now_us);

#endif
