/* SPDX-License-Identifier: MIT */
/* Who may come back and who begins anew: docs/protocol.md P-46 to P-48. */
#include "tests/flow/client_engine.h"
#include "tests/flow/client_parts.h"
#include "tests/flow/recovering.h"

#include <stdio.h>
#include <string.h>

static void a_close_packet_is_no_good_bye_but_a_disconnect_is(void **state)
{
    struct world *w = *state;
    struct client *closed = watches(w, POLLING, "run");
    client_sends(closed, "1");
    assert_true(came_back(client_comes_back(w, SOCKETIO, closed), closed));
    struct client *left = watches(w, SOCKETIO, "run");
    client_sends(left, "41");
    client_leaves(left);
    struct client *fresh = client_comes_back(w, SOCKETIO, left);
    assert_false(came_back(fresh, left));
    logs(w, "run", 1, 1);
    client_hears_nothing(fresh); /* it is in no room */
}

static void a_pid_serves_one_client_at_a_time(void **state)
{
    struct world *w = *state;
    struct client *c = watches(w, SOCKETIO, "run");
    struct client *early = client_comes_back(w, SOCKETIO, c); /* while it is still there */
    assert_false(came_back(early, c));
    client_leaves(c);
    struct client *again = client_comes_back(w, SOCKETIO, c);
    struct client *second = client_comes_back(w, SOCKETIO, c);
    assert_true(came_back(again, c));
    assert_false(came_back(second, c));
    logs(w, "run", 1, 1);
    client_hears_step(again, 1);
    client_hears_nothing(second);
}

static void a_poller_whose_connection_was_lost_unnoticed_may_come_back(void **state)
{
    struct world *w = *state;
    struct client *c = watches(w, POLLING, "run");
    c->polls_on = false;
    logs(w, "run", 1, 1); /* answers the poll, and the next one never arrives */
    client_hears_step(c, 1);
    logs(w, "run", 2, 2);
    struct client *again = client_comes_back(w, POLLING, c);
    assert_true(came_back(again, c));
    client_hears_step(again, 2);
    client_polls(c);
    assert_int_equal(c->refused, 400); /* that session is over */
}

static void a_pid_is_bound_to_its_auth(void **state)
{
    struct world *w = *state;
    struct client *c = client_recovers(w, SOCKETIO, "\"token\":\"secret\"");
    client_leaves(c);
    assert_false(came_back(client_comes_back(w, SOCKETIO, c), c)); /* it lacks the token */
    struct client *again = client_shakes_hands(w, SOCKETIO);
    char auth[256];
    (void)snprintf(auth, sizeof(auth),
                   "{\"pid\":\"%s\",\"offset\":\"%s\",\"recover\":true,\"token\":\"secret\"}",
                   c->pid, c->mark);
    client_engine_connects(again, auth);
    assert_true(came_back(again, c)); /* and the other's attempt has spoilt nothing */
}

static void auth_that_is_too_long_to_bind_to_gets_no_pid(void **state)
{
    struct world *w = *state;
    char packet[1200];
    (void)snprintf(packet, sizeof(packet), "40{\"recover\":true,\"x\":\"%01100d\"}", 0);
    struct client *c = client_shakes_hands(w, SOCKETIO);
    client_sends(c, packet);
    assert_true(c->connected);
    assert_string_equal(c->pid, "");
}

static void marks_that_it_was_never_given_lead_to_a_fresh_session(void **state)
{
    static const char *const marks[] = {"999999", "x", "-1", "18446744073709551615", "1e3"};
    struct world *w = *state;
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        struct client *c = watches(w, SOCKETIO, "run");
        client_leaves(c);
        (void)snprintf(c->mark, sizeof(c->mark), "%s", marks[i]);
        assert_false(came_back(client_comes_back(w, SOCKETIO, c), c));
    }
    struct client *c = watches(w, SOCKETIO, "run");
    (void)snprintf(c->pid, sizeof(c->pid), "%s", "AAAAAAAAAAAAAAAAAAAAAAAA");
    assert_false(came_back(client_comes_back(w, SOCKETIO, c), c));
    assert_int_equal(w->app->stats.recoveries, 0);
}

