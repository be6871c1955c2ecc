/* SPDX-License-Identifier: MIT */
/*
 * reply: one HTTP answer, written whole.
 *
 * A route sets status, type and body; reply_render adds what every answer carries (length, date,
 * CORS for an allowed origin, ETag, gzip above 1 KiB where accepted, Connection) and lays headers
 * and body into one buffer, because one write is twice as cheap as two.
 */
#ifndef STREAMD_HTTP_REPLY_H
#define STREAMD_HTTP_REPLY_H

#include "base/buf.h"
#include "streamd/config.h"
#include "streamd/encode/deflater.h"
#include "streamd/http/request.h"
#include "streamd/stats.h"

struct later;
struct transfer;

enum {
    REPLY_BODY_MAX = 64 << 20, /* bytes of a body; what would be longer becomes a 413 */
    REPLY_HEAD_MAX = 4096,     /* bytes of the headers, with room to spare */
    REPLY_GZIP_MIN = 1025,     /* shorter bodies are not worth it */
    REPLY_GZIP_MAX = 1 << 20,  /* longer ones would hold the loop up: they go out as they are */
};

struct reply {
    int status;               /* 200 unless set */
    const char *content_type; /* static; application/json unless set */
    struct buf body;          /* owned; what the route writes */
    struct buf packed;        /* owned; scratch for the gzip form of the body */
    struct span shared_body;  /* borrowed instead of `body` when ptr is not NULL (static files) */
    const char *content_encoding; /* static; of shared_body, NULL: identity */
    const char *cache_control;    /* static; "no-store" unless set */
    const char *extra_headers; /* borrows, for longer than the reply; lines, each with its CRLF; may
                                  be NULL */
    uint64_t etag;             /* 0: none */
    unsigned allow;            /* methods, for 405 and 204; HEAD and OPTIONS are implied */
    bool close;                /* close the connection afterwards */
    bool pack_shared; /* shared_body is no file that was packed ahead: gzip it like a body */
    bool stream;      /* headers only: the body is written later, until the close */
    bool chunked;     /* such a body comes in chunks, and the connection goes on */
    struct transfer *transfer; /* the answer comes later, by this (transport/transfer.h) */
    struct later *later;       /* the same where it comes whole (later.h), else NULL */
};

/* `body_limit` in bytes: REPLY_BODY_MAX but for tests. Allocates nothing. */
void reply_init(struct reply *r, size_t body_limit);

/* Ready for the next answer; keeps the memory when it is small. */
void reply_reset(struct reply *r);
void reply_fini(struct reply *r);

/* {"success":false,"error":message} with that status, instead of whatever the body held. */
void reply_error(struct reply *r, int status, const char *message);

/* A file or the like: bytes that outlive the answer, e.g. those of `assets`. */
void reply_share(struct reply *r, const char *content_type, struct span bytes);

/* 204 to an OPTIONS: these methods (enum method) are taken here. */
void reply_options(struct reply *r, unsigned methods);

/* `{"success":true,"data":` and its `}`; the route writes one JSON value between them. */
void reply_open_data(struct reply *r);
void reply_close_data(struct reply *r);

/*
 * The bytes to send, appended to `out` (which the caller resets; its limit is at least body limit
 * and REPLY_HEAD_MAX). A matching If-None-Match makes a 200 a 304, HEAD leaves the body off. A body
 * past its limit becomes a 413 that says what to do, out of memory a 503. ETags are weak: the same
 * one stands for the identity and the gzip form. `deflater` may be NULL: nothing is compressed.
 */
void reply_render(struct reply *r, const struct request *req, const struct config *config,
                  struct deflater *deflater, struct stats *stats, struct buf *out);

#endif
