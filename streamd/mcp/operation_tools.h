/* SPDX-License-Identifier: MIT */
/*
 * operation_tools: the tools of /mcp/operations.
 */
#ifndef STREAMD_MCP_OPERATION_TOOLS_H
#define STREAMD_MCP_OPERATION_TOOLS_H

#include "streamd/mcp/tool.h"

/* Ended by a NULL. */
extern const struct mcp_tool *const operation_tools[];

#endif
