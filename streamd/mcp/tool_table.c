/* SPDX-License-Identifier: MIT */
#include "streamd/mcp/tool.h"

const struct mcp_set mcp_training = {0};
const struct mcp_set mcp_operations = {0};
