/* SPDX-License-Identifier: MIT */
/* What a watcher hears when it subscribes, in every dialect: docs/protocol.md P-30, P-31, P-41. */
#include "tests/flow/client.h"
#include "tests/flow/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void a_known_session_tells_its_status_and_then_its_newest_update(void **state)
{
    struct world *w = *state;
    trainer_starts(w, "run");
    trainer_logs(w, "run", 6);
    trainer_logs(w, "run", 7);
    for (enum tongue t = 0; t < TONGUES; t++) {
        struct client *c = client_watch(w, t, "run");
        const struct heard *h = client_hears(c, "session_status");
        assert_true(heard_is(h, "session_id", "run"));
        assert_true(heard_is(h, "status", "running"));
        h = client_hears(c, "progress_update");
        assert_true(heard_is(h, "sessionId", "run"));
        assert_true(heard_is(h, "status", "running"));
        assert_int_equal(heard_number(h, "metrics.currentStep"), 7);
        assert_int_equal(heard_number(h, "offset"), 2);
        assert_int_equal(h->id, t == SSE ? 2 : 0);
        client_hears_nothing(c);
    }
}

static void a_session_without_a_record_tells_its_status_alone(void **state)
{
    struct world *w = *state;
    trainer_starts(w, "run");
    for (enum tongue t = 0; t < TONGUES; t++) {
        struct client *c = client_watch(w, t, "run");
        assert_true(heard_is(client_hears(c, "session_status"), "status", "starting"));
        client_hears_nothing(c);
    }
}

static void a_room_may_be_entered_before_its_session_comes(void **state)
{
    struct world *w = *state;
    for (enum tongue t = 0; t < TONGUES; t++) {
        struct client *c = client_watch(w, t, "later");
        client_hears_nothing(c);
    }
    trainer_starts(w, "later");
    trainer_logs(w, "later", 1);
    for (size_t i = 0; i < w->client_count; i++) {
        struct client *c = w->clients[i];
        assert_true(heard_is(client_hears(c, "training_started"), "sessionId", "later"));
        client_hears_step(c, 1);
        client_hears_nothing(c);
    }
}

static void a_whole_life_is_heard_in_order_in_every_dialect(void **state)
{
    struct world *w = *state;
    for (enum tongue t = 0; t < TONGUES; t++)
        (void)client_watch(w, t, "run");
    trainer_says(w, "{\"type\":\"start\",\"sessionId\":\"run\",\"config\":{\"model_count\":2}}");
    trainer_logs(w, "run", 1);
    trainer_logs(w, "run", 2);
    trainer_ends_model(w, "run", 0);
    trainer_logs(w, "run", 3);
    trainer_ends_model(w, "run", 1);
    trainer_completes(w, "run");
    for (size_t i = 0; i < w->client_count; i++) {
        struct client *c = w->clients[i];
        (void)client_hears(c, "training_started");
        client_hears_step(c, 1);
        client_hears_step(c, 2);
        const struct heard *h = client_hears(c, "model_completed");
        assert_int_equal(heard_number(h, "modelIndex"), 0);
        assert_int_equal(heard_number(h, "currentModel"), 1);
        assert_int_equal(heard_number(h, "totalModels"), 2);
        client_hears_step(c, 3);
        (void)client_hears(c, "model_completed");
        h = client_hears(c, "training_completed");
        assert_int_equal(heard_number(h, "overallProgress"), 100);
        client_hears_nothing(c);
    }
    trainer_completes(w, "run"); /* once is enough */
    for (size_t i = 0; i < w->client_count; i++)
        client_hears_nothing(w->clients[i]);
}

static void a_failed_run_says_why(void **state)
{
    struct world *w = *state;
    trainer_starts(w, "run");
    struct client *c = client_watch(w, PLAIN, "run");
    trainer_says(w, "{\"type\":\"fail\",\"sessionId\":\"run\",\"error\":\"CUDA \\\"oom\\\"\"}");
    (void)client_hears(c, "session_status");
    assert_true(heard_is(client_hears(c, "training_error"), "error", "CUDA \"oom\""));
    client_hears_nothing(c);
}

static void rooms_keep_sessions_apart(void **state)
{
    struct world *w = *state;
    struct client *a = client_watch(w, PLAIN, "a");
    struct client *b = client_watch(w, SOCKETIO, "b");
    struct client *both = client_watch(w, PLAIN, "a");
    client_subscribes(both, "b");
    trainer_logs(w, "a", 1);
    trainer_logs(w, "b", 2);
    (void)client_hears(a, "training_started");
    client_hears_step(a, 1);
    client_hears_nothing(a);
    (void)client_hears(b, "training_started");
    client_hears_step(b, 2);
    client_hears_nothing(b);
    assert_int_equal(client_counts(both, "progress_update"), 2);
}

