/* SPDX-License-Identifier: MIT */
/* The life of an Engine.IO session: polling, probing, websocket (docs/protocol.md P-40..P-43, and
 * the picture in streamd/transport/engine.h). */
#include "streamd/transport/engine.h"

#include "tests/flow/client.h"
#include "tests/flow/client_engine.h"
#include "tests/flow/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct engine *engine_of(const struct client *c)
{
    struct peers *peers = &c->world->app->peers;
    return strmap_find(&peers->engines, span_of(c->sid));
}

static enum engine_transport transport_of(const struct client *c)
{
    const struct engine *e = engine_of(c);
    assert_non_null(e);
    return e->transport;
}

/* Steps 1..n, a tenth of a second apart. */
static void logs(struct world *w, unsigned from, unsigned to)
{
    for (unsigned step = from; step <= to; step++) {
        world_advance(w, 110 * MS);
        trainer_logs(w, "run", step);
    }
}

static void hears_steps(struct client *c, unsigned from, unsigned to)
{
    for (unsigned step = from; step <= to; step++)
        client_hears_step(c, step);
    client_hears_nothing(c);
}

/* A poller that has heard that the run began. */
static struct client *poller(struct world *w)
{
    struct client *c = client_watch(w, POLLING, "run");
    trainer_starts(w, "run");
    (void)client_hears(c, "training_started");
    world_advance(w, MS); /* so that its poll is of an earlier wake-up than what follows */
    return c;
}

static void an_upgrade_goes_through_probing_and_loses_nothing(void **state)
{
    struct world *w = *state;
    struct client *c = poller(w);
    logs(w, 1, 2);
    assert_int_equal(transport_of(c), ENGINE_POLLING);
    assert_true(client_opens_probe(c));
    assert_int_equal(transport_of(c), ENGINE_PROBING);
    logs(w, 3, 4); /* still over the polls */
    hears_steps(c, 1, 4);
    world_advance(w, MS);
    client_sends_probe(c, "2probe");
    assert_true(c->probe_answered);
    assert_true(c->noops > 0); /* the poll that waited was ended */
    assert_false(c->poll->awaits);
    trainer_ends_model(w, "run", 0); /* on neither road */
    client_hears_nothing(c);
    client_finishes_upgrade(c);
    assert_int_equal(transport_of(c), ENGINE_WEBSOCKET);
    (void)client_hears(c, "model_completed");
    logs(w, 5, 6);
    hears_steps(c, 5, 6);
    world_advance(w, 100 * SECOND); /* the deadline of the upgrade is off, the heartbeat goes on */
    assert_false(client_is_gone(c));
    assert_true(c->pings >= 3);
}

static void an_update_that_waits_through_the_upgrade_comes_once(void **state)
{
    struct world *w = *state;
    struct client *c = poller(w);
    client_probes(c);
    logs(w, 1, 5); /* newest wins meanwhile */
    client_finishes_upgrade(c);
    client_hears_step(c, 5);
    client_hears_nothing(c);
}

static void a_poll_during_the_probe_ends_at_once_with_a_noop(void **state)
{
    struct world *w = *state;
    struct client *c = poller(w);
    client_probes(c);
    unsigned noops = c->noops;
    logs(w, 1, 1);
    for (unsigned i = 1; i <= 3; i++) {
        client_polls(c);
        assert_int_equal(c->noops, noops + i);
        assert_false(c->poll->awaits);
    }
    client_finishes_upgrade(c);
    client_hears_step(c, 1);
}

static void a_poll_in_the_wake_up_of_the_upgrade_is_refused(void **state)
{
    struct world *w = *state;
    struct client *c = poller(w);
    client_probes(c);
    world_advance(w, MS);
    world_enter(w);
    client_polls(c);
    client_finishes_upgrade(c);
    world_leave(w);
    assert_int_equal(c->refused, 400);
    logs(w, 1, 1);
    client_hears_step(c, 1);
}

static void a_poll_after_the_upgrade_is_refused_and_harms_nobody(void **state)
{
    struct world *w = *state;
    struct client *c = poller(w);
    client_upgrades(c);
    client_polls(c);
    assert_int_equal(c->refused, 400);
    assert_int_equal(client_posts(c, "40"), 400);
    logs(w, 1, 1);
    client_hears_step(c, 1);
}

