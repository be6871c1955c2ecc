/* SPDX-License-Identifier: MIT */
/* An agent waits and is woken by what happens, never by a clock that asks: P-112. */
#include "tests/streamd/agents.h"

/* A call that has not been answered yet, on a connection of its own. */
struct waiting {
    struct world *w;
    struct conn *conn;
    char body[1024];
    struct request req;
};

static void begins(struct world *w, struct waiting *out, const char *arguments)
{
    struct reply reply;
    (void)snprintf(out->body, sizeof(out->body),
                   "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{"
                   "\"name\":\"wait_for_event\",\"arguments\":%s,\"_meta\":{"
                   "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
                   "\"io.modelcontextprotocol/clientCapabilities\":{}}}}",
                   arguments);
    out->w = w;
    out->conn = conn_open(w->app, SIZE_MAX);
    out->conn->awaits = true;
    out->req = w->req;
    out->req.method = METHOD_POST;
    out->req.path = SPAN("/mcp");
    out->req.body = span_of(out->body);
    out->req.mcp_method = SPAN("tools/call");
    out->req.mcp_name = SPAN("wait_for_event");
    repeat_arguments(out->body, &out->req);
    out->req.is_1_1 = true;
    out->req.now = w->now;
    reply_init(&reply, REPLY_BODY_MAX);
    app_enter(w->app, w->now);
    router_answer(w->app, &out->req, &reply);
    assert_non_null(reply.transfer);
    transfer_bind(reply.transfer, out->conn->link, &out->req);
    app_leave(w->app);
    reply_fini(&reply);
}

static bool is_answered(struct waiting *c)
{
    while (c->conn->awaits && conn_ready(c->conn)) {
        app_enter(c->w->app, c->w->now);
        conn_step(c->conn);
        app_leave(c->w->app);
    }
    return c->conn->wire.len > 0;
}

static void hangs_up(struct waiting *c)
{
    app_enter(c->w->app, c->w->now);
    conn_hang_up(c->conn);
    app_leave(c->w->app);
    conn_destroy(c->conn);
}

/* What it was answered is then what world_at looks into. */
static void ends(struct waiting *c)
{
    struct http_answer answer;
    assert_true(is_answered(c));
    if (!http_answer_take(&c->conn->wire, false, &answer))
        fail_msg("no whole answer in %zu bytes", c->conn->wire.len);
    cJSON *json = cJSON_ParseWithLength(answer.body.ptr, answer.body.len);
    cJSON_Delete(c->w->json);
    c->w->json =
        cJSON_DetachItemFromObject(cJSON_GetObjectItem(json, "result"), "structuredContent");
    cJSON_Delete(json);
    http_answer_fini(&answer);
    assert_non_null(c->w->json);
    hangs_up(c);
}

static double next_seq(struct world *w)
{
    return world_number(w, "next_seq");
}

static const char *after(double seq, const char *more)
{
    static char arguments[256];
    (void)snprintf(arguments, sizeof(arguments), "{\"session_id\":\"a\",\"after_seq\":%.0f%s}", seq,
                   more);
    return arguments;
}

static void what_is_there_already_is_answered_at_once(void **state)
{
    struct world *w = *state;
    starts(w, "a", "{}");
    calls(w, "wait_for_event", "{}");
    assert_string_equal(text_at(w, "events", 0, "type"), "status");
    assert_string_equal(text_at(w, "events", 0, "text"), "running");
    assert_true(cJSON_IsFalse(world_at(w, "timed_out")));
    assert_true(next_seq(w) == (double)w->app->registry.bulletin.last);
    is_refused(w, "wait_for_event", "{\"session_id\":\"z\"}", "list_sessions");
    is_refused(w, "wait_for_event", "{\"timeout_s\":56}", "timeout_s");
}

static void who_waits_is_woken_by_the_event_and_goes_on_behind_it(void **state)
{
    struct world *w = *state;
    struct waiting c;
    starts(w, "a", "{}");
    calls(w, "wait_for_event", "{}");
    begins(w, &c, after(next_seq(w), ""));
    learns(w, "b", 3, 0.5); /* another run's, and epochs are not asked for */
    says_epoch(w, "a", 0, 1, 1);
    assert_false(is_answered(&c));
    world_line(w, "{\"type\":\"complete\",\"sessionId\":\"a\"}");
    ends(&c);
    assert_int_equal(cJSON_GetArraySize(world_at(w, "events")), 2); /* both of one wake-up */
    bool first = strcmp(text_at(w, "events", 0, "type"), "status") == 0;
    assert_string_equal(text_at(w, "events", first ? 0 : 1, "text"), "completed");
    assert_string_equal(text_at(w, "events", first ? 1 : 0, "type"), "phase");
    assert_int_equal(world_number(w, "missed"), 0);
}

static void each_epoch_wakes_who_asked_for_epochs(void **state)
{
    struct world *w = *state;
    struct waiting c;
    starts(w, "a", "{}");
    calls(w, "wait_for_event", "{}");
    begins(w, &c, after(next_seq(w), ",\"types\":[\"epoch\"]"));
    says_epoch(w, "a", 4, 0.5, 0.25);
    ends(&c);
    assert_int_equal(cJSON_GetArraySize(world_at(w, "events")), 1);
    assert_string_equal(text_at(w, "events", 0, "text"), "epoch 4, train_loss 0.5, val_loss 0.25");
}

