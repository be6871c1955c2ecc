/* SPDX-License-Identifier: MIT */
/* What an earlier relay left on the disk. */
#include "streamd/relay/relay.h"

#include "streamd/relay/carrier.h"
#include "streamd/relay/posting.h"
#include "tests/clients/c/spool_folder.h"
#include "tests/streamd/relay/relay_world.h"

/* An earlier relay has ended with a line of `run` in its file, whose path this is. */
static void a_file_is_left(struct relay_world *w, char path[512])
{
    (void)close(w->hub.listener);
    w->hub.listener = -1;
    trainer_comes(w, 0);
    trainer_says(w, "{\"type\":\"start\",\"sessionId\":\"run\"}");
    trainer_says(w, "{\"type\":\"progress\",\"seq\":1,\"metrics\":{}}");
    trainer_leaves(w);
    relay_ends(w);
    assert_int_equal(fake_spooled(&w->place, path, 512), 1);
}

static size_t lines_of_run(struct relay_world *w)
{
    const struct carrier *c = relay_find(w->relay, SPAN("run"));
    return c ? backlog_lines(&c->backlog) : 0;
}

static void a_file_that_another_process_has_is_left_to_it(void **state)
{
    struct relay_world *w = *state;
    char path[512];
    a_file_is_left(w, path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0 && spool_lock(fd));
    relay_begins(w);
    assert_int_equal(lines_of_run(w), 0);
    relay_ends(w);
    (void)close(fd);
    relay_begins(w);
    assert_int_equal(lines_of_run(w), 1);
}

static void of_two_files_of_one_run_the_later_waits_for_the_next_relay(void **state)
{
    struct relay_world *w = *state;
    char path[512];
    char other[512];
    char *text;
    a_file_is_left(w, path);
    text = spooled_text(&w->place);
    (void)snprintf(other, sizeof(other), "%s/9-9-run%s", w->place.spool, SPOOL_SUFFIX);
    int fd = open(other, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    (void)close(fd);
    free(text);
    relay_begins(w);
    assert_int_equal(lines_of_run(w), 1);
    assert_int_equal(fake_spooled(&w->place, NULL, 0), 2);
}

static void an_operation_refused_for_want_of_room_leaves_nothing_behind(void **state)
{
    const struct posting_ask ask = {
        .kind = POSTING_BEGIN, .id = SPAN("run"), .object = SPAN("{}"), .type = SPAN("data_load")};
    struct relay_world *w = *state;
    struct reply reply;
    (void)close(w->hub.listener);
    w->hub.listener = -1;
    relay_ends(w);
    w->params.spool_bytes = 16;
    relay_begins(w);
    w->relay->reached = false;
    for (unsigned i = 0; i < 2; i++) {
        reply_init(&reply, REPLY_BODY_MAX);
        posting_take(w->relay, &ask, &reply);
        assert_int_equal(reply.status, 503);
        reply_fini(&reply);
        assert_int_equal(lines_of_run(w), 0);
    }
}

static void a_file_for_another_hub_waits_for_a_relay_to_that(void **state)
{
    struct relay_world *w = *state;
    const char *to = w->params.to;
    char path[512];
    a_file_is_left(w, path);
    w->params.to = "http://127.0.0.1:1";
    relay_begins(w);
    assert_int_equal(lines_of_run(w), 0);
    relay_ends(w);
    w->params.to = to;
    relay_begins(w);
    assert_int_equal(lines_of_run(w), 1);
}

static void what_was_refused_for_want_of_room_is_not_said_twice(void **state)
{
    const struct span line = SPAN("{\"type\":\"report\",\"sessionId\":\"run\",\"report\":{}}");
    struct relay_world *w = *state;
    const char *why;
    (void)close(w->hub.listener);
    w->hub.listener = -1;
    relay_ends(w);
    w->params.spool_bytes = 16;
    relay_begins(w);
    struct carrier *c = relay_run(w->relay, SPAN("run"), true);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(relay_post(w->relay, c, line, &why), E_IO);
        assert_int_equal(lines_of_run(w), 0);
        assert_int_equal(c->backlog.last_seq, 0);
    }
    c->backlog.spool.params.max_bytes = 1 << 20; /* somebody makes room */
    passes(w, 60ULL * SECOND);
    assert_int_equal(relay_post(w->relay, c, line, &why), OK);
    assert_int_equal(lines_of_run(w), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RELAY_TEST(a_file_that_another_process_has_is_left_to_it),
        RELAY_TEST(of_two_files_of_one_run_the_later_waits_for_the_next_relay),
        RELAY_TEST(what_was_refused_for_want_of_room_is_not_said_twice),
        RELAY_TEST(an_operation_refused_for_want_of_room_leaves_nothing_behind),
        RELAY_TEST(a_file_for_another_hub_waits_for_a_relay_to_that),
    };
    return cmocka_run_group_tests_name("streamd/relay/relay", tests, NULL, NULL);
}
