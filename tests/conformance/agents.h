/* SPDX-License-Identifier: MIT */
/*
 * agents: what the conformance suites of the Model Context Protocol want to call, read and ask for.
 *
 * Names and contents are the suites'. What would ask the agent's user or model in the middle of a
 * call is not here: the daemon has no use for it (tests/wire/mcp_expected_failures.yml).
 */
#ifndef TESTS_CONFORMANCE_AGENTS_H
#define TESTS_CONFORMANCE_AGENTS_H

#include "streamd/mcp/tool.h"

/* For mcp.more. */
extern const struct mcp_set conformance_agents;

#endif
