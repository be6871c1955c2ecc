/* SPDX-License-Identifier: MIT */
/*
 * What an endpoint offers, as its agents are told. The rows are few and stand in one answer: there
 * is no next page, and a cursor is one we never gave.
 */
#include "streamd/mcp/method.h"

#include "proto/json_write.h"

/* Opens the result and its list; NULL, and it is refused, when another page was asked for. */
static struct buf *open_list(struct mcp_work *w, const char *name)
{
    if (fields_has(w->params, "cursor")) {
        mcp_work_fail(w, JSONRPC_INVALID_PARAMS, SPAN("The list has one page: leave cursor out"),
                      (struct span){0});
        return NULL;
    }
    struct buf *out = mcp_work_open(w);
    json_write_name(out, name);
    buf_add_char(out, '[');
    return out;
}

static void close_list(struct mcp_work *w, uint64_t ttl_ms)
{
    buf_add_char(&w->answer, ']');
    mcp_work_cacheable(w, ttl_ms);
    mcp_work_close(w);
}

static void write_optional(struct buf *out, const char *name, const char *text)
{
    if (text)
        json_write_pair_string(out, name, span_of(text));
}

static void write_names(struct buf *out, const char *name, const char *title,
                        const char *description)
{
    json_write_comma(out);
    buf_add_char(out, '{');
    json_write_pair_string(out, "name", span_of(name));
    write_optional(out, "title", title);
    write_optional(out, "description", description);
}

static void write_annotations(const struct mcp_tool *tool, struct buf *out)
{
    bool reads = tool->hints & MCP_READ_ONLY;
    json_write_name(out, "annotations");
    buf_add_char(out, '{');
    json_write_pair_bool(out, "readOnlyHint", reads);
    if (!reads) {
        json_write_pair_bool(out, "destructiveHint", tool->hints & MCP_DESTRUCTIVE);
        json_write_pair_bool(out, "idempotentHint", tool->hints & MCP_IDEMPOTENT);
    }
    json_write_pair_bool(out, "openWorldHint", tool->hints & MCP_OPEN_WORLD);
    buf_add_char(out, '}');
}

void mcp_list_tools(struct mcp_work *w)
{
    const struct mcp_tool *tool;
    struct buf *out = open_list(w, "tools");
    for (size_t i = 0; out && (tool = mcp_tool_at(w->mcp, w->set, i)) != NULL; i++) {
        write_names(out, tool->name, tool->title, tool->description);
        json_write_pair_raw(out, "inputSchema", span_of(tool->input_schema));
        if (tool->output_schema)
            json_write_pair_raw(out, "outputSchema", span_of(tool->output_schema));
        write_annotations(tool, out);
        buf_add_char(out, '}');
    }
    if (out)
        close_list(w, MCP_LIST_TTL_MS);
}

void mcp_list_resources(struct mcp_work *w)
{
    const struct mcp_resource *row;
    struct buf *out = open_list(w, "resources");
    for (size_t i = 0; out && (row = mcp_resource_at(w->mcp, w->set, i)) != NULL; i++) {
        write_names(out, row->name, row->title, row->description);
        json_write_pair_string(out, "uri", span_of(row->uri));
        write_optional(out, "mimeType", row->mime_type);
        buf_add_char(out, '}');
    }
    if (out && w->set->more_resources)
        w->set->more_resources(w->call.app, out);
    if (out)
        close_list(w, 0);
}

void mcp_list_templates(struct mcp_work *w)
{
    const struct mcp_template *row;
    struct buf *out = open_list(w, "resourceTemplates");
    for (size_t i = 0; out && (row = mcp_template_at(w->mcp, w->set, i)) != NULL; i++) {
        write_names(out, row->name, row->title, row->description);
        json_write_pair_string(out, "uriTemplate", span_of(row->uri_template));
        write_optional(out, "mimeType", row->mime_type);
        buf_add_char(out, '}');
    }
    if (out)
        close_list(w, MCP_LIST_TTL_MS);
}

static void write_arguments(const struct mcp_argument *argument, struct buf *out)
{
    json_write_name(out, "arguments");
    buf_add_char(out, '[');
    for (; argument && argument->name; argument++) {
        write_names(out, argument->name, NULL, argument->description);
        json_write_pair_bool(out, "required", argument->required);
        buf_add_char(out, '}');
    }
    buf_add_char(out, ']');
}

void mcp_list_prompts(struct mcp_work *w)
{
    const struct mcp_prompt *row;
    struct buf *out = open_list(w, "prompts");
    for (size_t i = 0; out && (row = mcp_prompt_at(w->mcp, w->set, i)) != NULL; i++) {
        write_names(out, row->name, row->title, row->description);
        write_arguments(row->arguments, out);
        buf_add_char(out, '}');
    }
    if (out)
        close_list(w, MCP_LIST_TTL_MS);
}
