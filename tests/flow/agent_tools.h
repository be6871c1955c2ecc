/* SPDX-License-Identifier: MIT */
/*
 * agent_tools: what the tests of the agents' protocol call, read and ask for, at every endpoint.
 *
 * `echo` says its text again, `later` is answered by the test, `large` and `large_blocks` say too
 * much, as do the resource test://large and the prompt `large`; `samples` needs a client that can
 * sample, `talks` logs and tells how far it is, `of_run` has an argument that a header repeats, and
 * one of which nobody reads the header; test://things/{id}/text reads what stands in its place.
 */
#ifndef TESTS_FLOW_AGENT_TOOLS_H
#define TESTS_FLOW_AGENT_TOOLS_H

#include "streamd/mcp/tool.h"
#include "tests/flow/agent.h"

extern struct mcp_call *waiting; /* the call of `later` that is not answered, or NULL */
extern unsigned gone;            /* how many of them were over */

/* For cmocka: a world with all of that. */
int agent_setup(void **state);
#define AGENT_TEST(test) cmocka_unit_test_setup_teardown(test, agent_setup, world_teardown)

/* Of the call that waits: its answer; how far it is. */
void answer_waiting(struct world *w, const char *json);
void tell_progress(struct world *w, double done);

/* Calls `later`, and wants to hear how far it is. */
void agent_asks_with_token(struct agent *a, struct world *w);

#endif
