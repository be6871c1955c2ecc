/* SPDX-License-Identifier: MIT */
/* Answers that come later, or piece by piece: docs/protocol.md P-67. */
#include "streamd/transport/transfer.h"

#include "streamd/http/router.h"
#include "tests/flow/client.h"
#include "tests/flow/client_parts.h"
#include "tests/flow/received.h"
#include "tests/flow/world.h"
#include "tests/support/oom.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PIECE = 1000 };

/* What a route's answer waits for, and what became of it. A test's own, so that it outlives gone.
 */
struct work {
    struct transfer transfer;
    unsigned pieces; /* still to be written by itself; the end follows the last */
    unsigned begun;
    unsigned writables;
    unsigned gone;
    bool broken; /* aborts instead of ending */
};

static struct work *newest;

static struct work *work_of(struct transfer *t)
{
    return LIST_ENTRY(t, struct work, transfer);
}

static struct span piece_of(size_t len)
{
    static char bytes[TRANSFER_PIECE_MAX];
    memset(bytes, 'x', sizeof(bytes));
    return (struct span){bytes, len};
}

static void go_on(struct work *work)
{
    while (work->pieces > 0) {
        work->pieces--;
        bool more = transfer_write(&work->transfer, piece_of(PIECE));
        if (work->pieces == 0 && work->broken)
            transfer_abort(&work->transfer);
        else if (work->pieces == 0)
            transfer_end(&work->transfer);
        else if (!more)
            return;
    }
}

static void on_begin(struct transfer *t, const struct request *req)
{
    assert_ptr_equal(t->req, req);
    work_of(t)->begun++;
}

static void begin_stream(struct work *work)
{
    struct reply head;
    reply_init(&head, 1);
    head.content_type = "text/plain";
    if (transfer_begin(&work->transfer, &head))
        go_on(work);
    reply_fini(&head);
}

static void on_begin_stream(struct transfer *t, const struct request *req)
{
    on_begin(t, req);
    begin_stream(work_of(t));
}

static void on_writable(struct transfer *t)
{
    work_of(t)->writables++;
    go_on(work_of(t));
}

static void on_gone(struct transfer *t)
{
    assert_null(t->link);
    assert_null(t->req);
    work_of(t)->gone++;
}

static const struct transfer_ops ops_later = {on_begin, on_writable, on_gone};
static const struct transfer_ops ops_stream = {on_begin_stream, on_writable, on_gone};

static void answer_later(struct app *app, const struct request *req, struct reply *reply)
{
    (void)app;
    (void)req;
    newest->transfer.ops = &ops_later;
    reply->transfer = &newest->transfer;
}

static void answer_stream(struct app *app, const struct request *req, struct reply *reply)
{
    answer_later(app, req, reply);
    newest->transfer.ops = &ops_stream;
}

static const struct route routes[] = {
    {"/later", METHOD_GET | METHOD_POST, SCOPE_READ, answer_later, ""},
    {"/stream", METHOD_GET, SCOPE_READ, answer_stream, ""},
    {NULL, 0, SCOPE_PUBLIC, NULL, NULL},
};

static int setup(void **state)
{
    int result = world_setup(state);
    ((struct world *)*state)->app->more_routes = routes;
    return result;
}

#define TRANSFER_TEST(test) cmocka_unit_test_setup_teardown(test, setup, world_teardown)

/* A request on a connection of its own. Static, as it must live until the transfer is over. */
struct asked {
    struct work work;
    struct request req;
    struct client *client;
};

static struct conn *conn_of(const struct asked *a)
{
    return a->client->post;
}

static void ask_again(struct asked *a, enum method method, const char *path, unsigned pieces)
{
    a->work = (struct work){.pieces = pieces};
    a->req = (struct request){.method = method, .path = span_of(path), .is_1_1 = true};
    newest = &a->work;
    client_asks_http(a->client, &a->client->post, &a->req);
    assert_int_equal(a->work.begun, 1);
}

static void ask(struct world *w, struct asked *a, const char *path, unsigned pieces)
{
    a->client = client_nobody(w);
    ask_again(a, METHOD_GET, path, pieces);
}