static void nothing_is_lost_between_two_calls(void **state)
{
    struct world *w = *state;
    int seen = 0;
    starts(w, "a", "{}");
    calls(w, "wait_for_event", "{}");
    for (int e = 0; e < 50; e++)
        says_epoch(w, "a", e, 1, 1 + 0.001 * e);
    double seq = next_seq(w);
    do {
        calls(w, "wait_for_event", after(seq, ",\"types\":[\"epoch\"],\"timeout_s\":0"));
        seen += cJSON_GetArraySize(world_at(w, "events"));
        assert_true(cJSON_GetArraySize(world_at(w, "events")) <= 20);
        seq = next_seq(w);
    } while (cJSON_IsFalse(world_at(w, "timed_out")));
    assert_int_equal(seen, 50);
}

static void when_its_time_is_over_it_gets_a_cursor(void **state)
{
    struct world *w = *state;
    struct waiting c;
    starts(w, "a", "{}");
    calls(w, "wait_for_event", "{}");
    double seq = next_seq(w);
    begins(w, &c, after(seq, ",\"timeout_s\":30"));
    world_pass(w, 29.9);
    assert_false(is_answered(&c));
    world_pass(w, 0.2);
    ends(&c);
    assert_true(cJSON_IsTrue(world_at(w, "timed_out")));
    assert_true(next_seq(w) == seq);
}

static void of_a_run_that_is_over_nothing_is_awaited(void **state)
{
    struct world *w = *state;
    starts(w, "a", "{}");
    world_line(w, "{\"type\":\"complete\",\"sessionId\":\"a\"}");
    calls(w, "wait_for_event", "{\"session_id\":\"a\"}");
    calls(w, "wait_for_event", after(next_seq(w), ""));
    assert_true(cJSON_IsTrue(world_at(w, "timed_out")));
}

static void a_number_of_an_earlier_daemon_says_that_something_was_missed(void **state)
{
    struct world *w = *state;
    starts(w, "a", "{}");
    calls(w, "wait_for_event", after(12345, ""));
    assert_true(world_number(w, "missed") >= 1);
    assert_int_equal(cJSON_GetArraySize(world_at(w, "events")), 1);
    calls(w, "wait_for_event", after(9e15, "")); /* its clock was ahead */
    assert_true(world_number(w, "missed") >= 1);
}

static size_t waiters_of(const struct world *w)
{
    size_t count = 0;
    LIST_EACH (at, &w->app->registry.bulletin.waiters)
        count++;
    return count;
}

static void who_hangs_up_waits_no_more(void **state)
{
    struct world *w = *state;
    struct waiting c;
    starts(w, "a", "{}");
    calls(w, "wait_for_event", "{}");
    begins(w, &c, after(next_seq(w), ""));
    size_t waiters = waiters_of(w);
    hangs_up(&c);
    assert_int_equal(waiters_of(w), waiters - 1);
    world_line(w, "{\"type\":\"complete\",\"sessionId\":\"a\"}");
}

static void a_rule_fires_once_until_its_cooldown_is_over(void **state)
{
    struct world *w = *state;
    struct waiting c;
    starts(w, "a", "{}");
    calls(w, "set_alert",
          "{\"session_id\":\"a\",\"name\":\"high\",\"metric\":\"val_loss\",\"op\":\"gt\","
          "\"value\":2,\"for_epochs\":2,\"cooldown_s\":60}");
    assert_string_equal(world_string(w, "state"), "active");
    calls(w, "wait_for_event", "{}");
    begins(w, &c, after(next_seq(w), ",\"types\":[\"alert\"]"));
    says_epoch(w, "a", 0, 1, 3);
    assert_false(is_answered(&c));
    says_epoch(w, "a", 1, 1, 3.5);
    ends(&c);
    assert_string_equal(text_at(w, "events", 0, "text"),
                        "high: val_loss is 3.5, above 2 for 2 epochs");
    begins(w, &c, after(next_seq(w), ",\"types\":[\"alert\"]"));
    says_epoch(w, "a", 2, 1, 4);
    assert_false(is_answered(&c));
    world_pass(w, 40);
    assert_false(is_answered(&c));
    hangs_up(&c);
    world_pass(w, 21);
    begins(w, &c, after(next_seq(w), ",\"types\":[\"alert\"]"));
    says_epoch(w, "a", 3, 1, 4);
    ends(&c);
    assert_string_equal(text_at(w, "events", 0, "text"),
                        "high: val_loss is 4, above 2 for 4 epochs");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        AGENT_TEST(what_is_there_already_is_answered_at_once),
        AGENT_TEST(who_waits_is_woken_by_the_event_and_goes_on_behind_it),
        AGENT_TEST(each_epoch_wakes_who_asked_for_epochs),
        AGENT_TEST(nothing_is_lost_between_two_calls),
        AGENT_TEST(when_its_time_is_over_it_gets_a_cursor),
        AGENT_TEST(of_a_run_that_is_over_nothing_is_awaited),
        AGENT_TEST(a_number_of_an_earlier_daemon_says_that_something_was_missed),
        AGENT_TEST(who_hangs_up_waits_no_more),
        AGENT_TEST(a_rule_fires_once_until_its_cooldown_is_over),
    };
    return cmocka_run_group_tests_name("flow/wait_for_event", tests, NULL, NULL);
}
