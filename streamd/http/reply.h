/* SPDX-License-Identifier: MIT */
/*
 * reply: one HTTP answer, written whole.
 *
 * A route sets status, type and body; reply_render adds what every answer carries (length, CORS for
 * an allowed origin, ETag, gzip above 1 KiB where accepted, Connection) and lays headers and body
 * into one buffer, because one write is twice as cheap as two.
 */
#ifndef STREAMD_HTTP_REPLY_H
#define STREAMD_HTTP_REPLY_H

#include "base/buf.h"
#include "streamd/config.h"
#include "streamd/encode/deflater.h"
#include "streamd/http/request.h"
#include "streamd/stats.h"

struct reply {
    int status;               /* 200 unless set */
    const char *content_type; /* static; application/json unless set */
    struct buf body;          /* owned; what the route writes */
    struct span shared_body;  /* borrowed instead of `body` when ptr is not NULL (static files) */
    const char *content_encoding; /* static; of shared_body, NULL: identity */
    const char *cache_control;    /* static; "no-store" unless set */
    const char *extra_headers;    /* static, each line ended by CRLF; may be NULL */
    uint64_t etag;                /* 0: none */
    unsigned allow;               /* methods, for 405 and 204 */
    bool close;                   /* close the connection afterwards */
};

void reply_init(struct reply *r, size_t body_limit);
void reply_fini(struct reply *r);

/* {"success":false,"error":message} with that status. */
void reply_error(struct reply *r, int status, const char *message);

/*
 * The bytes to send, appended to `out` (which the caller resets). A matching If-None-Match makes it
 * a 304, HEAD leaves the body off, a body the buf refused makes it a 500.
 */
void reply_render(struct reply *r, const struct request *req, const struct config *config,
                  struct deflater *deflater, struct stats *stats, struct buf *out);

#endif
