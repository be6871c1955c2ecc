/* SPDX-License-Identifier: MIT */
/* Resuming where memory no longer reaches: docs/protocol.md P-31. Every later entry once, in order,
 * from the archive, from memory and then live. */
#include "tests/flow/client.h"
#include "tests/flow/invariants.h"
#include "tests/flow/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { IN_MEMORY = 64, A_WAKE_UP = 50 };

static int setup(void **state)
{
    struct world *w = world_create();
    w->config.max_history_records = IN_MEMORY;
    w->config.max_rooms_per_peer = 100;
    world_begin(w);
    *state = w;
    return 0;
}

/* Steps are offsets. */
static void logs_of(struct world *w, const char *id, unsigned from, unsigned to)
{
    for (unsigned step = from; step <= to;) {
        world_enter(w);
        for (unsigned n = 0; n < A_WAKE_UP && step <= to; n++)
            trainer_logs(w, id, step++);
        world_leave(w);
    }
}

static void logs(struct world *w, unsigned from, unsigned to)
{
    logs_of(w, "run", from, to);
}

/* Hears all updates in the inbox, each the one after the last; answers the last. */
static unsigned hears_each(struct client *c, unsigned told)
{
    while (c->next < c->count)
        client_hears_step(c, ++told);
    return told;
}

static void ends_at(struct client *c, unsigned since, unsigned last)
{
    if (hears_each(c, since) != last)
        fail_msg("%s: at the end it had not come to %u", tongue_names[c->tongue], last);
}

/* Its link takes next to nothing from the subscription on. */
static struct client *watch_choked(struct world *w, enum tongue tongue, unsigned since)
{
    struct client *c = NULL;
    w->window = tongue == SSE ? 100 : w->window;
    if (tongue == SSE) {
        c = client_watch_since(w, SSE, "run", since);
    } else {
        c = client_open(w, tongue);
        client_takes(c, 100);
        client_subscribes_since(c, "run", since);
    }
    w->window = SIZE_MAX;
    return c;
}

static bool holds_memory_of(struct world *w, unsigned newest)
{
    const struct series *s = world_session(w, "run")->series;
    return series_newest(s) == newest && series_count(s) <= IN_MEMORY;
}

static void all_that_was_missed_comes_once_wherever_it_stands(void **state)
{
    static const unsigned since[] = {0, 1, 100, 4095, 4096, 4097, 4935, 4936, 4937, 4999, 5000};
    struct world *w = *state;
    logs(w, 1, 5000);
    assert_true(holds_memory_of(w, 5000));
    for (size_t i = 0; i < sizeof(since) / sizeof(since[0]); i++) {
        for (enum tongue t = 0; t < TONGUES; t++) {
            struct client *c = client_watch_since(w, t, "run", since[i]);
            world_advance(w, SECOND);
            (void)client_hears(c, "session_status");
            ends_at(c, since[i], 5000);
        }
    }
    world_holds(w);
    logs(w, 5001, 5001);
    world_advance(w, SECOND);
    for (size_t i = 0; i < w->client_count; i++)
        client_hears_step(w->clients[i], 5001);
}

static void what_is_logged_meanwhile_comes_after_it(void **state)
{
    struct world *w = *state;
    struct client *clients[TONGUES];
    unsigned told[TONGUES] = {0};
    bool greeted[TONGUES] = {false};
    unsigned newest = 1000;
    logs(w, 1, newest);
    for (enum tongue t = 0; t < TONGUES; t++) {
        if (t == POLLING)
            continue;
        clients[t] = watch_choked(w, t, 0);
    }
    for (unsigned round = 0; round < 60; round++) {
        logs(w, newest + 1, newest + 17 * (round % 5));
        newest += 17 * (round % 5);
        for (enum tongue t = 0; t < TONGUES; t++) {
            if (t == POLLING)
                continue;
            bool deflated = t == PLAIN_DEFLATED || t == SOCKETIO_DEFLATED;
            client_takes(clients[t], 1 + (deflated ? 70 : 700) * (round % 7));
            if (!greeted[t] && clients[t]->next < clients[t]->count) {
                (void)client_hears(clients[t], "session_status");
                greeted[t] = true;
            }
            told[t] = hears_each(clients[t], told[t]);
        }
        world_holds(w);
    }
    for (enum tongue t = 0; t < TONGUES; t++) {
        if (t != POLLING)
            client_reads_on(clients[t]);
    }
    world_advance(w, SECOND);
    for (enum tongue t = 0; t < TONGUES; t++) {
        if (t != POLLING)
            ends_at(clients[t], told[t], newest);
    }
}

