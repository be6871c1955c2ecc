/* SPDX-License-Identifier: MIT */
/* Which requests become what: the answers of front.h before any event is heard. */
#include "streamd/transport/front.h"

#include "tests/flow/client.h"
#include "tests/flow/client_engine.h"
#include "tests/flow/client_parts.h"
#include "tests/flow/received.h"
#include "tests/flow/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Asks on one connection after the other; the answer is whole. */
static struct http_answer ask(struct world *w, enum method method, const char *path,
                              const char *query)
{
    struct http_answer answer;
    struct client *c = client_nobody(w);
    struct request req = {.method = method, .path = span_of(path), .query = span_of(query)};
    client_asks_http(c, &c->post, &req);
    assert_true(http_answer_take(&c->post->wire, method == METHOD_HEAD, &answer));
    assert_int_equal(c->post->wire.len, 0);
    return answer;
}

static void expect(struct world *w, enum method method, const char *path, const char *query,
                   int status, const char *body)
{
    struct http_answer answer = ask(w, method, path, query);
    if (answer.status != status || (body && !span_is(buf_span(&answer.body), body)))
        fail_msg("%s?%s: %d %.*s", path, query, answer.status, (int)answer.body.len,
                 answer.body.ptr);
    http_answer_fini(&answer);
}

static void a_handshake_that_is_none_is_refused_in_the_words_of_the_protocol(void **state)
{
    static const struct {
        enum method method;
        const char *query;
        const char *body;
    } cases[] = {
        {METHOD_GET, "", "{\"code\":0,\"message\":\"Transport unknown\"}"},
        {METHOD_GET, "EIO=4", "{\"code\":0,\"message\":\"Transport unknown\"}"},
        {METHOD_GET, "EIO=4&transport=abc", "{\"code\":0,\"message\":\"Transport unknown\"}"},
        {METHOD_GET, "EIO=4&transport=__proto__", "{\"code\":0,\"message\":\"Transport unknown\"}"},
        {METHOD_GET, "EIO=4&transport=websocket", "{\"code\":3,\"message\":\"Bad request\"}"},
        {METHOD_GET, "transport=polling",
         "{\"code\":5,\"message\":\"Unsupported protocol version\"}"},
        {METHOD_GET, "EIO=3&transport=polling",
         "{\"code\":5,\"message\":\"Unsupported protocol version\"}"},
        {METHOD_GET, "EIO=4&transport=polling&sid=x",
         "{\"code\":1,\"message\":\"Session ID unknown\"}"},
        {METHOD_POST,
         "EIO=4&transport=polling&sid=", "{\"code\":1,\"message\":\"Session ID unknown\"}"},
        {METHOD_POST, "EIO=4&transport=polling",
         "{\"code\":2,\"message\":\"Bad handshake method\"}"},
        {METHOD_PUT, "EIO=4&transport=polling",
         "{\"code\":2,\"message\":\"Bad handshake method\"}"},
    };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect(w, cases[i].method, "/socket.io/", cases[i].query, 400, cases[i].body);
    assert_int_equal(w->app->stats.peers_opened, 0);
}

static void the_slash_at_the_end_of_the_mount_may_be_left_out(void **state)
{
    struct world *w = *state;
    expect(w, METHOD_GET, "/socket.io", "", 400, NULL);
    expect(w, METHOD_GET, "/socket.iox", "", 404, NULL);
    expect(w, METHOD_GET, "/socket.io/x", "", 404, NULL);
}

static void a_session_is_only_of_its_own_methods(void **state)
{
    struct world *w = *state;
    struct client *c = client_open(w, POLLING);
    char query[128];
    (void)snprintf(query, sizeof(query), "EIO=4&transport=polling&sid=%s", c->sid);
    expect(w, METHOD_DELETE, "/socket.io/", query, 400,
           "{\"code\":2,\"message\":\"Bad handshake method\"}");
    assert_false(client_is_gone(c));
}

static void a_preflight_is_answered_with_the_methods(void **state)
{
    struct world *w = *state;
    struct http_answer answer = ask(w, METHOD_OPTIONS, "/socket.io/", "");
    assert_int_equal(answer.status, 204);
    assert_non_null(http_answer_header(&answer, "allow").ptr);
    http_answer_fini(&answer);
}

static void an_event_stream_says_what_it_cannot_read(void **state)
{
    struct world *w = *state;
    expect(w, METHOD_GET, "/api/training/events/a b", "", 400, NULL);
    expect(w, METHOD_GET, "/api/training/events/run", "since=minus", 400, NULL);
    expect(w, METHOD_POST, "/api/training/events/run", "", 405, NULL);
    expect(w, METHOD_HEAD, "/api/training/events/run", "", 200, NULL);
    assert_int_equal(w->app->stats.peers_opened, 0);
}

static void a_plain_request_is_answered_by_the_routes(void **state)
{
    struct world *w = *state;
    expect(w, METHOD_GET, "/health", "", 200, NULL);
    expect(w, METHOD_GET, "/nowhere", "", 404, NULL);
    expect(w, METHOD_GET, "/ws", "", 426, NULL);
}

