/* SPDX-License-Identifier: MIT */
/* Who may do what, in every dialect: docs/protocol.md P-101 to P-105. */
#include "streamd/mcp/tool.h"
#include "tests/flow/agent.h"
#include "tests/flow/client.h"
#include "tests/flow/client_parts.h"
#include "tests/flow/received.h"
#include "tests/flow/world.h"
#include "tests/streamd/auth/token_place.h"

static struct token_place place;

/* alice may read (her token is A), steward may read and control (B), ci may write (C). */
static void write_tokens(void)
{
    char a[256];
    char b[256];
    char c[256];
    char text[1024];
    (void)snprintf(text, sizeof(text), "%s%s%s", token_line("alice", "read", "A", a),
                   token_line("steward", "read,control", "B", b),
                   token_line("ci", "write", "C", c));
    token_place_write(&place, text);
}

static int setup(void **state)
{
    struct world *w = world_create();
    token_place_open(&place);
    write_tokens();
    w->config.token_file = place.path;
    world_begin(w);
    w->remote = true;
    trainer_logs(w, "run", 1);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    world_destroy(*state);
    token_place_close(&place);
    return 0;
}

/* Its answer's status; `said` (NULL: not looked at) must be in the body. */
static int ask(struct world *w, enum method method, const char *path, const char *body,
               const char *said)
{
    struct client *c = client_nobody(w);
    struct http_answer answer;
    struct request req = {.method = method, .path = span_of(path), .body = span_of(body)};
    req.content_type =
        strstr(path, "ingest") ? SPAN("application/x-ndjson") : SPAN("application/json");
    client_asks_http(c, &c->post, &req);
    assert_true(http_answer_take(&c->post->wire, method == METHOD_HEAD, &answer));
    int status = answer.status;
    struct span all = buf_span(&answer.body);
    if (said && !memmem(all.ptr, all.len, said, strlen(said)))
        fail_msg("%s: %.*s", path, (int)all.len, all.ptr);
    http_answer_fini(&answer);
    return status;
}

static void each_route_asks_for_its_scope(void **state)
{
    static const struct {
        enum method method;
        const char *path;
        const char *body;
        const char *authorization; /* NULL: none */
        int status;
    } cases[] = {
        {METHOD_GET, "/health", "", NULL, 200},
        {METHOD_GET, "/openapi.json", "", NULL, 200},
        {METHOD_GET, "/api/training/sessions", "", NULL, 401},
        {METHOD_HEAD, "/api/training/sessions", "", NULL, 401},
        {METHOD_GET, "/api/training/sessions", "", "Bearer A", 200},
        {METHOD_GET, "/api/training/sessions", "", "Bearer X", 401},
        {METHOD_GET, "/api/training/sessions", "", "Bearer C", 403},
        {METHOD_GET, "/metrics", "", NULL, 401},
        {METHOD_GET, "/api/v1/operations", "", NULL, 401},
        {METHOD_GET, "/api/training/events/run", "", NULL, 401},
        {METHOD_HEAD, "/api/training/events/run", "", NULL, 401},
        {METHOD_POST, "/api/training/ingest", "{\"type\":\"ping\"}\n", "Bearer A", 403},
        {METHOD_POST, "/api/training/ingest", "{\"type\":\"ping\"}\n", "Bearer C", 200},
        {METHOD_POST, "/api/training/control/run", "{\"command\":\"stop\"}", NULL, 401},
        {METHOD_POST, "/api/training/control/run", "{\"command\":\"stop\"}", "Bearer A", 403},
        {METHOD_POST, "/api/training/control/run", "{\"command\":\"stop\"}", "Bearer B", 409},
        {METHOD_DELETE, "/api/v1/operations/run", "", "Bearer C", 403},
        {METHOD_POST, "/mcp", "{}", NULL, 401},
        {METHOD_POST, "/mcp", "{}", "Bearer C", 403},
        {METHOD_POST, "/mcp", "{}", "Bearer A", 400},
        {METHOD_OPTIONS, "/api/training/sessions", "", NULL, 204},
    };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        w->authorization = cases[i].authorization;
        int status = ask(w, cases[i].method, cases[i].path, cases[i].body, NULL);
        if (status != cases[i].status)
            fail_msg("%s with %s: %d, not %d", cases[i].path,
                     cases[i].authorization ? cases[i].authorization : "nothing", status,
                     cases[i].status);
    }
}

static void a_refusal_says_what_is_needed(void **state)
{
    struct world *w = *state;
    assert_int_equal(
        ask(w, METHOD_GET, "/metrics", "", "A valid token is needed: Authorization: Bearer TOKEN"),
        401);
    w->authorization = "Bearer A";
    assert_int_equal(ask(w, METHOD_POST, "/api/training/control/run", "{}",
                         "The token alice has the scope read; this needs control"),
                     403);
}