static void who_missed_more_than_the_trail_holds_begins_anew(void **state)
{
    (void)state;
    struct world *w = unthrottled();
    w->config.max_trail = 16;
    world_begin(w);
    trainer_starts(w, "a");
    trainer_starts(w, "b");
    struct client *c = watches(w, SOCKETIO, "a");
    client_subscribes(c, "b");
    char old[32] = "";
    for (unsigned step = 1; step <= 100; step++) { /* in turn, so that each takes a place */
        logs(w, "a", step, step);
        logs(w, "b", step, step);
        if (step == 95)
            memcpy(old, c->mark, sizeof(old));
    }
    client_leaves(c);
    memcpy(c->mark, old, sizeof(old));
    struct client *again = client_comes_back(w, SOCKETIO, c);
    assert_true(came_back(again, c));
    assert_int_equal(client_counts(again, "progress_update"), 10);
    for (unsigned step = 101; step <= 110; step++) {
        logs(w, "a", step, step);
        logs(w, "b", step, step);
    }
    client_leaves(again);
    memcpy(again->mark, old, sizeof(old));
    struct client *fresh = client_comes_back(w, SOCKETIO, again);
    assert_false(came_back(fresh, again));
    client_hears_nothing(fresh);
    world_destroy(w);
}

static void it_is_kept_for_so_long_and_no_longer(void **state)
{
    struct world *w = *state;
    for (unsigned late = 0; late < 2; late++) {
        struct client *c = watches(w, SOCKETIO, "run");
        client_leaves(c);
        assert_int_equal(w->app->stats.recoveries_kept, 1);
        world_advance(w, 120 * SECOND - 1);
        if (late)
            world_advance(w, 1);
        assert_int_equal(w->app->stats.recoveries_kept, !late);
        struct client *again = client_comes_back(w, SOCKETIO, c);
        assert_true(came_back(again, c) == !late);
        client_sends(again, "41");
        assert_int_equal(w->app->stats.recoveries_kept, 0);
    }
    assert_int_equal(w->app->registry.journal.listeners, 0);
}

static void time_in_which_the_daemon_was_stopped_does_not_count(void **state)
{
    struct world *w = *state;
    struct client *c = watches(w, SOCKETIO, "run");
    client_leaves(c);
    world_jump(w, 3600ULL * SECOND);
    assert_int_equal(w->app->stats.recoveries_kept, 1);
    assert_true(came_back(client_comes_back(w, SOCKETIO, c), c));
}

static void who_left_longest_ago_is_forgotten_first(void **state)
{
    (void)state;
    struct world *w = unthrottled();
    w->config.max_recoveries = 2;
    world_begin(w);
    struct client *c[3];
    for (unsigned i = 0; i < 3; i++) {
        c[i] = client_recovers(w, SOCKETIO, NULL);
        client_leaves(c[i]);
    }
    assert_int_equal(w->app->stats.recoveries_kept, 2);
    assert_false(came_back(client_comes_back(w, SOCKETIO, c[0]), c[0]));
    assert_true(came_back(client_comes_back(w, SOCKETIO, c[1]), c[1]));
    assert_true(came_back(client_comes_back(w, SOCKETIO, c[2]), c[2]));
    world_destroy(w);
}

static void it_can_be_turned_off(void **state)
{
    (void)state;
    struct world *w = world_create();
    w->config.recovery_ms = 0;
    world_begin(w);
    assert_string_equal(client_recovers(w, SOCKETIO, NULL)->pid, "");
    world_destroy(w);
}

static void another_run_of_the_same_name_is_no_continuation(void **state)
{
    (void)state;
    struct world *w = unthrottled();
    w->config.max_sessions = 1;
    world_begin(w);
    logs(w, "run", 1, 3);
    struct client *c = watches(w, SOCKETIO, "run");
    client_leaves(c);
    trainer_completes(w, "run");
    trainer_starts(w, "other"); /* takes its place */
    trainer_completes(w, "other");
    logs(w, "run", 1, 5);
    assert_false(came_back(client_comes_back(w, SOCKETIO, c), c));
    world_destroy(w);
}