static void more_come_back_than_may_read_at_once(void **state)
{
    enum { WATCHERS = 200 };
    struct world *w = *state;
    struct client *clients[WATCHERS];
    logs(w, 1, 600);
    for (unsigned i = 0; i < WATCHERS; i++)
        clients[i] = watch_choked(w, i % 2 ? PLAIN : SOCKETIO, i);
    assert_in_range(w->app->peers.replays, 1, 64);
    for (unsigned i = 0; i < WATCHERS; i += 3)
        client_leaves(clients[i]);
    world_holds(w);
    for (unsigned i = 1; i < WATCHERS; i += 3)
        client_reads_on(clients[i]); /* the others keep their places for as long as they like */
    world_advance(w, MS);
    for (unsigned i = 2; i < WATCHERS; i += 3)
        client_reads_on(clients[i]);
    world_advance(w, MS);
    for (unsigned i = 0; i < WATCHERS; i++) {
        if (i % 3 == 0)
            continue;
        (void)client_hears(clients[i], "session_status");
        ends_at(clients[i], i, 600);
    }
    assert_int_equal(w->app->peers.replays, 0);
    assert_true(list_empty(&w->app->peers.replay_turns));
}

/* All wait for their turns, and those before them go: by leaving, or by no longer wanting it. */
static void a_turn_that_nobody_takes_goes_to_the_next(void **state)
{
    enum { WATCHERS = 200 };
    struct world *w = *state;
    struct client *clients[WATCHERS];
    logs(w, 1, 600);
    w->keeps_still = true; /* everybody asks in the same moment */
    for (unsigned i = 0; i < WATCHERS; i++) {
        w->keeps_still = false;
        clients[i] = client_open(w, PLAIN);
        w->keeps_still = true;
    }
    world_enter(w);
    for (unsigned i = 0; i < WATCHERS; i++)
        client_subscribes_since(clients[i], "run", 0);
    world_leave(w);
    assert_int_equal(w->app->peers.replays, 64);
    world_enter(w);
    for (unsigned i = 0; i < 150; i++) {
        if (i % 2)
            client_leaves(clients[i]);
        else
            client_unsubscribes(clients[i], "run");
    }
    world_leave(w);
    w->keeps_still = false;
    world_advance(w, MS);
    for (unsigned i = 150; i < WATCHERS; i++) {
        (void)client_hears(clients[i], "session_status");
        ends_at(clients[i], 0, 600);
    }
    assert_int_equal(w->app->peers.replays, 0);
    world_holds(w);
}

static void one_watcher_may_catch_up_with_many_sessions(void **state)
{
    enum { SESSIONS = 80 };
    struct world *w = *state;
    char id[8];
    unsigned told[SESSIONS] = {0};
    w->keeps_still = false;
    for (unsigned i = 0; i < SESSIONS; i++) {
        (void)snprintf(id, sizeof(id), "r%u", i);
        logs_of(w, id, 1, 150);
    }
    struct client *c = client_open(w, PLAIN);
    for (unsigned i = 0; i < SESSIONS; i++) {
        (void)snprintf(id, sizeof(id), "r%u", i);
        client_subscribes_since(c, id, 0);
    }
    world_advance(w, SECOND);
    for (; c->next < c->count; c->next++) {
        unsigned i;
        const struct heard *h = &c->inbox[c->next];
        if (strcmp(h->event, "progress_update") != 0)
            continue;
        assert_int_equal(sscanf(h->data, "{\"sessionId\":\"r%u\"", &i), 1);
        assert_int_equal(heard_number(h, "offset"), ++told[i]);
    }
    for (unsigned i = 0; i < SESSIONS; i++)
        assert_int_equal(told[i], 150);
    assert_int_equal(w->app->peers.replays, 0);
}

