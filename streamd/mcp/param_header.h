/* SPDX-License-Identifier: MIT */
/*
 * param_header: what modern headers repeat of a message's values, for proxies that read no bodies.
 *
 * Mcp-Name is one of them; the others are those that a tool's input schema asks for: a property
 * with "x-mcp-header":"Session-Id" is repeated in Mcp-Param-Session-Id.
 */
#ifndef STREAMD_MCP_PARAM_HEADER_H
#define STREAMD_MCP_PARAM_HEADER_H

#include "streamd/http/request.h"
#include "streamd/mcp/mcp.h"

/* Does the header say the value? As it stands, or as `=?base64?...?=`. */
bool mcp_header_is(struct span header, struct span value);

/* Do the headers of a tools/call say what its arguments say? Those that no tool asks for are not
 * looked at. True as well when there is no such tool. */
bool mcp_param_headers_fit(const struct mcp *mcp, const struct mcp_set *set,
                           const struct request *req, const struct fields *params);

#endif