/* The answer as the client has it; the wire holds nothing else. */
static struct http_answer answer_of(struct asked *a)
{
    struct http_answer answer;
    if (!http_answer_take(&conn_of(a)->wire, a->req.method == METHOD_HEAD, &answer))
        fail_msg("no whole answer in %zu bytes", conn_of(a)->wire.len);
    assert_int_equal(conn_of(a)->wire.len, 0);
    return answer;
}

static void answer_whole(struct world *w, struct asked *a, int status, const char *body)
{
    struct reply reply;
    reply_init(&reply, PIECE);
    reply.status = status;
    buf_add_str(&reply.body, body);
    world_enter(w);
    transfer_answer(&a->work.transfer, &reply);
    world_leave(w);
    reply_fini(&reply);
}

static void assert_over(const struct world *w, const struct asked *a)
{
    assert_int_equal(a->work.gone, 1);
    assert_int_equal(w->app->stats.transfers, 0);
    assert_false(wait_pending(&a->work.transfer.stall));
}

static void an_answer_may_come_later_whole(void **state)
{
    struct world *w = *state;
    static struct asked a;
    ask(w, &a, "/later", 0);
    a.req.origin = SPAN("http://localhost:3000");
    world_advance(w, UINT64_C(3600) * SECOND);
    assert_int_equal(conn_of(&a)->wire.len, 0);
    assert_int_equal(w->app->stats.transfers, 1);
    assert_true(conn_of(&a)->parked);
    answer_whole(w, &a, 409, "{\"later\":true}");
    assert_over(w, &a);
    struct http_answer answer = answer_of(&a);
    assert_int_equal(answer.status, 409);
    assert_true(span_is(buf_span(&answer.body), "{\"later\":true}"));
    assert_true(span_is(http_answer_header(&answer, "date"), "Tue, 14 Nov 2023 23:13:20 GMT"));
    assert_true(span_is(http_answer_header(&answer, "access-control-allow-origin"),
                        "http://localhost:3000"));
    http_answer_fini(&answer);
    assert_non_null(conn_of(&a)->link);
    ask_again(&a, METHOD_POST, "/later", 0);
    answer_whole(w, &a, 200, "");
    assert_over(w, &a);
}

static void a_body_comes_in_chunks_and_the_connection_goes_on(void **state)
{
    struct world *w = *state;
    static struct asked a;
    a.client = client_nobody(w);
    for (unsigned pieces = 1; pieces <= 300; pieces *= 17) {
        ask_again(&a, METHOD_GET, "/stream", pieces);
        assert_over(w, &a);
        struct http_answer answer = answer_of(&a);
        assert_int_equal(answer.status, 200);
        assert_int_equal(answer.body.len, pieces * PIECE);
        assert_true(span_is(http_answer_header(&answer, "content-type"), "text/plain"));
        assert_true(span_is(http_answer_header(&answer, "connection"), "keep-alive"));
        http_answer_fini(&answer);
        assert_non_null(conn_of(&a)->link);
    }
}

static void an_empty_piece_is_not_the_end(void **state)
{
    struct world *w = *state;
    static struct asked a;
    ask(w, &a, "/stream", 0);
    world_enter(w);
    assert_true(transfer_write(&a.work.transfer, (struct span){NULL, 0}));
    assert_true(transfer_write(&a.work.transfer, SPAN("after it")));
    transfer_end(&a.work.transfer);
    world_leave(w);
    struct http_answer answer = answer_of(&a);
    assert_true(span_is(buf_span(&answer.body), "after it"));
    http_answer_fini(&answer);
    assert_over(w, &a);
}

static void for_http_1_0_the_end_of_the_body_is_the_end_of_the_connection(void **state)
{
    struct world *w = *state;
    static struct asked a;
    a.client = client_nobody(w);
    a.work = (struct work){.pieces = 2};
    a.req = (struct request){.method = METHOD_GET, .path = SPAN("/stream")};
    newest = &a.work;
    client_asks_http(a.client, &a.client->post, &a.req);
    assert_over(w, &a);
    assert_null(conn_of(&a)->link);
    const struct buf *wire = &conn_of(&a)->wire;
    const char *body = memmem(wire->ptr, wire->len, "\r\n\r\n", 4);
    assert_non_null(body);
    assert_int_equal(wire->ptr + wire->len - (body + 4), 2 * PIECE);
    assert_non_null(memmem(wire->ptr, wire->len, "Connection: close\r\n", 19));
    assert_null(memmem(wire->ptr, wire->len, "Transfer-Encoding", 17));
}

