/* SPDX-License-Identifier: MIT */
#include "tests/conformance/agents.h"

#include "proto/json_write.h"
#include "streamd/app.h"

#include <math.h>
#include <stdlib.h>

#define NO_ARGUMENTS "{\"type\":\"object\",\"properties\":{}}"

/* A red pixel, and a moment of silence. */
#define PNG                                                                                        \
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJg" \
    "gg=="
#define WAV "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA="

#define TEXT_BLOCK(text) "{\"type\":\"text\",\"text\":\"" text "\"}"
#define IMAGE_BLOCK "{\"type\":\"image\",\"data\":\"" PNG "\",\"mimeType\":\"image/png\"}"

/* ---- tools that answer at once ---- */

static void simple_text(struct mcp_call *call)
{
    mcp_call_content(call, SPAN("[" TEXT_BLOCK("This is a simple text response for testing.") "]"));
}

static void image(struct mcp_call *call)
{
    mcp_call_content(call, SPAN("[" IMAGE_BLOCK "]"));
}

static void audio(struct mcp_call *call)
{
    mcp_call_content(
        call, SPAN("[{\"type\":\"audio\",\"data\":\"" WAV "\",\"mimeType\":\"audio/wav\"}]"));
}

static void embedded(struct mcp_call *call)
{
    mcp_call_content(
        call, SPAN("[{\"type\":\"resource\",\"resource\":{\"uri\":\"test://embedded-resource\","
                   "\"mimeType\":\"text/plain\",\"text\":\"This is an embedded resource "
                   "content.\"}}]"));
}

static void mixed(struct mcp_call *call)
{
    mcp_call_content(call,
                     SPAN("[" TEXT_BLOCK(
                         "Multiple content types test:") "," IMAGE_BLOCK
                                                         ",{\"type\":\"resource\",\"resource\":{"
                                                         "\"uri\":\"test://mixed-content-"
                                                         "resource\",\"mimeType\":\"application/"
                                                         "json\",\"text\":\"{\\\"test\\\":"
                                                         "\\\"data\\\",\\\"value\\\":123}\"}}]"));
}

static void fails(struct mcp_call *call)
{
    mcp_call_fail(call, SPAN("This tool intentionally returns an error for testing"));
}

static void needs_sampling(struct mcp_call *call)
{
    if (mcp_call_requires(call, "sampling"))
        mcp_call_content(call, SPAN("[" TEXT_BLOCK("sampling was declared") "]"));
}

static void logs(struct mcp_call *call)
{
    mcp_call_log(call, "info", SPAN("\"a line of log\""));
    mcp_call_content(call, SPAN("[" TEXT_BLOCK("logged, if that was wanted") "]"));
}

static void streams(struct mcp_call *call)
{
    mcp_call_progress(call, 1, NAN, (struct span){0});
    mcp_call_content(call, SPAN("[" TEXT_BLOCK("nobody is asked") "]"));
}

static void changes_tools(struct mcp_call *call)
{
    mcp_list_changed(call->app, MCP_TOOLS);
    mcp_call_content(call, SPAN("[" TEXT_BLOCK("told") "]"));
}

static void changes_prompts(struct mcp_call *call)
{
    mcp_list_changed(call->app, MCP_PROMPTS);
    mcp_call_content(call, SPAN("[" TEXT_BLOCK("told") "]"));
}

/* ---- tools that take their time: three steps, 50 ms apart, and the answer as long after the last,
 * since some clients lose what comes together with it ---- */

enum { STEPS = 3, STEP_US = 50 * 1000 };

struct steps {
    struct timer timer;
    struct mcp_call *call;
    int done;
    void (*step)(struct mcp_call *call, int index);
};

static void on_step(struct timer *timer, uint64_t now_us)
{
    struct steps *s = LIST_ENTRY(timer, struct steps, timer);
    if (s->done == STEPS) {
        mcp_call_content(s->call, SPAN("[" TEXT_BLOCK("done") "]"));
        return;
    }
    s->step(s->call, s->done++);
    if (timers_arm(&s->call->app->timers, timer, now_us + STEP_US) != OK)
        abort();
}

static void on_steps_gone(struct mcp_call *call)
{
    struct steps *s = call->state;
    timers_disarm(&call->app->timers, &s->timer);
    free(s);
}

