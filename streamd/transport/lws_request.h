/* SPDX-License-Identifier: MIT */
/*
 * lws_request: the header table of lws → struct request, and what is wrong with it.
 *
 * lws 4.1.6 lets through what smuggles requests (Transfer-Encoding ignored, atoll lengths, bodies
 * on GET, several Hosts); those are refused here, before a body is read.
 */
#ifndef STREAMD_TRANSPORT_LWS_REQUEST_H
#define STREAMD_TRANSPORT_LWS_REQUEST_H

#include "base/buf.h"
#include "streamd/http/request.h"

struct lws;

/* One request being read: the values, and the bytes they borrow. */
struct exchange {
    struct request request;
    struct buf text; /* what the request's spans borrow */
    struct buf body;
    uint64_t content_length;
    bool awaits_body;
    bool expects_continue; /* before it sends the body (RFC 9110 10.1.1) */
};

/* Why a request cannot be taken. status 0: it can. */
struct request_fault {
    int status;
    const char *why; /* static */
};

void exchange_init(struct exchange *x, size_t max_body);
void exchange_fini(struct exchange *x);

/* Fills the exchange from the wsi's headers. The request is usable even when a fault is answered.
 */
struct request_fault exchange_read(struct exchange *x, struct lws *wsi, size_t max_body);

/* What RFC 6455 section 4.2.1 wants of an upgrade, beyond what lws checks. */
struct request_fault exchange_check_upgrade(const struct exchange *x, struct lws *wsi);

#endif
