/* SPDX-License-Identifier: MIT */
/* What the functions of the rows say (tool.h), as messages. */
#include "streamd/mcp/work.h"

#include "proto/base64.h"
#include "proto/json_write.h"
#include "proto/number.h"

#include <math.h>

static const char too_long[] = "The answer would be longer than 40,000 bytes: ask for less";

static void write_text_block(struct buf *out, struct span text)
{
    json_write_name(out, "content");
    buf_add_str(out, "[{\"type\":\"text\"");
    json_write_pair_string(out, "text", text);
    buf_add_str(out, "}]");
}

void mcp_call_result(struct mcp_call *call, struct span json)
{
    struct mcp_work *w = call->work;
    if (json.len > MCP_ANSWER_MAX) {
        mcp_call_fail(call, span_of(too_long));
        return;
    }
    struct buf *out = mcp_work_open(w);
    write_text_block(out, json);
    if (w->tool && w->tool->output_schema)
        json_write_pair_raw(out, "structuredContent", json);
    mcp_work_close(w);
}

void mcp_call_fail(struct mcp_call *call, struct span text)
{
    struct mcp_work *w = call->work;
    if (w->asked != MCP_ASKS_TOOL) {
        mcp_work_fail(w, JSONRPC_INTERNAL_ERROR, text, (struct span){0});
        return;
    }
    struct buf *out = mcp_work_open(w);
    write_text_block(out, text);
    json_write_pair_bool(out, "isError", true);
    mcp_work_close(w);
}

void mcp_call_content(struct mcp_call *call, struct span blocks)
{
    if (blocks.len > MCP_ANSWER_MAX) {
        mcp_call_fail(call, span_of(too_long));
        return;
    }
    json_write_pair_raw(mcp_work_open(call->work), "content", blocks);
    mcp_work_close(call->work);
}

bool mcp_call_requires(struct mcp_call *call, const char *capability)
{
    enum { MISSING_CAPABILITY = -32021 };
    struct mcp_work *w = call->work;
    struct buf data;
    if (w->said.capabilities && fields_object(w->said.capabilities, capability))
        return true;
    buf_init(&data, 1024);
    buf_addf(&data, "{\"requiredCapabilities\":{\"%s\":{}}}", capability);
    mcp_work_refuse(w, mcp_is_modern(w->version) ? 400 : 200, MISSING_CAPABILITY,
                    "The client did not declare a capability that this needs", buf_span(&data));
    buf_fini(&data);
    return false;
}

void mcp_call_progress(struct mcp_call *call, double done, double total, struct span message)
{
    struct mcp_work *w = call->work;
    struct buf members;
    if (w->answered || !w->said.progress_token || !(done > w->last_progress))
        return;
    w->last_progress = done;
    buf_init(&members, MCP_ANSWER_MAX);
    json_write_name(&members, "progressToken");
    mcp_token_write(w->said.progress_token, &members);
    json_write_pair_double(&members, "progress", done);
    if (isfinite(total))
        json_write_pair_double(&members, "total", total);
    if (message.len > 0)
        json_write_pair_string(&members, "message", message);
    mcp_work_notify(w, "notifications/progress", buf_span(&members));
    buf_fini(&members);
}

void mcp_call_log(struct mcp_call *call, const char *level, struct span data)
{
    struct mcp_work *w = call->work;
    struct buf members;
    int wanted = mcp_is_modern(w->version) ? w->said.level : w->party->level;
    if (w->answered || wanted == MCP_NO_LEVEL || mcp_level_find(span_of(level)) < wanted)
        return;
    buf_init(&members, MCP_ANSWER_MAX);
    json_write_pair_string(&members, "level", span_of(level));
    json_write_pair_string(&members, "logger", SPAN("streamd"));
    json_write_pair_raw(&members, "data", data);
    mcp_work_notify(w, "notifications/message", buf_span(&members));
    buf_fini(&members);
}

struct span mcp_call_client(const struct mcp_call *call)
{
    const struct mcp_work *w = call->work;
    return w->said.client.len > 0 || !w->party ? w->said.client : span_of(w->party->client);
}

/* ---- resources ---- */

static struct buf *open_contents(struct mcp_call *call, const char *mime_type)
{
    struct buf *out = mcp_work_open(call->work);
    json_write_name(out, "contents");
    buf_add_str(out, "[{");
    json_write_pair_string(out, "uri", call->uri);
    json_write_pair_string(out, "mimeType", span_of(mime_type));
    return out;
}

static void close_contents(struct mcp_call *call)
{
    buf_add_str(&call->work->answer, "}]");
    mcp_work_cacheable(call->work, 0);
    mcp_work_close(call->work);
}

void mcp_call_text(struct mcp_call *call, const char *mime_type, struct span text)
{
    if (text.len > MCP_ANSWER_MAX) {
        mcp_call_fail(call, span_of(too_long));
        return;
    }
    json_write_pair_string(open_contents(call, mime_type), "text", text);
    close_contents(call);
}

void mcp_call_blob(struct mcp_call *call, const char *mime_type, struct span bytes)
{
    struct buf *out = open_contents(call, mime_type);
    json_write_name(out, "blob");
    buf_add_char(out, '"');
    base64_encode(out, bytes);
    buf_add_char(out, '"');
    close_contents(call);
}

void mcp_call_not_found(struct mcp_call *call)
{
    enum { LEGACY_NOT_FOUND = -32002 };
    struct mcp_work *w = call->work;
    struct buf data;
    buf_init(&data, MCP_ANSWER_MAX);
    buf_add_char(&data, '{');
    json_write_pair_string(&data, "uri", call->uri);
    buf_add_char(&data, '}');
    mcp_work_fail(w, mcp_is_modern(w->version) ? JSONRPC_INVALID_PARAMS : LEGACY_NOT_FOUND,
                  SPAN("Resource not found"),
                  buf_status(&data) == OK ? buf_span(&data) : (struct span){0});
    buf_fini(&data);
}

/* ---- prompts ---- */

void mcp_call_messages(struct mcp_call *call, struct span messages)
{
    if (messages.len > MCP_ANSWER_MAX) {
        mcp_call_fail(call, span_of(too_long));
        return;
    }
    json_write_pair_raw(mcp_work_open(call->work), "messages", messages);
    mcp_work_close(call->work);
}