/* The status of the refusal, 0 when it may. */
static int upgrade(struct world *w, struct request *req)
{
    struct reply refusal;
    reply_init(&refusal, REPLY_BODY_MAX);
    world_enter(w);
    bool may = front_may_upgrade(w->app, req, &refusal);
    world_leave(w);
    int status = may ? 0 : refusal.status;
    reply_fini(&refusal);
    return status;
}

static void a_websocket_is_for_known_paths_hosts_and_origins(void **state)
{
    static const struct {
        const char *path;
        const char *query;
        const char *host;
        const char *origin;
        int status;
    } cases[] = {
        {"/ws", "", "127.0.0.1:5001", "", 0},
        {"/ws", "", "127.0.0.1:5001", "http://127.0.0.1:5001", 0},
        {"/ws", "", "127.0.0.1:5001", "http://localhost:3000", 0},
        {"/ws", "", "127.0.0.1:5001", "http://evil.example", 403},
        {"/ws", "", "127.0.0.1:5001", "null", 403},
        {"/ws", "", "evil.example:5001", "", 421},
        {"/wsx", "", "127.0.0.1:5001", "", 404},
        {"/health", "", "127.0.0.1:5001", "", 404},
        {"/socket.io/", "EIO=4&transport=websocket", "127.0.0.1:5001", "", 0},
        {"/socket.io/", "EIO=4&transport=websocket", "127.0.0.1:5001", "http://evil.example", 403},
        {"/socket.io/", "EIO=4&transport=polling", "127.0.0.1:5001", "", 400},
        {"/socket.io/", "EIO=3&transport=websocket", "127.0.0.1:5001", "", 400},
        {"/socket.io/", "EIO=4&transport=websocket&sid=x", "127.0.0.1:5001", "", 400},
    };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct request req = {.method = METHOD_GET,
                              .path = span_of(cases[i].path),
                              .query = span_of(cases[i].query),
                              .host = span_of(cases[i].host),
                              .origin = span_of(cases[i].origin),
                              .now = w->now};
        int status = upgrade(w, &req);
        if (status != cases[i].status)
            fail_msg("case %zu: %d, not %d", i, status, cases[i].status);
    }
}

static void a_query_of_the_plain_websocket_subscribes_at_once(void **state)
{
    struct world *w = *state;
    trainer_logs(w, "a", 1);
    trainer_logs(w, "a", 2);
    trainer_logs(w, "b", 3);
    struct client *c = client_nobody(w);
    c->stream = client_opens_ws(c, "/ws", SPAN("sessionId=a&sessionId=%62&sessionId=no%20id"));
    while (client_react(c))
        continue;
    (void)client_hears(c, "connection_established");
    (void)client_hears(c, "session_status");
    client_hears_step(c, 2);
    (void)client_hears(c, "session_status");
    client_hears_step(c, 3);
    assert_true(heard_is(client_hears(c, "error"), "message", "sessionId is not valid"));
    client_hears_nothing(c);

    c = client_nobody(w);
    c->stream = client_opens_ws(c, "/ws", SPAN("since=1&sessionId=a"));
    while (client_react(c))
        continue;
    (void)client_hears(c, "connection_established");
    (void)client_hears(c, "session_status");
    client_hears_step(c, 2);
    client_hears_nothing(c);
}

static void a_query_whose_since_is_no_offset_is_told_so_and_hears_what_is_new(void **state)
{
    struct world *w = *state;
    trainer_logs(w, "a", 1);
    trainer_logs(w, "a", 2);
    struct client *c = client_nobody(w);
    c->stream = client_opens_ws(c, "/ws", SPAN("since=-1&sessionId=a"));
    while (client_react(c))
        continue;
    (void)client_hears(c, "connection_established");
    assert_true(heard_is(client_hears(c, "error"), "code", "bad_since"));
    (void)client_hears(c, "session_status");
    client_hears_step(c, 2);
    client_hears_nothing(c);
}

static void the_plain_websocket_says_what_it_cannot_read_and_stays(void **state)
{
    struct world *w = *state;
    struct client *c = client_open(w, PLAIN);
    client_sends(c, "nonsense");
    assert_non_null(strstr(client_hears(c, "error")->data, "\"code\":"));
    client_sends(c, "{\"event\":\"dance\",\"id\":7}");
    const struct heard *h = client_hears(c, "error");
    assert_true(heard_is(h, "code", "unknown_event"));
    assert_int_equal(heard_number(h, "id"), 7);
    client_hears_nothing(c);
    assert_false(client_is_gone(c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_handshake_that_is_none_is_refused_in_the_words_of_the_protocol),
        WORLD_TEST(the_slash_at_the_end_of_the_mount_may_be_left_out),
        WORLD_TEST(a_session_is_only_of_its_own_methods),
        WORLD_TEST(a_preflight_is_answered_with_the_methods),
        WORLD_TEST(an_event_stream_says_what_it_cannot_read),
        WORLD_TEST(a_plain_request_is_answered_by_the_routes),
        WORLD_TEST(a_websocket_is_for_known_paths_hosts_and_origins),
        WORLD_TEST(a_query_of_the_plain_websocket_subscribes_at_once),
        WORLD_TEST(a_query_whose_since_is_no_offset_is_told_so_and_hears_what_is_new),
        WORLD_TEST(the_plain_websocket_says_what_it_cannot_read_and_stays),
    };
    return cmocka_run_group_tests_name("flow/front", tests, NULL, NULL);
}
