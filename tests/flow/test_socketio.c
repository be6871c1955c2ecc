/* SPDX-License-Identifier: MIT */
/* Socket.IO packets of a client, and what each leads to: docs/protocol.md P-40, P-41. */
#include "streamd/transport/front.h"
#include "streamd/transport/socketio.h"
#include "tests/flow/client.h"
#include "tests/flow/client_engine.h"
#include "tests/flow/client_parts.h"
#include "tests/flow/received.h"
#include "tests/flow/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void sends_binary(struct client *c, struct span bytes)
{
    world_enter(c->world);
    front_ws_message(c->stream->link, bytes, true);
    world_leave(c->world);
}

static void a_second_connect_changes_nothing(void **state)
{
    struct world *w = *state;
    struct client *c = client_watch(w, SOCKETIO, "run");
    client_sends(c, "40");
    client_hears_nothing(c);
    trainer_logs(w, "run", 1);
    (void)client_hears(c, "training_started");
    client_hears_step(c, 1);
}

static void a_connect_whose_payload_is_no_object_is_refused(void **state)
{
    static const char *const packets[] = {"40[1]", "40\"token\"", "40null"};
    struct world *w = *state;
    for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
        struct client *c = client_shakes_hands(w, SOCKETIO);
        client_sends(c, packets[i]);
        (void)client_hears(c, "connect_error");
        assert_false(client_is_gone(c));
        client_sends(c, "40{\"token\":\"x\"}");
        (void)client_hears(c, "connection_established");
    }
}

static void what_a_client_need_not_send_is_passed_over(void **state)
{
    static const char *const packets[] = {"6", "431[]", "437[{\"ok\":true}]", "41/nowhere,", "3"};
    struct world *w = *state;
    struct client *c = client_open(w, SOCKETIO);
    for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
        client_sends(c, packets[i]);
        client_hears_nothing(c);
        assert_false(client_is_gone(c));
    }
}

static void a_connect_error_of_a_client_closes_it(void **state)
{
    struct world *w = *state;
    struct client *c = client_open(w, SOCKETIO);
    client_sends(c, "44{\"message\":\"no\"}");
    assert_int_equal(c->close_code, 1002);
}

static void an_unknown_event_is_told_only_to_who_asks_for_an_answer(void **state)
{
    struct world *w = *state;
    for (enum tongue t = SOCKETIO; t <= POLLING; t++) {
        struct client *c = client_open(w, t);
        client_says(c, "dance", "{}");
        client_hears_nothing(c);
        client_asks(c, "dance", NULL);
        assert_string_equal(client_hears(c, "ack")->data,
                            "{\"success\":false,\"error\":\"no such event\"}");
    }
}

static void greets_nobody(struct engine *e, const struct socketio_namespace *nsp, struct span auth)
{
    (void)e;
    (void)nsp;
    (void)auth;
}

static void a_namespace_without_events_knows_none(void **state)
{
    static const struct socketio_namespace mute = {.name = "/mute", .connected = greets_nobody};
    struct world *w = *state;
    struct client *c = client_open(w, SOCKETIO);
    w->app->peers.namespaces = &mute;
    client_sends(c, "40/mute,");
    client_sends(c, "42/mute,[\"dance\"]");
    client_hears_nothing(c);
    client_sends(c, "42/mute,7[\"dance\"]");
    assert_string_equal(client_hears(c, "ack")->data,
                        "{\"success\":false,\"error\":\"no such event\"}");
}

static void nobody_is_in_more_than_eight_namespaces(void **state)
{
    enum { MOST = 8 };
    static struct socketio_namespace more[MOST];
    static char names[MOST][8];
    struct world *w = *state;
    struct client *c = client_open(w, SOCKETIO);
    for (size_t i = 0; i < MOST; i++) {
        char packet[16];
        (void)snprintf(names[i], sizeof(names[i]), "/n%zu", i);
        more[i] = (struct socketio_namespace){
            .name = names[i], .connected = greets_nobody, .next = w->app->peers.namespaces};
        w->app->peers.namespaces = &more[i];
        client_hears_nothing(c);
        (void)snprintf(packet, sizeof(packet), "40%s,", names[i]);
        client_sends(c, packet);
    }
    assert_true(heard_is(client_hears(c, "connect_error"), "message", "Too many namespaces"));
}

