/* SPDX-License-Identifier: MIT */
/* What a trainer is told is kept, is kept: docs/protocol.md, acks. */
#include "streamd/store/archive_cursor.h"
#include "tests/flow/client.h"
#include "tests/flow/client_parts.h"
#include "tests/flow/received.h"
#include "tests/flow/world.h"
#include "tests/support/oom.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ACK(id, n) "{\"type\":\"ack\",\"sessionId\":\"" id "\",\"seq\":" #n "}\n"
#define STARTED(id, n) "{\"type\":\"started\",\"sessionId\":\"" id "\",\"lastSeq\":" #n "}\n"
#define RESUME(id) "{\"type\":\"start\",\"sessionId\":\"" id "\",\"resume\":true}"
#define START(id) "{\"type\":\"start\",\"sessionId\":\"" id "\"}"

/* A trainer's connection, without the socket. */
struct trainer {
    struct world *world;
    struct intake intake;
    struct buf answers;
};

static void connect(struct trainer *t, struct world *w)
{
    t->world = w;
    buf_init(&t->answers, 1 << 20);
    intake_init(&t->intake, &w->app->registry, &w->app->decoder, &t->answers);
}

static void hang_up(struct trainer *t)
{
    intake_fini(&t->intake);
    buf_fini(&t->answers);
}

/* One line within the chunk at hand. */
static enum status says(struct trainer *t, const char *line)
{
    struct line_error error;
    return intake_line(&t->intake, span_of(line), t->world->now, &error);
}

static void begins(struct trainer *t)
{
    world_enter(t->world);
}

static void ends(struct trainer *t)
{
    intake_ack(&t->intake);
    world_leave(t->world);
}

/* A chunk of one line. */
static void talks(struct trainer *t, const char *line)
{
    begins(t);
    assert_int_equal(says(t, line), OK);
    ends(t);
}

static enum status logs(struct trainer *t, const char *id, unsigned seq, unsigned step)
{
    char line[160];
    (void)snprintf(line, sizeof(line),
                   "{\"type\":\"progress\",\"sessionId\":\"%s\",\"seq\":%u,\"metrics\":"
                   "{\"step\":%u,\"loss\":0.5}}",
                   id, seq, step);
    return says(t, line);
}

/* A chunk with a record of that seq and step. */
static void progresses(struct trainer *t, const char *id, unsigned n)
{
    begins(t);
    assert_int_equal(logs(t, id, n, n), OK);
    ends(t);
}

static void hears(struct trainer *t, const char *text)
{
    buf_add_char(&t->answers, '\0');
    assert_int_equal(buf_status(&t->answers), OK);
    assert_string_equal(t->answers.ptr, text);
    buf_reset(&t->answers);
}

/* A world whose commits come 50 ms after what they keep. */
static struct world *slow_world(void)
{
    struct world *w = world_create();
    w->config.commit_interval_ms = 50;
    world_begin(w);
    return w;
}

/* The keeper has another try. */
static void try_again(struct world *w)
{
    world_jump(w, MS);
    world_jump(w, MS);
}

/* ---- acks ---- */

static void an_ack_comes_with_the_commit(void **state)
{
    (void)state;
    struct world *w = slow_world();
    struct trainer t;
    connect(&t, w);
    talks(&t, START("a"));
    hears(&t, STARTED("a", 0));
    for (unsigned n = 1; n <= 3; n++)
        progresses(&t, "a", n);
    world_advance(w, 49 * MS);
    hears(&t, "");
    assert_int_equal(w->disk.commits, 1);
    world_advance(w, MS);
    hears(&t, ACK("a", 3));
    assert_int_equal(w->disk.commits, 2);
    world_advance(w, SECOND);
    hears(&t, "");
    assert_int_equal(w->disk.commits, 2); /* nothing new, nothing written */
    hang_up(&t);
    world_destroy(w);
}