static void a_run_that_came_and_went_meanwhile_is_no_beginning(void **state)
{
    (void)state;
    struct world *w = unthrottled();
    w->config.max_sessions = 1;
    world_begin(w);
    trainer_starts(w, "other");
    struct client *c = watches(w, SOCKETIO, "run");
    client_leaves(c);
    trainer_completes(w, "other");
    logs(w, "run", 1, 3);
    trainer_completes(w, "run");
    trainer_starts(w, "another"); /* takes its place */
    assert_null(registry_find(&w->app->registry, SPAN("run")));
    assert_false(came_back(client_comes_back(w, SOCKETIO, c), c));
    world_destroy(w);
}

/* As after the disk was full: what followed the floor is gone, and its offsets are given again. */
static void offsets_of_an_earlier_epoch_count_as_far_as_they_stand(void **state)
{
    struct world *w = *state;
    struct client *c[2] = {watches(w, SOCKETIO, "run"), watches(w, SOCKETIO, "run")};
    logs(w, "run", 1, 3);
    client_leaves(c[0]);
    logs(w, "run", 4, 5);
    client_leaves(c[1]);
    registry_begin_epoch(&w->app->registry);
    world_session(w, "run")->floor = 3;
    struct client *again = client_comes_back(w, SOCKETIO, c[0]);
    assert_true(came_back(again, c[0]));
    hears_steps(again, 4, 5);
    assert_false(came_back(client_comes_back(w, SOCKETIO, c[1]), c[1]));
}

static void a_legacy_room_is_not_kept(void **state)
{
    struct world *w = *state;
    struct client *c = client_recovers(w, SOCKETIO, NULL);
    client_says(c, "join_room", "\"run\"");
    client_leaves(c);
    assert_false(came_back(client_comes_back(w, SOCKETIO, c), c));
}

static void too_many_events_at_once_are_not_tried(void **state)
{
    (void)state;
    struct world *w = unthrottled();
    w->config.max_outbox_messages = 10;
    world_begin(w);
    trainer_starts(w, "run");
    struct client *c = watches(w, SOCKETIO, "run");
    client_leaves(c);
    for (unsigned i = 0; i < 6; i++)
        trainer_ends_model(w, "run", i);
    assert_false(came_back(client_comes_back(w, SOCKETIO, c), c));
    world_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_TEST(a_close_packet_is_no_good_bye_but_a_disconnect_is),
        RUN_TEST(a_pid_serves_one_client_at_a_time),
        RUN_TEST(a_poller_whose_connection_was_lost_unnoticed_may_come_back),
        RUN_TEST(a_pid_is_bound_to_its_auth),
        RUN_TEST(auth_that_is_too_long_to_bind_to_gets_no_pid),
        RUN_TEST(marks_that_it_was_never_given_lead_to_a_fresh_session),
        cmocka_unit_test(who_missed_more_than_the_trail_holds_begins_anew),
        RUN_TEST(it_is_kept_for_so_long_and_no_longer),
        RUN_TEST(time_in_which_the_daemon_was_stopped_does_not_count),
        cmocka_unit_test(who_left_longest_ago_is_forgotten_first),
        cmocka_unit_test(it_can_be_turned_off),
        cmocka_unit_test(another_run_of_the_same_name_is_no_continuation),
        cmocka_unit_test(a_run_that_came_and_went_meanwhile_is_no_beginning),
        RUN_TEST(offsets_of_an_earlier_epoch_count_as_far_as_they_stand),
        RUN_TEST(a_legacy_room_is_not_kept),
        cmocka_unit_test(too_many_events_at_once_are_not_tried),
    };
    return cmocka_run_group_tests_name("flow/recovery_refused", tests, NULL, NULL);
}
