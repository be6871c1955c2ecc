/* SPDX-License-Identifier: MIT */
/*
 * mcp: the agents' door, whole: the state that outlives a request of the Model Context Protocol.
 *
 * The protocol has two eras on one endpoint. The modern one (2026-07-28) has no sessions: each
 * request says all about itself. The legacy one (2025-03-26 to 2025-11-25) begins with
 * `initialize` and has a session from then on. A request is a work (work.h) whatever the era and
 * the road it came by: HTTP (post.h) or a line of the Unix socket (pipe.h).
 */
#ifndef STREAMD_MCP_MCP_H
#define STREAMD_MCP_MCP_H

#include "base/strmap.h"
#include "base/timers.h"
#include "base/waitlist.h"
#include "streamd/mcp/tool.h"

/* Bytes of one message: text is escaped, and said twice. */
enum { MCP_MESSAGE_MAX = 16 * MCP_ANSWER_MAX };

struct mcp {
    struct app *app;            /* borrows */
    const struct mcp_set *more; /* borrows; rows beside those of every endpoint: a test's. NULL */
    struct list works;          /* of mcp_work.of_mcp */
    struct strmap sessions;     /* of struct mcp_session, by id; owned */
    struct waitlist idle;       /* of mcp_session.idle */
    struct waitlist quiet;      /* of mcp_wire.quiet */
    struct list pipes;          /* of mcp_pipe.link; owned */
    struct list listeners;      /* of mcp_listener.link */
    struct strmap topics;       /* of struct mcp_topic, by uri; owned */
    unsigned changed;           /* bits of enum mcp_list that nobody was told of yet */
    struct timer timer;         /* of the waitlists */
    struct timer tell;          /* of `changed` */
};

/* `seed`: any number a peer cannot know. Allocates nothing. */
void mcp_init(struct mcp *mcp, struct app *app, uint64_t seed);

/* Whoever is still there is dropped. */
void mcp_fini(struct mcp *mcp);

/* The daemon leaves: whatever is awaited is answered, every stream ends. */
void mcp_drain(struct mcp *mcp);

/* The tokens were read again: what belongs to one that was withdrawn ends. */
void mcp_review(struct mcp *mcp);

/* Why no request is taken at present; NULL when one is. Static. */
const char *mcp_takes_none(const struct mcp *mcp);
/* Codes of our own: that, and a tool that the token does not cover. */
enum { MCP_OVERLOADED = -32000, MCP_FORBIDDEN = -32003 };

/* Something waits in `idle` or `quiet`. */
void mcp_arm(struct mcp *mcp);

/* Walks the rows of one kind that an endpoint offers, its own before those of `more`. `index` from
 * 0; NULL past the end. */
const struct mcp_tool *mcp_tool_at(const struct mcp *mcp, const struct mcp_set *set, size_t index);
const struct mcp_tool *mcp_tool_find(const struct mcp *mcp, const struct mcp_set *set,
                                     struct span name); /* NULL: none is called that */
const struct mcp_resource *mcp_resource_at(const struct mcp *mcp, const struct mcp_set *set,
                                           size_t index);
const struct mcp_template *mcp_template_at(const struct mcp *mcp, const struct mcp_set *set,
                                           size_t index);
const struct mcp_prompt *mcp_prompt_at(const struct mcp *mcp, const struct mcp_set *set,
                                       size_t index);

/* The lists whose changes are told there, as mcp_set.changes. */
unsigned mcp_changes(const struct mcp *mcp, const struct mcp_set *set);

#endif
