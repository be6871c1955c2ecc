/* SPDX-License-Identifier: MIT */
/*
 * lws_park: the connection of a request that is answered later (a poll) or by a stream of writes
 * (Server-Sent Events).
 *
 * While it is parked lws neither reads nor writes it. Owned by its lws_link, which makes it in
 * link_ops.park and destroys it before the answer; tells the link when the client is gone.
 */
#ifndef STREAMD_TRANSPORT_LWS_PARK_H
#define STREAMD_TRANSPORT_LWS_PARK_H

#include "base/span.h"
#include "base/status.h"

#include <stdbool.h>

struct lws_link;
struct lws_park;

/* Takes the connection over from lws. NULL when out of memory. */
struct lws_park *lws_park_create(struct lws_link *l);

/* Reading stays paused in lws. NULL is allowed. */
void lws_park_destroy(struct lws_park *p);

/* Never blocks: what the kernel does not take is kept. False: the connection is broken. */
MUST_CHECK bool lws_park_write(struct lws_park *p, struct span bytes);

/* What the kernel has not taken; borrows. */
struct span lws_park_kept(const struct lws_park *p);

/* front_writable will be called once nothing is kept. */
void lws_park_want_writable(struct lws_park *p);

/* The link is to end: lws_link_on_gone is called from the loop. */
void lws_park_end(struct lws_park *p);

#endif
