/* SPDX-License-Identifier: MIT */
/* What polling clients post, whose bodies may take their time: docs/protocol.md P-43. */
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

/* A POST to a session; it borrows `query`. */
static struct request post_to(const struct client *c, const char *transport, char query[128])
{
    int n = snprintf(query, 128, "EIO=4&transport=%s&sid=%s", transport, c->sid);
    return (struct request){.method = METHOD_POST,
                            .path = SPAN("/socket.io/"),
                            .query = {query, (size_t)n},
                            .content_type = SPAN("text/plain;charset=UTF-8"),
                            .body = SPAN("3")};
}

static bool is_open(const struct client *c)
{
    return strmap_find(&c->world->app->peers.engines, span_of(c->sid)) != NULL;
}

static void hang_up(struct world *w, struct conn *conn)
{
    world_enter(w);
    conn_hang_up(conn);
    world_leave(w);
}

static void a_second_post_while_one_is_being_sent_closes_the_session(void **state)
{
    char query[128];
    struct world *w = *state;
    struct client *c = client_open(w, POLLING);
    struct request req = post_to(c, "polling", query);
    struct conn *first = NULL;
    client_begins_http(c, &first, &req);
    assert_true(is_open(c));
    assert_int_equal(client_posts(c, "3"), 400);
    assert_false(is_open(c));
    assert_true(c->told_to_close);
    hang_up(w, first);
    conn_destroy(first);
}

static void a_post_that_breaks_off_closes_the_session(void **state)
{
    char query[128];
    struct world *w = *state;
    struct client *c = client_open(w, POLLING);
    struct request req = post_to(c, "polling", query);
    struct conn *conn = NULL;
    client_begins_http(c, &conn, &req);
    hang_up(w, conn);
    assert_false(is_open(c));
    conn_destroy(conn);
}

static void a_session_may_end_while_something_is_posted_to_it(void **state)
{
    char query[128];
    struct world *w = *state;
    struct client *c = client_open(w, POLLING);
    struct request req = post_to(c, "polling", query);
    c->answers_pings = false;
    client_begins_http(c, &c->probe, &req);
    world_advance(w, 45 * SECOND);
    assert_false(is_open(c));
    hang_up(w, c->probe);

    c = client_open(w, POLLING);
    req = post_to(c, "polling", query);
    client_begins_http(c, &c->post, &req);
    hang_up(w, c->poll); /* ends the session */
    assert_false(is_open(c));
    assert_null(c->post->link->peer);
}

/* A refused POST holds nothing of the session any more, wherever its connection goes next. */
static void a_post_that_was_refused_has_let_go_of_its_session(void **state)
{
    static const struct {
        const char *transport;
        const char *host;
        int status;
    } cases[] = {
        {"websocket", "127.0.0.1:5001", 400},
        {"polling", "evil.example", 421},
        {"polling", "127.0.0.1:5001", 200},
    };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char query[128];
        struct http_answer answer;
        struct conn *conn = NULL;
        struct client *a = client_open(w, POLLING);
        struct client *b = client_open(w, POLLING);
        b->polls_on = false;
        client_says(b, "dance", NULL);
        client_asks(b, "dance", NULL); /* ends the poll that waits */
        struct request req = post_to(a, cases[i].transport, query);
        req.host = span_of(cases[i].host);
        client_asks_http(a, &conn, &req);
        assert_true(http_answer_take(&conn->wire, false, &answer));
        assert_int_equal(answer.status, cases[i].status);
        http_answer_fini(&answer);
        assert_null(conn->link->peer);
        /* The same connection polls for another session, and goes. */
        req = post_to(b, "polling", query);
        req.method = METHOD_GET;
        req.body = (struct span){NULL, 0};
        client_asks_http(b, &conn, &req);
        assert_true(conn->parked);
        hang_up(w, conn);
        conn_destroy(conn);
        assert_false(is_open(b));
        assert_true(is_open(a));
        assert_int_equal(client_posts(a, "3"), 200);
    }
}

static void another_type_than_text_is_refused(void **state)
{
    static const char *const types[] = {"application/octet-stream", "application/json",
                                        "multipart/form-data; boundary=x", "text/plainer"};
    struct world *w = *state;
    struct client *c = client_open(w, POLLING);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        char query[128];
        struct http_answer answer;
        struct conn *conn = NULL;
        struct request req = post_to(c, "polling", query);
        req.content_type = span_of(types[i]);
        client_asks_http(c, &conn, &req);
        assert_true(http_answer_take(&conn->wire, false, &answer));
        assert_int_equal(answer.status, 400);
        http_answer_fini(&answer);
        hang_up(w, conn);
        conn_destroy(conn);
        assert_true(is_open(c));
    }
}

static void a_payload_that_is_none_closes_the_session(void **state)
{
    static const char *const bodies[] = {"",
                                         "\x1e",
                                         "3\x1e",
                                         "3\x1e\x1e"
                                         "3",
                                         "8",
                                         "b",
                                         "b!",
                                         "bA",
                                         "\xff"};
    struct world *w = *state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct client *c = client_open(w, POLLING);
        if (client_posts(c, bodies[i]) != 400 || is_open(c))
            fail_msg("case %zu", i);
    }
}

static void polling_sessions_are_limited_as_connections_are(void **state)
{
    (void)state;
    struct world *w = world_create();
    w->config.max_connections = 10;
    world_begin(w);
    struct client *c = client_nobody(w);
    c->tongue = POLLING;
    for (unsigned i = 0; i < 10; i++) { /* one connection, ten sessions that nobody wants */
        c->sid[0] = '\0';
        client_polls(c);
        assert_int_equal(c->refused, 0);
    }
    assert_int_equal(w->app->stats.peers, 10);
    c->sid[0] = '\0';
    client_polls(c);
    assert_int_equal(c->refused, 503);
    assert_int_equal(w->app->stats.peers, 10);
    assert_int_equal(w->app->stats.connections_refused, 1);
    world_advance(w, 45 * SECOND); /* they never said CONNECT */
    assert_int_equal(w->app->stats.peers, 0);
    (void)client_open(w, POLLING);
    world_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_second_post_while_one_is_being_sent_closes_the_session),
        WORLD_TEST(a_post_that_breaks_off_closes_the_session),
        WORLD_TEST(a_session_may_end_while_something_is_posted_to_it),
        WORLD_TEST(a_post_that_was_refused_has_let_go_of_its_session),
        WORLD_TEST(another_type_than_text_is_refused),
        WORLD_TEST(a_payload_that_is_none_closes_the_session),
        cmocka_unit_test(polling_sessions_are_limited_as_connections_are),
    };
    return cmocka_run_group_tests_name("flow/post", tests, NULL, NULL);
}
