/* SPDX-License-Identifier: MIT */
/* Socket.IO's connection state recovery: docs/protocol.md P-44 to P-48. Whoever comes back misses
 * nothing and hears nothing twice, or is told that it begins anew. */
#include "tests/flow/client_engine.h"
#include "tests/flow/client_parts.h"
#include "tests/flow/recovering.h"

#include <stdio.h>
#include <string.h>

static const enum tongue tongues[] = {SOCKETIO, SOCKETIO_DEFLATED, POLLING};

enum { WAYS = sizeof(tongues) / sizeof(tongues[0]) };

static void who_does_not_ask_is_given_neither_pid_nor_marks(void **state)
{
    struct world *w = *state;
    for (unsigned i = 0; i < WAYS; i++) {
        struct client *c = client_watch(w, tongues[i], "run");
        assert_string_equal(c->pid, "");
        (void)client_hears(c, "session_status"); /* one argument, or this would not parse */
    }
}

static void it_may_be_asked_for_in_the_query(void **state)
{
    struct world *w = *state;
    struct client *c = client_nobody(w);
    c->tongue = SOCKETIO;
    c->stream = client_opens_ws(c, "/socket.io/", SPAN("EIO=4&transport=websocket&recover=1"));
    while (client_react(c))
        continue;
    client_engine_connects(c, "");
    assert_int_equal(strlen(c->pid), 24);
}

static void what_was_missed_is_heard_once_and_in_order(void **state)
{
    struct world *w = *state;
    unsigned step = 0;
    for (unsigned i = 0; i < WAYS; i++) {
        struct client *c = watches(w, tongues[i], "run");
        logs(w, "run", step + 1, step + 3);
        hears_steps(c, step + 1, step + 3);
        client_leaves(c);
        logs(w, "run", step + 4, step + 100);
        struct client *again = client_comes_back(w, tongues[i], c);
        assert_true(came_back(again, c));
        logs(w, "run", step + 101, step + 102);
        hears_steps(again, step + 4, step + 102);
        client_hears_nothing(again);
        client_leaves(again);
        step += 102;
    }
    assert_int_equal(w->app->stats.recoveries, WAYS);
    assert_int_equal(w->app->stats.recoveries_refused, 0);
}

static void what_memory_has_let_go_comes_from_the_archive(void **state)
{
    (void)state;
    struct world *w = unthrottled();
    w->config.max_history_records = 64;
    world_begin(w);
    for (unsigned i = 0; i < WAYS; i++) {
        unsigned first = 2000 * i;
        logs(w, "run", first + 1, first + 1);
        struct client *c = watches(w, tongues[i], "run");
        client_leaves(c);
        logs(w, "run", first + 2, first + 1000);
        trainer_ends_model(w, "run", i);
        logs(w, "run", first + 1001, first + 2000);
        struct client *again = client_comes_back(w, tongues[i], c);
        assert_true(came_back(again, c));
        hears_steps(again, first + 2, first + 1000);
        (void)client_hears(again, "model_completed");
        hears_steps(again, first + 1001, first + 2000);
        client_hears_nothing(again);
        client_leaves(again);
    }
    world_destroy(w);
}

static void what_was_on_its_way_is_sent_again(void **state)
{
    struct world *w = *state;
    struct client *c = watches(w, SOCKETIO, "run");
    logs(w, "run", 1, 5);
    hears_steps(c, 1, 5);
    client_chokes(c);
    logs(w, "run", 6, 9); /* the first of them is written, and lost */
    client_leaves(c);
    struct client *again = client_comes_back(w, SOCKETIO, c);
    hears_steps(again, 6, 9);
    client_hears_nothing(again);
}

static void who_is_cut_off_again_before_it_hears_a_thing_loses_nothing(void **state)
{
    struct world *w = *state;
    struct client *c = watches(w, SOCKETIO, "run");
    logs(w, "run", 1, 5);
    hears_steps(c, 1, 5);
    client_leaves(c);
    logs(w, "run", 6, 9);
    for (unsigned i = 0; i < 3; i++) { /* the answers of these never reached it */
        struct client *lost = client_comes_back(w, SOCKETIO, c);
        client_leaves(lost);
    }
    struct client *again = client_comes_back(w, POLLING, c);
    assert_true(came_back(again, c));
    hears_steps(again, 6, 9);
    client_hears_nothing(again);
}

static void who_heard_nothing_but_its_pid_may_come_back(void **state)
{
    struct world *w = *state;
    struct client *c = client_recovers(w, SOCKETIO, NULL);
    c->mark[0] = '\0'; /* not even the greeting */
    client_chokes(c);
    client_subscribes(c, "run");
    logs(w, "run", 1, 2);
    client_leaves(c);
    struct client *again = client_comes_back(w, SOCKETIO, c);
    (void)client_hears(again, "session_status");
    hears_steps(again, 1, 2);
    client_hears_nothing(again);
}

