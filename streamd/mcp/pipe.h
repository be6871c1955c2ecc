/* SPDX-License-Identifier: MIT */
/*
 * pipe: an agent on the Unix socket, one JSON message a line both ways: what `streamd mcp-stdio`
 * passes through.
 *
 * Its first line is no trainer's: {"type":"mcp"}, with "endpoint":"/mcp/operations" for that one.
 * The daemon says {"type":"mcp"} back, and from then on the connection is the agent's. Both eras
 * are spoken, each request as it says; `initialize` begins the legacy one. Who does not read its
 * answers is not read either.
 */
#ifndef STREAMD_MCP_PIPE_H
#define STREAMD_MCP_PIPE_H

#include "base/span.h"

#include <stdbool.h>

struct app;
struct mcp;

/* For the Unix socket (unix_guest_fn). True: the fd is ours, or was closed because there are as
 * many agents as allowed. */
bool mcp_pipe_take(struct app *app, struct span first_line, struct span rest, int fd);

/* What was said is answered, and nothing more is read. */
void mcp_pipes_drain(struct mcp *mcp);

/* Before the event loop goes. */
void mcp_pipes_destroy(struct mcp *mcp);

#endif