static void over_loopback_nobody_needs_a_token_unless_it_is_required(void **state)
{
    struct world *w = *state;
    w->remote = false;
    assert_int_equal(ask(w, METHOD_GET, "/metrics", "", NULL), 200);
    w->config.require_token = true;
    assert_int_equal(ask(w, METHOD_GET, "/metrics", "", NULL), 401);
    assert_int_equal(ask(w, METHOD_GET, "/health", "", NULL), 200);
}

static void a_header_lets_every_dialect_in(void **state)
{
    struct world *w = *state;
    w->authorization = "Bearer A";
    for (enum tongue t = 0; t < TONGUES; t++) {
        struct client *c = client_watch(w, t, "run");
        (void)client_hears(c, "session_status");
        client_hears_step(c, 1);
        client_hears_nothing(c);
    }
}

static void a_wrong_token_opens_no_websocket(void **state)
{
    struct world *w = *state;
    w->authorization = "Bearer X";
    struct client *c = client_nobody(w);
    assert_null(client_opens_ws(c, "/ws", SPAN("")));
    assert_int_equal(c->refused, 401);
    w->authorization = NULL;
    assert_null(client_opens_ws(c, "/ws", SPAN("token=X")));
    assert_int_equal(c->refused, 401);
}

static void a_plain_websocket_says_its_token_first(void **state)
{
    struct world *w = *state;
    struct client *c = client_open(w, PLAIN);
    client_asks(c, "subscribe_session", "{\"sessionId\":\"run\"}");
    assert_true(heard_is(client_hears(c, "error"), "message", guard_needs_token));
    assert_true(heard_is(client_hears(c, "ack"), "error", guard_needs_token));
    client_asks(c, "auth", "{\"token\":\"A\"}");
    assert_string_equal(client_hears(c, "ack")->data, "{\"success\":true}");
    client_subscribes(c, "run");
    (void)client_hears(c, "session_status");
    client_hears_step(c, 1);
    client_hears_nothing(c);
}

static void a_wrong_one_is_told_so_and_closed(void **state)
{
    static const char *const wrong[] = {"{\"token\":\"X\"}", "{\"token\":7}", "[]", NULL};
    struct world *w = *state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct client *c = client_open(w, PLAIN);
        client_says(c, "auth", wrong[i]);
        assert_true(heard_is(client_hears(c, "error"), "code", "unauthorized"));
        assert_int_equal(c->close_code, 1008);
        assert_true(client_is_gone(c));
    }
}

static void a_query_may_carry_it_where_a_browser_has_no_other_way(void **state)
{
    struct world *w = *state;
    struct client *c = client_nobody(w);
    c->stream = client_opens_ws(c, "/ws", SPAN("sessionId=run&token=A"));
    while (client_react(c))
        continue;
    (void)client_hears(c, "connection_established");
    (void)client_hears(c, "session_status");
    client_hears_step(c, 1);

    c = client_nobody(w);
    c->stream = client_opens_ws(c, "/ws", SPAN("sessionId=run"));
    while (client_react(c))
        continue;
    (void)client_hears(c, "connection_established");
    assert_true(heard_is(client_hears(c, "error"), "code", "unauthorized"));
    client_hears_nothing(c);
}

static void who_may_only_read_cannot_steer(void **state)
{
    struct world *w = *state;
    w->authorization = "Bearer A";
    for (enum tongue t = 0; t < SSE; t++) {
        struct client *c = client_open(w, t);
        client_asks(c, "control_session", "{\"sessionId\":\"run\",\"command\":\"stop\"}");
        const char *why = "The token alice has the scope read; this needs control";
        assert_true(heard_is(client_hears(c, "error"), "message", why));
        assert_true(heard_is(client_hears(c, "ack"), "error", why));
    }
    w->authorization = "Bearer B";
    struct client *c = client_open(w, SOCKETIO);
    client_asks(c, "control_session", "{\"sessionId\":\"run\",\"command\":\"stop\"}");
    assert_true(
        heard_is(client_hears(c, "error"), "message", "No trainer of this session is connected"));
}

static void the_audit_has_the_name_of_the_token_and_no_more(void **state)
{
    static const char orders[] = "/api/training/control/run";
    struct world *w = *state;
    w->authorization = "Bearer B";
    (void)ask(w, METHOD_POST, orders, "{\"command\":\"stop\"}", NULL);
    assert_int_equal(ask(w, METHOD_GET, orders, "", "\"caller\":\"steward\""), 200);
    struct client *c = client_open(w, SOCKETIO);
    client_asks(c, "control_session", "{\"sessionId\":\"run\",\"command\":\"pause\"}");
    assert_int_equal(ask(w, METHOD_GET, orders, "", "\"via\":\"engine.io\""), 200);
}

