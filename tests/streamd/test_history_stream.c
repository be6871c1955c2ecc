/* SPDX-License-Identifier: MIT */
#include "streamd/http/history_stream.h"

#include "tests/streamd/histories.h"

static void a_history_that_is_too_long_for_one_answer_is_streamed(void **state)
{
    static const char *const formats[] = {"?format=json&limit=100", "?format=csv&limit=100",
                                          "?format=ndjson&limit=100"};
    struct world *w = *state;
    start(w, "a");
    record_steps(w, 0, 100);
    for (size_t i = 0; i < 3; i++) {
        w->reply.body.limit = REPLY_BODY_MAX;
        assert_int_equal(get(w, formats[i]), 200);
        char *before = strndup(w->body.ptr, w->body.len);
        w->reply.body.limit = 4096;
        assert_int_equal(get(w, formats[i]), 200);
        assert_header(w, "Transfer-Encoding", "chunked");
        assert_true(span_is(w->body, before));
        free(before);
    }
}

static void what_memory_has_and_what_the_archive_has_reads_the_same(void **state)
{
    static const char *const forms[] = {"", "&format=ndjson", "&fields=loss,acc",
                                        "&since=100&fields=none"};
    struct world *w = *state;
    char query[128];
    start(w, "a");
    record_steps(w, 0, 300);
    record(w, "\"step\":300,\"loss\":NaN,\"acc\":123456789012345678901234567890");
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        (void)snprintf(query, sizeof(query), "?limit=1000%s", forms[i]);
        assert_int_equal(get(w, query), 200);
        assert_header(w, "Transfer-Encoding", NULL);
        char *at_once = strndup(w->body.ptr, w->body.len);
        (void)snprintf(query, sizeof(query), "?limit=1000%s&from=0", forms[i]);
        assert_int_equal(get(w, query), 200);
        assert_header(w, "Transfer-Encoding", "chunked");
        assert_true(span_is(w->body, at_once));
        free(at_once);
    }
}

static void what_memory_let_go_is_in_the_archive(void **state)
{
    struct world *w = *state;
    w->config.max_history_records = 1000;
    start(w, "a");
    record_steps(w, 0, 3000);
    assert_int_equal(get(w, "?limit=100000"), 200);
    assert_int_equal(size(w), 3000);
    assert_int_equal(value_at(w, 0, "offset"), 1);
    assert_int_equal(get(w, "?since=1&limit=100000"), 200);
    assert_int_equal(value_at(w, 0, "offset"), 2);
    assert_int_equal(world_number(w, "total"), 2999);
    assert_int_equal(get(w, "?points=100"), 200);
    assert_int_equal(value_at(w, 0, "offset"), 1);
    assert_int_equal(get(w, "?limit=10"), 200);
    assert_header(w, "Transfer-Encoding", NULL);
}

static void a_rewind_leaves_out_what_it_replaced_unless_branches_are_asked_for(void **state)
{
    struct world *w = *state;
    start(w, "a");
    record_steps(w, 0, 10);
    world_line(w, "{\"type\":\"start\",\"sessionId\":\"a\",\"resume\":true}");
    record_steps(w, 6, 6);
    assert_int_equal(get(w, ""), 200);
    assert_int_equal(size(w), 12);
    assert_int_equal(world_number(w, "total"), 12);
    assert_int_equal(value_at(w, 6, "offset"), 11);
    assert_int_equal(get(w, "?branches=0"), 200);
    assert_int_equal(size(w), 12);
    assert_int_equal(get(w, "?since=10"), 200);
    assert_header(w, "Transfer-Encoding", NULL);
    assert_int_equal(size(w), 6);
    assert_int_equal(get(w, "?branches=1"), 200);
    assert_int_equal(size(w), 16);
    assert_false(has_at(w, 5, "superseded"));
    assert_true(has_at(w, 6, "superseded"));
    assert_true(has_at(w, 9, "superseded"));
    assert_false(has_at(w, 10, "superseded"));
    assert_int_equal(get(w, "?branches=yes"), 400);
    assert_non_null(strstr(world_string(w, "error"), "branches"));
}

static void entries_say_their_place_on_the_axis_when_asked(void **state)
{
    struct world *w = *state;
    start(w, "a");
    record_steps(w, 5, 4);
    record_steps(w, 0, 3); /* the next model */
    assert_int_equal(get(w, "?fields=loss&axis=1"), 200);
    static const int places[] = {5, 6, 7, 8, 9, 10, 11};
    for (int i = 0; i < 7; i++)
        assert_int_equal(value_at(w, i, "axis"), places[i]);
    world_line(w, "{\"type\":\"start\",\"sessionId\":\"a\",\"resume\":true}");
    record_steps(w, 1, 1); /* a rewind: of the model, all but step 0 is superseded */
    assert_int_equal(get(w, "?fields=loss&axis=1&points=2000"), 200);
    assert_int_equal(size(w), 2);
    assert_int_equal(value_at(w, 0, "axis"), 9);
    assert_int_equal(value_at(w, 1, "axis"), 10);
    assert_int_equal(get(w, "?fields=loss"), 200);
    assert_false(has_at(w, 0, "axis"));
    assert_int_equal(get(w, "?axis=1"), 400);
    assert_int_equal(get(w, "?axis=2&fields=loss"), 400);
    assert_int_equal(get(w, "?axis=1&fields=loss&format=csv"), 400);
}

