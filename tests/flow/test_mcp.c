/* SPDX-License-Identifier: MIT */
/* What an agent asks, and how it is answered (docs/protocol.md P-95 to P-100). */
#include "tests/flow/agent_tools.h"
#include "tests/flow/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- both eras ---- */

static void a_tool_answers_at_once_as_json(void **state)
{
    struct agent a;
    agent_asks(&a, *state, "\"x\"", "tools/call",
               "\"name\":\"echo\",\"arguments\":{\"text\":\"hi\"}");
    agent_hears(&a, "HTTP/1.1 200 OK");
    agent_hears(&a, "Content-Type: application/json");
    agent_hears(&a, "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"result\":{\"resultType\":\"complete\","
                    "\"content\":[{\"type\":\"text\",\"text\":\"{\\\"text\\\":\\\"hi\\\"}\"}],"
                    "\"structuredContent\":{\"text\":\"hi\"},\"_meta\":");
    assert_int_equal(((struct world *)*state)->app->stats.mcp_calls, 0);
}

static void a_legacy_answer_has_nothing_of_the_modern_era(void **state)
{
    struct agent a;
    struct agent b;
    agent_initializes(&a, *state);
    agent_asks_legacy(&b, &a, "7", "tools/call", "\"name\":\"echo\"");
    agent_hears(&b, "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"content\":[{\"type\":\"text\","
                    "\"text\":\"{\\\"text\\\":\\\"nothing\\\"}\"}],\"structuredContent\":{\"text\":"
                    "\"nothing\"}}}");
}

static void wrong_arguments_are_a_result_that_says_where(void **state)
{
    struct agent a;
    agent_asks(&a, *state, "1", "tools/call", "\"name\":\"echo\",\"arguments\":{\"text\":7}");
    agent_hears(&a, "200 OK");
    agent_hears(&a, "arguments.text must be a string");
    agent_hears(&a, "\"isError\":true");
    agent_asks(&a, *state, "1", "tools/call", "\"name\":\"echo\",\"arguments\":[]");
    agent_hears(&a, "\"code\":-32602");
}

static void an_answer_past_the_limit_becomes_advice(void **state)
{
    static const char *const asked[][3] = {
        {"tools/call", "\"name\":\"large\"", "\"isError\":true"},
        {"tools/call", "\"name\":\"large_blocks\"", "\"isError\":true"},
        {"resources/read", "\"uri\":\"test://large\"", "}}"},
        {"prompts/get", "\"name\":\"large\",\"arguments\":{\"how\":\"very\"}", "}}"},
    };
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        struct agent a;
        agent_asks(&a, *state, "1", asked[i][0], asked[i][1]);
        agent_hears(&a, "ask for less");
        agent_hears(&a, asked[i][2]);
        assert_true(a.conn->wire.len < 4096);
    }
}

static void what_is_asked_for_must_be_named_as_a_text(void **state)
{
    static const char *const asked[][3] = {
        {"tools/call", "\"title\":1", "name must be a string"},
        {"prompts/get", "\"title\":1", "name must be a string"},
        {"prompts/get", "\"name\":\"nobody\"", "Unknown prompt: nobody"},
        {"prompts/get", "\"name\":\"large\"", "a string: how"},
        {"prompts/get", "\"name\":\"large\",\"arguments\":{\"how\":1}", "a string: how"},
        {"prompts/get", "\"name\":\"large\",\"arguments\":7", "arguments must be an object"},
        {"resources/read", "\"link\":1", "uri must be a string"},
        {"subscriptions/listen", "\"notifications\":[]", "notifications must be an object"},
        {"subscriptions/listen", "\"notifications\":{\"resourceSubscriptions\":{}}",
         "must be an array of strings"},
        {"subscriptions/listen", "\"notifications\":{\"resourceSubscriptions\":[1]}",
         "must be an array of strings"},
        {"completion/complete", "\"ref\":{}", "argument with name and value"},
    };
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        struct agent a;
        agent_asks(&a, *state, "1", asked[i][0], asked[i][1]);
        agent_hears(&a, "\"code\":-32602");
        agent_hears(&a, asked[i][2]);
    }
}

