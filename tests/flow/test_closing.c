/* SPDX-License-Identifier: MIT */
/* How watchers go: the picture in streamd/transport/peer.h, drain, and what is freed when. Run
 * under AddressSanitizer these also say that nobody keeps a pointer too long. */
#include "streamd/transport/front.h"
#include "tests/flow/client.h"
#include "tests/flow/client_engine.h"
#include "tests/flow/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct peer *peer_of_client(const struct client *c)
{
    return c->stream->link->peer;
}

static bool is_open(const struct client *c)
{
    return c->stream->link && peer_of_client(c)->state == PEER_OPEN;
}

static void close_now(struct world *w, struct client *c)
{
    world_enter(w);
    peer_close(peer_of_client(c), CLOSE_POLICY, "for the test");
    world_leave(w);
}

static void open_goes_to_closing_and_waits_for_the_client(void **state)
{
    struct world *w = *state;
    for (enum tongue t = 0; t <= SOCKETIO_DEFLATED; t++) {
        struct client *c = client_watch(w, t, "run");
        c->closes_back = false;
        struct peer *p = peer_of_client(c);
        assert_int_equal(p->state, PEER_OPEN);
        close_now(w, c);
        assert_int_equal(c->close_code, 1008);
        assert_string_equal(c->close_why, "for the test");
        assert_int_equal(p->state, PEER_CLOSING);
        assert_int_equal(p->subscriber.count, 0);
        assert_int_equal(w->app->stats.rooms, 0);
        assert_int_equal(w->app->stats.peers, 1);
        client_leaves(c);
        assert_int_equal(w->app->stats.peers, 0);
    }
}

static void a_peer_that_is_closing_takes_no_notice_of_anything(void **state)
{
    struct world *w = *state;
    for (enum tongue t = 0; t <= SOCKETIO_DEFLATED; t++) {
        struct client *c = client_watch(w, t, "run");
        c->closes_back = false;
        struct peer *p = peer_of_client(c);
        close_now(w, c);
        uint64_t writes = c->stream->writes;
        close_now(w, c);
        client_subscribes(c, "run");
        client_pongs(c);
        client_sends(c, "garbage");
        world_enter(w);
        front_writable(c->stream->link);
        front_ws_error(c->stream->link, CLOSE_TOO_BIG, "too big");
        peer_settled(p);
        peer_send_event(p, "progress_update", SPAN("{}"));
        world_leave(w);
        trainer_logs(w, "run", t);
        assert_int_equal(p->state, PEER_CLOSING);
        assert_int_equal(c->stream->writes, writes);
        client_leaves(c);
    }
    assert_int_equal(w->app->stats.peers, 0);
}

static void who_does_not_go_is_dropped_after_two_seconds(void **state)
{
    struct world *w = *state;
    struct client *c = client_watch(w, PLAIN, "run");
    c->closes_back = false;
    close_now(w, c);
    world_advance(w, 2 * SECOND - 1);
    assert_false(client_is_gone(c));
    world_advance(w, 1);
    assert_true(client_is_gone(c));
    assert_int_equal(w->app->stats.peers, 0);
}

static void a_connection_that_breaks_takes_its_peer_along(void **state)
{
    struct world *w = *state;
    for (enum tongue t = 0; t < TONGUES; t++) {
        struct client *c = client_watch(w, t, "run");
        assert_int_equal(w->app->stats.peers, 1);
        client_leaves(c);
        assert_int_equal(w->app->stats.peers, 0);
        assert_int_equal(w->app->stats.connections, 0);
        assert_int_equal(w->app->stats.rooms, 0);
        assert_int_equal(strmap_count(&w->app->peers.engines), 0);
    }
}

/* As the loop does on SIGTERM. */
static void drain(struct world *w)
{
    world_enter(w);
    registry_publish_all(&w->app->registry, w->now.us);
    peers_drain(&w->app->peers);
    world_leave(w);
}

static void a_drain_closes_everybody_with_1001(void **state)
{
    struct world *w = *state;
    for (enum tongue t = 0; t < TONGUES; t++) {
        (void)client_watch(w, t, "run");
        (void)client_watch(w, t, "run");
    }
    client_probes(w->clients[2 * POLLING]); /* in the middle of an upgrade */
    drain(w);
    for (size_t i = 0; i < w->client_count; i++) {
        const struct client *c = w->clients[i];
        assert_true(client_is_gone(c));
        if (c->tongue == POLLING || c->tongue == SSE)
            continue;
        assert_int_equal(c->close_code, 1001);
        assert_string_equal(c->close_why, "server is going away");
    }
    assert_true(w->clients[2 * POLLING + 1]->told_to_close);
    assert_true(
        heard_is(client_hears(w->clients[2 * SSE], "error"), "message", "server is going away"));
    assert_int_equal(w->app->stats.peers, 0);
    assert_int_equal(w->app->stats.rooms, 0);
}

