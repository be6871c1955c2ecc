/* SPDX-License-Identifier: MIT */
/*
 * listener: who wants to hear what changes: a legacy session, a pipe, a subscriptions/listen.
 *
 * A topic is a uri somebody subscribed to. A change is told by a timer, never from inside the call
 * that made it, so nobody is written to (and nobody goes) while a session is at work; and at most
 * once a second and uri, since who hears of it reads it anew.
 */
#ifndef STREAMD_MCP_LISTENER_H
#define STREAMD_MCP_LISTENER_H

#include "base/list.h"
#include "base/span.h"
#include "base/status.h"

#include <stddef.h>

struct mcp;

struct mcp_listener {
    struct mcp *mcp;           /* borrows */
    struct list link;          /* in mcp.listeners */
    struct list subscriptions; /* of mcp_subscription.of_listener; owned */
    size_t count;              /* of them */
    unsigned lists;            /* bits of enum mcp_list: whose changes it wants */
    /* A notification for it; `members` of the params, without braces. May end this listener, and
     * no other. */
    void (*tell)(struct mcp_listener *l, const char *method, struct span members);
};

enum { MCP_TOPIC_US = 1000 * 1000, MCP_URI_MAX = 1024 };

/* Hears nothing yet. */
void mcp_listener_init(struct mcp_listener *l, struct mcp *mcp);
void mcp_listener_fini(struct mcp_listener *l);

/* Once is enough: again is OK, too. E_LIMIT: it has as many as it may, or the uri is too long.
 * E_NOMEM. */
MUST_CHECK enum status mcp_subscribe(struct mcp_listener *l, struct span uri);

/* Harmless when it did not subscribe. */
void mcp_unsubscribe(struct mcp_listener *l, struct span uri);

/* For mcp.tell. */
struct timer;
void mcp_on_tell_due(struct timer *timer, uint64_t now_us);

#endif