static void no_ack_comes_while_commits_fail_and_all_of_them_afterwards(void **state)
{
    struct world *w = *state;
    struct trainer t;
    connect(&t, w);
    talks(&t, START("a"));
    talks(&t, START("b"));
    hears(&t, STARTED("a", 0) STARTED("b", 0));
    w->disk.broken = true;
    for (unsigned n = 1; n <= 3; n++) {
        progresses(&t, "a", n);
        progresses(&t, "b", 10 * n);
        world_advance(w, 10 * SECOND);
    }
    hears(&t, "");
    talks(&t, RESUME("a"));
    hears(&t, STARTED("a", 0)); /* only what is on disk */
    w->disk.broken = false;
    unsigned commits = w->disk.commits;
    world_jump(w, MS);
    assert_int_equal(w->disk.commits, commits + 1); /* all as one */
    hears(&t, ACK("a", 1) ACK("b", 10) ACK("a", 2) ACK("b", 20) ACK("a", 3) ACK("b", 30));
    talks(&t, RESUME("a"));
    hears(&t, STARTED("a", 3));
    hang_up(&t);
}

static void lines_of_several_sessions_in_one_batch_are_one_ack_each(void **state)
{
    (void)state;
    struct world *w = slow_world();
    struct trainer t;
    connect(&t, w);
    begins(&t);
    for (unsigned n = 1; n <= 20; n++) {
        assert_int_equal(logs(&t, "a", n, n), OK);
        assert_int_equal(logs(&t, "b", n, n), OK);
        assert_int_equal(logs(&t, "c", n, n), OK);
    }
    ends(&t);
    world_advance(w, 50 * MS);
    hears(&t, ACK("a", 20) ACK("b", 20) ACK("c", 20));
    hang_up(&t);
    world_destroy(w);
}

static size_t debts(const struct trainer *t)
{
    size_t n = 0;
    LIST_EACH (at, &t->intake.debts)
        n++;
    return n;
}

static void a_repeat_is_acked_when_it_is_on_disk(void **state)
{
    struct world *w = *state;
    struct trainer t;
    connect(&t, w);
    w->disk.broken = true;
    progresses(&t, "a", 5);
    progresses(&t, "b", 5);
    for (unsigned i = 0; i < 1000; i++) {
        progresses(&t, "a", 5);
        progresses(&t, "b", 4);
    }
    hears(&t, "");
    assert_in_range(debts(&t), 2, 4); /* memory does not grow with repeats */
    w->disk.broken = false;
    try_again(w);
    assert_int_equal(debts(&t), 0);
    assert_non_null(strstr(t.answers.ptr, ACK("a", 5)));
    buf_reset(&t.answers);
    progresses(&t, "a", 5);
    hears(&t, ACK("a", 5)); /* at once */
    hang_up(&t);
}

static void two_connections_hear_of_what_each_has_said(void **state)
{
    (void)state;
    struct world *w = slow_world();
    struct trainer one;
    struct trainer two;
    connect(&one, w);
    connect(&two, w);
    progresses(&one, "a", 1);
    progresses(&two, "a", 2);
    progresses(&one, "b", 7);
    world_advance(w, 50 * MS);
    hears(&one, ACK("a", 1) ACK("b", 7));
    hears(&two, ACK("a", 2));
    hang_up(&one);
    hang_up(&two);
    world_destroy(w);
}

static void who_hangs_up_is_owed_nothing(void **state)
{
    struct world *w = *state;
    struct trainer t;
    connect(&t, w);
    w->disk.broken = true;
    progresses(&t, "a", 1);
    progresses(&t, "b", 1);
    hang_up(&t);
    w->disk.broken = false;
    try_again(w);
    assert_int_equal(world_session(w, "a")->durable_seq, 1);
}

static void a_session_that_is_removed_meanwhile_is_not_acked(void **state)
{
    struct world *w = *state;
    struct trainer t;
    struct store_session row;
    connect(&t, w);
    w->disk.broken = true;
    progresses(&t, "a", 1);
    progresses(&t, "b", 1);
    world_enter(w);
    registry_remove(&w->app->registry, world_session(w, "a"));
    world_leave(w);
    w->disk.broken = false;
    try_again(w);
    hears(&t, ACK("b", 1));
    assert_int_equal(w->disk.base.ops->next_session(&w->disk.base, 0, &row), OK);
    assert_true(span_is(row.id, "b"));
    assert_int_equal(w->disk.base.ops->next_session(&w->disk.base, row.key, &row), E_NOT_FOUND);
    hang_up(&t);
}