static void a_probe_that_never_finishes_is_given_up_after_ten_seconds(void **state)
{
    struct world *w = *state;
    for (unsigned answered = 0; answered < 2; answered++) {
        struct client *c = client_watch(w, POLLING, "run");
        world_advance(w, MS);
        if (answered)
            client_probes(c);
        else
            assert_true(client_opens_probe(c));
        world_advance(w, 10 * SECOND - 1);
        assert_int_equal(transport_of(c), ENGINE_PROBING);
        assert_non_null(c->probe->link);
        world_advance(w, 1);
        assert_int_equal(transport_of(c), ENGINE_POLLING);
        assert_null(c->probe->link);
        (void)client_counts(c, "");
        client_forgets_probe(c);
        trainer_starts(w, "run"); /* the polls go on */
        (void)client_hears(c, "training_started");
    }
}

static void a_websocket_that_breaks_off_while_probing_leaves_the_polls(void **state)
{
    struct world *w = *state;
    struct client *c = poller(w);
    client_probes(c);
    logs(w, 1, 1);
    world_enter(w);
    conn_hang_up(c->probe);
    world_leave(w);
    assert_int_equal(transport_of(c), ENGINE_POLLING);
    client_forgets_probe(c);
    client_hears_step(c, 1); /* it had waited */
    client_upgrades(c);      /* the next try is welcome */
    logs(w, 2, 2);
    client_hears_step(c, 2);
}

static void another_word_than_the_probe_gives_it_up(void **state)
{
    static const char *const words[] = {"5", "2", "2prob", "2probe ", "42[\"x\"]", ""};
    struct world *w = *state;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        struct client *c = client_watch(w, POLLING, "run");
        assert_true(client_opens_probe(c));
        client_sends_probe(c, words[i]);
        assert_null(c->probe->link);
        assert_int_equal(transport_of(c), ENGINE_POLLING);
        trainer_starts(w, "run");
        assert_true(client_counts(c, "training_started") > 0);
    }
}

static void a_second_websocket_is_closed_and_the_first_goes_on(void **state)
{
    struct world *w = *state;
    struct client *c = poller(w);
    client_upgrades(c);
    struct client *second = client_shakes_hands(w, SOCKETIO);
    client_leaves(second);
    strcpy(second->sid, c->sid);
    assert_true(client_opens_probe(second));
    while (client_react(second))
        continue;
    assert_int_equal(second->close_code, 1008);
    assert_null(second->probe->link);
    logs(w, 1, 1);
    client_hears_step(c, 1);
}

static void an_unknown_sid_is_refused_on_every_road(void **state)
{
    struct world *w = *state;
    struct client *c = poller(w);
    strcpy(c->sid, "nobody");
    assert_false(client_opens_probe(c));
    assert_int_equal(c->refused, 400);
    assert_int_equal(client_posts(c, "3"), 400);
    c->refused = 0;
    struct client *other = client_shakes_hands(w, POLLING);
    strcpy(other->sid, "nobody");
    client_polls(other);
    assert_int_equal(other->refused, 400);
}

static void two_polls_at_once_close_the_session(void **state)
{
    struct world *w = *state;
    struct client *c = poller(w);
    struct conn *first = c->poll;
    assert_true(first->awaits);
    c->poll = NULL;
    client_polls(c);
    assert_int_equal(c->refused, 400);
    assert_non_null(memmem(first->wire.ptr, first->wire.len, "\r\n\r\n1", 5));
    assert_null(engine_of(c));
    assert_int_equal(w->app->stats.peers, 0);
    world_enter(w);
    conn_hang_up(first);
    world_leave(w);
    conn_destroy(first);
}

static void a_poll_that_breaks_off_closes_the_session(void **state)
{
    struct world *w = *state;
    struct client *c = poller(w);
    world_enter(w);
    conn_hang_up(c->poll);
    world_leave(w);
    assert_null(engine_of(c));
    assert_int_equal(w->app->stats.peers, 0);
    assert_int_equal(w->app->stats.rooms, 1); /* the session's own */
}

static void a_close_packet_closes_the_session(void **state)
{
    struct world *w = *state;
    struct client *c = poller(w);
    assert_int_equal(client_posts(c, "1"), 200);
    assert_null(engine_of(c));
    assert_int_equal(c->noops, 1); /* the poll that waited */
    c = client_watch(w, SOCKETIO, "run");
    client_sends(c, "1");
    assert_null(engine_of(c));
    assert_int_equal(w->app->stats.peers, 0);
    assert_true(client_is_gone(c));
}