static void head_is_told_what_a_get_would_be(void **state)
{
    struct world *w = *state;
    static struct asked a;
    ask(w, &a, "/stream", 1);
    struct http_answer get = answer_of(&a);
    ask_again(&a, METHOD_HEAD, "/stream", 1);
    assert_over(w, &a);
    assert_int_equal(a.work.pieces, 1);
    struct http_answer head = answer_of(&a);
    assert_true(span_eq(buf_span(&get.head), buf_span(&head.head)));
    http_answer_fini(&get);
    http_answer_fini(&head);
}

static void a_slow_client_holds_one_piece(void **state)
{
    struct world *w = *state;
    static struct asked a;
    w->window = 0;
    ask(w, &a, "/stream", 50);
    unsigned steps = 0;
    while (!a.work.gone) {
        assert_true(++steps < 1000);
        assert_in_range(conn_of(&a)->kept.len, 1, PIECE + REPLY_HEAD_MAX);
        world_enter(w);
        conn_open_window(conn_of(&a), 700);
        world_leave(w);
        world_advance(w, SECOND);
    }
    assert_over(w, &a);
    conn_open_window(conn_of(&a), SIZE_MAX);
    struct http_answer answer = answer_of(&a);
    assert_int_equal(answer.body.len, 50 * PIECE);
    http_answer_fini(&answer);
}

static void a_quick_client_leaves_others_their_turn(void **state)
{
    struct world *w = *state;
    static struct asked a;
    w->keeps_still = true;
    ask(w, &a, "/stream", 1000);
    for (unsigned turn = 1; a.work.gone == 0; turn++) {
        assert_true(conn_of(&a)->wire.len <= turn * (TRANSFER_TURN_BYTES + 3 * PIECE));
        assert_int_equal(a.work.writables, turn - 1);
        assert_true(conn_ready(conn_of(&a)));
        assert_false(wait_pending(&a.work.transfer.stall));
        world_enter(w);
        conn_step(conn_of(&a));
        world_leave(w);
    }
    assert_int_equal(a.work.writables, 1000 * PIECE / TRANSFER_TURN_BYTES);
}

static void the_end_waits_for_the_client(void **state)
{
    struct world *w = *state;
    static struct asked a;
    w->window = 500;
    ask(w, &a, "/stream", 1);
    assert_int_equal(a.work.pieces, 0);
    assert_int_equal(a.work.gone, 0);
    world_enter(w);
    conn_open_window(conn_of(&a), SIZE_MAX);
    world_leave(w);
    assert_over(w, &a);
    assert_int_equal(a.work.writables, 0);
    struct http_answer answer = answer_of(&a);
    http_answer_fini(&answer);
}

static void hang_up(struct world *w, struct asked *a)
{
    world_enter(w);
    conn_hang_up(conn_of(a));
    world_leave(w);
}

static void a_client_may_go_at_any_time(void **state)
{
    static const struct {
        const char *path;
        unsigned pieces;
    } cases[] = {
        {"/later", 0},  /* while it waits */
        {"/stream", 0}, /* after the headers */
        {"/stream", 9}, /* amid the body */
        {"/stream", 1}, /* before the end */
    };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        static struct asked a;
        w->window = 100;
        ask(w, &a, cases[i].path, cases[i].pieces);
        assert_int_equal(a.work.gone, 0);
        hang_up(w, &a);
        assert_over(w, &a);
    }
}

static void a_client_that_takes_nothing_is_cut_off(void **state)
{
    struct world *w = *state;
    static struct asked a;
    w->window = 10;
    ask(w, &a, "/stream", 9);
    world_advance(w, TRANSFER_STALL_US - 1);
    assert_int_equal(a.work.gone, 0);
    world_advance(w, 1);
    assert_over(w, &a);
    assert_null(conn_of(&a)->link);
    assert_int_equal(w->app->stats.transfers_cut, 1);
    /* One whose answer is not there yet may wait for ever, and so may one that has read all. */
    w->window = SIZE_MAX;
    ask(w, &a, "/stream", 0);
    world_advance(w, 10 * (uint64_t)TRANSFER_STALL_US);
    assert_int_equal(a.work.gone, 0);
    hang_up(w, &a);
}