static void unsubscribing_ends_it_and_it_can_begin_again(void **state)
{
    struct world *w = *state;
    logs(w, 1, 1000);
    struct client *c = watch_choked(w, PLAIN, 0);
    client_takes(c, 30000);
    client_unsubscribes(c, "run");
    client_reads_on(c);
    (void)client_hears(c, "session_status");
    unsigned told = hears_each(c, 0);
    assert_in_range(told, 1, 999);
    assert_int_equal(w->app->peers.replays, 0);
    client_subscribes_since(c, "run", told);
    (void)client_hears(c, "session_status");
    ends_at(c, told, 1000);
}

static void a_session_that_is_removed_ends_it(void **state)
{
    struct world *w = *state;
    logs(w, 1, 1000);
    struct client *c = watch_choked(w, PLAIN, 0);
    client_takes(c, 20000);
    world_enter(w);
    registry_remove(&w->app->registry, world_session(w, "run"));
    world_leave(w);
    client_reads_on(c);
    (void)client_hears(c, "session_status");
    unsigned told = 0;
    while (strcmp(c->inbox[c->next].event, "progress_update") == 0)
        client_hears_step(c, ++told);
    assert_in_range(told, 1, 999);
    (void)client_hears(c, "session_cleanup");
    client_hears_nothing(c);
    assert_int_equal(w->app->peers.replays, 0);
    logs(w, 1, 1);
    (void)client_hears(c, "training_started");
    client_hears_step(c, 1);
}

static void a_run_that_begins_anew_meanwhile_is_part_of_it(void **state)
{
    struct world *w = *state;
    logs(w, 1, 500);
    struct client *c = watch_choked(w, PLAIN, 0);
    trainer_starts(w, "run");
    logs(w, 501, 900);
    client_reads_on(c);
    (void)client_hears(c, "session_status");
    for (unsigned step = 1; step <= 500; step++)
        client_hears_step(c, step);
    (void)client_hears(c, "training_started");
    ends_at(c, 500, 900);
}

static void after_a_restart_most_of_it_is_in_the_archive(void **state)
{
    struct world *w = *state;
    logs(w, 1, 3000);
    for (unsigned life = 0; life < 2; life++) {
        world_ends(w);
        world_begin(w);
        for (enum tongue t = 0; t < TONGUES; t++) {
            struct client *c = client_watch_since(w, t, "run", 10 * t);
            (void)client_hears(c, "session_status");
            ends_at(c, 10 * t, 3000);
        }
    }
}

static void what_is_damaged_is_passed_over_once(void **state)
{
    struct world *w = *state;
    struct store_segment lost;
    logs(w, 1, 9000);
    uint64_t key = world_session(w, "run")->key;
    assert_int_equal(w->disk.rows->ops->next_segment(w->disk.rows, key, 4097, false, &lost), OK);
    lasting_store_damage(&w->disk, LASTING_SEGMENT, key, lost.first);
    struct client *c = client_watch_since(w, PLAIN, "run", 4000);
    (void)client_hears(c, "session_status");
    for (unsigned step = 4001; step < lost.first; step++)
        client_hears_step(c, step);
    ends_at(c, (unsigned)(lost.first + lost.count - 1), 9000);
}

static void a_disk_in_trouble_does_not_hold_it_up(void **state)
{
    struct world *w = *state;
    logs(w, 1, 500);
    w->disk.broken = true;
    logs(w, 501, 540);
    struct client *c = client_watch_since(w, PLAIN, "run", 100);
    (void)client_hears(c, "session_status");
    ends_at(c, 100, 540);
    logs(w, 541, 541);
    world_advance(w, SECOND);
    ends_at(c, 540, 541);
    w->disk.broken = false;
}

