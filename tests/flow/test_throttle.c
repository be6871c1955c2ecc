/* SPDX-License-Identifier: MIT */
/* How often a watcher is told, and what that costs: docs/protocol.md P-32, DESIGN.md 4. */
#include "tests/flow/client.h"
#include "tests/flow/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { INTERVAL = 100 * MS };

static void a_fast_trainer_is_told_ten_times_a_second(void **state)
{
    struct world *w = *state;
    for (enum tongue t = 0; t < TONGUES; t++)
        (void)client_watch(w, t, "run");
    for (unsigned step = 1; step <= 10000; step++) {
        trainer_logs(w, "run", step);
        world_advance(w, MS);
    }
    world_advance(w, INTERVAL);
    for (size_t i = 0; i < w->client_count; i++) {
        struct client *c = w->clients[i];
        (void)client_hears(c, "training_started");
        const struct heard *last = &c->inbox[c->count - 1];
        assert_int_equal(heard_number(last, "metrics.currentStep"), 10000);
        assert_in_range(client_counts(c, "progress_update"), 98, 101);
    }
}

static void updates_keep_their_distance_and_no_value_grows_old(void **state)
{
    enum { STEPS = 4000 };
    static uint64_t logged_us[STEPS + 1];
    struct world *w = *state;
    struct client *c = client_watch(w, PLAIN, "run");
    for (unsigned step = 1; step <= STEPS; step++) {
        logged_us[step] = w->now.us;
        trainer_logs(w, "run", step);
        /* Sometimes quickly, sometimes slowly, sometimes with a pause. */
        world_advance(w, step % 500 == 0 ? 3 * INTERVAL : 300 + step % 7 * 311);
    }
    (void)client_hears(c, "training_started");
    uint64_t before_us = 0;
    unsigned step = 0;
    while (c->next < c->count) {
        const struct heard *h = client_hears(c, "progress_update");
        step = (unsigned)heard_number(h, "metrics.currentStep");
        assert_true(h->at_us >= before_us + INTERVAL);
        assert_true(h->at_us - logged_us[step] <= INTERVAL);
        before_us = h->at_us;
    }
    assert_int_equal(step, STEPS);
}

static void a_burst_in_one_wake_up_is_one_update(void **state)
{
    struct world *w = *state;
    struct client *c = client_watch(w, PLAIN, "run");
    world_enter(w);
    for (unsigned step = 1; step <= 100; step++)
        trainer_logs(w, "run", step);
    world_leave(w);
    (void)client_hears(c, "training_started");
    client_hears_step(c, 100);
    world_advance(w, SECOND);
    client_hears_nothing(c);
}

static void a_quiet_session_is_told_at_once_and_then_not_again(void **state)
{
    struct world *w = *state;
    struct client *c = client_watch(w, PLAIN, "run");
    trainer_starts(w, "run");
    (void)client_hears(c, "training_started");
    for (unsigned step = 1; step <= 3; step++) {
        world_advance(w, 10 * SECOND);
        client_hears_nothing(c);
        trainer_logs(w, "run", step);
        client_hears_step(c, step);
    }
}

static void a_lifecycle_event_sends_the_waiting_update_first(void **state)
{
    struct world *w = *state;
    for (enum tongue t = 0; t < TONGUES; t++)
        (void)client_watch(w, t, "run");
    trainer_logs(w, "run", 1);
    trainer_logs(w, "run", 2);
    trainer_logs(w, "run", 3);
    trainer_ends_model(w, "run", 0);
    trainer_logs(w, "run", 4);
    trainer_completes(w, "run");
    world_advance(w, SECOND);
    for (size_t i = 0; i < w->client_count; i++) {
        struct client *c = w->clients[i];
        (void)client_hears(c, "training_started");
        client_hears_step(c, 1);
        client_hears_step(c, 3);
        (void)client_hears(c, "model_completed");
        client_hears_step(c, 4);
        (void)client_hears(c, "training_completed");
        client_hears_nothing(c);
    }
}

static void an_event_in_the_same_wake_up_does_not_overtake(void **state)
{
    struct world *w = *state;
    struct client *c = client_watch(w, SOCKETIO, "run");
    world_enter(w);
    trainer_logs(w, "run", 1);
    trainer_ends_model(w, "run", 0);
    trainer_logs(w, "run", 2);
    trainer_completes(w, "run");
    world_leave(w);
    (void)client_hears(c, "training_started");
    client_hears_step(c, 1);
    (void)client_hears(c, "model_completed");
    client_hears_step(c, 2);
    (void)client_hears(c, "training_completed");
    client_hears_nothing(c);
}

static void ten_trainers_come_to_one_write_a_tick(void **state)
{
    enum { TRAINERS = 10 };
    struct world *w = *state;
    struct client *c = client_open(w, PLAIN);
    char id[8];
    for (unsigned i = 0; i < TRAINERS; i++) {
        (void)snprintf(id, sizeof(id), "run%u", i);
        client_subscribes(c, id);
        trainer_starts(w, id);
        world_advance(w, 7 * MS); /* each begins at a time of its own */
    }
    uint64_t writes = 0;
    for (unsigned step = 1; step <= 5000; step++) {
        if (step == 3000) { /* by now they have found the common ticks */
            (void)client_counts(c, "");
            writes = c->stream->writes;
        }
        (void)snprintf(id, sizeof(id), "run%u", step % TRAINERS);
        trainer_logs(w, id, step);
        world_advance(w, MS);
    }
    writes = c->stream->writes - writes;
    size_t updates = client_counts(c, "progress_update");
    assert_in_range(writes, 18, 21); /* two seconds */
    assert_int_equal(updates, writes * TRAINERS);
}

