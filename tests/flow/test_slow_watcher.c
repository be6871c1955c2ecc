/* SPDX-License-Identifier: MIT */
/* A watcher that does not read: docs/protocol.md P-33, P-53. Newest wins for values, order holds
 * for events, memory has a bound, and nobody else notices. */
#include "tests/flow/client.h"
#include "tests/flow/client_engine.h"
#include "tests/flow/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The dialects that have a stream to choke. */
static const enum tongue streams[] = {PLAIN, PLAIN_DEFLATED, SOCKETIO, SOCKETIO_DEFLATED, SSE};
enum { STREAMS = sizeof(streams) / sizeof(streams[0]) };

static const struct subscriber *subscriber_of(const struct client *c)
{
    return &c->stream->link->peer->subscriber;
}

/* One update a second, each far enough from the last to go at once. */
static void logs_slowly(struct world *w, const char *id, unsigned from, unsigned to)
{
    for (unsigned step = from; step <= to; step++) {
        world_advance(w, SECOND);
        trainer_logs(w, id, step);
    }
}

static void values_are_replaced_by_newer_ones(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < STREAMS; i++) {
        struct client *c = client_watch(w, streams[i], "run");
        client_chokes(c);
    }
    logs_slowly(w, "run", 1, 10);
    for (size_t i = 0; i < STREAMS; i++) {
        struct client *c = w->clients[i];
        client_reads_on(c);
        (void)client_hears(c, "training_started"); /* it filled the pipe, with step 1 or alone */
        size_t rest = c->count - c->next;
        assert_in_range(rest, 1, 2);
        if (rest == 2)
            client_hears_step(c, 1);
        client_hears_step(c, 10);
        client_hears_nothing(c);
    }
}

static void each_room_keeps_its_own_newest_value(void **state)
{
    struct world *w = *state;
    struct client *c = client_watch(w, PLAIN, "a");
    client_subscribes(c, "b");
    trainer_starts(w, "a");
    trainer_starts(w, "b");
    client_chokes(c);
    trainer_starts(w, "a"); /* fills the pipe */
    for (unsigned step = 1; step <= 5; step++) {
        logs_slowly(w, "a", step, step);
        logs_slowly(w, "b", 100 + step, 100 + step);
    }
    assert_int_equal(w->app->stats.messages_superseded, 8);
    client_reads_on(c);
    for (unsigned i = 0; i < 3; i++)
        (void)client_hears(c, "training_started");
    client_hears_step(c, 5);
    client_hears_step(c, 105);
    client_hears_nothing(c);
}

static void events_stay_in_order_behind_their_values(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < STREAMS; i++)
        client_chokes(client_watch(w, streams[i], "run"));
    trainer_starts(w, "run"); /* fills the pipe */
    for (unsigned model = 0; model < 3; model++) {
        logs_slowly(w, "run", 10 * model + 1, 10 * model + 5);
        trainer_ends_model(w, "run", model);
    }
    logs_slowly(w, "run", 40, 45);
    trainer_completes(w, "run");
    for (size_t i = 0; i < STREAMS; i++) {
        struct client *c = w->clients[i];
        client_reads_on(c);
        (void)client_hears(c, "training_started");
        for (unsigned model = 0; model < 3; model++) {
            client_hears_step(c, 10 * model + 5);
            assert_int_equal(heard_number(client_hears(c, "model_completed"), "modelIndex"), model);
        }
        client_hears_step(c, 45);
        (void)client_hears(c, "training_completed");
        client_hears_nothing(c);
    }
}

static void values_alone_never_close_a_watcher_nor_grow_its_memory(void **state)
{
    (void)state;
    struct world *w = world_create();
    w->config.ping_interval_ms = 3600 * 1000; /* no heartbeat meanwhile */
    world_begin(w);
    struct client *c = client_watch(w, PLAIN, "run");
    client_chokes(c);
    logs_slowly(w, "run", 1, 3000);
    assert_int_equal(subscriber_of(c)->outbox.count, 0);
    assert_non_null(subscriber_of(c)->memberships[0].waiting);
    client_reads_on(c);
    const struct heard *newest = &c->inbox[c->count - 1];
    assert_int_equal(heard_number(newest, "metrics.currentStep"), 3000);
    world_destroy(w);
}