static void unsubscribing_stops_delivery_at_once(void **state)
{
    struct world *w = *state;
    for (enum tongue t = 0; t < SSE; t++)
        (void)client_watch(w, t, "run");
    trainer_logs(w, "run", 1);
    trainer_logs(w, "run", 2); /* waits for the pace */
    for (size_t i = 0; i < w->client_count; i++) {
        struct client *c = w->clients[i];
        (void)client_hears(c, "training_started");
        client_hears_step(c, 1);
        client_unsubscribes(c, "run");
    }
    world_advance(w, SECOND);
    trainer_logs(w, "run", 3);
    trainer_completes(w, "run");
    for (size_t i = 0; i < w->client_count; i++)
        client_hears_nothing(w->clients[i]);
}

static void an_update_that_waits_for_a_choked_watcher_goes_with_its_room(void **state)
{
    struct world *w = *state;
    struct client *c = client_watch(w, PLAIN, "run");
    trainer_logs(w, "run", 1);
    (void)client_hears(c, "training_started");
    client_hears_step(c, 1);
    client_chokes(c);
    for (unsigned step = 2; step <= 5; step++) {
        world_advance(w, SECOND);
        trainer_logs(w, "run", step);
    }
    client_unsubscribes(c, "run");
    client_reads_on(c);
    client_hears_step(c, 2); /* was written before it choked */
    client_hears_nothing(c);
}

static void the_star_room_hears_the_lifecycle_of_all_and_no_values(void **state)
{
    struct world *w = *state;
    for (enum tongue t = 0; t < TONGUES; t++)
        (void)client_watch(w, t, "*");
    trainer_logs(w, "a", 1);
    trainer_logs(w, "b", 1);
    trainer_completes(w, "b");
    for (size_t i = 0; i < w->client_count; i++) {
        struct client *c = w->clients[i];
        assert_true(heard_is(client_hears(c, "training_started"), "sessionId", "a"));
        assert_true(heard_is(client_hears(c, "training_started"), "sessionId", "b"));
        assert_true(heard_is(client_hears(c, "training_completed"), "sessionId", "b"));
        client_hears_nothing(c);
    }
}

static void who_is_in_the_star_room_too_hears_each_event_once(void **state)
{
    struct world *w = *state;
    for (enum tongue t = 0; t < SSE; t++) {
        struct client *c = client_watch(w, t, "*");
        client_subscribes(c, "run");
    }
    trainer_logs(w, "run", 1);
    trainer_completes(w, "run");
    for (size_t i = 0; i < w->client_count; i++) {
        struct client *c = w->clients[i];
        (void)client_hears(c, "training_started");
        client_hears_step(c, 1);
        (void)client_hears(c, "training_completed");
        client_hears_nothing(c);
    }
}

static void join_room_takes_a_bare_id_and_gives_the_older_form(void **state)
{
    struct world *w = *state;
    trainer_logs(w, "run", 1);
    for (enum tongue t = SOCKETIO; t <= POLLING; t++) {
        struct client *c = client_open(w, t);
        client_says(c, "join_room", "\"run\"");
        const struct heard *h = client_hears(c, "session_joined");
        assert_true(heard_is(h, "sessionId", "run"));
        assert_int_equal(heard_number(h, "currentState.latest_metrics.currentStep"), 1);
        client_hears_nothing(c);
    }
    world_advance(w, SECOND);
    trainer_logs(w, "run", 2);
    trainer_completes(w, "run");
    for (size_t i = 0; i < w->client_count; i++) {
        struct client *c = w->clients[i];
        const struct heard *h = client_hears(c, "progress_update");
        assert_true(heard_is(h, "sessionId", "run"));
        assert_true(heard_is(h, "eventType", "progress"));
        assert_true(heard_is(h, "status", "running"));
        assert_true(heard_is(h, "message", "Training progress"));
        assert_int_equal(heard_number(h, "metrics.currentStep"), 2);
        assert_true(heard_number(h, "timestamp") > 1e9);
        (void)client_hears(c, "training_completed");
        client_hears_nothing(c);
    }
}