static void ten_sessions_in_one_wake_up_are_one_write(void **state)
{
    struct world *w = *state;
    char id[8];
    for (enum tongue t = PLAIN; t <= SOCKETIO_DEFLATED; t++) {
        struct client *c = client_open(w, t);
        for (unsigned i = 0; i < 10; i++) {
            (void)snprintf(id, sizeof(id), "run%u", i);
            client_subscribes(c, id);
        }
    }
    world_enter(w);
    for (unsigned i = 0; i < 10; i++) {
        (void)snprintf(id, sizeof(id), "run%u", i);
        trainer_logs(w, id, 1);
    }
    uint64_t before = w->app->stats.writes;
    world_leave(w);
    assert_int_equal(w->app->stats.writes - before, w->client_count);
    for (size_t i = 0; i < w->client_count; i++)
        assert_int_equal(client_counts(w->clients[i], "progress_update"), 10);
}

/* The one membership of the nth watcher. */
static const struct membership *membership_of(struct world *w, size_t n)
{
    return &w->clients[n]->stream->link->peer->subscriber.memberships[0];
}

static void a_thousand_watchers_share_one_deflated_frame(void **state)
{
    enum { WATCHERS = 1000, TICKS = 20 };
    struct world *w = *state;
    for (unsigned i = 0; i < WATCHERS; i++)
        (void)client_watch(w, PLAIN_DEFLATED, "run");
    trainer_starts(w, "run");
    for (unsigned step = 1; step <= TICKS; step++) {
        world_advance(w, SECOND);
        uint64_t before = w->app->stats.deflates;
        trainer_logs(w, "run", step);
        assert_int_equal(w->app->stats.deflates - before, 1);
    }
    for (unsigned i = 0; i < WATCHERS; i++)
        assert_int_equal(client_counts(w->clients[i], "progress_update"), TICKS);

    for (unsigned i = 0; i < WATCHERS; i++)
        client_chokes(w->clients[i]);
    for (unsigned step = 1; step <= 2; step++) { /* the first fills the pipe */
        world_advance(w, SECOND);
        trainer_logs(w, "run", TICKS + step);
    }
    const struct refbuf *shared = membership_of(w, 0)->waiting;
    assert_non_null(shared);
    assert_int_equal(shared->refs, WATCHERS);
    for (unsigned i = 0; i < WATCHERS; i++)
        assert_ptr_equal(membership_of(w, i)->waiting, shared);
}

static void each_form_is_encoded_once_whoever_asks_for_it(void **state)
{
    struct world *w = *state;
    for (unsigned i = 0; i < 10; i++) {
        for (enum tongue t = 0; t < TONGUES; t++)
            (void)client_watch(w, t, "run");
    }
    trainer_starts(w, "run");
    world_advance(w, SECOND);
    struct stats before = w->app->stats;
    trainer_logs(w, "run", 1);
    assert_int_equal(w->app->stats.metrics_transformed - before.metrics_transformed, 1);
    assert_int_equal(w->app->stats.deflates - before.deflates, 2); /* plain and Socket.IO */
}

static void without_compression_nothing_is_deflated(void **state)
{
    (void)state;
    struct world *w = world_create();
    w->config.compression = false;
    world_begin(w);
    struct client *c = client_watch(w, PLAIN, "run");
    trainer_logs(w, "run", 1);
    (void)client_hears(c, "training_started");
    client_hears_step(c, 1);
    assert_int_equal(w->app->stats.deflates, 0);
    world_destroy(w);
}

static void without_throttle_every_record_is_told(void **state)
{
    (void)state;
    struct world *w = world_create();
    w->config.throttle = false;
    world_begin(w);
    struct client *c = client_watch(w, PLAIN, "run");
    for (unsigned step = 1; step <= 1000; step++) {
        trainer_logs(w, "run", step);
        world_advance(w, 10);
    }
    (void)client_hears(c, "training_started");
    for (unsigned step = 1; step <= 1000; step++)
        client_hears_step(c, step);
    world_destroy(w);
}

static void another_rate_is_kept_as_well(void **state)
{
    (void)state;
    struct world *w = world_create();
    w->config.max_rate = 2;
    world_begin(w);
    struct client *c = client_watch(w, PLAIN, "run");
    for (unsigned step = 1; step <= 1000; step++) {
        trainer_logs(w, "run", step);
        world_advance(w, 10 * MS);
    }
    assert_in_range(client_counts(c, "progress_update"), 19, 21);
    world_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_fast_trainer_is_told_ten_times_a_second),
        WORLD_TEST(updates_keep_their_distance_and_no_value_grows_old),
        WORLD_TEST(a_burst_in_one_wake_up_is_one_update),
        WORLD_TEST(a_quiet_session_is_told_at_once_and_then_not_again),
        WORLD_TEST(a_lifecycle_event_sends_the_waiting_update_first),
        WORLD_TEST(an_event_in_the_same_wake_up_does_not_overtake),
        WORLD_TEST(ten_trainers_come_to_one_write_a_tick),
        WORLD_TEST(ten_sessions_in_one_wake_up_are_one_write),
        WORLD_TEST(a_thousand_watchers_share_one_deflated_frame),
        WORLD_TEST(each_form_is_encoded_once_whoever_asks_for_it),
        cmocka_unit_test(without_compression_nothing_is_deflated),
        cmocka_unit_test(without_throttle_every_record_is_told),
        cmocka_unit_test(another_rate_is_kept_as_well),
    };
    return cmocka_run_group_tests_name("flow/throttle", tests, NULL, NULL);
}
