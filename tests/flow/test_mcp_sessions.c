/* SPDX-License-Identifier: MIT */
/* Legacy sessions and their streams, and who hears of changes (docs/protocol.md P-98, P-100). */
#include "streamd/mcp/stream.h"
#include "streamd/mcp/wire.h"
#include "tests/flow/agent_tools.h"
#include "tests/flow/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void a_stream_that_broke_goes_on_behind_the_last_event(void **state)
{
    struct agent a;
    struct agent b;
    struct agent c;
    struct agent other;
    agent_initializes(&a, *state);
    agent_opens(&other, &a, METHOD_GET, "");
    agent_hears(&other, "id: 0-1\n");
    agent_asks_legacy(&b, &a, "1", "tools/call",
                      "\"name\":\"later\",\"_meta\":{\"progressToken\":1}");
    tell_progress(*state, 1);
    tell_progress(*state, 2);
    agent_hears(&b, "id: 1-2\n");
    agent_leaves(&b);
    assert_int_equal(gone, 0);
    tell_progress(*state, 3);
    agent_opens(&c, &a, METHOD_GET, "1-2");
    agent_hears(&c, "id: 1-3\nevent: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":"
                    "\"notifications/progress\",\"params\":{\"progressToken\":1,\"progress\":2}}");
    agent_hears(&c, "id: 1-4\n");
    answer_waiting(*state, "{\"late\":1}");
    agent_hears(&c, "id: 1-5\n");
    agent_hears(&c, "late");
    agent_hears(&c, "0\r\n\r\n");
    agent_hears_nothing(&other);
    /* And once more, when it has ended. */
    agent_opens(&c, &a, METHOD_GET, "1-4");
    agent_hears(&c, "late");
    agent_hears(&c, "0\r\n\r\n");
    assert_int_equal(gone, 1);
}

static void a_stream_taken_over_by_another_connection_leaves_the_first(void **state)
{
    struct agent a;
    struct agent b;
    struct agent c;
    agent_initializes(&a, *state);
    agent_asks_legacy(&b, &a, "1", "tools/call",
                      "\"name\":\"later\",\"_meta\":{\"progressToken\":1}");
    tell_progress(*state, 1);
    agent_opens(&c, &a, METHOD_GET, "0-1");
    agent_hears(&c, "\"progress\":1");
    agent_hears(&b, "0\r\n\r\n");
    tell_progress(*state, 2);
    answer_waiting(*state, "{}");
    agent_hears(&c, "\"result\"");
    assert_int_equal(gone, 1);
}

static void a_new_stream_of_get_takes_the_place_of_the_last(void **state)
{
    struct agent a;
    struct agent b;
    struct agent c;
    agent_initializes(&a, *state);
    agent_opens(&b, &a, METHOD_GET, "");
    agent_opens(&c, &a, METHOD_GET, "");
    agent_hears(&b, "0\r\n\r\n");
    world_enter(*state);
    mcp_list_changed(((struct world *)*state)->app, MCP_TOOLS);
    world_leave(*state);
    world_advance(*state, MS);
    agent_hears(&c, "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}");
    agent_opens(&c, &a, METHOD_GET, "77-1");
    agent_hears(&c, "id: 2-1\n");
}

static void a_session_that_is_ended_is_unknown(void **state)
{
    struct world *w = *state;
    struct agent a;
    struct agent b;
    struct agent c;
    agent_initializes(&a, w);
    agent_opens(&b, &a, METHOD_GET, "");
    agent_asks_legacy(&c, &a, "1", "tools/call", "\"name\":\"later\"");
    agent_opens(&a, &a, METHOD_DELETE, "");
    agent_hears(&a, "200 OK");
    agent_hears(&b, "0\r\n\r\n");
    assert_int_equal(gone, 1);
    assert_int_equal(w->app->stats.mcp_sessions, 0);
    agent_asks_legacy(&c, &a, "1", "ping", "");
    agent_hears(&c, "404 Not Found");
    agent_opens(&c, &a, METHOD_GET, "");
    agent_hears(&c, "404 Not Found");
    a.session[0] = '\0';
    agent_opens(&c, &a, METHOD_GET, "");
    agent_hears(&c, "400 Bad Request");
}