static void walk(struct mcp_call *call, void (*step)(struct mcp_call *call, int index))
{
    struct steps *s = calloc(1, sizeof(*s));
    if (!s)
        abort();
    s->call = call;
    s->step = step;
    call->state = s;
    call->gone = on_steps_gone;
    timer_init(&s->timer, on_step);
    if (timers_arm(&call->app->timers, &s->timer, call->now.us) != OK)
        abort();
}

static void step_log(struct mcp_call *call, int index)
{
    static const char *const lines[STEPS] = {
        "\"Tool execution started\"", "\"Tool processing data\"", "\"Tool execution completed\""};
    mcp_call_log(call, "info", span_of(lines[index]));
}

static void with_logging(struct mcp_call *call)
{
    walk(call, step_log);
}

static void step_progress(struct mcp_call *call, int index)
{
    mcp_call_progress(call, index * 50.0, 100, (struct span){0});
}

static void with_progress(struct mcp_call *call)
{
    walk(call, step_progress);
}

/* Nothing ever comes of it: for who gives up. */
static void on_forever_gone(struct mcp_call *call)
{
    (void)call;
}

static void takes_forever(struct mcp_call *call)
{
    call->gone = on_forever_gone;
}

#define TOOL(id, function)                                                                         \
    {                                                                                              \
        .name = (id), .description = "for the conformance suites", .input_schema = NO_ARGUMENTS,   \
        .hints = MCP_READ_ONLY, .scope = SCOPE_READ, .call = (function)                            \
    }

static const struct mcp_tool rows[] = {
    TOOL("test_simple_text", simple_text),
    TOOL("test_image_content", image),
    TOOL("test_audio_content", audio),
    TOOL("test_embedded_resource", embedded),
    TOOL("test_multiple_content_types", mixed),
    TOOL("test_error_handling", fails),
    TOOL("test_missing_capability", needs_sampling),
    TOOL("test_logging_tool", logs),
    TOOL("test_streaming_elicitation", streams),
    TOOL("test_trigger_tool_change", changes_tools),
    TOOL("test_trigger_prompt_change", changes_prompts),
    TOOL("test_tool_with_logging", with_logging),
    TOOL("test_tool_with_progress", with_progress),
    TOOL("takes_forever", takes_forever),
};

static const struct mcp_tool schema_tool = {
    .name = "json_schema_2020_12_tool",
    .description = "Tool with JSON Schema 2020-12 features",
    .input_schema =
        "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"type\":\"object\","
        "\"$defs\":{\"address\":{\"$anchor\":\"addressDef\",\"type\":\"object\",\"properties\":{"
        "\"street\":{\"type\":\"string\"},\"city\":{\"type\":\"string\"}}}},\"properties\":{"
        "\"name\":{\"type\":\"string\"},\"address\":{\"$ref\":\"#/$defs/address\"},"
        "\"contactMethod\":{\"type\":\"string\",\"enum\":[\"phone\",\"email\"]},\"phone\":{"
        "\"type\":\"string\"},\"email\":{\"type\":\"string\"}},\"allOf\":[{\"anyOf\":[{"
        "\"required\":[\"phone\"]},{\"required\":[\"email\"]}]}],\"if\":{\"properties\":{"
        "\"contactMethod\":{\"const\":\"phone\"}},\"required\":[\"contactMethod\"]},\"then\":{"
        "\"required\":[\"phone\"]},\"else\":{\"required\":[\"email\"]},\"additionalProperties\":"
        "false}",
    .hints = MCP_READ_ONLY,
    .scope = SCOPE_READ,
    .call = simple_text,
};

static const struct mcp_tool *const tools[] = {
    &rows[0], &rows[1], &rows[2],  &rows[3],  &rows[4],  &rows[5],  &rows[6],     &rows[7],
    &rows[8], &rows[9], &rows[10], &rows[11], &rows[12], &rows[13], &schema_tool, NULL,
};

/* ---- resources ---- */

static void read_text(struct mcp_call *call)
{
    mcp_call_text(call, "text/plain", SPAN("This is the content of the static text resource."));
}

static void read_binary(struct mcp_call *call)
{
    mcp_call_blob(call, "image/png", SPAN("\x89PNG\r\n\x1a\n"));
}

static void read_template(struct mcp_call *call)
{
    struct buf text;
    buf_init(&text, 4096);
    buf_add_char(&text, '{');
    json_write_pair_string(&text, "id", call->variable);
    json_write_pair_bool(&text, "templateTest", true);
    buf_add_char(&text, '}');
    mcp_call_text(call, "application/json", buf_span(&text));
    buf_fini(&text);
}

