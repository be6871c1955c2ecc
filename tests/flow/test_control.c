/* SPDX-License-Identifier: MIT */
/* What a watcher hears that wants to steer and cannot: docs/protocol.md P-41, P-71. */
#include "tests/flow/client.h"
#include "tests/flow/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void whoever_is_told_nothing_hears_why(void **state)
{
    static const struct {
        const char *asked;
        const char *why;
    } cases[] = {
        {"{\"command\":\"stop\"}", "sessionId required"},
        {"{\"sessionId\":\"a b\",\"command\":\"stop\"}", "sessionId is not valid"},
        {"{\"sessionId\":\"run\"}", "command must be stop, pause, resume, checkpoint or set"},
        {"\"run\"", "command must be stop, pause, resume, checkpoint or set"},
        {"{\"sessionId\":\"run\",\"command\":\"Stop\"}",
         "command must be stop, pause, resume, checkpoint or set"},
        {"{\"sessionId\":\"run\",\"command\":[\"stop\"]}",
         "command must be stop, pause, resume, checkpoint or set"},
        {"{\"sessionId\":\"run\",\"command\":\"stop\",\"reason\":7}",
         "reason must be a string of at most 1024 bytes"},
        {"{\"sessionId\":\"run\",\"command\":\"stop\",\"mode\":\"now\"}",
         "mode is of a stop: after_epoch or after_batch"},
        {"{\"sessionId\":\"run\",\"command\":\"pause\",\"mode\":\"after_epoch\"}",
         "mode is of a stop: after_epoch or after_batch"},
        {"{\"sessionId\":\"run\",\"command\":\"set\",\"value\":1}",
         "set needs knob, a name, and value, a number, true or false"},
        {"{\"sessionId\":\"run\",\"command\":\"set\",\"knob\":\"lr\",\"value\":\"1\"}",
         "set needs knob, a name, and value, a number, true or false"},
        {"{\"sessionId\":\"run\",\"command\":\"stop\",\"client\":7}",
         "client must be a string of at most 256 bytes"},
        {"{\"sessionId\":\"run\",\"command\":\"stop\",\"dry_run\":\"yes\"}",
         "dry_run must be true or false"},
        {"{\"sessionId\":\"nobody\",\"command\":\"stop\"}", "Session not found"},
        {"{\"sessionId\":\"*\",\"command\":\"stop\"}", "Session not found"},
        {"{\"sessionId\":\"done\",\"command\":\"stop\"}", "The run is over"},
        {"{\"sessionId\":\"run\",\"command\":\"stop\"}", "No trainer of this session is connected"},
    };
    struct world *w = *state;
    trainer_starts(w, "run");
    trainer_starts(w, "done");
    trainer_completes(w, "done");
    for (enum tongue t = 0; t < SSE; t++) {
        struct client *c = client_open(w, t);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            char ack[160];
            client_asks(c, "control_session", cases[i].asked);
            assert_true(heard_is(client_hears(c, "error"), "message", cases[i].why));
            (void)snprintf(ack, sizeof(ack), "{\"success\":false,\"error\":\"%s\"}", cases[i].why);
            assert_string_equal(client_hears(c, "ack")->data, ack);
        }
        client_hears_nothing(c);
    }
}

/* The last of the session, as the session has it. */
static const struct order *last_order(struct world *w, const char *id)
{
    struct session *s = world_session(w, id);
    assert_false(list_empty(&s->orders));
    return LIST_ENTRY(s->orders.prev, struct order, link);
}

static void orders_outlive_the_daemon_and_so_does_their_deadline(void **state)
{
    struct world *w = *state;
    const struct order_ask ask = {.command = ORDER_PAUSE, .reason = SPAN("tea")};
    struct client *c = client_open(w, PLAIN);
    trainer_says(w, "{\"type\":\"start\",\"sessionId\":\"run\",\"config\":{\"knobs\":"
                    "{\"lr\":{\"value\":0.5}}}}");
    trainer_starts(w, "other");
    client_asks(c, "control_session", "{\"sessionId\":\"other\",\"command\":\"stop\"}");
    world_enter(w);
    orders_told(orders_add(world_session(w, "run"), &ask, w->now), 1, false, w->now);
    world_leave(w);
    world_advance(w, SECOND);
    world_crashes(w);
    world_begin(w);
    assert_int_equal(last_order(w, "other")->state, ORDER_REFUSED);
    assert_int_equal(last_order(w, "other")->id, 1);
    assert_string_equal(last_order(w, "other")->via, "plain");
    assert_string_equal(last_order(w, "other")->peer, "127.0.0.1:7");
    assert_int_equal(last_order(w, "run")->state, ORDER_TOLD);
    assert_string_equal(last_order(w, "run")->reason, "tea");
    assert_true(world_session(w, "run")->knobs.each[0].value == 0.5);
    world_advance(w, 5 * SECOND);
    assert_int_equal(last_order(w, "run")->state, ORDER_UNANSWERED);
    world_enter(w);
    registry_remove(&w->app->registry, world_session(w, "other"));
    world_leave(w);
    world_advance(w, SECOND);
    world_ends(w);
    world_begin(w);
    assert_int_equal(w->app->registry.orders.count, 1);
    assert_int_equal(last_order(w, "run")->state, ORDER_UNANSWERED);
}

static void who_asks_for_more_than_can_wait_hears_so(void **state)
{
    struct world *w = *state;
    const struct order_ask ask = {.command = ORDER_PAUSE};
    struct client *c = client_open(w, PLAIN);
    trainer_starts(w, "run");
    world_enter(w);
    for (int i = 0; i < ORDERS_OPEN_MAX; i++)
        orders_told(orders_add(world_session(w, "run"), &ask, w->now), 1, false, w->now);
    world_leave(w);
    client_asks(c, "control_session", "{\"sessionId\":\"run\",\"command\":\"pause\"}");
    assert_true(
        heard_is(client_hears(c, "error"), "message", "16 orders to this run wait for an answer"));
    (void)client_hears(c, "ack");
    world_advance(w, 5 * SECOND);
    client_asks(c, "control_session", "{\"sessionId\":\"run\",\"command\":\"pause\"}");
    assert_true(
        heard_is(client_hears(c, "error"), "message", "No trainer of this session is connected"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(whoever_is_told_nothing_hears_why),
        WORLD_TEST(who_asks_for_more_than_can_wait_hears_so),
        WORLD_TEST(orders_outlive_the_daemon_and_so_does_their_deadline),
    };
    return cmocka_run_group_tests_name("flow/control", tests, NULL, NULL);
}
