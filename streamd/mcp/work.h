/* SPDX-License-Identifier: MIT */
/*
 * work: one request of an agent, from its params to its answer.
 *
 * It is embedded in what carries it (a POST, a line of a pipe), which says by its ops how to
 * answer. mcp_work_run finds the method and lets it work; the answer is there afterwards or comes
 * later. Whoever carries it may drop it meanwhile. `over` follows in either case, once, and is the
 * end of it.
 */
#ifndef STREAMD_MCP_WORK_H
#define STREAMD_MCP_WORK_H

#include "proto/jsonrpc.h"
#include "streamd/mcp/listener.h"
#include "streamd/mcp/mcp.h"
#include "streamd/mcp/said.h"

struct mcp_work;

/* Text is one message of JSON-RPC, borrowed for the call. None of them may run the work. */
struct mcp_work_ops {
    /* A notification that belongs to this request, before its answer. */
    void (*notify)(struct mcp_work *w, struct span text);
    /* The answer, with the HTTP status it has where there is one. */
    void (*answer)(struct mcp_work *w, struct span text, int http_status);
    /* It is over, answered or dropped: let go of it, after mcp_work_fini. */
    void (*over)(struct mcp_work *w);
};

/* With whom we talk over several requests: a legacy session, or whoever holds a pipe. */
struct mcp_party {
    enum mcp_version version;        /* agreed on in `initialize`; MCP_NO_VERSION: not yet */
    int level;                       /* of log: nothing below it is told */
    struct mcp_listener listener;    /* what it subscribed to */
    struct list works;               /* of mcp_work.of_party */
    char client[MCP_CLIENT_MAX + 1]; /* what it calls itself; "": not said */
};

/* What is asked for decides how an answer is wrapped. */
enum mcp_asked { MCP_ASKS_OTHER, MCP_ASKS_TOOL, MCP_ASKS_RESOURCE, MCP_ASKS_PROMPT };

struct mcp_work {
    struct mcp_call call;
    const struct mcp_work_ops *ops; /* borrows */
    struct mcp *mcp;                /* borrows */
    const struct mcp_set *set;      /* borrows; of its endpoint */
    struct mcp_party *party;        /* borrows; NULL: there is none (modern, over HTTP) */
    struct list of_party;           /* in party.works */
    struct list of_mcp;             /* in mcp.works */
    char id[JSONRPC_ID_MAX];        /* raw */
    size_t id_len;
    struct fields *params;        /* owns; never NULL */
    struct fields *no_arguments;  /* owns; {}, for a call that came without, or NULL */
    enum mcp_version version;     /* in which it is answered */
    struct mcp_said said;         /* borrows from params */
    enum mcp_asked asked;         /* set by its method */
    const struct mcp_tool *tool;  /* borrows; which is called */
    struct mcp_listener listener; /* of subscriptions/listen */
    bool listens;
    bool running;  /* its method is at work */
    bool answered; /* nothing more is said */
    int http_status;
    struct buf answer; /* the message, while it is put together */
    double last_progress;
    char variable[MCP_URI_MAX]; /* what call.variable borrows */
};

/* What came, for mcp_work_init. */
struct mcp_work_params {
    struct mcp *mcp;
    const struct mcp_set *set;
    struct mcp_party *party;
    const struct mcp_work_ops *ops;
    const struct caller *caller;
    struct span id;
    struct fields *params; /* takes; not NULL */
    enum mcp_version version;
};

void mcp_work_init(struct mcp_work *w, const struct mcp_work_params *params);
void mcp_work_fini(struct mcp_work *w);

/* Lets the method work. False: it is over, and `w` is gone. */
bool mcp_work_run(struct mcp_work *w, const char *method);

/* Nobody wants its answer any more. Not from inside its method. */
void mcp_work_drop(struct mcp_work *w);

struct span mcp_work_id(const struct mcp_work *w);

/* ---- for methods ---- */

/* Opens the result: members may be written to what it answers, until mcp_work_close. */
struct buf *mcp_work_open(struct mcp_work *w);

/* Closes it; the work may be over afterwards. */
void mcp_work_close(struct mcp_work *w);

enum { MCP_LIST_TTL_MS = 60 * 1000 }; /* of what only a new version of the daemon changes */

/* Says how long it may be kept by whoever reads it, for the results that must (modern). */
void mcp_work_cacheable(struct mcp_work *w, uint64_t ttl_ms);

/* The answer is an error; `data` is JSON and may be empty. As with mcp_work_close. */
void mcp_work_fail(struct mcp_work *w, int code, struct span message, struct span data);

/* The same with a status of its own over HTTP. */
void mcp_work_refuse(struct mcp_work *w, int http_status, int code, const char *message,
                     struct span data);

/* A notification that belongs to the request: `members` of its params, without braces. */
void mcp_work_notify(struct mcp_work *w, const char *method, struct span members);

#endif
