/* SPDX-License-Identifier: MIT */
/*
 * training_tools: the tools, resources and prompts of /mcp.
 */
#ifndef STREAMD_MCP_TRAINING_TOOLS_H
#define STREAMD_MCP_TRAINING_TOOLS_H

#include "streamd/mcp/tool.h"

/* Each ended by a NULL. */
extern const struct mcp_tool *const training_tools[];
extern const struct mcp_template *const training_templates[]; /* training_resources.c */
extern const struct mcp_prompt *const training_prompts[];     /* training_prompts.c */

/* The newest runs, as resources. */
mcp_list_fn training_list_resources;

/* Ids of sessions that begin with what was typed. */
mcp_complete_fn training_complete_id;

#endif