static void a_subscription_whose_answer_was_lost_is_answered_again(void **state)
{
    struct world *w = *state;
    logs(w, "run", 1, 7);
    struct client *c = client_recovers(w, SOCKETIO, NULL);
    client_chokes(c);
    client_subscribes(c, "run");
    client_leaves(c);
    logs(w, "run", 8, 9);
    struct client *again = client_comes_back(w, SOCKETIO, c);
    assert_true(heard_is(client_hears(again, "session_status"), "session_id", "run"));
    hears_steps(again, 7, 9); /* the newest when it subscribed, and what followed */
    client_hears_nothing(again);
}

static void each_room_goes_on_from_its_own_place(void **state)
{
    struct world *w = *state;
    trainer_starts(w, "a");
    trainer_starts(w, "b");
    struct client *c = watches(w, SOCKETIO, "a");
    client_subscribes(c, "b");
    (void)client_counts(c, "");
    logs(w, "a", 1, 3);
    logs(w, "b", 1, 2);
    logs(w, "a", 4, 4);
    assert_int_equal(client_counts(c, "progress_update"), 6);
    client_chokes(c);
    logs(w, "b", 3, 4);
    logs(w, "a", 5, 5);
    client_leaves(c);
    logs(w, "b", 5, 6);
    struct client *again = client_comes_back(w, SOCKETIO, c);
    unsigned a = 4;
    unsigned b = 2;
    while (again->next < again->count) {
        const struct heard *h = client_hears(again, "progress_update");
        unsigned *at = heard_is(h, "sessionId", "a") ? &a : &b;
        assert_int_equal(heard_number(h, "offset"), ++*at);
    }
    assert_int_equal(a, 5);
    assert_int_equal(b, 6);
}

static void a_room_that_was_left_stays_left(void **state)
{
    struct world *w = *state;
    trainer_starts(w, "a");
    struct client *c = watches(w, SOCKETIO, "a");
    client_subscribes(c, "run");
    (void)client_counts(c, "");
    client_unsubscribes(c, "a");
    client_leaves(c);
    logs(w, "a", 1, 3);
    logs(w, "run", 1, 1);
    struct client *again = client_comes_back(w, SOCKETIO, c);
    assert_true(heard_is(client_hears(again, "progress_update"), "sessionId", "run"));
    client_hears_nothing(again);
}

static void events_are_heard_in_their_places(void **state)
{
    struct world *w = *state;
    struct client *c = watches(w, SOCKETIO, "run");
    logs(w, "run", 1, 2);
    hears_steps(c, 1, 2);
    client_chokes(c);
    trainer_ends_model(w, "run", 0); /* lost on its way */
    client_leaves(c);
    logs(w, "run", 3, 4);
    trainer_ends_model(w, "run", 1);
    logs(w, "run", 5, 6);
    trainer_completes(w, "run");
    struct client *again = client_comes_back(w, SOCKETIO, c);
    assert_int_equal(heard_number(client_hears(again, "model_completed"), "modelIndex"), 0);
    hears_steps(again, 3, 4);
    assert_int_equal(heard_number(client_hears(again, "model_completed"), "modelIndex"), 1);
    hears_steps(again, 5, 6);
    (void)client_hears(again, "training_completed");
    client_hears_nothing(again);
}

static void an_event_that_came_is_not_repeated(void **state)
{
    struct world *w = *state;
    struct client *c = watches(w, POLLING, "run");
    logs(w, "run", 1, 1);
    trainer_ends_model(w, "run", 0);
    client_hears_step(c, 1);
    (void)client_hears(c, "model_completed");
    client_leaves(c);
    struct client *again = client_comes_back(w, POLLING, c);
    client_hears_nothing(again);
}

static void the_run_list_hears_what_happened_to_every_run_once(void **state)
{
    struct world *w = *state;
    struct client *c = watches(w, SOCKETIO, "*");
    client_subscribes(c, "run");
    (void)client_counts(c, "");
    trainer_starts(w, "other");
    (void)client_hears(c, "training_started");
    client_leaves(c);
    trainer_completes(w, "other");
    trainer_ends_model(w, "run", 0);
    trainer_starts(w, "third");
    struct client *again = client_comes_back(w, SOCKETIO, c);
    assert_true(heard_is(client_hears(again, "training_completed"), "sessionId", "other"));
    assert_true(heard_is(client_hears(again, "model_completed"), "sessionId", "run"));
    assert_true(heard_is(client_hears(again, "training_started"), "sessionId", "third"));
    client_hears_nothing(again);
}

static void a_run_that_began_meanwhile_is_heard_from_its_start(void **state)
{
    struct world *w = *state;
    for (unsigned lost = 0; lost < 2; lost++) { /* while away; or while it was being lost */
        const char *id = lost ? "b" : "a";
        struct client *c = watches(w, SOCKETIO, id);
        if (lost)
            client_chokes(c);
        else
            client_leaves(c);
        trainer_starts(w, id);
        logs(w, id, 1, 3);
        client_leaves(c);
        struct client *again = client_comes_back(w, SOCKETIO, c);
        (void)client_hears(again, "training_started");
        hears_steps(again, 1, 3);
        client_hears_nothing(again);
        client_leaves(again);
        struct client *third = client_comes_back(w, SOCKETIO, again);
        logs(w, id, 4, 4);
        client_hears_step(third, 4);
        client_hears_nothing(third);
    }
}

