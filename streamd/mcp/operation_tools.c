/* SPDX-License-Identifier: MIT */
/*
 * The operations API for agents: the names that some were written against, each the route of the
 * same meaning, asked from inside. An answer is the body of that route.
 */
#include "streamd/mcp/operation_tools.h"

#include "proto/json_write.h"
#include "streamd/app.h"
#include "streamd/http/operation_reply.h"
#include "streamd/http/operations.h"
#include "streamd/mcp/tools.h"

#include <stdio.h>

enum {
    EPOCHS_SHOWN_MAX = 120, /* the newest; of at most 330 bytes each */
    LIST_DEFAULT = 10,
    QUERY_MAX = 256,
    BODY_MAX = 16384,
};

static struct request request_of(const struct mcp_call *call)
{
    return (struct request){.method = METHOD_GET,
                            .tail = answer_text(call, "operation_id", SPAN("")),
                            .content_type = SPAN("application/json"),
                            .user_agent = mcp_call_client(call),
                            .now = call->now};
}

static void ask(struct mcp_call *call, route_fn *route, struct reply *reply)
{
    struct request req = request_of(call);
    route(call->app, &req, reply);
}

/* ---- metrics: no more than one answer holds ---- */

static void write_newest(struct app *app, struct session *s, const struct operation_epochs *epochs,
                         struct reply *reply)
{
    (void)app;
    operation_answer_metrics(s, epochs, epochs->first > 0, reply);
    if (reply->status != 200 || epochs->first == 0)
        return;
    reply->body.len--; /* its brace */
    json_write_pair_bool(&reply->body, "truncated", true);
    json_write_pair_u64(&reply->body, "epochs_left_out", epochs->first);
    buf_add_char(&reply->body, '}');
}

void answer_get_operation_metrics(struct mcp_call *call, struct reply *reply)
{
    struct request req = request_of(call);
    struct session *s = operation_find(call->app, &req, reply);
    if (!s)
        return;
    uint64_t count = s->epochs.trend.count;
    uint64_t from = count > EPOCHS_SHOWN_MAX ? count - EPOCHS_SHOWN_MAX : 0;
    operation_epochs_answer(call->app, s, from, write_newest, reply);
}

/* ---- the others ---- */

void answer_get_operation_status(struct mcp_call *call, struct reply *reply)
{
    ask(call, operation_show, reply);
}

void answer_get_operation_results(struct mcp_call *call, struct reply *reply)
{
    ask(call, operation_results, reply);
}

static bool is_word(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'))
            return false;
    }
    return text.len <= OPERATION_TYPE_MAX;
}

void answer_list_operations(struct mcp_call *call, struct reply *reply)
{
    char query[QUERY_MAX];
    struct request req = request_of(call);
    struct span type = answer_text(call, "operation_type", SPAN(""));
    struct span status = answer_text(call, "status", SPAN(""));
    if (!is_word(type) || !is_word(status)) {
        answer_refuse(reply, "operation_type is a word of a-z, 0-9, _ and -, as training.");
        return;
    }
    int n =
        snprintf(query, sizeof(query), "active_only=%d&limit=%d%s%.*s%s%.*s",
                 answer_flag(call, "active_only"), (int)answer_number(call, "limit", LIST_DEFAULT),
                 type.len > 0 ? "&operation_type=" : "", (int)type.len, type.ptr,
                 status.len > 0 ? "&status=" : "", (int)status.len, status.ptr);
    req.query = (struct span){query, (size_t)n};
    operations_list(call->app, &req, reply);
}

void answer_cancel_operation(struct mcp_call *call, struct reply *reply)
{
    struct request req = request_of(call);
    struct span reason = answer_text(call, "reason", SPAN(""));
    struct buf body;
    buf_init(&body, BODY_MAX);
    buf_add_char(&body, '{');
    if (reason.len > 0)
        json_write_pair_string(&body, "reason", reason);
    buf_add_char(&body, '}');
    req.method = METHOD_DELETE;
    req.body = buf_span(&body);
    if (buf_status(&body) == OK)
        operation_stop(call->app, &req, reply);
    else
        answer_refuse(reply, "reason must be at most 1024 bytes.");
    buf_fini(&body);
}

/* ---- the rows ---- */

#define SCHEMA(...) #__VA_ARGS__

/* clang-format off */
static const char of_one[] = SCHEMA({
  "type": "object",
  "properties": {
    "operation_id": {"type": "string", "description": "From list_operations", "x-mcp-header": "Operation-Id"}
  },
  "required": ["operation_id"],
  "additionalProperties": false
});
static const char of_cancel[] = SCHEMA({
  "type": "object",
  "properties": {
    "operation_id": {"type": "string", "description": "From list_operations", "x-mcp-header": "Operation-Id"},
    "reason": {"type": "string", "maxLength": 1024}
  },
  "required": ["operation_id"],
  "additionalProperties": false
});
static const char of_list[] = SCHEMA({
  "type": "object",
  "properties": {
    "operation_type": {"type": "string", "description": "For example training"},
    "status": {"enum": ["pending", "resuming", "running", "completed", "failed", "cancelled"]},
    "active_only": {"type": "boolean", "default": false},
    "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 10}
  },
  "additionalProperties": false
});
static const char gives[] = SCHEMA({
  "type": "object",
  "properties": {"success": {"type": "boolean"}},
  "required": ["success"]
});
/* clang-format on */

#define CALLS(answer)                                                                              \
    static void call_##answer(struct mcp_call *call)                                               \
    {                                                                                              \
        answer_call(call, answer_##answer);                                                        \
    }

CALLS(get_operation_metrics)
CALLS(get_operation_status)
CALLS(list_operations)
CALLS(cancel_operation)
CALLS(get_operation_results)

static const struct mcp_tool metrics = {
    .name = "get_operation_metrics",
    .title = "Metrics of an operation",
    .description = "Epochs of a training so far, best epoch, overfitting and plateau flags.",
    .input_schema = of_one,
    .output_schema = gives,
    .hints = MCP_READ_ONLY,
    .scope = SCOPE_READ,
    .call = call_get_operation_metrics,
};
static const struct mcp_tool status = {
    .name = "get_operation_status",
    .title = "Status of an operation",
    .description = "Status, progress and metadata of one operation.",
    .input_schema = of_one,
    .output_schema = gives,
    .hints = MCP_READ_ONLY,
    .scope = SCOPE_READ,
    .call = call_get_operation_status,
};
static const struct mcp_tool list = {
    .name = "list_operations",
    .title = "List operations",
    .description = "Operations, newest first. Start here to get operation ids.",
    .input_schema = of_list,
    .output_schema = gives,
    .hints = MCP_READ_ONLY,
    .scope = SCOPE_READ,
    .call = call_list_operations,
};
static const struct mcp_tool cancel = {
    .name = "cancel_operation",
    .title = "Cancel an operation",
    .description = "Asks the trainer of an operation to stop.",
    .input_schema = of_cancel,
    .output_schema = gives,
    .hints = MCP_DESTRUCTIVE | MCP_IDEMPOTENT,
    .scope = SCOPE_CONTROL,
    .call = call_cancel_operation,
};
static const struct mcp_tool results = {
    .name = "get_operation_results",
    .title = "Results of an operation",
    .description = "What came of an operation that has ended.",
    .input_schema = of_one,
    .output_schema = gives,
    .hints = MCP_READ_ONLY,
    .scope = SCOPE_READ,
    .call = call_get_operation_results,
};

const struct mcp_tool *const operation_tools[] = {&metrics, &status,  &list,
                                                  &cancel,  &results, NULL};