static void who_is_taken_out_of_the_file_is_closed(void **state)
{
    struct world *w = *state;
    char line[256];
    w->authorization = "Bearer A";
    struct client *alice = client_watch(w, PLAIN, "run");
    struct client *waiting = (w->authorization = NULL, client_open(w, PLAIN));
    w->authorization = "Bearer B";
    struct client *steward = client_watch(w, SOCKETIO, "run");
    w->remote = false;
    w->authorization = NULL;
    struct client *local = client_watch(w, PLAIN, "run");
    token_place_write(&place, token_line("steward", "read", "B", line));
    world_enter(w);
    guard_reload(&w->app->guard);
    peers_review(&w->app->peers);
    world_leave(w);
    assert_int_equal(alice->close_code, 1008);
    assert_string_equal(alice->close_why, "the token was withdrawn");
    assert_false(client_is_gone(steward));
    assert_false(client_is_gone(local));
    assert_false(client_is_gone(waiting));
    client_counts(steward, "session_status");
    client_asks(steward, "control_session", "{\"sessionId\":\"run\",\"command\":\"stop\"}");
    assert_true(heard_is(client_hears(steward, "error"), "message",
                         "The token steward has the scope read; this needs control"));
}

#define TOKENS_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct mcp_tool steers = {
    .name = "steers",
    .input_schema = "{\"type\":\"object\"}",
    .scope = SCOPE_CONTROL,
    .call = NULL, /* nobody gets there */
};
static const struct mcp_tool *const agents_tools[] = {&steers, NULL};
static const struct mcp_set agents_set = {.tools = agents_tools};

static void an_agent_may_what_its_token_may(void **state)
{
    struct world *w = *state;
    struct agent a;
    w->app->mcp.more = &agents_set;
    agent_asks(&a, w, "1", "tools/list", "");
    agent_hears(&a, "401 Unauthorized");
    w->authorization = "Bearer A";
    agent_asks(&a, w, "1", "tools/list", "");
    agent_hears(&a, "\"steers\"");
    agent_asks(&a, w, "1", "tools/call", "\"name\":\"steers\"");
    agent_hears(&a, "403 Forbidden");
    agent_hears(&a, "The token alice has the scope read; this needs control");
    w->authorization = NULL;
}

static void an_agents_session_is_its_own_and_ends_with_its_token(void **state)
{
    struct world *w = *state;
    struct agent alice;
    struct agent other;
    struct agent listener;
    char line[256];
    w->authorization = "Bearer A";
    agent_initializes(&alice, w);
    agent_asks(&listener, w, "1", "subscriptions/listen", "\"notifications\":{}");
    agent_hears(&listener, "acknowledged");
    w->authorization = "Bearer B";
    agent_asks_legacy(&other, &alice, "1", "ping", "");
    agent_hears(&other, "404 Not Found");
    assert_int_equal(w->app->stats.mcp_sessions, 1);
    token_place_write(&place, token_line("steward", "read", "B", line));
    world_enter(w);
    guard_reload(&w->app->guard);
    mcp_review(&w->app->mcp);
    world_leave(w);
    assert_int_equal(w->app->stats.mcp_sessions, 0);
    assert_int_equal(w->app->stats.mcp_calls, 0);
    agent_hears(&listener, "0\r\n\r\n");
    w->authorization = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TOKENS_TEST(each_route_asks_for_its_scope),
        TOKENS_TEST(a_refusal_says_what_is_needed),
        TOKENS_TEST(over_loopback_nobody_needs_a_token_unless_it_is_required),
        TOKENS_TEST(a_header_lets_every_dialect_in),
        TOKENS_TEST(a_wrong_token_opens_no_websocket),
        TOKENS_TEST(a_plain_websocket_says_its_token_first),
        TOKENS_TEST(a_wrong_one_is_told_so_and_closed),
        TOKENS_TEST(a_query_may_carry_it_where_a_browser_has_no_other_way),
        TOKENS_TEST(who_may_only_read_cannot_steer),
        TOKENS_TEST(the_audit_has_the_name_of_the_token_and_no_more),
        TOKENS_TEST(who_is_taken_out_of_the_file_is_closed),
        TOKENS_TEST(an_agent_may_what_its_token_may),
        TOKENS_TEST(an_agents_session_is_its_own_and_ends_with_its_token),
    };
    return cmocka_run_group_tests_name("flow/tokens", tests, NULL, NULL);
}
