/* SPDX-License-Identifier: MIT */
#include "streamd/mcp/said.h"

#include "proto/json_write.h"
#include "proto/jsonrpc.h"
#include "proto/number.h"

#include <math.h>

static const char *const versions[MCP_VERSIONS] = {
    [MCP_2025_03_26] = "2025-03-26",
    [MCP_2025_06_18] = "2025-06-18",
    [MCP_2025_11_25] = "2025-11-25",
    [MCP_2026_07_28] = "2026-07-28",
};

const char *mcp_version_name(enum mcp_version version)
{
    return versions[version];
}

enum mcp_version mcp_version_find(struct span name)
{
    for (enum mcp_version v = MCP_NO_VERSION + 1; v < MCP_VERSIONS; v++) {
        if (span_is(name, versions[v]))
            return v;
    }
    return MCP_NO_VERSION;
}

void mcp_versions_write(struct buf *out)
{
    buf_add_char(out, '[');
    for (enum mcp_version v = MCP_VERSIONS - 1; v > MCP_NO_VERSION; v--) {
        json_write_comma(out);
        json_write_string(out, span_of(versions[v]));
    }
    buf_add_char(out, ']');
}

int mcp_level_find(struct span name)
{
    static const char *const levels[] = {"debug", "info",     "notice", "warning",
                                         "error", "critical", "alert",  "emergency"};
    for (int i = 0; i < (int)(sizeof(levels) / sizeof(levels[0])); i++) {
        if (span_is(name, levels[i]))
            return i;
    }
    return MCP_NO_LEVEL;
}

/* 1e999 is a number that JSON has no other word for. */
static bool can_be_sent_back(const struct fields *token)
{
    double number;
    return fields_type(token) == FIELDS_STRING ||
           (fields_as_number(token, &number) && isfinite(number));
}

struct span mcp_client_name(const struct fields *info)
{
    struct span name = {NULL, 0};
    if (info)
        (void)fields_string(info, "name", &name);
    return span_head(name, MCP_CLIENT_MAX);
}

void mcp_said_read(const struct fields *params, struct mcp_said *out)
{
    const struct fields *meta = params ? fields_object(params, "_meta") : NULL;
    struct span level;
    *out = (struct mcp_said){.level = MCP_NO_LEVEL};
    if (!meta)
        return;
    out->has_version =
        fields_string(meta, "io.modelcontextprotocol/protocolVersion", &out->version);
    out->capabilities = fields_object(meta, "io.modelcontextprotocol/clientCapabilities");
    if (fields_string(meta, "io.modelcontextprotocol/logLevel", &level))
        out->level = mcp_level_find(level);
    out->client = mcp_client_name(fields_object(meta, "io.modelcontextprotocol/clientInfo"));
    const struct fields *token = fields_any(meta, "progressToken");
    if (token && can_be_sent_back(token))
        out->progress_token = token;
}

static const struct mcp_refusal no_version = {
    JSONRPC_INVALID_PARAMS, "params._meta must have io.modelcontextprotocol/protocolVersion"};
static const struct mcp_refusal unsupported = {-32022, "Unsupported protocol version"};
static const struct mcp_refusal no_capabilities = {
    JSONRPC_INVALID_PARAMS, "params._meta must have io.modelcontextprotocol/clientCapabilities"};

const struct mcp_refusal *mcp_said_refusal(const struct mcp_said *said)
{
    if (!said->has_version)
        return &no_version;
    if (!mcp_is_modern(mcp_version_find(said->version)))
        return &unsupported;
    return said->capabilities ? NULL : &no_capabilities;
}

void mcp_refusal_write_data(const struct mcp_refusal *refusal, const struct mcp_said *said,
                            struct buf *out)
{
    if (refusal != &unsupported)
        return;
    buf_add_str(out, "{\"supported\":");
    mcp_versions_write(out);
    json_write_pair_string(out, "requested", said->version);
    buf_add_char(out, '}');
}

void mcp_token_write(const struct fields *token, struct buf *out)
{
    struct span text;
    double number;
    if (fields_as_string(token, &text))
        json_write_string(out, text);
    else if (fields_as_number(token, &number))
        num_write_double(out, number);
}