static void a_seq_of_an_earlier_start_acks_nothing_of_a_later_one(void **state)
{
    (void)state;
    struct world *w = slow_world();
    struct trainer one;
    struct trainer two;
    connect(&one, w);
    connect(&two, w);
    progresses(&one, "a", 50);
    w->disk.broken = true;
    world_advance(w, 60 * MS); /* handed over, and not on disk */
    talks(&two, START("a"));
    progresses(&two, "a", 60);
    w->disk.broken = false;
    world_jump(w, 0); /* only what was handed over */
    assert_int_equal(session_durable_seq(world_session(w, "a")), 0);
    hears(&one, ACK("a", 50)); /* which is true */
    progresses(&two, "a", 40);
    hears(&two, STARTED("a", 0));
    world_advance(w, 60 * MS);
    hears(&two, ACK("a", 60));
    hang_up(&one);
    hang_up(&two);
    world_destroy(w);
}

/* ---- a POST ---- */

/* Posts one line; false while there is no answer, which *req is kept for. */
static bool posts(struct client *c, struct request *req, const char *body)
{
    *req = (struct request){.method = METHOD_POST,
                            .path = SPAN("/api/training/ingest"),
                            .content_type = SPAN("application/x-ndjson"),
                            .body = span_of(body)};
    client_asks_http(c, &c->stream, req);
    return !c->stream->awaits;
}

static int answer(struct conn *conn, const char *has)
{
    struct http_answer a;
    assert_true(http_answer_take(&conn->wire, false, &a));
    buf_add_char(&a.body, '\0');
    if (!strstr(a.body.ptr, has))
        fail_msg("no %s in %s", has, a.body.ptr);
    int status = a.status;
    http_answer_fini(&a);
    return status;
}

#define POST "{\"type\":\"progress\",\"sessionId\":\"p\",\"seq\":1,\"metrics\":{\"step\":1}}\n"

static void a_post_is_answered_when_its_lines_are_on_disk(void **state)
{
    (void)state;
    struct world *w = slow_world();
    struct client *c = client_nobody(w);
    struct request req;
    c->tongue = SSE;
    w->keeps_still = true;
    world_enter(w);
    assert_false(posts(c, &req, POST)); /* within the wake-up */
    unsigned commits = w->disk.commits;
    world_leave(w);
    assert_int_equal(w->disk.commits, commits + 1); /* it does not wait for the interval */
    assert_false(c->stream->awaits);
    assert_int_equal(answer(c->stream, "\"accepted\":1,\"sessionId\":\"p\",\"lastSeq\":1"), 200);
    assert_true(posts(c, &req, POST)); /* a repeat is on disk already */
    assert_int_equal(answer(c->stream, "\"lastSeq\":1"), 200);
    w->keeps_still = false;
    world_destroy(w);
}

static void a_post_to_a_disk_in_trouble_is_told_to_come_again(void **state)
{
    struct world *w = *state;
    struct client *c = client_nobody(w);
    struct request req;
    c->tongue = SSE;
    w->keeps_still = true;
    w->disk.broken = true;
    for (unsigned i = 0; i < 3; i++) {
        assert_true(posts(c, &req, POST));
        assert_int_equal(answer(c->stream, "send the same lines again"), 503);
    }
    assert_int_equal(series_newest(world_session(w, "p")->series), 1); /* and shown once */
    w->disk.broken = false;
    try_again(w);
    assert_true(posts(c, &req, POST));
    assert_int_equal(answer(c->stream, "\"lastSeq\":1"), 200);
    assert_int_equal(series_newest(world_session(w, "p")->series), 1);
    w->keeps_still = false;
}

static void trouble_is_on_health_with_its_reason(void **state)
{
    struct world *w = *state;
    struct request health = {.method = METHOD_GET, .path = SPAN("/health")};
    struct client *c = client_nobody(w);
    c->tongue = SSE;
    w->keeps_still = true;
    client_asks_http(c, &c->stream, &health);
    assert_int_equal(answer(c->stream, "\"status\":\"healthy\""), 200);
    w->disk.broken = true;
    trainer_logs(w, "a", 1);
    client_asks_http(c, &c->stream, &health);
    assert_int_equal(answer(c->stream, "\"status\":\"degraded\""), 503);
    client_asks_http(c, &c->stream, &health);
    assert_int_equal(answer(c->stream, "\"store_trouble\":\"broken\""), 503);
    w->disk.broken = false;
    try_again(w);
    client_asks_http(c, &c->stream, &health);
    assert_int_equal(answer(c->stream, "\"status\":\"healthy\""), 200);
    w->keeps_still = false;
}