static void what_stands_for_a_run_is_completed_from_what_was_typed(void **state)
{
    static const char *const refs[] = {
        "\"type\":\"ref/prompt\",\"name\":\"diagnose_run\"},\"argument\":{\"name\":\"session_id\"",
        "\"type\":\"ref/resource\",\"uri\":\"training://sessions/{id}\"},"
        "\"argument\":{\"name\":\"id\"",
    };
    char members[512];
    struct agent a;
    trainer_starts(*state, "run-1");
    trainer_starts(*state, "other");
    for (size_t i = 0; i < sizeof(refs) / sizeof(refs[0]); i++) {
        (void)snprintf(members, sizeof(members), "\"ref\":{%s,\"value\":\"ru\"}", refs[i]);
        agent_asks(&a, *state, "1", "completion/complete", members);
        agent_hears(&a, "\"completion\":{\"values\":[\"run-1\"]}");
    }
    static const char *const nothing[] = {"\"name\":\"nobody\"", "\"name\":\"large\"",
                                          "\"uri\":\"test://nothing\"", "\"type\":\"ref/x\""};
    for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++) {
        (void)snprintf(members, sizeof(members),
                       "\"ref\":{%s},\"argument\":{\"name\":\"x\",\"value\":\"\"}", nothing[i]);
        agent_asks(&a, *state, "1", "completion/complete", members);
        agent_hears(&a, "\"completion\":{\"values\":[]}");
    }
}

static void a_tool_may_need_what_a_client_declares(void **state)
{
    struct agent a;
    struct request req = {.method = METHOD_POST,
                          .mcp_protocol_version = SPAN("2026-07-28"),
                          .mcp_method = SPAN("tools/call"),
                          .mcp_name = SPAN("samples")};
    agent_asks(&a, *state, "1", "tools/call", "\"name\":\"samples\"");
    agent_hears(&a, "400 Bad Request");
    agent_hears(&a, "\"requiredCapabilities\":{\"sampling\":{}}");
    agent_sends(&a, *state, &req,
                "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":"
                "\"samples\",\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
                "\"io.modelcontextprotocol/clientCapabilities\":{\"sampling\":{}}}}}");
    agent_hears(&a, "\"may\\\":1");
}

static void a_daemon_that_leaves_takes_no_more_requests(void **state)
{
    struct world *w = *state;
    struct agent a;
    world_enter(w);
    peers_drain(&w->app->peers);
    world_leave(w);
    agent_asks(&a, w, "1", "tools/list", "");
    agent_hears(&a, "503 Service Unavailable");
    agent_hears(&a, "The daemon is going away");
}

static void an_unknown_tool_or_resource_is_an_error(void **state)
{
    struct agent a;
    struct agent l;
    agent_asks(&a, *state, "1", "tools/call", "\"name\":\"nobody\"");
    agent_hears(&a, "\"code\":-32602,\"message\":\"Unknown tool: nobody\"");
    agent_asks(&a, *state, "1", "resources/read", "\"uri\":\"test://things/a/b/text\"");
    agent_hears(&a, "\"code\":-32602");
    agent_hears(&a, "\"data\":{\"uri\":\"test://things/a/b/text\"}");
    agent_initializes(&a, *state);
    agent_asks_legacy(&l, &a, "1", "resources/read", "\"uri\":\"test://nothing\"");
    agent_hears(&l, "\"code\":-32002");
}

static void a_template_reads_what_stands_in_its_place(void **state)
{
    struct agent a;
    agent_asks(&a, *state, "1", "resources/read", "\"uri\":\"test://things/a%20b/text\"");
    agent_hears(&a, "\"contents\":[{\"uri\":\"test://things/a%20b/text\",\"mimeType\":"
                    "\"text/plain\",\"text\":\"a b\"}]");
    agent_hears(&a, "\"ttlMs\":0,\"cacheScope\":\"private\"");
}

