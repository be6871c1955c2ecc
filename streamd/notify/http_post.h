/* SPDX-License-Identifier: MIT */
/*
 * http_post: one POST of JSON, waited for. For a helper's thread, never for the loop's.
 *
 * libcurl does it, and is loaded when the first of these is created: a daemon that tells nobody
 * never pays for it. One http_post serves one thread.
 */
#ifndef STREAMD_NOTIFY_HTTP_POST_H
#define STREAMD_NOTIFY_HTTP_POST_H

#include "streamd/notify/parcel.h"

#include <stdatomic.h>

struct http_post;

/* NULL: *why says so, a static string (libcurl is not there). */
struct http_post *http_post_create(const char **why);
void http_post_destroy(struct http_post *h);

struct http_answer {
    long status;       /* 0: none */
    long sent;         /* bytes of the request that went out */
    uint64_t retry_s;  /* what the receiver asked to be waited; 0: nothing */
    const char *error; /* what went wrong on the way, static; NULL: nothing */
};

/*
 * Sends the parcel, at most timeout_ms; ends at once (a second at the latest) when *abort becomes
 * true. Follows no redirect, uses no connection twice, reads at most a few kilobytes of the answer.
 */
struct http_answer http_post_send(struct http_post *h, const struct parcel *p, long timeout_ms,
                                  const atomic_bool *abort);

#endif