static void the_history_comes_with_its_newest_entries(void **state)
{
    struct world *w = *state;
    for (unsigned step = 1; step <= 5; step++)
        trainer_logs(w, "run", step);
    for (enum tongue t = 0; t < SSE; t++) {
        struct client *c = client_open(w, t);
        client_says(c, "get_session_history", "{\"sessionId\":\"run\",\"limit\":2}");
        const struct heard *h = client_hears(c, "session_history");
        assert_null(strstr(h->data, "\"offset\":3,"));
        assert_non_null(strstr(h->data, "\"offset\":4,"));
        assert_non_null(strstr(h->data, "\"offset\":5,"));
        client_says(c, "get_session_history", "{\"sessionId\":\"nobody\"}");
        assert_string_equal(client_hears(c, "session_history")->data,
                            "{\"sessionId\":\"nobody\",\"history\":[]}");
        client_hears_nothing(c);
    }
}

static void what_is_missing_or_unknown_is_said_and_the_connection_stays(void **state)
{
    struct world *w = *state;
    for (enum tongue t = 0; t < SSE; t++) {
        struct client *c = client_open(w, t);
        client_says(c, "subscribe_session", "{}");
        assert_string_equal(client_hears(c, "error")->data, "{\"message\":\"sessionId required\"}");
        client_says(c, "subscribe_session", NULL);
        assert_true(heard_is(client_hears(c, "error"), "message", "sessionId required"));
        client_says(c, "subscribe_session", "{\"sessionId\":\"a b\"}");
        assert_true(heard_is(client_hears(c, "error"), "message", "sessionId is not valid"));
        client_subscribes(c, "run");
        client_unsubscribes(c, "elsewhere");
        client_hears_nothing(c);
        assert_false(client_is_gone(c));
    }
}

static void an_acknowledgement_is_answered_when_asked_for(void **state)
{
    struct world *w = *state;
    trainer_logs(w, "run", 1);
    for (enum tongue t = 0; t < SSE; t++) {
        struct client *c = client_open(w, t);
        client_asks(c, "subscribe_session", "{\"sessionId\":\"run\"}");
        (void)client_hears(c, "session_status");
        (void)client_hears(c, "progress_update");
        assert_string_equal(client_hears(c, "ack")->data,
                            "{\"success\":true,\"sessionId\":\"run\"}");
        client_asks(c, "subscribe_session", "{\"sessionId\":17}");
        (void)client_hears(c, "error");
        assert_string_equal(client_hears(c, "ack")->data,
                            "{\"success\":false,\"error\":\"sessionId is not valid\"}");
        client_asks(c, "unsubscribe_session", "{\"sessionId\":\"run\"}");
        (void)client_hears(c, "ack");
        client_hears_nothing(c);
    }
}

static void a_watcher_is_in_so_many_rooms_and_no_more(void **state)
{
    struct world *w = world_create();
    w->config.max_rooms_per_peer = 3;
    world_begin(w);
    (void)state;
    struct client *c = client_open(w, PLAIN);
    for (unsigned i = 0; i < 4; i++) {
        char id[8];
        (void)snprintf(id, sizeof(id), "run%u", i);
        client_subscribes(c, id);
    }
    assert_true(heard_is(client_hears(c, "error"), "message", "too many rooms"));
    client_hears_nothing(c);
    client_subscribes(c, "run0"); /* is in there already */
    client_hears_nothing(c);
    client_unsubscribes(c, "run0");
    client_subscribes(c, "run3");
    client_hears_nothing(c);
    world_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_known_session_tells_its_status_and_then_its_newest_update),
        WORLD_TEST(a_session_without_a_record_tells_its_status_alone),
        WORLD_TEST(a_room_may_be_entered_before_its_session_comes),
        WORLD_TEST(a_whole_life_is_heard_in_order_in_every_dialect),
        WORLD_TEST(a_failed_run_says_why),
        WORLD_TEST(rooms_keep_sessions_apart),
        WORLD_TEST(unsubscribing_stops_delivery_at_once),
        WORLD_TEST(an_update_that_waits_for_a_choked_watcher_goes_with_its_room),
        WORLD_TEST(the_star_room_hears_the_lifecycle_of_all_and_no_values),
        WORLD_TEST(who_is_in_the_star_room_too_hears_each_event_once),
        WORLD_TEST(join_room_takes_a_bare_id_and_gives_the_older_form),
        WORLD_TEST(the_history_comes_with_its_newest_entries),
        WORLD_TEST(what_is_missing_or_unknown_is_said_and_the_connection_stays),
        WORLD_TEST(an_acknowledgement_is_answered_when_asked_for),
        cmocka_unit_test(a_watcher_is_in_so_many_rooms_and_no_more),
    };
    return cmocka_run_group_tests_name("flow/subscribing", tests, NULL, NULL);
}