static void an_argument_that_a_header_repeats_must_be_what_it_says(void **state)
{
    static const struct {
        struct span header;
        const char *arguments;
        const char *status;
    } cases[] = {
        {{"a b", 3}, "{\"session_id\":\"a b\"}", "200 OK"},
        {{"=?base64?w6k=?=", 15}, "{\"session_id\":\"\xc3\xa9\"}", "200 OK"},
        {{"=?base64?w6k?=", 14}, "{\"session_id\":\"\xc3\xa9\"}", "400 Bad Request"},
        {{"a", 1}, "{\"session_id\":\"b\"}", "400 Bad Request"},
        {{NULL, 0}, "{\"session_id\":\"a\"}", "400 Bad Request"},
        {{"a", 1}, "{}", "400 Bad Request"},
        {{NULL, 0}, "{}", "200 OK"},
        {{NULL, 0}, "{\"session_id\":7}", "200 OK"}, /* and isError */
        {{"a", 1}, "{\"session_id\":\"a\",\"other\":\"b\"}", "400 Bad Request"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct agent a;
        char body[1024];
        struct request req = {.method = METHOD_POST,
                              .mcp_protocol_version = SPAN("2026-07-28"),
                              .mcp_method = SPAN("tools/call"),
                              .mcp_name = SPAN("of_run"),
                              .mcp_param_session_id = cases[i].header};
        (void)snprintf(body, sizeof(body),
                       "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{"
                       "\"name\":\"of_run\",\"arguments\":%s," MODERN_META "}}",
                       cases[i].arguments);
        agent_sends(&a, *state, &req, body);
        agent_hears(&a, cases[i].status);
    }
}

static void the_list_of_tools_is_the_table(void **state)
{
    struct agent a;
    agent_asks(&a, *state, "1", "tools/list", "");
    agent_hears(&a, "{\"name\":\"echo\",\"description\":\"says it again\",\"inputSchema\":{");
    agent_hears(&a, "\"annotations\":{\"readOnlyHint\":true,\"openWorldHint\":false}}");
    agent_hears(&a, "{\"name\":\"later\"");
    agent_asks(&a, *state, "1", "tools/list", "\"cursor\":\"x\"");
    agent_hears(&a, "-32602");
}

/* ---- answers that come later ---- */

static void an_answer_may_come_later_as_json(void **state)
{
    struct agent a;
    agent_asks(&a, *state, "1", "tools/call", "\"name\":\"later\"");
    agent_hears_nothing(&a);
    assert_int_equal(((struct world *)*state)->app->stats.mcp_calls, 1);
    answer_waiting(*state, "{\"done\":1}");
    agent_hears(&a, "Content-Type: application/json");
    agent_hears(&a, "done");
    assert_int_equal(gone, 1);
    assert_int_equal(((struct world *)*state)->app->stats.mcp_calls, 0);
}

static void a_modern_agent_that_goes_gives_up_its_call(void **state)
{
    struct agent a;
    agent_asks(&a, *state, "1", "tools/call", "\"name\":\"later\"");
    agent_leaves(&a);
    assert_int_equal(gone, 1);
    agent_asks(&a, *state, "1", "tools/call", "\"name\":\"later\"");
    agent_leaves(&a);
    assert_int_equal(gone, 2);
}

static void progress_makes_a_stream_that_ends_with_the_answer(void **state)
{
    struct agent a;
    agent_asks_with_token(&a, *state);
    tell_progress(*state, 1);
    agent_hears(&a, "Content-Type: text/event-stream");
    agent_hears(&a, "event: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
                    "progress\",\"params\":{\"progressToken\":5,\"progress\":1}}\n\n");
    tell_progress(*state, 1);
    agent_hears_nothing(&a);
    tell_progress(*state, 2);
    agent_hears(&a, "\"progress\":2");
    answer_waiting(*state, "{}");
    agent_hears(&a, "\"id\":1,\"result\":");
    agent_hears(&a, "0\r\n\r\n");
    assert_int_equal(gone, 1);
}

static void a_modern_stream_that_breaks_ends_its_work(void **state)
{
    struct agent a;
    agent_asks_with_token(&a, *state);
    tell_progress(*state, 1);
    agent_leaves(&a);
    assert_int_equal(gone, 1);
    assert_int_equal(((struct world *)*state)->app->stats.mcp_calls, 0);
}

static void what_is_said_while_a_method_works_comes_before_its_answer(void **state)
{
    struct agent a;
    struct agent b;
    agent_initializes(&a, *state);
    agent_asks_legacy(&b, &a, "1", "tools/call",
                      "\"name\":\"talks\",\"_meta\":{\"progressToken\":\"t\"}");
    agent_hears(&b, "text/event-stream");
    agent_hears(&b, "id: 0-1\nretry: 1000\ndata: \n\n");
    agent_hears(&b, "id: 0-2\nevent: message\ndata: ");
    agent_hears(&b, "\"level\":\"info\"");
    agent_hears(&b, "\"progressToken\":\"t\",\"progress\":1,\"total\":2,\"message\":\"half\"");
    agent_hears(&b, "\"id\":1,\"result\"");
    agent_hears(&b, "0\r\n\r\n");
}

static void a_level_of_log_is_kept_to(void **state)
{
    struct agent a;
    struct agent b;
    agent_initializes(&a, *state);
    agent_asks_legacy(&b, &a, "1", "logging/setLevel", "\"level\":\"error\"");
    agent_hears(&b, "\"result\":{}");
    agent_asks_legacy(&b, &a, "2", "tools/call", "\"name\":\"talks\"");
    agent_hears(&b, "application/json");
    agent_asks_legacy(&b, &a, "3", "logging/setLevel", "\"level\":\"loud\"");
    agent_hears(&b, "-32602");
}

static void who_takes_no_events_gets_json_alone(void **state)
{
    struct agent a;
    struct request req = {.method = METHOD_POST,
                          .accept = SPAN("application/json"),
                          .mcp_protocol_version = SPAN("2026-07-28"),
                          .mcp_method = SPAN("tools/call"),
                          .mcp_name = SPAN("talks")};
    agent_sends(&a, *state, &req,
                "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":"
                "\"talks\",\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
                "\"io.modelcontextprotocol/clientCapabilities\":{},\"progressToken\":5}}}");
    agent_hears(&a, "application/json");
    req.accept = SPAN("text/html, image/*");
    agent_sends(&a, *state, &req, "{}");
    agent_hears(&a, "406 Not Acceptable");
}

/* ---- what is refused before a method is looked for ---- */

#define BODY(id, method, meta)                                                                     \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"" method "\",\"params\":{" meta "}}"

static const struct {
    struct request req;
    const char *body;
    const char *status;
    const char *code;
} refusals[] = {
    {{.method = METHOD_POST}, "", "400", "-32700"},
    {{.method = METHOD_POST}, "[]", "400", "-32600"},
    {{.method = METHOD_POST}, "{\"jsonrpc\":\"2.0\",\"id\":5}", "400", "\"id\":5"},
    {{.method = METHOD_POST}, BODY("1", "tools/list", ""), "400", "-32600"},
    {{.method = METHOD_POST}, BODY("1", "server/discover", ""), "400", "-32602"},
    {{.method = METHOD_POST}, BODY("1", "server/discover", MODERN_META), "400", "-32020"},
    {{.method = METHOD_POST, .mcp_protocol_version = {"2026-07-28", 10}},
     BODY("1", "server/discover", MODERN_META),
     "400",
     "-32020"},
    {{.method = METHOD_POST,
      .mcp_protocol_version = {"2026-07-28", 10},
      .mcp_method = {"tools/call", 10}},
     BODY("1", "tools/call", MODERN_META ",\"name\":\"echo\""),
     "400",
     "-32020"},
    {{.method = METHOD_POST,
      .mcp_protocol_version = {"2026-07-28", 10},
      .mcp_method = {"tools/call", 10},
      .mcp_name = {"=?base64?ZWNobw=?=", 18}},
     BODY("1", "tools/call", MODERN_META ",\"name\":\"echo\""),
     "400",
     "-32020"},
    {{.method = METHOD_POST,
      .mcp_protocol_version = {"2026-07-28", 10},
      .mcp_method = {"tools/call", 10},
      .mcp_name = {"=?base64?ZWNobw==?=", 19}},
     BODY("1", "tools/call", MODERN_META ",\"name\":\"echo\""),
     "200",
     "nothing"},
    {{.method = METHOD_POST, .mcp_protocol_version = {"1999-01-01", 10}},
     BODY("1", "x", "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"1999-01-01\"}"),
     "400",
     "\"requested\":\"1999-01-01\""},
    {{.method = METHOD_POST, .mcp_protocol_version = {"2026-07-28", 10}},
     BODY("1", "x", "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"}"),
     "400",
     "-32602"},
    {{.method = METHOD_POST, .mcp_protocol_version = {"2026-07-28", 10}, .mcp_method = {"ping", 4}},
     BODY("1", "ping", MODERN_META),
     "404",
     "-32601"},
    {{.method = METHOD_POST, .mcp_session_id = {"nobody", 6}},
     BODY("1", "ping", ""),
     "404",
     "-32001"},
    {{.method = METHOD_POST,
      .mcp_session_id = {"nobody", 6},
      .mcp_protocol_version = {"1999-01-01", 10}},
     BODY("1", "ping", ""),
     "400",
     "-32600"},
    {{.method = METHOD_POST}, BODY("1", "initialize", ""), "200", "-32602"},
    {{.method = METHOD_GET, .mcp_protocol_version = {"2026-07-28", 10}}, "", "405", "Allow"},
    {{.method = METHOD_GET, .accept = {"application/json", 16}}, "", "406", ""},
    {{.method = METHOD_DELETE}, "", "400", ""},
    {{.method = METHOD_GET, .origin = {"http://evil.example", 19}}, "", "403", ""},
    {{.method = METHOD_POST, .origin = {"http://evil.example", 19}}, "{}", "403", ""},
    {{.method = METHOD_POST, .host = {"evil.example", 12}}, "{}", "403", ""},
    {{.method = METHOD_PUT}, "", "405", "Allow"},
};

static void a_request_that_does_not_hold_together_is_told_why(void **state)
{
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        struct agent a;
        agent_sends(&a, *state, &refusals[i].req, refusals[i].body);
        struct span all = agent_heard(&a);
        if (!memmem(all.ptr, all.len, refusals[i].status, 3) ||
            !memmem(all.ptr, all.len, refusals[i].code, strlen(refusals[i].code)))
            fail_msg("case %zu: %.*s", i, (int)all.len, all.ptr);
    }
    assert_int_equal(((struct world *)*state)->app->stats.mcp_sessions, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        AGENT_TEST(a_tool_answers_at_once_as_json),
        AGENT_TEST(a_legacy_answer_has_nothing_of_the_modern_era),
        AGENT_TEST(wrong_arguments_are_a_result_that_says_where),
        AGENT_TEST(an_answer_past_the_limit_becomes_advice),
        AGENT_TEST(what_is_asked_for_must_be_named_as_a_text),
        AGENT_TEST(what_stands_for_a_run_is_completed_from_what_was_typed),
        AGENT_TEST(a_tool_may_need_what_a_client_declares),
        AGENT_TEST(a_daemon_that_leaves_takes_no_more_requests),
        AGENT_TEST(an_unknown_tool_or_resource_is_an_error),
        AGENT_TEST(a_template_reads_what_stands_in_its_place),
        AGENT_TEST(an_argument_that_a_header_repeats_must_be_what_it_says),
        AGENT_TEST(the_list_of_tools_is_the_table),
        AGENT_TEST(an_answer_may_come_later_as_json),
        AGENT_TEST(a_modern_agent_that_goes_gives_up_its_call),
        AGENT_TEST(progress_makes_a_stream_that_ends_with_the_answer),
        AGENT_TEST(a_modern_stream_that_breaks_ends_its_work),
        AGENT_TEST(what_is_said_while_a_method_works_comes_before_its_answer),
        AGENT_TEST(a_level_of_log_is_kept_to),
        AGENT_TEST(who_takes_no_events_gets_json_alone),
        AGENT_TEST(a_request_that_does_not_hold_together_is_told_why),
    };
    return cmocka_run_group_tests_name("flow/mcp", tests, NULL, NULL);
}
