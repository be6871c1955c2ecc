/* SPDX-License-Identifier: MIT */
#include "streamd/tools/tool.h"

#include <string.h>

static const struct tool_option no_options[] = {{0}};

static const struct tool tools[] = {
    {"export", "ID...", "write runs as CSV, NDJSON or JSON", export_options, tool_export},
    {"import", "FILE...", "take in runs from tables, logs, JSON or event files", import_options,
     tool_import},
    {"verify", "", "look whether all that was kept can be read", verify_options, tool_verify},
    {"replay", "", "read a run as JSON lines and say after each what it means", replay_options,
     tool_replay},
    {"watch", "", "follow a log as if it were a trainer, and tell of it", watch_options,
     tool_watch},
    {"relay", "", "take trainers' lines here, and lead them to a daemon elsewhere", relay_options,
     tool_relay},
    {"status", "ID", "how a run of a running daemon is going", status_options, tool_status},
    {"stop", "ID", "cancel a run: tell its trainer to stop", stop_options, tool_stop},
    {"token", "NAME", "make a token for --token-file", token_options, tool_token},
    {"mcp-stdio", "", "let an agent in through stdin and stdout (Model Context Protocol)",
     mcp_stdio_options, tool_mcp_stdio},
    {"help", "[COMMAND]", "say how a command is used", no_options, tool_help},
};

const struct tool *tool_at(size_t index)
{
    return index < sizeof(tools) / sizeof(tools[0]) ? &tools[index] : NULL;
}

const struct tool *tool_find(const char *name)
{
    for (size_t i = 0; tool_at(i); i++) {
        if (strcmp(tools[i].name, name) == 0)
            return &tools[i];
    }
    return NULL;
}