static void a_call_that_is_cancelled_gets_no_answer(void **state)
{
    struct agent a;
    struct agent b;
    struct agent c;
    agent_initializes(&a, *state);
    agent_asks_legacy(&b, &a, "12", "tools/call", "\"name\":\"later\"");
    agent_asks_legacy(&c, &a, "", "notifications/cancelled", "\"requestId\":13");
    agent_hears(&c, "202 Accepted");
    assert_int_equal(gone, 0);
    agent_asks_legacy(&c, &a, "", "notifications/cancelled", "\"requestId\":12");
    agent_hears(&c, "202 Accepted");
    assert_int_equal(gone, 1);
    agent_hears(&b, "202 Accepted");
    agent_hears_nothing(&b);
}

static void sessions_and_calls_have_their_number(void **state)
{
    struct world *w = *state;
    struct agent a;
    struct agent b;
    struct agent c;
    w->config.mcp_max_sessions = 2;
    w->config.mcp_max_calls = 1;
    agent_initializes(&a, w);
    agent_initializes(&b, w);
    agent_opens(&b, &b, METHOD_GET, "");
    agent_initializes(&c, w); /* `a` was idle and makes room */
    assert_int_equal(w->app->stats.mcp_sessions, 2);
    agent_asks_legacy(&a, &c, "1", "tools/call", "\"name\":\"later\"");
    agent_asks_legacy(&b, &c, "2", "ping", "");
    agent_hears(&b, "503 Service Unavailable");
    agent_hears(&b, "-32000");
    answer_waiting(w, "{}");
    agent_asks_legacy(&b, &c, "2", "ping", "");
    agent_hears(&b, "\"result\":{}");
}

static void a_session_that_awaits_an_answer_is_in_use(void **state)
{
    struct world *w = *state;
    struct agent a;
    struct agent b;
    struct agent c;
    struct request req = {.method = METHOD_POST};
    w->config.mcp_max_sessions = 1;
    agent_initializes(&a, w);
    agent_asks_legacy(&b, &a, "1", "tools/call", "\"name\":\"later\"");
    world_advance(w, UINT64_C(1801) * SECOND);
    assert_int_equal(w->app->stats.mcp_sessions, 1);
    agent_sends(&c, w, &req,
                "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{"
                "\"protocolVersion\":\"2025-11-25\"}}");
    agent_hears(&c, "503 Service Unavailable");
    agent_hears(&c, "As many sessions as allowed are in use");
    answer_waiting(w, "{\"late\":1}");
    agent_hears(&b, "late");
    agent_initializes(&c, w); /* now `a` is idle and makes room */
    assert_int_equal(w->app->stats.mcp_sessions, 1);
}

static void streams_that_have_ended_are_kept_so_far(void **state)
{
    struct world *w = *state;
    struct agent a;
    struct agent b;
    agent_initializes(&a, w);
    for (int i = 0; i <= MCP_STREAMS_MAX; i++) {
        agent_asks_legacy(&b, &a, "1", "tools/call", "\"name\":\"talks\"");
        agent_hears(&b, "0\r\n\r\n");
    }
    agent_opens(&b, &a, METHOD_GET, "1-2");
    agent_hears(&b, "\"result\"");
    agent_opens(&b, &a, METHOD_GET, "0-2"); /* forgotten: a stream of its own begins */
    agent_hears(&b, "id: 33-1\n");
    agent_hears_nothing(&b);
}

static void who_asks_what_a_stream_would_be_is_told_its_type(void **state)
{
    struct agent a;
    struct agent b;
    agent_initializes(&a, *state);
    agent_opens(&b, &a, METHOD_HEAD, "");
    agent_hears(&b, "200 OK");
    agent_hears(&b, "Content-Type: text/event-stream");
}

static void a_session_nobody_uses_ends(void **state)
{
    struct world *w = *state;
    struct agent a;
    struct agent b;
    struct agent stream;
    agent_initializes(&a, w);
    agent_initializes(&b, w);
    agent_opens(&stream, &b, METHOD_GET, "");
    world_advance(w, UINT64_C(1801) * SECOND);
    assert_int_equal(w->app->stats.mcp_sessions, 1);
    agent_hears(&stream, ":\n\n");
    agent_asks_legacy(&stream, &b, "1", "ping", "");
    agent_hears(&stream, "200 OK");
}

/* ---- hearing of changes ---- */

static void change(struct world *w, const char *uri)
{
    world_enter(w);
    mcp_changed(w->app, span_of(uri));
    world_leave(w);
    world_advance(w, MS);
}