static void a_daemon_that_slept_blames_nobody(void **state)
{
    struct world *w = *state;
    static struct asked a;
    w->window = 10;
    ask(w, &a, "/stream", 9);
    world_jump(w, UINT64_C(3600) * SECOND);
    assert_int_equal(a.work.gone, 0);
    world_advance(w, TRANSFER_STALL_US);
    assert_over(w, &a);
}

static void a_body_that_cannot_be_completed_is_cut(void **state)
{
    struct world *w = *state;
    static struct asked a;
    ask(w, &a, "/stream", 0);
    a.work.pieces = 3;
    a.work.broken = true;
    world_enter(w);
    go_on(&a.work);
    world_leave(w);
    assert_over(w, &a);
    assert_null(conn_of(&a)->link);
    struct http_answer answer;
    assert_false(http_answer_take(&conn_of(&a)->wire, false, &answer));
}

static void a_drain_lets_transfers_end_and_their_connections_close(void **state)
{
    struct world *w = *state;
    static struct asked a;
    static struct asked b;
    ask(w, &a, "/later", 0);
    ask(w, &b, "/stream", 0);
    world_enter(w);
    peers_drain(&w->app->peers);
    world_leave(w);
    assert_int_equal(w->app->stats.transfers, 2);
    answer_whole(w, &a, 200, "kept");
    assert_int_equal(a.work.gone, 1);
    assert_null(conn_of(&a)->link);
    struct http_answer answer = answer_of(&a);
    assert_true(span_is(http_answer_header(&answer, "connection"), "close"));
    http_answer_fini(&answer);
    world_enter(w);
    (void)transfer_write(&b.work.transfer, SPAN("rest"));
    transfer_end(&b.work.transfer);
    world_leave(w);
    answer = answer_of(&b);
    assert_true(span_is(buf_span(&answer.body), "rest"));
    http_answer_fini(&answer);
    assert_over(w, &b);
    ask(w, &a, "/stream", 1); /* one of an old connection */
    assert_null(conn_of(&a)->link);
}

static void what_does_not_fit_into_memory_cuts_the_connection(void **state)
{
    struct world *w = *state;
    static struct asked a;
    a.client = client_nobody(w);
    bool cut = true;
    for (size_t n = 1; cut; n++) {
        ask_again(&a, METHOD_GET, "/stream", 0);
        buf_fini(&w->app->peers.text);
        assert_int_equal(buf_reserve(&conn_of(&a)->wire, 1 << 20), OK);
        world_enter(w);
        oom_fail(n);
        bool more = transfer_write(&a.work.transfer, piece_of(TRANSFER_PIECE_MAX / 2));
        cut = oom_failed();
        assert_int_equal(more, !cut);
        if (!cut)
            transfer_abort(&a.work.transfer);
        world_leave(w);
        assert_over(w, &a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRANSFER_TEST(an_answer_may_come_later_whole),
        TRANSFER_TEST(a_body_comes_in_chunks_and_the_connection_goes_on),
        TRANSFER_TEST(an_empty_piece_is_not_the_end),
        TRANSFER_TEST(for_http_1_0_the_end_of_the_body_is_the_end_of_the_connection),
        TRANSFER_TEST(head_is_told_what_a_get_would_be),
        TRANSFER_TEST(a_slow_client_holds_one_piece),
        TRANSFER_TEST(a_quick_client_leaves_others_their_turn),
        TRANSFER_TEST(the_end_waits_for_the_client),
        TRANSFER_TEST(a_client_may_go_at_any_time),
        TRANSFER_TEST(a_client_that_takes_nothing_is_cut_off),
        TRANSFER_TEST(a_daemon_that_slept_blames_nobody),
        TRANSFER_TEST(a_body_that_cannot_be_completed_is_cut),
        TRANSFER_TEST(a_drain_lets_transfers_end_and_their_connections_close),
        TRANSFER_TEST(what_does_not_fit_into_memory_cuts_the_connection),
    };
    return cmocka_run_group_tests_name("flow/transfer", tests, NULL, NULL);
}
