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
    {"token", "NAME", "make a token for --token-file", token_options, tool_token},
    {"mcp-stdio", "", "let an agent in through stdin and stdout (Model Context Protocol)",
     mcp_stdio_options, tool_mcp_stdio},
    {"ls", "", "the runs of a running daemon, newest first", ls_options, tool_ls},
    {"status", "ID", "how one of them is going", status_options, tool_status},
    {"metrics", "ID", "what it has recorded, an entry a line", metrics_options, tool_metrics},
    {"wait", "ID", "sleep until something is true of it", wait_options, tool_wait},
    {"stop", "ID", "cancel it: tell its trainer to stop", steer_options, tool_steer},
    {"pause", "ID", "tell its trainer to pause", steer_options, tool_steer},
    {"resume", "ID", "tell its trainer to go on", steer_options, tool_steer},
    {"checkpoint", "ID", "tell its trainer to save", steer_options, tool_steer},
    {"set", "ID KNOB=VALUE", "tell its trainer to change a knob", steer_options, tool_steer},
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