/* ---- session_history ---- */

static void asks_history(struct client *c, unsigned limit)
{
    char json[80];
    (void)snprintf(json, sizeof(json), "{\"sessionId\":\"run\",\"limit\":%u}", limit);
    client_says(c, "get_session_history", json);
}

static size_t entries(const struct heard *h)
{
    size_t n = 0;
    for (const char *at = h->data; (at = strstr(at, "\"offset\":")) != NULL; at++)
        n++;
    return n;
}

static void history_beyond_memory_comes_when_it_is_there(void **state)
{
    static const unsigned limits[] = {0, 1, 32, 64, 65, 100, 500, 5000};
    struct world *w = *state;
    logs(w, 1, 1000);
    for (enum tongue t = 0; t < SSE; t++) {
        struct client *c = client_open(w, t);
        for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
            asks_history(c, limits[i]);
            const struct heard *h = client_hears(c, "session_history");
            assert_int_equal(entries(h), limits[i] < 1000 ? limits[i] : 1000);
            if (limits[i] > 0)
                assert_non_null(strstr(h->data, "\"offset\":1000"));
            client_hears_nothing(c);
        }
    }
}

static void one_history_is_read_at_a_time_for_each(void **state)
{
    struct world *w = *state;
    logs(w, 1, 1000);
    struct client *c = client_open(w, PLAIN);
    struct client *other = client_open(w, PLAIN);
    world_enter(w);
    asks_history(c, 500);
    asks_history(c, 400);
    asks_history(other, 300);
    world_leave(w);
    (void)client_hears(c, "error");
    assert_int_equal(entries(client_hears(c, "session_history")), 500);
    assert_int_equal(entries(client_hears(other, "session_history")), 300);
    asks_history(c, 400);
    assert_int_equal(entries(client_hears(c, "session_history")), 400);
}

static void who_leaves_gets_no_history(void **state)
{
    struct world *w = *state;
    logs(w, 1, 1000);
    struct client *c = client_open(w, PLAIN);
    struct client *last = client_open(w, PLAIN);
    world_enter(w);
    asks_history(c, 500);
    asks_history(last, 500);
    client_leaves(c);
    world_leave(w);
    assert_int_equal(entries(client_hears(last, "session_history")), 500);
    world_enter(w);
    asks_history(last, 500); /* and the app ends */
    w->keeps_still = true;
    world_leave(w);
    w->keeps_still = false;
}

#define REPLAY_TEST(test) cmocka_unit_test_setup_teardown(test, setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        REPLAY_TEST(all_that_was_missed_comes_once_wherever_it_stands),
        REPLAY_TEST(what_is_logged_meanwhile_comes_after_it),
        REPLAY_TEST(more_come_back_than_may_read_at_once),
        REPLAY_TEST(a_turn_that_nobody_takes_goes_to_the_next),
        REPLAY_TEST(one_watcher_may_catch_up_with_many_sessions),
        REPLAY_TEST(unsubscribing_ends_it_and_it_can_begin_again),
        REPLAY_TEST(a_session_that_is_removed_ends_it),
        REPLAY_TEST(a_run_that_begins_anew_meanwhile_is_part_of_it),
        REPLAY_TEST(after_a_restart_most_of_it_is_in_the_archive),
        REPLAY_TEST(what_is_damaged_is_passed_over_once),
        REPLAY_TEST(a_disk_in_trouble_does_not_hold_it_up),
        REPLAY_TEST(history_beyond_memory_comes_when_it_is_there),
        REPLAY_TEST(one_history_is_read_at_a_time_for_each),
        REPLAY_TEST(who_leaves_gets_no_history),
    };
    return cmocka_run_group_tests_name("flow/replay_archive", tests, NULL, NULL);
}
