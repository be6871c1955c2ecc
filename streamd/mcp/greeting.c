/* SPDX-License-Identifier: MIT */
/* Who we are, what we can do, and what is agreed on before the rest. */
#include "streamd/mcp/method.h"

#include "proto/json_write.h"
#include "streamd/options.h"

#include <stdio.h>

static void write_capability(struct buf *out, const char *name, bool subscribe, bool list_changed)
{
    json_write_name(out, name);
    buf_add_char(out, '{');
    if (subscribe)
        json_write_pair_bool(out, "subscribe", true);
    if (list_changed)
        json_write_pair_bool(out, "listChanged", true);
    buf_add_char(out, '}');
}

/* All methods are there at every endpoint, even where their lists are empty. */
static void write_capabilities(const struct mcp_work *w, struct buf *out)
{
    unsigned changes = mcp_changes(w->mcp, w->set);
    json_write_name(out, "capabilities");
    buf_add_char(out, '{');
    json_write_pair_raw(out, "logging", SPAN("{}"));
    json_write_pair_raw(out, "completions", SPAN("{}"));
    write_capability(out, "tools", false, changes & (1U << MCP_TOOLS));
    write_capability(out, "resources", true, changes & (1U << MCP_RESOURCES));
    write_capability(out, "prompts", false, changes & (1U << MCP_PROMPTS));
    buf_add_char(out, '}');
}

static void write_instructions(const struct mcp_work *w, struct buf *out)
{
    if (w->set->instructions)
        json_write_pair_string(out, "instructions", span_of(w->set->instructions));
}

void mcp_discover(struct mcp_work *w)
{
    struct buf *out = mcp_work_open(w);
    json_write_name(out, "supportedVersions");
    mcp_versions_write(out);
    write_capabilities(w, out);
    write_instructions(w, out);
    mcp_work_cacheable(w, MCP_LIST_TTL_MS);
    mcp_work_close(w);
}

/* What was asked for, if we speak it in this era; else the newest that has sessions. */
static enum mcp_version agree(struct span wanted)
{
    enum mcp_version version = mcp_version_find(wanted);
    return version == MCP_NO_VERSION || mcp_is_modern(version) ? MCP_2025_11_25 : version;
}

void mcp_initialize(struct mcp_work *w)
{
    struct span wanted;
    if (!w->party || !fields_string(w->params, "protocolVersion", &wanted)) {
        mcp_work_fail(w, JSONRPC_INVALID_PARAMS, SPAN("protocolVersion must be a string"),
                      (struct span){0});
        return;
    }
    w->party->version = w->version = agree(wanted);
    w->party->listener.lists = mcp_changes(w->mcp, w->set);
    struct span client = mcp_client_name(fields_object(w->params, "clientInfo"));
    (void)snprintf(w->party->client, sizeof(w->party->client), "%.*s", (int)client.len, client.ptr);
    struct buf *out = mcp_work_open(w);
    json_write_pair_string(out, "protocolVersion", span_of(mcp_version_name(w->version)));
    write_capabilities(w, out);
    buf_add_str(out, ",\"serverInfo\":{\"name\":\"streamd\",\"title\":\"Training runs, live\"");
    json_write_pair_string(out, "version", span_of(STREAMD_VERSION));
    buf_add_char(out, '}');
    write_instructions(w, out);
    mcp_work_close(w);
}

void mcp_ping(struct mcp_work *w)
{
    (void)mcp_work_open(w);
    mcp_work_close(w);
}

void mcp_set_level(struct mcp_work *w)
{
    struct span name;
    int level = fields_string(w->params, "level", &name) ? mcp_level_find(name) : MCP_NO_LEVEL;
    if (level == MCP_NO_LEVEL) {
        mcp_work_fail(w, JSONRPC_INVALID_PARAMS,
                      SPAN("level must be one of debug, info, notice, warning, error, critical, "
                           "alert, emergency"),
                      (struct span){0});
        return;
    }
    w->party->level = level;
    mcp_ping(w);
}
