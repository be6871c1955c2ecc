/* SPDX-License-Identifier: MIT */
/*
 * said: what a request says about itself in params._meta, and which protocol versions there are.
 */
#ifndef STREAMD_MCP_SAID_H
#define STREAMD_MCP_SAID_H

#include "base/buf.h"
#include "proto/fields.h"

/* In order of time. */
enum mcp_version {
    MCP_NO_VERSION,
    MCP_2025_03_26,
    MCP_2025_06_18,
    MCP_2025_11_25,
    MCP_2026_07_28,
    MCP_VERSIONS,
};

/* "2025-11-25"; not of MCP_NO_VERSION. Static. */
const char *mcp_version_name(enum mcp_version version);

/* MCP_NO_VERSION: we do not speak it. */
enum mcp_version mcp_version_find(struct span name);

static inline bool mcp_is_modern(enum mcp_version version)
{
    return version == MCP_2026_07_28;
}

/* The names as a JSON array; the newest first. */
void mcp_versions_write(struct buf *out);

/* Of syslog, from debug (0) to emergency (7); -1: no such level. */
int mcp_level_find(struct span name);
enum { MCP_NO_LEVEL = -1, MCP_LEVEL_INFO = 1 };

/* Borrows from the params. */
struct mcp_said {
    bool has_version;
    struct span version;                 /* as it was named */
    const struct fields *capabilities;   /* of the client; NULL: not said */
    const struct fields *progress_token; /* a string or a number; NULL: none */
    int level;                           /* of log, MCP_NO_LEVEL: not said */
    struct span client;                  /* what it calls itself; empty: not said */
};

/* `params` may be NULL. */
void mcp_said_read(const struct fields *params, struct mcp_said *out);

/* Why a modern request cannot be answered, as far as its body says. */
struct mcp_refusal {
    int code;
    const char *why; /* static */
};

/* NULL when it can. */
const struct mcp_refusal *mcp_said_refusal(const struct mcp_said *said);

/* The data that belongs to that error; nothing for those that have none. */
void mcp_refusal_write_data(const struct mcp_refusal *refusal, const struct mcp_said *said,
                            struct buf *out);

/* The name in a clientInfo (NULL: there is none), cut to MCP_CLIENT_MAX bytes. */
enum { MCP_CLIENT_MAX = 64 };
struct span mcp_client_name(const struct fields *info);

/* A string or a number as JSON. */
void mcp_token_write(const struct fields *token, struct buf *out);

#endif
