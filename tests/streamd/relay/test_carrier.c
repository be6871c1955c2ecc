/* SPDX-License-Identifier: MIT */
/* A run on its way to a hub that refuses, is silent or cannot be reached. */
#include "streamd/relay/carrier.h"

#include "tests/streamd/relay/relay_world.h"

#include <sys/resource.h>

static const char first[] =
    "{\"type\":\"progress\",\"sessionId\":\"run\",\"seq\":1,\"metrics\":{}}";
static const char second[] =
    "{\"type\":\"progress\",\"sessionId\":\"run\",\"seq\":2,\"metrics\":{}}";
static const char start_again[] = "{\"type\":\"start\",\"sessionId\":\"run\",\"resume\":true}\n";

/* It says where `run` stands. */
static void hub_begins(struct relay_world *w, unsigned last_seq)
{
    char line[128];
    const struct carrier *c = relay_find(w->relay, SPAN("run"));
    (void)snprintf(line, sizeof(line),
                   "{\"type\":\"started\",\"sessionId\":\"run\",\"lastSeq\":%u}", last_seq);
    hub_says(w, line);
    while (c->state != CARRIER_UP)
        sleeps(w);
}

/* A trainer has begun `run`, and the hub has heard of it. */
static void a_run_is_up(struct relay_world *w)
{
    trainer_comes(w, 0);
    trainer_says(w, "{\"type\":\"start\",\"sessionId\":\"run\"}");
    hub_takes(w, "{\"type\":\"start\",\"sessionId\":\"run\",\"resume\":false}\n");
    hub_begins(w, 0);
    trainer_hears(w, "\"type\":\"started\"");
}

static const struct carrier *run_of(struct relay_world *w)
{
    const struct carrier *c = relay_find(w->relay, SPAN("run"));
    assert_non_null(c);
    return c;
}

static void hub_hears_line(struct relay_world *w, const char *line)
{
    char text[256];
    (void)snprintf(text, sizeof(text), "%s\n", line);
    hub_hears_text(&w->hub, WS_BINARY, text);
}

static void until_state(struct relay_world *w, enum carrier_state state)
{
    while (run_of(w)->state != state)
        sleeps(w);
}

/* As the log has it. */
static void expect_why(struct relay_world *w, const char *text)
{
    char why[UPSTREAM_WHY_MAX];
    upstream_why(&w->hub.upstream, why);
    assert_string_equal(why, text);
}

static void
a_line_that_the_hub_refuses_is_told_to_its_trainer_and_given_up_in_five_seconds(void **state)
{
    struct relay_world *w = *state;
    a_run_is_up(w);
    trainer_says(w, first);
    hub_hears_line(w, first);
    hub_says(w, "{\"type\":\"error\",\"sessionId\":\"run\",\"code\":\"metrics\"}");
    trainer_hears(w, "{\"type\":\"error\",\"code\":\"metrics\"");
    passes(w, 4 * SECOND);
    assert_false(trainer_has_heard(w, "\"ack\""));
    passes(w, 1 * SECOND);
    trainer_hears(w, "{\"type\":\"ack\",\"sessionId\":\"run\",\"seq\":1}");
    assert_int_equal(run_of(w)->state, CARRIER_UP);
    trainer_says(w, second);
    hub_hears_line(w, second);
}

static void a_hub_is_left_five_seconds_after_its_last_ack_while_a_line_waits(void **state)
{
    struct relay_world *w = *state;
    a_run_is_up(w);
    trainer_says(w, first);
    passes(w, 2 * SECOND);
    trainer_says(w, second);
    passes(w, 1 * SECOND);
    hub_says(w, "{\"type\":\"ack\",\"sessionId\":\"run\",\"seq\":1}");
    trainer_hears(w, "\"seq\":1}");
    passes(w, 5 * SECOND - 1);
    assert_int_equal(run_of(w)->state, CARRIER_UP);
    passes(w, 1);
    assert_int_equal(run_of(w)->state, CARRIER_AWAY);
    passes(w, 100 * MS);
    hub_takes(w, start_again);
    hub_begins(w, 1);
    hub_hears_line(w, second);
}

static void a_hub_that_never_says_where_a_run_stands_is_left(void **state)
{
    struct relay_world *w = *state;
    trainer_comes(w, 0);
    trainer_says(w, "{\"type\":\"start\",\"sessionId\":\"run\"}");
    hub_takes(w, "{\"type\":\"start\",\"sessionId\":\"run\",\"resume\":false}\n");
    passes(w, 12 * SECOND - 1);
    assert_int_equal(run_of(w)->state, CARRIER_OPENING);
    passes(w, 1);
    assert_int_equal(run_of(w)->state, CARRIER_AWAY);
    expect_why(w, "the hub does not say where the run stands");
    hub_hears_text(&w->hub, WS_CLOSE, "\x03\xe8");
}