static const struct mcp_resource resource_rows[] = {
    {.uri = "test://static-text",
     .name = "static-text",
     .mime_type = "text/plain",
     .read = read_text},
    {.uri = "test://static-binary",
     .name = "static-binary",
     .mime_type = "image/png",
     .read = read_binary},
    {.uri = "test://watched-resource",
     .name = "watched",
     .mime_type = "text/plain",
     .read = read_text},
};

static const struct mcp_resource *const resources[] = {&resource_rows[0], &resource_rows[1],
                                                       &resource_rows[2], NULL};

static const struct mcp_template template_row = {.uri_template = "test://template/{id}/data",
                                                 .name = "template",
                                                 .mime_type = "application/json",
                                                 .read = read_template};

static const struct mcp_template *const templates[] = {&template_row, NULL};

/* ---- prompts ---- */

#define MESSAGE(content) "{\"role\":\"user\",\"content\":" content "}"

static void simple_prompt(struct mcp_call *call)
{
    mcp_call_messages(call,
                      SPAN("[" MESSAGE(TEXT_BLOCK("This is a simple prompt for testing.")) "]"));
}

static void prompt_with_arguments(struct mcp_call *call)
{
    struct span arg1 = {0};
    struct span arg2 = {0};
    struct buf text;
    struct buf messages;
    (void)fields_string(call->arguments, "arg1", &arg1);
    (void)fields_string(call->arguments, "arg2", &arg2);
    buf_init(&text, 4096);
    buf_init(&messages, 16384);
    buf_addf(&text, "Prompt with arguments: arg1='%.*s', arg2='%.*s'", (int)arg1.len, arg1.ptr,
             (int)arg2.len, arg2.ptr);
    buf_add_str(&messages, "[{\"role\":\"user\",\"content\":{\"type\":\"text\"");
    json_write_pair_string(&messages, "text", buf_span(&text));
    buf_add_str(&messages, "}}]");
    mcp_call_messages(call, buf_span(&messages));
    buf_fini(&text);
    buf_fini(&messages);
}

static void prompt_with_resource(struct mcp_call *call)
{
    struct span uri = {0};
    struct buf messages;
    (void)fields_string(call->arguments, "resourceUri", &uri);
    buf_init(&messages, 16384);
    buf_add_str(&messages, "[{\"role\":\"user\",\"content\":{\"type\":\"resource\",\"resource\":{");
    json_write_pair_string(&messages, "uri", uri);
    buf_add_str(&messages, ",\"mimeType\":\"text/plain\",\"text\":\"Embedded resource content for "
                           "testing.\"}}}," MESSAGE(
                               TEXT_BLOCK("Please process the embedded resource above.")) "]");
    mcp_call_messages(call, buf_span(&messages));
    buf_fini(&messages);
}

static void prompt_with_image(struct mcp_call *call)
{
    mcp_call_messages(call, SPAN("[" MESSAGE(IMAGE_BLOCK) "," MESSAGE(
                                TEXT_BLOCK("Please analyze the image above.")) "]"));
}

static void complete_arg1(struct app *app, struct span typed, struct buf *out)
{
    (void)app;
    json_write_comma(out);
    json_write_string(out, typed);
}

static const struct mcp_argument two_arguments[] = {
    {"arg1", "the first", true, complete_arg1}, {"arg2", "the second", true, NULL}, {0}};
static const struct mcp_argument uri_argument[] = {{"resourceUri", "what to embed", true, NULL},
                                                   {0}};

static const struct mcp_prompt prompt_rows[] = {
    {.name = "test_simple_prompt", .description = "A simple one", .get = simple_prompt},
    {.name = "test_prompt_with_arguments",
     .description = "For the conformance suites",
     .arguments = two_arguments,
     .get = prompt_with_arguments},
    {.name = "test_prompt_with_embedded_resource",
     .description = "For the conformance suites",
     .arguments = uri_argument,
     .get = prompt_with_resource},
    {.name = "test_prompt_with_image",
     .description = "For the conformance suites",
     .get = prompt_with_image},
};

static const struct mcp_prompt *const prompts[] = {&prompt_rows[0], &prompt_rows[1],
                                                   &prompt_rows[2], &prompt_rows[3], NULL};

const struct mcp_set conformance_agents = {
    .tools = tools,
    .resources = resources,
    .templates = templates,
    .prompts = prompts,
    .changes = 1U << MCP_TOOLS | 1U << MCP_PROMPTS,
};