static void a_client_that_goes_away_ends_the_reading(void **state)
{
    struct world *w = *state;
    start(w, "a");
    record_steps(w, 0, 2000);
    for (int turns = 0; turns < 8; turns++) {
        struct conn *conn = conn_open(w->app, 1000);
        w->req = (struct request){.method = METHOD_GET,
                                  .path = SPAN("/api/training/history/a"),
                                  .query = SPAN("limit=2000"),
                                  .host = SPAN("127.0.0.1:5001"),
                                  .is_1_1 = true};
        conn->awaits = true;
        reply_reset(&w->reply);
        app_enter(w->app, w->now);
        w->req.caller = guard_request(&w->app->guard, &w->req);
        router_answer(w->app, &w->req, &w->reply);
        transfer_bind(w->reply.transfer, conn->link, &w->req);
        app_leave(w->app);
        for (int turn = 0; turn < turns; turn++) {
            app_enter(w->app, w->now);
            app_receive(w->app);
            app_leave(w->app);
        }
        app_enter(w->app, w->now);
        conn_hang_up(conn);
        app_leave(w->app);
        conn_destroy(conn);
        assert_int_equal(w->app->stats.transfers, 0);
    }
}

/* To the end; answers how many bytes there were. Who is slow takes no more than waits for it. */
static size_t reads_all(struct world *w, bool slowly)
{
    struct conn *conn = conn_open(w->app, slowly ? 0 : SIZE_MAX);
    conn->awaits = true;
    reply_reset(&w->reply);
    app_enter(w->app, w->now);
    w->req.caller = guard_request(&w->app->guard, &w->req);
    router_answer(w->app, &w->req, &w->reply);
    transfer_bind(w->reply.transfer, conn->link, &w->req);
    app_leave(w->app);
    for (int turn = 0; conn->awaits; turn++) {
        assert_true(turn < 100000);
        app_enter(w->app, w->now);
        app_receive(w->app);
        if (slowly)
            conn_open_window(conn, conn->kept.len);
        if (conn_ready(conn))
            conn_step(conn);
        app_leave(w->app);
    }
    conn_open_window(conn, SIZE_MAX);
    size_t all = conn->wire.len;
    app_enter(w->app, w->now);
    conn_hang_up(conn);
    app_leave(w->app);
    conn_destroy(conn);
    return all;
}

static void who_reads_slowly_gets_all_of_it(void **state)
{
    struct world *w = *state;
    start(w, "a");
    record_steps(w, 0, 3000);
    w->req = (struct request){.method = METHOD_GET,
                              .path = SPAN("/api/training/history/a"),
                              .query = SPAN("limit=3000&from=0"),
                              .host = SPAN("127.0.0.1:5001"),
                              .is_1_1 = true};
    size_t all = reads_all(w, false);
    assert_true(all > 2 * READING_PIECE_BYTES);
    assert_int_equal(reads_all(w, true), all);
}

static void who_asks_for_the_head_of_a_stream_gets_no_more(void **state)
{
    struct world *w = *state;
    start(w, "a");
    record_steps(w, 0, 20);
    assert_int_equal(world_ask(w, METHOD_HEAD, "/api/training/history/a?from=0", ""), 200);
    assert_header(w, "Content-Type", "application/json");
    assert_int_equal(w->body.len, 0);
    assert_int_equal(w->app->stats.transfers, 0);
}

static void without_an_archive_what_memory_has_is_answered(void **state)
{
    struct world *w = *state;
    start(w, "a");
    record_steps(w, 0, 20);
    assert_int_equal(get(w, ""), 200);
    assert_int_equal(size(w), 20);
    assert_int_equal(get(w, "?points=4"), 503);
    assert_int_equal(get(w, "?format=csv"), 503);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HISTORY_TEST(a_history_that_is_too_long_for_one_answer_is_streamed),
        HISTORY_TEST(what_memory_has_and_what_the_archive_has_reads_the_same),
        HISTORY_TEST(what_memory_let_go_is_in_the_archive),
        HISTORY_TEST(a_rewind_leaves_out_what_it_replaced_unless_branches_are_asked_for),
        HISTORY_TEST(entries_say_their_place_on_the_axis_when_asked),
        HISTORY_TEST(a_client_that_goes_away_ends_the_reading),
        HISTORY_TEST(who_reads_slowly_gets_all_of_it),
        HISTORY_TEST(who_asks_for_the_head_of_a_stream_gets_no_more),
        WORLD_TEST(without_an_archive_what_memory_has_is_answered),
    };
    return cmocka_run_group_tests_name("http/history_stream", tests, NULL, NULL);
}