static void past_the_count_of_messages_it_is_closed_with_4008(void **state)
{
    (void)state;
    struct world *w = world_create();
    w->config.max_outbox_messages = 20;
    world_begin(w);
    struct client *quick = client_watch(w, PLAIN, "run");
    for (size_t i = 0; i < STREAMS; i++)
        client_chokes(client_watch(w, streams[i], "run"));
    for (unsigned i = 0; i <= 20; i++) { /* one in the pipe, twenty in the outbox */
        trainer_starts(w, "run");
        assert_int_equal(w->app->stats.peers, STREAMS + 1);
    }
    trainer_starts(w, "run");
    assert_int_equal(w->app->stats.peers_closed_slow, STREAMS);
    for (size_t i = 1; i <= STREAMS; i++) {
        struct client *c = w->clients[i];
        client_reads_on(c);
        assert_true(client_is_gone(c));
        if (streams[i - 1] == SSE) {
            assert_int_equal(client_counts(c, "error"), 1);
        } else {
            assert_int_equal(c->close_code, 4008);
            assert_string_equal(c->close_why, "too slow: outbox is full");
            assert_int_equal(client_counts(c, "training_started"), 1);
        }
    }
    assert_int_equal(w->app->stats.peers, 1);
    assert_int_equal(client_counts(quick, "training_started"), 22);
    world_destroy(w);
}

static void past_the_bytes_it_is_closed_too(void **state)
{
    (void)state;
    struct world *w = world_create();
    w->config.max_outbox_bytes = 4096;
    world_begin(w);
    struct client *c = client_watch(w, PLAIN, "run");
    client_chokes(c);
    unsigned lines = 0;
    for (; w->app->stats.peers_closed_slow == 0; lines++) {
        assert_true(lines < 100);
        assert_true(subscriber_of(c)->outbox.bytes <= 4096);
        trainer_starts(w, "run");
    }
    assert_true(lines > 20);
    client_reads_on(c);
    assert_int_equal(c->close_code, 4008);
    world_destroy(w);
}

static void a_poller_that_does_not_poll_is_closed_too(void **state)
{
    (void)state;
    struct world *w = world_create();
    w->config.max_outbox_messages = 20;
    world_begin(w);
    struct client *c = client_watch(w, POLLING, "run");
    c->polls_on = false;
    for (unsigned i = 0; i < 22; i++) { /* one answers the poll that waits */
        assert_int_equal(w->app->stats.peers, 1);
        trainer_starts(w, "run");
    }
    assert_int_equal(w->app->stats.peers_closed_slow, 1);
    assert_int_equal(w->app->stats.peers, 0);
    client_polls(c);
    assert_int_equal(c->refused, 400);
    world_destroy(w);
}

static void a_poller_gets_at_most_sixteen_packets_and_the_rest_next_time(void **state)
{
    struct world *w = *state;
    struct client *c = client_open(w, POLLING);
    char id[8];
    for (unsigned i = 0; i < 40; i++) {
        (void)snprintf(id, sizeof(id), "run%u", i);
        client_subscribes(c, id);
    }
    c->polls_on = false;
    trainer_starts(w, "run0"); /* ends the poll that waits */
    for (unsigned round = 1; round <= 3; round++) {
        for (unsigned i = 0; i < 40; i++) {
            (void)snprintf(id, sizeof(id), "run%u", i);
            world_advance(w, 100 * MS);
            trainer_logs(w, id, round);
        }
        client_polls(c);
    }
    c->most_packets = 0;
    c->polls_on = true;
    client_polls(c);
    assert_int_equal(c->most_packets, 16);
    for (unsigned i = 0; i < 40; i++) {
        (void)snprintf(id, sizeof(id), "run%u", i);
        trainer_logs(w, id, 4);
    }
    world_advance(w, SECOND);
    size_t newest = 0;
    for (; c->next < c->count; c->next++) {
        const struct heard *h = &c->inbox[c->next];
        newest +=
            strcmp(h->event, "progress_update") == 0 && heard_number(h, "metrics.currentStep") == 4;
    }
    assert_int_equal(newest, 40);
}

