/* SPDX-License-Identifier: MIT */
/*
 * tool: what agents may call, read and ask for: the rows, and the call a row's function is handed.
 *
 * A row is a constant beside its function; what an endpoint offers is a set of lists of rows
 * (tool_table.c). The protocol stands between the agent and the row: it finds the row, holds the
 * arguments against the input schema, and wraps the answer as the agent's era wants it. So a
 * function sees arguments that are right, and says one JSON value or one sentence.
 *
 * A function answers before it returns, or sets `gone` and answers later, in any wake-up. It
 * answers exactly once, with one of the mcp_call_* that say so; once `gone` was set, exactly one
 * `gone` follows, after the answer or instead of it (the agent is gone, or does not want it any
 * more). Nothing may be done with the call once it has been answered, or in `gone` but to let go of
 * what `state` is.
 */
#ifndef STREAMD_MCP_TOOL_H
#define STREAMD_MCP_TOOL_H

#include "base/span.h"
#include "proto/fields.h"
#include "streamd/auth/scope.h"
#include "streamd/clock.h"

struct app;
struct buf;
struct caller;
struct mcp_work;

struct mcp_call {
    struct app *app;                /* borrows */
    const struct fields *arguments; /* borrows; until the call is over, never NULL */
    struct span uri;                /* borrows as well; of a resource, else empty */
    struct span variable;        /* what stands in the uri for the {...} of its template, decoded */
    const struct caller *caller; /* borrows; who asks (auth/caller.h) */
    struct now now;              /* of the wake-up in which the function was called */
    /* Set by a function that answers later; both are its own. */
    void (*gone)(struct mcp_call *call);
    void *state;
    struct mcp_work *work; /* the protocol's own */
};

enum {
    MCP_ANSWER_MAX =
        40000,            /* bytes of the JSON of a result; longer becomes an error that says so */
    MCP_VALUES_MAX = 100, /* completions that are told */
};

/* What the agent calls itself; borrows from the call, and may be empty. */
struct span mcp_call_client(const struct mcp_call *call);

/* ---- tools ---- */

/* What an agent may think of a tool (its annotations). None: it changes something, undoably. */
enum mcp_hint {
    MCP_READ_ONLY = 1,
    MCP_DESTRUCTIVE = 2,
    MCP_IDEMPOTENT = 4,
    MCP_OPEN_WORLD = 8,
};

typedef void mcp_fn(struct mcp_call *call);

struct mcp_tool {
    const char *name;
    const char *title;
    const char *description;
    const char *input_schema;  /* JSON; of type object */
    const char *output_schema; /* JSON; NULL: its result is not structured */
    unsigned hints;            /* of enum mcp_hint */
    enum scope scope;          /* what its caller must be allowed to; never public */
    mcp_fn *call;
};

/* The answer: structuredContent, and the same JSON once more as text. `json` is one object. */
void mcp_call_result(struct mcp_call *call, struct span json);

/* The answer: it could not be done, `text` says why and what to do instead; the agent reads it. */
void mcp_call_fail(struct mcp_call *call, struct span text);

/* The answer: an array of content blocks, as JSON. */
void mcp_call_content(struct mcp_call *call, struct span blocks);

/* Did the client declare that capability ("sampling", ..) for this call? If not, that is the
 * answer. Of legacy clients none is known. */
bool mcp_call_requires(struct mcp_call *call, const char *capability);

/* Not answers: how far it is, for an agent that asked for it (else nothing is said). `total` NAN
 * and an empty message are left out. `done` must grow. */
void mcp_call_progress(struct mcp_call *call, double done, double total, struct span message);

/* The same for a line of log, to those who want that level ("debug" .. "emergency"); `data` is
 * JSON. */
void mcp_call_log(struct mcp_call *call, const char *level, struct span data);

/* ---- resources ---- */

struct mcp_resource {
    const char *uri;
    const char *name;
    const char *title;
    const char *description;
    const char *mime_type;
    mcp_fn *read;
};

/* Appends the completions of what was typed so far, as JSON strings with json_write_comma before
 * each; at most MCP_VALUES_MAX. */
typedef void mcp_complete_fn(struct app *app, struct span typed, struct buf *out);

/* Resources of which there are many. */
struct mcp_template {
    const char *uri_template; /* with one {variable}, which stands for a segment without '/' */
    const char *name;
    const char *title;
    const char *description;
    const char *mime_type;
    mcp_fn *read;
    mcp_complete_fn *complete; /* of the variable; NULL: there are none */
};

/* Answers: the contents, as text or as base64 of bytes; that there is no such resource. */
void mcp_call_text(struct mcp_call *call, const char *mime_type, struct span text);
void mcp_call_blob(struct mcp_call *call, const char *mime_type, struct span bytes);
void mcp_call_not_found(struct mcp_call *call);

/* ---- prompts ---- */

struct mcp_argument {
    const char *name;
    const char *description;
    bool required;
    mcp_complete_fn *complete; /* NULL: there are none */
};

struct mcp_prompt {
    const char *name;
    const char *title;
    const char *description;
    const struct mcp_argument *arguments; /* ended by a NULL name; NULL: none */
    mcp_fn *get;                          /* call.arguments: all strings, the required ones there */
};

/* The answer: an array of messages {"role","content"}, as JSON. */
void mcp_call_messages(struct mcp_call *call, struct span messages);

/* ---- what an endpoint offers ---- */

/* Appends resources that exist just now as objects {"uri","name",..}, json_write_comma before each;
 * few, since all of them stand in one answer. */
typedef void mcp_list_fn(struct app *app, struct buf *out);

enum mcp_list { MCP_TOOLS, MCP_RESOURCES, MCP_PROMPTS, MCP_LISTS };

/* Each list ends with a NULL; one that is NULL is empty. */
struct mcp_set {
    const struct mcp_tool *const *tools;
    const struct mcp_resource *const *resources;
    const struct mcp_template *const *templates;
    const struct mcp_prompt *const *prompts;
    mcp_list_fn *more_resources; /* NULL: there are no others */
    const char *instructions;    /* for the agent's model: what to use when; NULL: none */
    unsigned
        changes; /* bits 1 << enum mcp_list: lists in which rows come and go (mcp_list_changed) */
};

extern const struct mcp_set mcp_training;   /* at /mcp */
extern const struct mcp_set mcp_operations; /* at /mcp/operations */

/* ---- what changes ---- */

/* What can be read at `uri` is another now: tells who subscribed to it, at most once a second.
 * Costs next to nothing when nobody did. */
void mcp_changed(struct app *app, struct span uri);

/* There are other rows in a list now: tells everybody who listens. */
void mcp_list_changed(struct app *app, enum mcp_list list);

#endif
