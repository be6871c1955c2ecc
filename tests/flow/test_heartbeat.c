/* SPDX-License-Identifier: MIT */
/* Is somebody there? The defaults: a ping every 25 s, 20 s to answer it, 45 s to say what is
 * wanted. All to the microsecond, on the clock of the world. */
#include "tests/flow/client.h"
#include "tests/flow/client_engine.h"
#include "tests/flow/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { INTERVAL = 25 * SECOND, TIMEOUT = 20 * SECOND, CONNECT = 45 * SECOND };

static void a_ping_comes_each_interval_and_the_pong_starts_the_next(void **state)
{
    struct world *w = *state;
    for (enum tongue t = 0; t < TONGUES; t++)
        (void)client_watch(w, t, "run");
    for (unsigned n = 0; n < 10; n++) {
        world_advance(w, INTERVAL - 1);
        for (size_t i = 0; i < w->client_count; i++)
            assert_int_equal(w->clients[i]->pings, n);
        world_advance(w, 1);
        for (size_t i = 0; i < w->client_count; i++)
            assert_int_equal(w->clients[i]->pings, n + 1);
    }
    assert_int_equal(w->app->stats.peers, TONGUES);
}

static void a_late_pong_delays_the_next_ping(void **state)
{
    struct world *w = *state;
    struct client *c = client_watch(w, SOCKETIO, "run");
    c->answers_pings = false;
    world_advance(w, INTERVAL);
    world_advance(w, TIMEOUT - 1);
    client_pongs(c);
    world_advance(w, INTERVAL - 1);
    assert_int_equal(c->pings, 1);
    world_advance(w, 1);
    assert_int_equal(c->pings, 2);
}

static void who_does_not_answer_is_closed_after_interval_and_timeout(void **state)
{
    struct world *w = *state;
    for (enum tongue t = 0; t < TONGUES; t++)
        client_watch(w, t, "run")->answers_pings = false;
    world_advance(w, INTERVAL + TIMEOUT - 1);
    assert_int_equal(w->app->stats.peers, TONGUES);
    world_advance(w, 1);
    assert_int_equal(w->app->stats.peers_closed_timeout, TONGUES - 1);
    for (enum tongue t = 0; t < TONGUES; t++) {
        struct client *c = w->clients[t];
        assert_int_equal(client_is_gone(c), t != SSE); /* a stream is not asked for an answer */
        if (t == POLLING)
            assert_true(c->told_to_close);
        else if (t != SSE)
            assert_int_equal(c->close_code, 4009);
        if (c->close_code)
            assert_string_equal(c->close_why, "ping timeout");
    }
}

static void data_is_no_answer_to_a_ping(void **state)
{
    struct world *w = *state;
    for (enum tongue t = 0; t < SSE; t++)
        client_watch(w, t, "run")->answers_pings = false;
    for (unsigned i = 0; i < 45; i++) {
        assert_int_equal(w->app->stats.peers, SSE);
        for (enum tongue t = 0; t < SSE; t++)
            client_subscribes(w->clients[t], "run");
        trainer_logs(w, "run", i);
        world_advance(w, SECOND);
    }
    assert_int_equal(w->app->stats.peers, 0);
}

static void a_watcher_that_reads_nothing_is_closed_too(void **state)
{
    struct world *w = *state;
    for (enum tongue t = 0; t <= SOCKETIO_DEFLATED; t++)
        client_chokes(client_watch(w, t, "run"));
    trainer_starts(w, "run");
    world_advance(w, INTERVAL + TIMEOUT);
    assert_int_equal(w->app->stats.peers_closed_timeout, SOCKETIO_DEFLATED + 1);
    world_advance(w, SECOND / 4); /* nor does it read its close frame */
    assert_int_equal(w->app->stats.peers, 0);
    assert_int_equal(w->app->stats.connections, 0);
}

static void a_poller_that_stays_away_is_forgotten(void **state)
{
    struct world *w = *state;
    struct client *c = client_watch(w, POLLING, "run");
    c->polls_on = false;
    trainer_starts(w, "run"); /* answers the poll that waits */
    world_advance(w, INTERVAL + TIMEOUT - 1);
    assert_int_equal(w->app->stats.peers, 1);
    world_advance(w, 1);
    assert_int_equal(w->app->stats.peers, 0);
    client_polls(c);
    assert_int_equal(c->refused, 400);
}

