/* SPDX-License-Identifier: MIT */
#include "streamd/mcp/training_tools.h"

#include "streamd/mcp/tools.h"
#include "streamd/mcp/training_schema.h"

/* A row and the function it calls: the answer of the same name. */
#define TOOL(tool, shown_title, about, tool_hints, needs)                                          \
    static void call_##tool(struct mcp_call *call)                                                 \
    {                                                                                              \
        answer_call(call, answer_##tool);                                                          \
    }                                                                                              \
    static const struct mcp_tool row_##tool = {.name = #tool,                                      \
                                               .title = (shown_title),                             \
                                               .description = (about),                             \
                                               .input_schema = schema_##tool##_in,                 \
                                               .output_schema = schema_##tool##_out,               \
                                               .hints = (tool_hints),                              \
                                               .scope = (needs),                                   \
                                               .call = call_##tool};

TOOL(list_sessions, "List training sessions",
     "Find training runs. Newest first. Start here to get session ids.", MCP_READ_ONLY, SCOPE_READ)
TOOL(get_status, "Session status",
     "One run now: phase, progress, ETA range, latest and best metrics, open alerts. Cheap; use "
     "before get_metrics.",
     MCP_READ_ONLY, SCOPE_READ)
TOOL(get_metrics, "Metric history (downsampled)",
     "History of up to 8 metrics, downsampled server-side to `points` (extremes and NaNs kept), "
     "with exact per-metric stats over all points.",
     MCP_READ_ONLY, SCOPE_READ)
TOOL(assess_health, "Assess training health",
     "Deterministic diagnosis: overfitting, plateau, divergence, NaN, stall, OOM risk, with "
     "evidence and a recommended action.",
     MCP_READ_ONLY, SCOPE_READ)
TOOL(compare_sessions, "Compare runs",
     "2-6 runs side by side on one metric, plus only the config keys that differ.", MCP_READ_ONLY,
     SCOPE_READ)
TOOL(wait_for_event, "Wait for the next event",
     "Long-poll: returns at once if events newer than after_seq exist, else when one happens or at "
     "timeout. Call again with next_seq. Replaces polling.",
     MCP_READ_ONLY, SCOPE_READ)
TOOL(set_alert, "Set or remove an alert rule",
     "Create, replace or (remove=true) delete a named rule on a run. Fires once per cooldown; seen "
     "by wait_for_event.",
     MCP_IDEMPOTENT, SCOPE_WRITE)
TOOL(request_stop, "Ask a run to stop",
     "Cooperative stop: the trainer stops at the next safe point and keeps the best checkpoint. "
     "mode=kill only for diverged runs.",
     MCP_DESTRUCTIVE | MCP_IDEMPOTENT, SCOPE_CONTROL)
TOOL(start_training, "Start a project's training job",
     "Starts a trainer for a project. Returns the session id at once.", MCP_IDEMPOTENT,
     SCOPE_CONTROL)

const struct mcp_tool *const training_tools[] = {&row_list_sessions,    &row_get_status,
                                                 &row_get_metrics,      &row_assess_health,
                                                 &row_compare_sessions, &row_wait_for_event,
                                                 &row_set_alert,        &row_request_stop,
                                                 &row_start_training,   NULL};
