/* SPDX-License-Identifier: MIT */
/*
 * visitors: how much one address takes: connections at a time, requests and bytes a second.
 *
 * An address is an IPv4 one (mapped ones are the same) or the first 64 bits of an IPv6 one, which
 * is what one host is given. Two seconds' worth may come at once. Loopback has no limits, unless
 * --limit-loopback: there come those whom a proxy lets in, and they are the proxy's to limit.
 */
#ifndef STREAMD_TRANSPORT_VISITORS_H
#define STREAMD_TRANSPORT_VISITORS_H

#include "base/list.h"
#include "base/strmap.h"
#include "streamd/config.h"

#include <sys/socket.h>

struct visitor;

struct visitors {
    struct strmap by_address; /* → struct visitor; owns */
    struct list idle;         /* of visitor.idle: who has no connection, longest first */
    size_t idle_count;
    const struct config *config; /* borrows */
};

void visitors_init(struct visitors *all, const struct config *config, uint64_t seed);

/* No visitor may be used any more. */
void visitors_fini(struct visitors *all);

/* What visitors_enter says of a connection. */
enum visitor_entry { VISITOR_FREE, VISITOR_COUNTED, VISITOR_REFUSED };

/*
 * One more connection. VISITOR_COUNTED: *out is whose, to be left once; VISITOR_FREE: it is not
 * limited, *out is NULL; VISITOR_REFUSED: the address has as many as it may.
 */
enum visitor_entry visitors_enter(struct visitors *all, const struct sockaddr_storage *from,
                                  uint64_t now_us, struct visitor **out);

/* One fewer. NULL is allowed, here and below: who is not limited. */
void visitors_leave(struct visitors *all, struct visitor *v);

/* One more request or message; false: too many. */
bool visitor_asks(struct visitors *all, struct visitor *v, uint64_t now_us);

/* So many bytes came; false: too many. */
bool visitor_sends(struct visitors *all, struct visitor *v, size_t bytes, uint64_t now_us);

#endif