static void watchers_go_on_while_the_disk_is_in_trouble(void **state)
{
    struct world *w = *state;
    trainer_logs(w, "a", 0);
    struct client *c = client_watch(w, SOCKETIO, "a");
    (void)client_hears(c, "session_status");
    client_hears_step(c, 0);
    w->disk.broken = true;
    for (unsigned i = 1; i <= 5; i++) {
        trainer_logs(w, "a", i);
        world_advance(w, SECOND);
        client_hears_step(c, i);
    }
    w->disk.broken = false;
}

/* ---- what is on disk ---- */

/* "1-3 4-9": the runs of the only session. */
static void has_runs(struct world *w, const char *expected)
{
    char text[512] = "";
    size_t n = 0;
    struct store *s = w->disk.rows;
    struct store_run run = {.first = 0};
    while (s->ops->next_run(s, 1, run.first + run.count, &run) == OK)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%llu-%llu", n ? " " : "",
                              (unsigned long long)run.first,
                              (unsigned long long)(run.first + run.count - 1));
    assert_string_equal(text, expected);
}

static void says_many(struct trainer *t, unsigned from, unsigned to)
{
    for (unsigned n = from; n <= to; n++)
        assert_int_equal(logs(t, "a", n, n), OK);
}

static void a_run_ends_where_what_is_remembered_changes(void **state)
{
    (void)state;
    struct world *w = slow_world();
    struct trainer t;
    connect(&t, w);
    begins(&t);
    says_many(&t, 1, 5);
    assert_int_equal(says(&t, "{\"type\":\"model_completed\",\"sessionId\":\"a\",\"seq\":6}"), OK);
    says_many(&t, 7, 9);
    assert_int_equal(says(&t, START("b")), OK);
    says_many(&t, 10, 10);
    assert_int_equal(says(&t, RESUME("a")), OK);
    assert_int_equal(logs(&t, "a", 11, 8), OK); /* a rewind */
    assert_int_equal(logs(&t, "a", 12, 9), OK);
    ends(&t);
    world_advance(w, 50 * MS);
    has_runs(w, "1-5 6-9 10-11");
    hang_up(&t);
    world_destroy(w);
}

static void a_batch_has_a_thousand_records_and_a_run_a_megabyte(void **state)
{
    (void)state;
    struct world *w = slow_world();
    struct trainer t;
    char *line = malloc(60000);
    connect(&t, w);
    begins(&t);
    says_many(&t, 1, 2500);
    assert_true(keeper_pending(w->app->registry.keeping.keeper) == 2);
    ends(&t);
    world_advance(w, 50 * MS);
    has_runs(w, "1-1000 1001-2000 2001-2500");
    hears(&t, ACK("a", 2500)); /* the chunk was one */
    begins(&t);
    for (unsigned n = 0; n < 20; n++) {
        size_t at = (size_t)sprintf(line,
                                    "{\"type\":\"progress\",\"sessionId\":\"a\",\"seq\":%u,"
                                    "\"metrics\":{\"step\":%u,\"x\":1",
                                    2501 + n, 2501 + n);
        memset(line + at, ' ', 59000 - at);
        strcpy(line + 59000, "}}");
        assert_int_equal(says(&t, line), OK);
    }
    ends(&t);
    world_advance(w, 50 * MS);
    has_runs(w, "1-1000 1001-2000 2001-2500 2501-2518 2519-2520");
    free(line);
    hang_up(&t);
    world_destroy(w);
}

