/* SPDX-License-Identifier: MIT */
/*
 * door: the HTTP endpoints /mcp and /mcp/operations, and which era a request is of.
 *
 * Everything that can be wrong before a method is looked for is answered here: a page of another
 * origin, a message that is none, headers that say other than the body, a session that is not
 * known.
 */
#ifndef STREAMD_MCP_DOOR_H
#define STREAMD_MCP_DOOR_H

#include "streamd/http/router.h"

route_fn mcp_door_training;
route_fn mcp_door_operations;

#endif