static void a_legacy_subscriber_hears_on_the_stream_of_get(void **state)
{
    struct agent a;
    struct agent b;
    struct agent stream;
    agent_initializes(&a, *state);
    agent_opens(&stream, &a, METHOD_GET, "");
    agent_asks_legacy(&b, &a, "1", "resources/subscribe", "\"uri\":\"test://x\"");
    agent_hears(&b, "\"result\":{}");
    change(*state, "test://y");
    agent_hears_nothing(&stream);
    change(*state, "test://x");
    agent_hears(&stream, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/resources/updated\","
                         "\"params\":{\"uri\":\"test://x\"}}");
    change(*state, "test://x");
    agent_hears_nothing(&stream);
    world_advance(*state, SECOND);
    agent_hears(&stream, "resources/updated");
    agent_asks_legacy(&b, &a, "2", "resources/unsubscribe", "\"uri\":\"test://x\"");
    world_advance(*state, 2 * SECOND);
    change(*state, "test://x");
    agent_hears_nothing(&stream);
    assert_int_equal(strmap_count(&((struct world *)*state)->app->mcp.topics), 0);
}

static void a_change_that_no_stream_could_tell_is_not_told_later(void **state)
{
    struct agent a;
    struct agent b;
    agent_initializes(&a, *state);
    agent_asks_legacy(&b, &a, "1", "resources/subscribe", "\"uri\":7");
    agent_hears(&b, "uri must be a string");
    agent_asks_legacy(&b, &a, "2", "resources/unsubscribe", "\"uri\":7");
    agent_hears(&b, "uri must be a string");
    agent_asks_legacy(&b, &a, "3", "resources/subscribe", "\"uri\":\"test://x\"");
    change(*state, "test://x");
    agent_opens(&b, &a, METHOD_GET, "");
    agent_hears_nothing(&b);
    world_advance(*state, 2 * SECOND);
    change(*state, "test://x");
    agent_hears(&b, "resources/updated");
}

static void a_modern_listener_is_acknowledged_first_and_hears_what_it_asked_for(void **state)
{
    struct world *w = *state;
    struct agent a;
    agent_asks(&a, w, "\"sub\"", "subscriptions/listen",
               "\"notifications\":{\"toolsListChanged\":true,\"promptsListChanged\":true,"
               "\"resourceSubscriptions\":[\"test://x\",\"test://x\"]}");
    agent_hears(&a, "text/event-stream");
    agent_hears(&a, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/acknowledged\","
                    "\"params\":{\"notifications\":{\"toolsListChanged\":true,"
                    "\"resourceSubscriptions\":[\"test://x\",\"test://x\"]},\"_meta\":{"
                    "\"io.modelcontextprotocol/subscriptionId\":\"sub\"}}}");
    change(w, "test://x");
    agent_hears(&a, "resources/updated\",\"params\":{\"uri\":\"test://x\",\"_meta\":{"
                    "\"io.modelcontextprotocol/subscriptionId\":\"sub\"}}");
    world_enter(w);
    mcp_list_changed(w->app, MCP_RESOURCES);
    mcp_list_changed(w->app, MCP_TOOLS);
    world_leave(w);
    world_advance(w, MS);
    agent_hears(&a, "notifications/tools/list_changed");
    agent_hears_nothing(&a);
    world_enter(w);
    mcp_drain(&w->app->mcp);
    world_leave(w);
    agent_hears(&a, "\"id\":\"sub\",\"result\":{\"resultType\":\"complete\"");
    agent_hears(&a, "\"io.modelcontextprotocol/subscriptionId\":\"sub\"");
    agent_hears(&a, "0\r\n\r\n");
    assert_int_equal(strmap_count(&w->app->mcp.topics), 0);
}

static void an_agent_subscribes_to_so_many(void **state)
{
    struct world *w = *state;
    struct agent a;
    struct agent b;
    w->config.mcp_max_subscriptions = 1;
    agent_initializes(&a, w);
    agent_asks_legacy(&b, &a, "1", "resources/subscribe", "\"uri\":\"test://1\"");
    agent_asks_legacy(&b, &a, "1", "resources/subscribe", "\"uri\":\"test://1\"");
    agent_hears(&b, "\"result\":{}");
    agent_asks_legacy(&b, &a, "1", "resources/subscribe", "\"uri\":\"test://2\"");
    agent_hears(&b, "--mcp-max-subscriptions");
    agent_asks(&b, w, "1", "subscriptions/listen",
               "\"notifications\":{\"resourceSubscriptions\":[\"a:\",\"b:\"]}");
    agent_hears(&b, "-32602");
    agent_leaves(&a);
    assert_int_equal(strmap_count(&w->app->mcp.topics), 1);
}