/* Wherever the process dies: every record has its seq on disk, and every seq its records. */
static void a_record_and_its_seq_are_in_the_same_batch(void **state)
{
    static const unsigned lines[] = {1, 999, 1000, 1001, 1999, 2000, 2001};
    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct world *w = slow_world();
        struct trainer t;
        connect(&t, w);
        begins(&t);
        says_many(&t, 1, lines[i]);
        ends(&t);
        hang_up(&t);
        world_crashes(w);
        world_begin(w);
        const struct session *s = registry_find(&w->app->registry, SPAN("a"));
        assert_true(s || lines[i] < 1000);
        if (s) {
            assert_int_equal(s->last_seq, lines[i] / 1000 * 1000);
            assert_int_equal(series_newest(s->series), s->last_seq);
        }
        world_destroy(w);
    }
}

/* Whichever allocation fails: what was taken is kept, once, and nothing else is. */
static void a_batch_is_all_or_nothing_when_memory_is_short(void **state)
{
    enum { LINES = 6 };
    (void)state;
    bool failed = true;
    for (size_t n = 1; failed; n++) {
        struct world *w = slow_world();
        struct trainer t;
        unsigned last = 1;
        unsigned taken = 1;
        connect(&t, w);
        progresses(&t, "a", 1);
        talks(&t, RESUME("a"));
        begins(&t);
        oom_fail(n);
        for (unsigned i = 2; i < LINES; i++) {
            if (logs(&t, "a", i, i) == OK) {
                last = i;
                taken++;
            }
        }
        if (says(&t, "{\"type\":\"complete\",\"sessionId\":\"a\"}") != OK)
            fail_msg("an end needs no memory");
        ends(&t);
        keeping_flush(&w->app->registry.keeping);
        failed = oom_failed();
        world_advance(w, SECOND);
        struct session *s = world_session(w, "a");
        assert_int_equal(s->last_seq, last);
        assert_int_equal(s->durable_seq, last);
        assert_int_equal(series_newest(s->series), taken);
        hang_up(&t);
        world_crashes(w);
        world_begin(w);
        s = world_session(w, "a");
        assert_int_equal(s->last_seq, last);
        assert_int_equal(s->state, SESSION_COMPLETED);
        assert_int_equal(series_newest(s->series), taken);
        struct series_cursor c;
        struct series_entry entry;
        assert_true(session_latest(s, &c, &entry));
        assert_true(num_double(entry.record.field[F_CURRENT_STEP]) == last);
        series_cursor_fini(&c);
        struct archive_cursor all;
        archive_cursor_init(&all, &w->disk.base, &w->app->decoder, s->key, 1);
        for (uint64_t offset = 1; offset <= taken; offset++) {
            assert_int_equal(archive_cursor_next(&all, &entry), OK);
            assert_int_equal(entry.offset, offset);
        }
        assert_int_equal(archive_cursor_next(&all, &entry), E_NOT_FOUND);
        archive_cursor_fini(&all);
        world_destroy(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ack_comes_with_the_commit),
        WORLD_TEST(no_ack_comes_while_commits_fail_and_all_of_them_afterwards),
        cmocka_unit_test(lines_of_several_sessions_in_one_batch_are_one_ack_each),
        WORLD_TEST(a_repeat_is_acked_when_it_is_on_disk),
        cmocka_unit_test(two_connections_hear_of_what_each_has_said),
        WORLD_TEST(who_hangs_up_is_owed_nothing),
        WORLD_TEST(a_session_that_is_removed_meanwhile_is_not_acked),
        cmocka_unit_test(a_seq_of_an_earlier_start_acks_nothing_of_a_later_one),
        cmocka_unit_test(a_post_is_answered_when_its_lines_are_on_disk),
        WORLD_TEST(a_post_to_a_disk_in_trouble_is_told_to_come_again),
        WORLD_TEST(trouble_is_on_health_with_its_reason),
        WORLD_TEST(watchers_go_on_while_the_disk_is_in_trouble),
        cmocka_unit_test(a_run_ends_where_what_is_remembered_changes),
        cmocka_unit_test(a_batch_has_a_thousand_records_and_a_run_a_megabyte),
        cmocka_unit_test(a_record_and_its_seq_are_in_the_same_batch),
        cmocka_unit_test(a_batch_is_all_or_nothing_when_memory_is_short),
    };
    return cmocka_run_group_tests_name("flow/durable", tests, NULL, NULL);
}
