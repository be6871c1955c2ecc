/* SPDX-License-Identifier: MIT */
#include "streamd/mcp/operation_tools.h"
#include "streamd/mcp/tool.h"
#include "streamd/mcp/training_tools.h"

static const char training_instructions[] =
    "Training runs, live and past. list_sessions gives ids; get_status says how one is going in "
    "one "
    "cheap call; assess_health says what to do about it, with evidence. Do not poll: call "
    "wait_for_event with after_seq, the seq that get_status, assess_health and the last "
    "wait_for_event (next_seq) gave, and it returns when something has happened. get_metrics only "
    "when the numbers themselves matter. request_stop needs a reason and is kept with it.";

static const char operation_instructions[] =
    "Long jobs as operations. list_operations gives ids; get_operation_metrics has the epochs of a "
    "training with best_epoch, is_overfitting and is_plateaued.";

const struct mcp_set mcp_training = {
    .tools = training_tools,
    .templates = training_templates,
    .prompts = training_prompts,
    .more_resources = training_list_resources,
    .instructions = training_instructions,
    .changes = 1U << MCP_RESOURCES,
};

const struct mcp_set mcp_operations = {
    .tools = operation_tools,
    .instructions = operation_instructions,
};