static void a_hub_that_lacks_what_was_said_hears_it_all_again(void **state)
{
    static const char *const codes[] = {"resend", "session_finished"};
    char line[128];
    struct relay_world *w = *state;
    a_run_is_up(w);
    trainer_says(w, first);
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        hub_hears_line(w, first);
        (void)snprintf(line, sizeof(line),
                       "{\"type\":\"error\",\"sessionId\":\"run\",\"code\":\"%s\"}", codes[i]);
        hub_says(w, line);
        until_state(w, CARRIER_AWAY);
        passes(w, 100 * MS);
        hub_takes(w, start_again);
        hub_begins(w, 0);
    }
    hub_hears_line(w, first);
    assert_false(trainer_has_heard(w, "\"error\""));
}

static void a_start_that_the_hub_refuses_is_said_again_after_a_second(void **state)
{
    struct relay_world *w = *state;
    trainer_comes(w, 0);
    trainer_says(w, "{\"type\":\"start\",\"sessionId\":\"run\"}");
    hub_takes(w, "{\"type\":\"start\",\"sessionId\":\"run\",\"resume\":false}\n");
    hub_says(w, "{\"type\":\"error\",\"sessionId\":\"run\",\"code\":\"limit\"}");
    until_state(w, CARRIER_AWAY);
    expect_why(w, "the hub refuses with \"limit\"");
    passes(w, 1 * SECOND - 1);
    assert_int_equal(run_of(w)->state, CARRIER_AWAY);
    passes(w, 200 * MS);
    hub_takes(w, "{\"type\":\"start\",\"sessionId\":\"run\",\"resume\":false}\n");
}

static void a_relay_without_a_descriptor_left_tries_again(void **state)
{
    struct relay_world *w = *state;
    struct rlimit before;
    trainer_comes(w, 0);
    settles(w);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    const struct rlimit none = {.rlim_cur = 3, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    trainer_says(w, "{\"type\":\"start\",\"sessionId\":\"run\"}");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(run_of(w)->state, CARRIER_AWAY);
    expect_why(w, "no thread, memory or descriptor for a connection");
    passes(w, 1200 * MS);
    hub_takes(w, "{\"type\":\"start\",\"sessionId\":\"run\",\"resume\":false}\n");
}

static void a_disk_that_takes_none_is_asked_again_after_a_second(void **state)
{
    enum { BYTES = 32 * 1024, LINES = RELAY_MEMORY_MAX / BYTES + 2 };
    static char line[BYTES];
    struct relay_world *w = *state;
    relay_ends(w);
    w->params.spool_bytes = 16;
    relay_begins(w);
    a_run_is_up(w);
    const struct carrier *c = run_of(w);
    for (size_t i = 1; i <= LINES; i++) {
        memset(line, 'x', sizeof(line));
        int len =
            snprintf(line, 80, "{\"type\":\"progress\",\"seq\":%zu,\"metrics\":{},\"text\":\"", i);
        line[len] = 'x';
        memcpy(line + BYTES - 3, "\"}", 3);
        trainer_says(w, line);
        while (c->backlog.count < i)
            sleeps(w);
    }
    settles(w);
    assert_int_equal(c->keep.due_us, w->now.us + 1 * SECOND);
    passes(w, 1 * SECOND);
    assert_int_equal(c->keep.due_us, w->now.us + 1 * SECOND);
    assert_int_equal(c->backlog.count, LINES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RELAY_TEST(a_line_that_the_hub_refuses_is_told_to_its_trainer_and_given_up_in_five_seconds),
        RELAY_TEST(a_hub_is_left_five_seconds_after_its_last_ack_while_a_line_waits),
        RELAY_TEST(a_hub_that_never_says_where_a_run_stands_is_left),
        RELAY_TEST(a_hub_that_lacks_what_was_said_hears_it_all_again),
        RELAY_TEST(a_start_that_the_hub_refuses_is_said_again_after_a_second),
        RELAY_TEST(a_relay_without_a_descriptor_left_tries_again),
        RELAY_TEST(a_disk_that_takes_none_is_asked_again_after_a_second),
    };
    return cmocka_run_group_tests_name("streamd/relay/carrier", tests, NULL, NULL);
}
