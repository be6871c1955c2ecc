/* SPDX-License-Identifier: MIT */
#include "tests/flow/agent_tools.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct mcp_call *waiting; /* the call that is answered by the test */
unsigned gone;

static void call_echo(struct mcp_call *call)
{
    struct span text = SPAN("nothing");
    struct buf json;
    buf_init(&json, 1 << 20);
    (void)fields_string(call->arguments, "text", &text);
    buf_addf(&json, "{\"text\":\"%.*s\"}", (int)text.len, text.ptr);
    mcp_call_result(call, buf_span(&json));
    buf_fini(&json);
}

static void on_gone(struct mcp_call *call)
{
    assert_ptr_equal(call, waiting);
    waiting = NULL;
    gone++;
}

static void call_later(struct mcp_call *call)
{
    assert_null(waiting);
    call->gone = on_gone;
    waiting = call;
}

static void call_large(struct mcp_call *call)
{
    static char text[MCP_ANSWER_MAX + 3];
    memset(text, 'x', sizeof(text));
    text[0] = '{';
    mcp_call_result(call, (struct span){text, sizeof(text)});
}

static void call_large_blocks(struct mcp_call *call)
{
    static char text[MCP_ANSWER_MAX + 1];
    mcp_call_content(call, (struct span){text, sizeof(text)});
}

static void call_samples(struct mcp_call *call)
{
    if (mcp_call_requires(call, "sampling"))
        mcp_call_result(call, SPAN("{\"may\":1}"));
}

static void call_talks(struct mcp_call *call)
{
    mcp_call_log(call, "info", SPAN("\"said\""));
    mcp_call_log(call, "debug", SPAN("\"hidden\""));
    mcp_call_progress(call, 1, 2, SPAN("half"));
    mcp_call_result(call, SPAN("{}"));
}

static const struct mcp_tool echo = {
    .name = "echo",
    .description = "says it again",
    .input_schema = "{\"type\":\"object\",\"properties\":{\"text\":{\"type\":\"string\"}},"
                    "\"additionalProperties\":false}",
    .output_schema = "{\"type\":\"object\"}",
    .hints = MCP_READ_ONLY,
    .scope = SCOPE_READ,
    .call = call_echo,
};
static const struct mcp_tool later = {.name = "later",
                                      .input_schema = "{\"type\":\"object\"}",
                                      .scope = SCOPE_READ,
                                      .call = call_later};
static const struct mcp_tool large = {.name = "large",
                                      .input_schema = "{\"type\":\"object\"}",
                                      .scope = SCOPE_READ,
                                      .call = call_large};
static const struct mcp_tool large_blocks = {.name = "large_blocks",
                                             .input_schema = "{\"type\":\"object\"}",
                                             .scope = SCOPE_READ,
                                             .call = call_large_blocks};
static const struct mcp_tool samples = {.name = "samples",
                                        .input_schema = "{\"type\":\"object\"}",
                                        .scope = SCOPE_READ,
                                        .call = call_samples};
static const struct mcp_tool talks = {.name = "talks",
                                      .input_schema = "{\"type\":\"object\"}",
                                      .scope = SCOPE_READ,
                                      .call = call_talks};
static const struct mcp_tool of_run = {
    .name = "of_run",
    .input_schema = "{\"type\":\"object\",\"properties\":{\"session_id\":{\"type\":\"string\","
                    "\"x-mcp-header\":\"Session-Id\"},\"other\":{\"type\":\"string\","
                    "\"x-mcp-header\":\"Other\"}}}",
    .scope = SCOPE_READ,
    .call = call_echo};
static const struct mcp_tool *const tools[] = {&echo,    &later, &large,  &large_blocks,
                                               &samples, &talks, &of_run, NULL};

static void read_thing(struct mcp_call *call)
{
    mcp_call_text(call, "text/plain", call->variable);
}

static const struct mcp_template thing = {
    .uri_template = "test://things/{id}/text", .name = "thing", .read = read_thing};
static const struct mcp_template *const templates[] = {&thing, NULL};

static void read_large(struct mcp_call *call)
{
    static char text[MCP_ANSWER_MAX + 1];
    mcp_call_text(call, "text/plain", (struct span){text, sizeof(text)});
}

static const struct mcp_resource large_text = {
    .uri = "test://large", .name = "large", .read = read_large};
static const struct mcp_resource *const resources[] = {&large_text, NULL};

static void get_large(struct mcp_call *call)
{
    static char text[MCP_ANSWER_MAX + 1];
    mcp_call_messages(call, (struct span){text, sizeof(text)});
}

static const struct mcp_argument of_large[] = {{.name = "how", .required = true}, {.name = NULL}};
static const struct mcp_prompt large_prompt = {
    .name = "large", .arguments = of_large, .get = get_large};
static const struct mcp_prompt *const prompts[] = {&large_prompt, NULL};

static const struct mcp_set set = {.tools = tools,
                                   .resources = resources,
                                   .templates = templates,
                                   .prompts = prompts,
                                   .changes = 1U << MCP_TOOLS};

int agent_setup(void **state)
{
    int result = world_setup(state);
    ((struct world *)*state)->app->mcp.more = &set;
    waiting = NULL;
    gone = 0;
    return result;
}

void answer_waiting(struct world *w, const char *json)
{
    world_enter(w);
    mcp_call_result(waiting, span_of(json));
    world_leave(w);
}

void tell_progress(struct world *w, double done)
{
    world_enter(w);
    mcp_call_progress(waiting, done, NAN, (struct span){0});
    world_leave(w);
}

void agent_asks_with_token(struct agent *a, struct world *w)
{
    struct request req = {.method = METHOD_POST,
                          .mcp_protocol_version = SPAN("2026-07-28"),
                          .mcp_method = SPAN("tools/call"),
                          .mcp_name = SPAN("later")};
    agent_sends(a, w, &req,
                "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":"
                "\"later\",\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
                "\"io.modelcontextprotocol/clientCapabilities\":{},\"progressToken\":5}}}");
}