static void what_breaks_the_protocol_closes_the_session(void **state)
{
    static const char *const packets[] = {
        "2", "5", "0", "7", "x", "4", "49", "42{}", "42[\"connect\"]"};
    struct world *w = *state;
    for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
        struct client *c = client_open(w, SOCKETIO);
        client_sends(c, packets[i]);
        assert_int_equal(c->close_code, 1002);
        assert_null(engine_of(c));
        c = client_open(w, POLLING);
        (void)client_posts(c, packets[i]);
        assert_null(engine_of(c));
        assert_true(c->told_to_close);
    }
    assert_int_equal(w->app->stats.peers, 0);
}

static void an_event_before_connect_closes_the_session(void **state)
{
    struct world *w = *state;
    struct client *c = client_shakes_hands(w, SOCKETIO);
    client_sends(c, "42[\"subscribe_session\",{\"sessionId\":\"run\"}]");
    assert_int_equal(c->close_code, 1002);
    assert_int_equal(w->app->stats.rooms, 0);
}

static void leaving_the_namespace_leaves_the_rooms_and_not_the_connection(void **state)
{
    struct world *w = *state;
    struct client *c = client_watch(w, SOCKETIO, "run");
    client_sends(c, "41");
    trainer_logs(w, "run", 1);
    client_hears_nothing(c);
    assert_false(client_is_gone(c));
    client_sends(c, "40");
    (void)client_hears(c, "connection_established");
    client_subscribes(c, "run");
    (void)client_hears(c, "session_status");
}

static void an_unknown_namespace_is_refused_and_the_connection_stays(void **state)
{
    struct world *w = *state;
    struct client *c = client_shakes_hands(w, SOCKETIO);
    client_sends(c, "40/nowhere,");
    assert_true(heard_is(client_hears(c, "connect_error"), "message", "Invalid namespace"));
    assert_false(client_is_gone(c));
    client_sends(c, "40");
    assert_true(c->connected);
}

static void several_packets_in_one_post_are_taken_in_order(void **state)
{
    struct world *w = *state;
    struct client *c = client_shakes_hands(w, POLLING);
    c->connected = true;
    trainer_logs(w, "run", 3);
    assert_int_equal(client_posts(c, "40\x1e"
                                     "42[\"subscribe_session\",{\"sessionId\":\"run\"}]\x1e"
                                     "421[\"unsubscribe_session\",{\"sessionId\":\"run\"}]"),
                     200);
    client_polls(c);
    (void)client_hears(c, "connection_established");
    (void)client_hears(c, "session_status");
    client_hears_step(c, 3);
    (void)client_hears(c, "ack");
    client_hears_nothing(c);
}

static void a_session_ends_while_its_probe_is_out(void **state)
{
    struct world *w = *state;
    struct client *c = poller(w);
    client_probes(c);
    assert_int_equal(client_posts(c, "1"), 200);
    assert_int_equal(w->app->stats.peers, 0);
    assert_null(c->probe->link);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(an_upgrade_goes_through_probing_and_loses_nothing),
        WORLD_TEST(an_update_that_waits_through_the_upgrade_comes_once),
        WORLD_TEST(a_poll_during_the_probe_ends_at_once_with_a_noop),
        WORLD_TEST(a_poll_in_the_wake_up_of_the_upgrade_is_refused),
        WORLD_TEST(a_poll_after_the_upgrade_is_refused_and_harms_nobody),
        WORLD_TEST(a_probe_that_never_finishes_is_given_up_after_ten_seconds),
        WORLD_TEST(a_websocket_that_breaks_off_while_probing_leaves_the_polls),
        WORLD_TEST(another_word_than_the_probe_gives_it_up),
        WORLD_TEST(a_second_websocket_is_closed_and_the_first_goes_on),
        WORLD_TEST(an_unknown_sid_is_refused_on_every_road),
        WORLD_TEST(two_polls_at_once_close_the_session),
        WORLD_TEST(a_poll_that_breaks_off_closes_the_session),
        WORLD_TEST(a_close_packet_closes_the_session),
        WORLD_TEST(what_breaks_the_protocol_closes_the_session),
        WORLD_TEST(an_event_before_connect_closes_the_session),
        WORLD_TEST(leaving_the_namespace_leaves_the_rooms_and_not_the_connection),
        WORLD_TEST(an_unknown_namespace_is_refused_and_the_connection_stays),
        WORLD_TEST(several_packets_in_one_post_are_taken_in_order),
        WORLD_TEST(a_session_ends_while_its_probe_is_out),
    };
    return cmocka_run_group_tests_name("flow/engine", tests, NULL, NULL);
}
