/* SPDX-License-Identifier: MIT */
/*
 * method: which methods there are, in which era, and who answers them.
 */
#ifndef STREAMD_MCP_METHOD_H
#define STREAMD_MCP_METHOD_H

#include "streamd/mcp/work.h"

/* Lets the method of that name answer; an unknown one, or one of the other era, is refused. */
void mcp_method_run(struct mcp_work *w, const char *name);

/* The member of the params that the Mcp-Name header repeats; NULL when the method has none. */
const char *mcp_method_subject(const char *name);

/* Does only the modern era have it? */
bool mcp_method_is_modern(const char *name);

/* ---- the methods, each group in its own file ---- */

typedef void mcp_method_fn(struct mcp_work *w);

mcp_method_fn mcp_initialize; /* greeting.c */
mcp_method_fn mcp_discover;
mcp_method_fn mcp_ping;
mcp_method_fn mcp_set_level;
mcp_method_fn mcp_list_tools; /* listing.c */
mcp_method_fn mcp_list_resources;
mcp_method_fn mcp_list_templates;
mcp_method_fn mcp_list_prompts;
mcp_method_fn mcp_call_tool; /* asking.c */
mcp_method_fn mcp_read_resource;
mcp_method_fn mcp_get_prompt;
mcp_method_fn mcp_complete; /* completion.c */
mcp_method_fn mcp_listen;   /* listening.c */
mcp_method_fn mcp_subscribe_resource;
mcp_method_fn mcp_unsubscribe_resource;

#endif
