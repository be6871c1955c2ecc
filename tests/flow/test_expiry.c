/* SPDX-License-Identifier: MIT */
/* How sessions grow old: an hour after its end a run leaves the live list, four hours after its
 * last word a silent one, thirty days later its history goes. The sweep comes once a minute. */
#include "tests/flow/client.h"
#include "tests/flow/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MINUTE (UINT64_C(60) * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static bool is_live(struct world *w, const char *id)
{
    return registry_find_live(&w->app->registry, span_of(id)) != NULL;
}

static bool is_known(struct world *w, const char *id)
{
    return registry_find(&w->app->registry, span_of(id)) != NULL;
}

/* The sweep's minutes do not begin with the session's: it may come a minute late. */
static void leaves_after(struct world *w, const char *id, uint64_t us)
{
    world_advance(w, us - SECOND);
    assert_true(is_live(w, id));
    world_advance(w, MINUTE + SECOND);
    assert_false(is_live(w, id));
}

static void a_completed_run_leaves_the_live_list_after_an_hour(void **state)
{
    struct world *w = *state;
    trainer_logs(w, "run", 1);
    trainer_completes(w, "run");
    assert_int_equal(w->app->stats.sessions_live, 1);
    leaves_after(w, "run", HOUR);
    assert_int_equal(w->app->stats.sessions_live, 0);
    assert_true(is_known(w, "run"));
    assert_int_equal(series_count(world_session(w, "run")->series), 1);
}

static void a_failed_run_leaves_after_an_hour_too(void **state)
{
    struct world *w = *state;
    trainer_starts(w, "run");
    trainer_says(w, "{\"type\":\"fail\",\"sessionId\":\"run\",\"error\":\"oom\"}");
    leaves_after(w, "run", HOUR);
}

static void a_silent_run_leaves_after_four_hours(void **state)
{
    struct world *w = *state;
    trainer_logs(w, "run", 1);
    trainer_starts(w, "never_logged");
    leaves_after(w, "run", 4 * HOUR);
    assert_false(is_live(w, "never_logged"));
}

static void each_word_of_the_trainer_starts_the_four_hours_anew(void **state)
{
    struct world *w = *state;
    for (unsigned step = 1; step <= 10; step++) {
        trainer_logs(w, "run", step);
        world_advance(w, 3 * HOUR);
        assert_true(is_live(w, "run"));
    }
    world_advance(w, HOUR + MINUTE);
    assert_false(is_live(w, "run"));
}

static void its_room_is_told_and_then_let_go(void **state)
{
    struct world *w = *state;
    trainer_logs(w, "run", 1);
    trainer_completes(w, "run");
    for (enum tongue t = 0; t < TONGUES; t++)
        (void)client_watch(w, t, "run");
    struct client *all = client_watch(w, PLAIN, "*");
    world_advance(w, HOUR + MINUTE);
    for (enum tongue t = 0; t < TONGUES; t++) {
        struct client *c = w->clients[t];
        (void)client_hears(c, "session_status");
        client_hears_step(c, 1);
        const struct heard *h = client_hears(c, "session_cleanup");
        assert_string_equal(h->data, "{\"sessionId\":\"run\"}");
        client_hears_nothing(c);
    }
    (void)client_hears(all, "session_cleanup");
    assert_null(room_find(&w->app->hub, SPAN("run"))->session);
    for (enum tongue t = 0; t < TONGUES; t++)
        client_leaves(w->clients[t]);
    assert_null(room_find(&w->app->hub, SPAN("run")));
}

static void an_expired_run_answers_with_its_history_alone(void **state)
{
    struct world *w = *state;
    trainer_logs(w, "run", 1);
    trainer_completes(w, "run");
    world_advance(w, 2 * HOUR);
    struct client *c = client_watch(w, PLAIN, "run");
    client_hears_nothing(c);
    client_says(c, "get_session_history", "{\"sessionId\":\"run\"}");
    assert_non_null(strstr(client_hears(c, "session_history")->data, "\"offset\":1,"));
}

static void an_expired_run_that_is_taken_up_is_live_again(void **state)
{
    struct world *w = *state;
    struct client *c = client_watch(w, PLAIN, "run");
    trainer_logs(w, "run", 1);
    world_advance(w, 5 * HOUR);
    assert_false(is_live(w, "run"));
    trainer_logs(w, "run", 2);
    assert_true(is_live(w, "run"));
    assert_int_equal(w->app->stats.sessions_live, 1);
    (void)client_hears(c, "training_started");
    client_hears_step(c, 1);
    (void)client_hears(c, "session_cleanup");
    (void)client_hears(c, "training_started");
    const struct heard *h = client_hears(c, "progress_update");
    assert_int_equal(heard_number(h, "offset"), 2); /* history and its offsets go on */
    client_hears_nothing(c);
}

