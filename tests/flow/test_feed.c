/* SPDX-License-Identifier: MIT */
/* How a trainer that is not on this machine is ended: docs/decisions/015-relay.md. */
#include "streamd/ingest/feed.h"

#include "streamd/ingest/unix.h"
#include "tests/flow/sink.h"
#include "tests/support/socket_place.h"

#include <ev.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct bench {
    struct world *w;
    struct ev_loop *loop;
    struct socket_place place;
    struct sink far; /* the trainer */
};

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    assert_non_null(b);
    socket_place_make(&b->place);
    b->w = world_create();
    b->w->config.socket_path = b->place.path;
    world_begin(b->w);
    b->loop = ev_loop_new(EVFLAG_AUTO);
    struct app *app = b->w->app;
    app->control.unix_ingest =
        unix_ingest_create(&(struct unix_ingest_params){.config = &b->w->config,
                                                        .registry = &app->registry,
                                                        .decoder = &app->decoder,
                                                        .stats = &app->stats,
                                                        .loop = b->loop,
                                                        .now = &app->now,
                                                        .app = app});
    assert_non_null(app->control.unix_ingest);
    sink_open(&b->far, b->w);
    *state = b;
    return 0;
}

static void end_ingest(struct bench *b)
{
    world_enter(b->w);
    unix_ingest_destroy(b->w->app->control.unix_ingest);
    b->w->app->control.unix_ingest = NULL;
    world_leave(b->w);
}

static int teardown(void **state)
{
    struct bench *b = *state;
    sink_closes(b->w, &b->far);
    if (b->w->app->control.unix_ingest)
        end_ingest(b);
    world_destroy(b->w);
    ev_loop_destroy(b->loop);
    socket_place_remove(&b->place);
    free(b);
    return 0;
}

static void turn(struct bench *b)
{
    for (int i = 0; i < 8; i++) {
        world_enter(b->w);
        ev_run(b->loop, EVRUN_NOWAIT);
        world_leave(b->w);
    }
}

static void hears(const struct bench *b, const char *text)
{
    if (!memmem(b->far.heard, b->far.len, text, strlen(text)))
        fail_msg("no %s in %zu bytes", text, b->far.len);
}

static void starts_a_run(struct bench *b)
{
    sink_upgrades(b->w, &b->far, FEED_PATH, "");
    sink_says(b->w, &b->far, "{\"type\":\"start\",\"sessionId\":\"run\"}");
    turn(b);
    hears(b, "\"type\":\"started\"");
    assert_int_equal(b->w->app->stats.trainers, 1);
}

static void whose_trainer_is_ended_hears_to_come_again(void **state)
{
    struct bench *b = *state;
    starts_a_run(b);
    world_enter(b->w);
    unix_ingest_drain(b->w->app->control.unix_ingest);
    world_leave(b->w);
    turn(b);
    hears(b, "the daemon has ended it: connect again and resume");
    assert_int_equal(b->w->app->stats.trainers, 0);
    sink_says(b->w, &b->far, "{\"type\":\"ping\"}"); /* it may not have heard yet */
}

static void one_that_is_there_at_the_end_goes_with_it(void **state)
{
    struct bench *b = *state;
    starts_a_run(b);
    end_ingest(b);
    sink_says(b->w, &b->far, "{\"type\":\"ping\"}");
    assert_int_equal(b->w->app->stats.trainers, 0);
}

static void it_is_told_to_come_later_when_no_place_is_left(void **state)
{
    struct bench *b = *state;
    b->w->config.max_trainers = 0;
    sink_upgrades(b->w, &b->far, FEED_PATH, "");
    turn(b);
    hears(b, "as many trainers as allowed");
}

#define FEED_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FEED_TEST(whose_trainer_is_ended_hears_to_come_again),
        FEED_TEST(one_that_is_there_at_the_end_goes_with_it),
        FEED_TEST(it_is_told_to_come_later_when_no_place_is_left),
    };
    return cmocka_run_group_tests_name("flow/feed", tests, NULL, NULL);
}