static void who_never_says_what_it_wants_is_closed(void **state)
{
    struct world *w = *state;
    for (enum tongue t = 0; t < SSE; t++)
        (void)client_shakes_hands(w, t);
    client_polls(w->clients[POLLING]);
    world_advance(w, CONNECT - 1);
    assert_int_equal(w->app->stats.peers, SSE);
    world_advance(w, 1);
    assert_int_equal(w->app->stats.peers, 0);
    assert_int_equal(w->app->stats.peers_closed_timeout, SSE);
    for (enum tongue t = 0; t < POLLING; t++) {
        assert_int_equal(w->clients[t]->close_code, 4009);
        assert_string_equal(w->clients[t]->close_why, "connect timeout");
    }
}

static void who_has_said_it_may_stay_quiet(void **state)
{
    struct world *w = *state;
    (void)client_open(w, SOCKETIO); /* CONNECT is enough, a room is not needed */
    (void)client_open(w, POLLING);
    struct client *plain = client_open(w, PLAIN);
    world_advance(w, CONNECT - 1);
    client_subscribes(plain, "run");
    client_unsubscribes(plain, "run");
    world_advance(w, 10 * CONNECT);
    assert_int_equal(w->app->stats.peers, 3);
}

/* A hundred watchers of all kinds, at all phases of their heartbeats. */
static void gather(struct world *w)
{
    for (unsigned i = 0; i < 100; i++) {
        (void)client_watch(w, i % TONGUES, "run");
        world_advance(w, INTERVAL / 100);
    }
}

static void after_a_long_stop_nobody_is_closed_unheard(void **state)
{
    struct world *w = *state;
    gather(w);
    for (size_t i = 0; i < w->client_count; i++)
        w->clients[i]->answers_pings = false;
    world_advance(w, INTERVAL / 2); /* half of them owe us a pong */
    (void)client_open(w, PLAIN);    /* and one has not said what it wants */
    world_jump(w, 120 * SECOND);
    assert_int_equal(w->app->stats.peers, w->client_count);
    for (size_t i = 0; i < w->client_count; i++) {
        struct client *c = w->clients[i];
        bool answers = i % 2 == 0;
        c->answers_pings = answers;
        if (answers)
            client_pongs(c); /* it was on its way all the time */
    }
    world_advance(w, TIMEOUT + INTERVAL);
    size_t there = 0;
    for (size_t i = 0; i < 100; i++) {
        const struct client *c = w->clients[i];
        assert_int_equal(client_is_gone(c), i % 2 == 1 && c->tongue != SSE);
        there += !client_is_gone(c);
    }
    assert_int_equal(w->app->stats.peers, there);
}

static void a_short_delay_of_ours_moves_no_deadline(void **state)
{
    struct world *w = *state;
    struct client *c = client_watch(w, PLAIN, "run");
    c->answers_pings = false;
    world_jump(w, INTERVAL + 20 * MS); /* the ping goes a little late */
    assert_int_equal(c->pings, 1);
    world_advance(w, TIMEOUT - 20 * MS);
    assert_int_equal(c->close_code, 4009);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_ping_comes_each_interval_and_the_pong_starts_the_next),
        WORLD_TEST(a_late_pong_delays_the_next_ping),
        WORLD_TEST(who_does_not_answer_is_closed_after_interval_and_timeout),
        WORLD_TEST(data_is_no_answer_to_a_ping),
        WORLD_TEST(a_watcher_that_reads_nothing_is_closed_too),
        WORLD_TEST(a_poller_that_stays_away_is_forgotten),
        WORLD_TEST(who_never_says_what_it_wants_is_closed),
        WORLD_TEST(who_has_said_it_may_stay_quiet),
        WORLD_TEST(after_a_long_stop_nobody_is_closed_unheard),
        WORLD_TEST(a_short_delay_of_ours_moves_no_deadline),
    };
    return cmocka_run_group_tests_name("flow/heartbeat", tests, NULL, NULL);
}