static void history_goes_after_thirty_days(void **state)
{
    struct world *w = *state;
    trainer_logs(w, "run", 1);
    trainer_completes(w, "run");
    world_advance(w, 30 * DAY - HOUR);
    assert_true(is_known(w, "run"));
    assert_true(w->app->stats.history_bytes > 0);
    world_advance(w, HOUR + 2 * MINUTE);
    assert_false(is_known(w, "run"));
    assert_int_equal(w->app->stats.history_bytes, 0);
    assert_int_equal(w->app->stats.rooms, 0);
}

static void a_wall_clock_that_jumps_expires_nothing(void **state)
{
    struct world *w = *state;
    trainer_logs(w, "run", 1);
    w->now.wall_s += 100 * 365.0 * 86400;
    world_advance(w, 2 * MINUTE);
    assert_true(is_live(w, "run"));
    w->now.wall_s -= 200 * 365.0 * 86400;
    world_advance(w, 2 * MINUTE);
    assert_true(is_live(w, "run"));
}

static void many_runs_grow_old_side_by_side(void **state)
{
    struct world *w = *state;
    char id[16];
    struct client *c = client_watch(w, PLAIN, "*");
    for (unsigned i = 0; i < 60; i++) {
        (void)snprintf(id, sizeof(id), "run%u", i);
        trainer_logs(w, id, 1);
        trainer_completes(w, id);
        world_advance(w, 2 * MINUTE);
    }
    assert_in_range(w->app->stats.sessions_live, 29, 31);
    assert_int_equal(client_counts(c, "session_cleanup"), 60 - w->app->stats.sessions_live);
    world_advance(w, HOUR + MINUTE);
    assert_int_equal(w->app->stats.sessions_live, 0);
}

/* More than an outbox holds: 1,000 messages by default. */
enum { MANY = 1500 };

static void many_runs_start(struct world *w, unsigned from)
{
    char id[16];
    for (unsigned i = from; i < from + MANY; i++) {
        (void)snprintf(id, sizeof(id), "run%u", i);
        trainer_starts(w, id);
    }
}

/* To the next sweep that finds something; then no further than its first portion. */
static void until_some_leave(struct world *w)
{
    uint64_t before = w->app->stats.sessions_live;
    while (w->app->stats.sessions_live == before)
        world_advance(w, SECOND / 1000);
}

static void a_sweep_of_many_lets_others_in_between_and_tells_all_of_it(void **state)
{
    struct world *w = *state;
    many_runs_start(w, 0);
    struct client *c = client_watch(w, PLAIN, "*");
    world_advance(w, 4 * HOUR - SECOND);
    assert_int_equal(w->app->stats.sessions_live, MANY);
    until_some_leave(w);
    assert_in_range(w->app->stats.sessions_live, MANY / 2, MANY - 1);
    world_advance(w, SECOND);
    assert_int_equal(w->app->stats.sessions_live, 0);
    assert_int_equal(client_counts(c, "session_cleanup"), MANY);
}

static void a_sweep_goes_on_though_its_place_is_gone(void **state)
{
    struct world *w = *state;
    many_runs_start(w, 0);
    world_advance(w, 4 * HOUR - SECOND);
    until_some_leave(w);
    struct registry *r = &w->app->registry;
    struct session *next = LIST_ENTRY(r->sweep_at, struct session, link);
    registry_remove(r, next); /* as when its place is needed */
    next = LIST_ENTRY(r->sweep_at, struct session, link);
    trainer_starts(w, next->id); /* and this one begins anew, first in the list */
    world_advance(w, SECOND);
    assert_int_equal(w->app->stats.sessions_live, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_completed_run_leaves_the_live_list_after_an_hour),
        WORLD_TEST(a_failed_run_leaves_after_an_hour_too),
        WORLD_TEST(a_silent_run_leaves_after_four_hours),
        WORLD_TEST(each_word_of_the_trainer_starts_the_four_hours_anew),
        WORLD_TEST(its_room_is_told_and_then_let_go),
        WORLD_TEST(an_expired_run_answers_with_its_history_alone),
        WORLD_TEST(an_expired_run_that_is_taken_up_is_live_again),
        WORLD_TEST(history_goes_after_thirty_days),
        WORLD_TEST(a_wall_clock_that_jumps_expires_nothing),
        WORLD_TEST(many_runs_grow_old_side_by_side),
        WORLD_TEST(a_sweep_of_many_lets_others_in_between_and_tells_all_of_it),
        WORLD_TEST(a_sweep_goes_on_though_its_place_is_gone),
    };
    return cmocka_run_group_tests_name("flow/expiry", tests, NULL, NULL);
}