static void a_run_that_expired_is_heard_to_its_end(void **state)
{
    (void)state;
    struct world *w = unthrottled();
    w->config.live_completed_s = 1;
    w->config.recovery_ms = 3600000;
    world_begin(w);
    for (unsigned heard_it = 0; heard_it < 2; heard_it++) {
        const char *id = heard_it ? "b" : "a";
        trainer_starts(w, id);
        struct client *c = watches(w, SOCKETIO, id);
        logs(w, id, 1, 2);
        trainer_completes(w, id);
        (void)client_counts(c, "");
        if (!heard_it)
            client_leaves(c);
        world_advance(w, 61 * SECOND);
        if (heard_it)
            (void)client_hears(c, "session_cleanup");
        client_leaves(c);
        struct client *again = client_comes_back(w, SOCKETIO, c);
        assert_true(came_back(again, c));
        if (!heard_it)
            (void)client_hears(again, "session_cleanup");
        client_hears_nothing(again);
    }
    world_destroy(w);
}

static void the_newest_wins_and_is_all_that_a_throttled_client_had_to_miss(void **state)
{
    (void)state;
    struct world *w = world_create();
    world_begin(w);
    trainer_starts(w, "run");
    struct client *c = watches(w, SOCKETIO, "run");
    logs(w, "run", 1, 9);
    client_hears_step(c, 1);
    world_advance(w, SECOND);
    client_hears_step(c, 9);
    client_leaves(c);
    logs(w, "run", 10, 19); /* some of them wait for the pace */
    struct client *again = client_comes_back(w, SOCKETIO, c);
    hears_steps(again, 10, 19);
    world_advance(w, SECOND);
    client_hears_nothing(again);
    world_destroy(w);
}

static void it_goes_on_through_an_upgrade(void **state)
{
    struct world *w = *state;
    struct client *c = watches(w, POLLING, "run");
    logs(w, "run", 1, 2);
    client_upgrades(c);
    logs(w, "run", 3, 4);
    hears_steps(c, 1, 4);
    client_leaves(c);
    logs(w, "run", 5, 6);
    struct client *again = client_comes_back(w, POLLING, c);
    client_upgrades(again);
    hears_steps(again, 5, 6);
    client_hears_nothing(again);
}

static void who_was_too_slow_may_come_back_and_gets_it_all(void **state)
{
    (void)state;
    struct world *w = unthrottled();
    w->config.max_outbox_messages = 10;
    world_begin(w);
    trainer_starts(w, "run");
    struct client *c = watches(w, SOCKETIO, "run");
    client_chokes(c);
    for (unsigned i = 0; i < 5; i++) {
        logs(w, "run", 3 * i + 1, 3 * i + 3);
        trainer_ends_model(w, "run", i);
    }
    logs(w, "run", 16, 16);
    for (unsigned i = 0; i < 20; i++)
        client_asks(c, "subscribe_session", "{\"sessionId\":\"run\"}");
    assert_int_equal(w->app->stats.peers_closed_slow, 1);
    client_leaves(c);
    struct client *again = client_comes_back(w, SOCKETIO, c);
    assert_true(came_back(again, c));
    for (unsigned i = 0; i < 5; i++) {
        hears_steps(again, 3 * i + 1, 3 * i + 3);
        (void)client_hears(again, "model_completed");
    }
    client_hears_step(again, 16);
    world_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_TEST(who_does_not_ask_is_given_neither_pid_nor_marks),
        RUN_TEST(it_may_be_asked_for_in_the_query),
        RUN_TEST(what_was_missed_is_heard_once_and_in_order),
        cmocka_unit_test(what_memory_has_let_go_comes_from_the_archive),
        RUN_TEST(what_was_on_its_way_is_sent_again),
        RUN_TEST(who_is_cut_off_again_before_it_hears_a_thing_loses_nothing),
        RUN_TEST(who_heard_nothing_but_its_pid_may_come_back),
        RUN_TEST(a_subscription_whose_answer_was_lost_is_answered_again),
        RUN_TEST(each_room_goes_on_from_its_own_place),
        RUN_TEST(a_room_that_was_left_stays_left),
        RUN_TEST(events_are_heard_in_their_places),
        RUN_TEST(an_event_that_came_is_not_repeated),
        RUN_TEST(the_run_list_hears_what_happened_to_every_run_once),
        RUN_TEST(a_run_that_began_meanwhile_is_heard_from_its_start),
        cmocka_unit_test(a_run_that_expired_is_heard_to_its_end),
        cmocka_unit_test(the_newest_wins_and_is_all_that_a_throttled_client_had_to_miss),
        RUN_TEST(it_goes_on_through_an_upgrade),
        cmocka_unit_test(who_was_too_slow_may_come_back_and_gets_it_all),
    };
    return cmocka_run_group_tests_name("flow/recovery", tests, NULL, NULL);
}