static void what_waits_before_the_place_of_the_last_poll_is_not_forgotten(void **state)
{
    struct world *w = *state;
    struct client *c = client_open(w, POLLING);
    char id[8];
    for (unsigned i = 0; i < 20; i++) {
        (void)snprintf(id, sizeof(id), "run%u", i);
        trainer_starts(w, id);
        client_subscribes(c, id);
    }
    world_advance(w, SECOND);
    (void)client_counts(c, "");
    c->polls_on = false;
    trainer_logs(w, "run0", 1); /* ends the poll that waits */
    for (unsigned i = 0; i < 16; i++) {
        (void)snprintf(id, sizeof(id), "run%u", i);
        world_advance(w, SECOND);
        trainer_logs(w, id, 2);
    }
    client_polls(c); /* one whole answer */
    assert_int_equal(client_counts(c, "progress_update"), 17);
    world_advance(w, SECOND);
    trainer_logs(w, "run3", 3);
    client_polls(c);
    client_hears_step(c, 3);
}

static void nobody_else_waits_for_a_choked_one(void **state)
{
    struct world *w = *state;
    struct client *quick = client_watch(w, SOCKETIO, "run");
    for (unsigned i = 0; i < 100; i++)
        client_chokes(client_watch(w, PLAIN, "run"));
    trainer_starts(w, "run");
    for (unsigned step = 1; step <= 50; step++) {
        world_advance(w, 110 * MS);
        trainer_logs(w, "run", step);
    }
    (void)client_hears(quick, "training_started");
    for (unsigned step = 1; step <= 50; step++)
        client_hears_step(quick, step);
    client_hears_nothing(quick);
}

static void one_that_never_reads_its_close_frame_is_dropped_after_two_seconds(void **state)
{
    (void)state;
    struct world *w = world_create();
    w->config.max_outbox_messages = 2;
    world_begin(w);
    struct client *c = client_watch(w, PLAIN, "run");
    client_chokes(c);
    for (unsigned i = 0; i < 4; i++)
        trainer_starts(w, "run");
    assert_int_equal(w->app->stats.peers_closed_slow, 1);
    assert_false(client_is_gone(c));
    world_advance(w, 1999 * MS);
    assert_false(client_is_gone(c));
    world_advance(w, MS);
    assert_true(client_is_gone(c));
    assert_int_equal(w->app->stats.peers, 0);
    world_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(values_are_replaced_by_newer_ones),
        WORLD_TEST(each_room_keeps_its_own_newest_value),
        WORLD_TEST(events_stay_in_order_behind_their_values),
        cmocka_unit_test(values_alone_never_close_a_watcher_nor_grow_its_memory),
        cmocka_unit_test(past_the_count_of_messages_it_is_closed_with_4008),
        cmocka_unit_test(past_the_bytes_it_is_closed_too),
        cmocka_unit_test(a_poller_that_does_not_poll_is_closed_too),
        WORLD_TEST(a_poller_gets_at_most_sixteen_packets_and_the_rest_next_time),
        WORLD_TEST(what_waits_before_the_place_of_the_last_poll_is_not_forgotten),
        WORLD_TEST(nobody_else_waits_for_a_choked_one),
        cmocka_unit_test(one_that_never_reads_its_close_frame_is_dropped_after_two_seconds),
    };
    return cmocka_run_group_tests_name("flow/slow_watcher", tests, NULL, NULL);
}