static void who_takes_nothing_is_cut_off(void **state)
{
    struct world *w = *state;
    struct agent a;
    w->config.max_outbox_bytes = 2048;
    w->window = 300;
    agent_asks_with_token(&a, w);
    world_enter(w);
    for (unsigned i = 0; i < 100; i++)
        tell_progress(w, i); /* also after the one that was too much */
    world_leave(w);
    assert_null(waiting);
    assert_int_equal(gone, 1);
    w->window = SIZE_MAX;
}

static void who_is_late_to_read_misses_nothing(void **state)
{
    struct world *w = *state;
    struct agent a;
    w->window = 300;
    agent_asks_with_token(&a, w);
    for (unsigned i = 1; i <= 5; i++)
        tell_progress(w, i);
    world_advance(w, MCP_QUIET_US + SECOND); /* no sign of life is queued behind what waits */
    conn_open_window(a.conn, SIZE_MAX);
    world_advance(w, MS);
    struct span all = agent_heard(&a);
    assert_null(memmem(all.ptr, all.len, ":\n\n", 3));
    agent_hears(&a, "\"progress\":1}");
    agent_hears(&a, "\"progress\":5}");
    answer_waiting(w, "{}");
    agent_hears(&a, "0\r\n\r\n");
    w->window = SIZE_MAX;
}

/* Before its connection is even bound, so that the session is all that is left of the answer. */
static void an_answer_that_was_too_much_at_once_is_read_again(void **state)
{
    struct world *w = *state;
    struct agent a;
    struct agent b;
    agent_initializes(&a, w);
    w->config.max_outbox_bytes = 16;
    agent_asks_legacy(&b, &a, "1", "tools/call",
                      "\"name\":\"talks\",\"_meta\":{\"progressToken\":1}");
    assert_int_equal(agent_heard(&b).len, 0);
    w->config.max_outbox_bytes = 1 << 20;
    agent_opens(&b, &a, METHOD_GET, "0-1");
    agent_hears(&b, "\"progress\":1");
    agent_hears(&b, "\"result\"");
}

static void what_is_awaited_is_answered_when_the_daemon_leaves(void **state)
{
    struct world *w = *state;
    struct agent a;
    struct agent b;
    struct agent stream;
    agent_initializes(&a, w);
    agent_opens(&stream, &a, METHOD_GET, "");
    agent_asks_legacy(&b, &a, "1", "tools/call", "\"name\":\"later\"");
    world_enter(w);
    mcp_drain(&w->app->mcp);
    world_leave(w);
    agent_hears(&b, "503 Service Unavailable");
    agent_hears(&b, "going away");
    agent_hears(&stream, "0\r\n\r\n");
    assert_int_equal(w->app->stats.transfers, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        AGENT_TEST(a_stream_that_broke_goes_on_behind_the_last_event),
        AGENT_TEST(a_stream_taken_over_by_another_connection_leaves_the_first),
        AGENT_TEST(a_new_stream_of_get_takes_the_place_of_the_last),
        AGENT_TEST(a_session_that_is_ended_is_unknown),
        AGENT_TEST(a_call_that_is_cancelled_gets_no_answer),
        AGENT_TEST(sessions_and_calls_have_their_number),
        AGENT_TEST(a_session_that_awaits_an_answer_is_in_use),
        AGENT_TEST(streams_that_have_ended_are_kept_so_far),
        AGENT_TEST(who_asks_what_a_stream_would_be_is_told_its_type),
        AGENT_TEST(a_session_nobody_uses_ends),
        AGENT_TEST(a_change_that_no_stream_could_tell_is_not_told_later),
        AGENT_TEST(a_legacy_subscriber_hears_on_the_stream_of_get),
        AGENT_TEST(a_modern_listener_is_acknowledged_first_and_hears_what_it_asked_for),
        AGENT_TEST(an_agent_subscribes_to_so_many),
        AGENT_TEST(who_takes_nothing_is_cut_off),
        AGENT_TEST(who_is_late_to_read_misses_nothing),
        AGENT_TEST(an_answer_that_was_too_much_at_once_is_read_again),
        AGENT_TEST(what_is_awaited_is_answered_when_the_daemon_leaves),
    };
    return cmocka_run_group_tests_name("flow/mcp_sessions", tests, NULL, NULL);
}