static void what_waits_is_written_before_the_good_bye(void **state)
{
    struct world *w = *state;
    for (enum tongue t = 0; t < TONGUES; t++)
        (void)client_watch(w, t, "run");
    trainer_starts(w, "run");
    for (size_t i = 0; i < w->client_count; i++)
        (void)client_hears(w->clients[i], "training_started");
    world_enter(w);
    trainer_logs(w, "run", 1);
    trainer_completes(w, "run");
    drain(w);
    world_leave(w);
    for (size_t i = 0; i < w->client_count; i++) {
        struct client *c = w->clients[i];
        client_hears_step(c, 1);
        (void)client_hears(c, "training_completed");
        if (c->tongue == SSE)
            (void)client_hears(c, "error");
        client_hears_nothing(c);
    }
}

static void a_drain_does_not_wait_for_the_pace(void **state)
{
    struct world *w = *state;
    for (enum tongue t = 0; t < TONGUES; t++)
        (void)client_watch(w, t, "run");
    trainer_logs(w, "run", 1);
    trainer_logs(w, "run", 2);
    drain(w);
    for (size_t i = 0; i < w->client_count; i++) {
        struct client *c = w->clients[i];
        (void)client_hears(c, "training_started");
        client_hears_step(c, 1);
        client_hears_step(c, 2);
    }
}

static void a_long_outbox_is_written_whole_before_the_good_bye(void **state)
{
    static const enum tongue tongues[] = {PLAIN, SOCKETIO, SSE};
    struct world *w = *state;
    for (size_t i = 0; i < 3; i++)
        (void)client_watch(w, tongues[i], "run");
    trainer_starts(w, "run");
    world_enter(w);
    for (unsigned model = 0; model < 900; model++)
        trainer_ends_model(w, "run", model);
    drain(w);
    world_leave(w);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(client_counts(w->clients[i], "model_completed"), 900);
}

static void nobody_new_is_taken_while_draining(void **state)
{
    struct world *w = *state;
    struct client *stays = client_watch(w, PLAIN, "run");
    stays->closes_back = false;
    drain(w);
    for (enum tongue t = 0; t < TONGUES; t++) {
        struct client *c = t == SSE ? client_watch(w, SSE, "run") : client_shakes_hands(w, t);
        assert_int_equal(c->refused, 503);
    }
    assert_int_equal(w->app->stats.peers, 1);
}

/* Members that leave the room from inside a flush of the room, in every order. */
static void closing_in_the_middle_of_a_flush_leaves_nothing_dangling(void **state)
{
    (void)state;
    for (unsigned pattern = 0; pattern < 32; pattern++) {
        struct world *w = world_create();
        w->config.max_outbox_messages = 3;
        world_begin(w);
        for (unsigned i = 0; i < 5; i++) {
            struct client *c = client_watch(w, i % 2 ? PLAIN : SOCKETIO, "run");
            client_subscribes(c, "*");
            client_subscribes(c, "other");
            if (pattern & 1U << i)
                client_chokes(c);
        }
        for (unsigned i = 0; i < 6; i++) {
            world_advance(w, SECOND);
            trainer_starts(w, "run"); /* overflows those that are choked */
            trainer_logs(w, "run", i);
            trainer_logs(w, "other", i);
        }
        for (unsigned i = 0; i < 5; i++)
            assert_int_equal(is_open(w->clients[i]), !(pattern & 1U << i));
        world_advance(w, 3 * SECOND);
        world_destroy(w);
    }
}

static void a_client_that_leaves_while_it_is_written_to_is_reaped(void **state)
{
    struct world *w = *state;
    struct client *a = client_watch(w, PLAIN, "run");
    struct client *b = client_watch(w, PLAIN, "run");
    world_enter(w);
    trainer_logs(w, "run", 1); /* both are to be written to at the end of this wake-up */
    client_leaves(a);
    close_now(w, b);
    world_leave(w);
    assert_int_equal(w->app->stats.peers, 0);
    trainer_logs(w, "run", 2);
}

static void a_message_too_large_or_broken_closes_with_its_code(void **state)
{
    struct world *w = *state;
    struct client *c = client_watch(w, PLAIN, "run");
    world_enter(w);
    front_ws_error(c->stream->link, CLOSE_TOO_BIG, "message is larger than --max-payload");
    world_leave(w);
    assert_int_equal(c->close_code, 1009);
    c = client_open(w, PLAIN);
    world_enter(w);
    front_ws_message(c->stream->link, SPAN("\x01\x02"), true);
    world_leave(w);
    assert_int_equal(c->close_code, 1003);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(open_goes_to_closing_and_waits_for_the_client),
        WORLD_TEST(a_peer_that_is_closing_takes_no_notice_of_anything),
        WORLD_TEST(who_does_not_go_is_dropped_after_two_seconds),
        WORLD_TEST(a_connection_that_breaks_takes_its_peer_along),
        WORLD_TEST(a_drain_closes_everybody_with_1001),
        WORLD_TEST(what_waits_is_written_before_the_good_bye),
        WORLD_TEST(a_drain_does_not_wait_for_the_pace),
        WORLD_TEST(a_long_outbox_is_written_whole_before_the_good_bye),
        WORLD_TEST(nobody_new_is_taken_while_draining),
        cmocka_unit_test(closing_in_the_middle_of_a_flush_leaves_nothing_dangling),
        WORLD_TEST(a_client_that_leaves_while_it_is_written_to_is_reaped),
        WORLD_TEST(a_message_too_large_or_broken_closes_with_its_code),
    };
    return cmocka_run_group_tests_name("flow/closing", tests, NULL, NULL);
}