static void an_event_with_an_attachment_is_put_together(void **state)
{
    static const char event[] = "451-7[\"subscribe_session\",{\"sessionId\":\"run\",\"x\":{\"_"
                                "placeholder\":true,\"num\":0}}]";
    struct world *w = *state;
    trainer_starts(w, "run");
    struct client *c = client_open(w, SOCKETIO);
    client_sends(c, event);
    client_hears_nothing(c);
    sends_binary(c, SPAN("\x00\x01\x02"));
    (void)client_hears(c, "session_status");
    (void)client_hears(c, "ack");

    c = client_open(w, POLLING);
    client_sends(c, event);
    client_sends(c, "bAAEC");
    (void)client_hears(c, "session_status");
    (void)client_hears(c, "ack");
}

static void bytes_that_belong_to_nothing_close_the_connection(void **state)
{
    struct world *w = *state;
    struct client *c = client_open(w, SOCKETIO);
    sends_binary(c, SPAN("\x00"));
    assert_int_equal(c->close_code, 1002);

    c = client_open(w, SOCKETIO); /* text where an attachment is due */
    client_sends(c, "451-[\"x\",{\"_placeholder\":true,\"num\":0}]");
    client_sends(c, "42[\"x\"]");
    assert_int_equal(c->close_code, 1002);

    c = client_open(w, SOCKETIO);
    client_sends(c, "4511-[\"x\"]"); /* more than ten of them */
    assert_int_equal(c->close_code, 1002);
}

static void an_event_for_a_namespace_never_joined_closes_the_connection(void **state)
{
    struct world *w = *state;
    struct client *c = client_open(w, SOCKETIO);
    client_sends(c, "42/elsewhere,[\"x\"]");
    assert_int_equal(c->close_code, 1002);
}

static void a_delayed_poll_answer_suits_the_page_that_asked(void **state)
{
    static const char origin[] = "http://localhost:3000";
    struct world *w = *state;
    struct client *c = client_watch(w, POLLING, "run");
    c->polls_on = false;
    trainer_starts(w, "run"); /* ends the poll that waits */
    char query[128];
    int n = snprintf(query, sizeof(query), "EIO=4&transport=polling&sid=%s", c->sid);
    struct conn *page = NULL;
    struct request req = {.method = METHOD_GET,
                          .path = SPAN("/socket.io/"),
                          .query = {query, (size_t)n},
                          .origin = span_of(origin)};
    client_asks_http(c, &page, &req);
    assert_true(page->parked);
    memset(query, '#', sizeof(query)); /* the request is long gone when the answer comes */
    world_advance(w, SECOND);
    trainer_logs(w, "run", 1);
    struct http_answer answer;
    assert_true(http_answer_take(&page->wire, false, &answer));
    assert_int_equal(answer.status, 200);
    assert_true(span_is(http_answer_header(&answer, "access-control-allow-origin"), origin));
    assert_true(span_is(http_answer_header(&answer, "content-type"), "text/plain; charset=UTF-8"));
    http_answer_fini(&answer);
    world_enter(w);
    conn_hang_up(page);
    world_leave(w);
    conn_destroy(page);
    assert_false(w->app->stats.peers == 0);
}

static void nonsense_as_data_is_no_session(void **state)
{
    static const char *const data[] = {"7",
                                       "null",
                                       "[]",
                                       "\"\"",
                                       "\"a b\"",
                                       "{\"sessionId\":null}",
                                       "{\"sessionId\":\"\"}",
                                       "{\"sessionId\":{}}"};
    struct world *w = *state;
    struct client *c = client_open(w, SOCKETIO);
    for (size_t i = 0; i < sizeof(data) / sizeof(data[0]); i++) {
        client_says(c, "subscribe_session", data[i]);
        (void)client_hears(c, "error");
        client_says(c, "join_room", data[i]);
        (void)client_hears(c, "error");
    }
    assert_int_equal(w->app->stats.rooms, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_second_connect_changes_nothing),
        WORLD_TEST(a_connect_whose_payload_is_no_object_is_refused),
        WORLD_TEST(what_a_client_need_not_send_is_passed_over),
        WORLD_TEST(a_connect_error_of_a_client_closes_it),
        WORLD_TEST(an_unknown_event_is_told_only_to_who_asks_for_an_answer),
        WORLD_TEST(a_namespace_without_events_knows_none),
        WORLD_TEST(nobody_is_in_more_than_eight_namespaces),
        WORLD_TEST(an_event_with_an_attachment_is_put_together),
        WORLD_TEST(bytes_that_belong_to_nothing_close_the_connection),
        WORLD_TEST(an_event_for_a_namespace_never_joined_closes_the_connection),
        WORLD_TEST(a_delayed_poll_answer_suits_the_page_that_asked),
        WORLD_TEST(nonsense_as_data_is_no_session),
    };
    return cmocka_run_group_tests_name("flow/socketio", tests, NULL, NULL);
}
