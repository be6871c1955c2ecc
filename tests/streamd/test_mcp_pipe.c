/* SPDX-License-Identifier: MIT */
/* An agent on the trainers' socket, where `streamd mcp-stdio` comes in, over a real one. */
#include "streamd/mcp/pipe.h"

#include "streamd/ingest/unix.h"
#include "streamd/mcp/listener.h"
#include "tests/support/http_world.h"
#include "tests/support/oom.h"
#include "tests/support/socket_place.h"

#include <ev.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define HELLO "{\"type\":\"mcp\"}\n"
#define INITIALIZE                                                                                 \
    "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"     \
    "\"2025-11-25\"}}\n"
#define PING "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n"

struct bench {
    struct world w;
    struct ev_loop *loop;
    struct socket_place place;
};

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    assert_non_null(b);
    socket_place_make(&b->place);
    world_config(&b->w);
    b->w.config.socket_path = b->place.path;
    world_open(&b->w);
    b->loop = ev_loop_new(EVFLAG_AUTO);
    struct app *app = b->w.app;
    app->control.unix_ingest =
        unix_ingest_create(&(struct unix_ingest_params){.config = &b->w.config,
                                                        .registry = &app->registry,
                                                        .decoder = &app->decoder,
                                                        .stats = &app->stats,
                                                        .loop = b->loop,
                                                        .now = &app->now,
                                                        .app = app,
                                                        .guest = mcp_pipe_take});
    assert_non_null(app->control.unix_ingest);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    struct app *app = b->w.app;
    mcp_pipes_destroy(&app->mcp);
    assert_int_equal(app->stats.mcp_pipes, 0);
    unix_ingest_destroy(app->control.unix_ingest);
    app->control.unix_ingest = NULL;
    world_close(&b->w);
    ev_loop_destroy(b->loop);
    socket_place_remove(&b->place);
    free(b);
    return 0;
}

static void run(struct bench *b)
{
    for (unsigned i = 0; i < 20; i++)
        ev_run(b->loop, EVRUN_NOWAIT);
}

static int connects(struct bench *b)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    (void)strcpy(address.sun_path, b->place.path);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    run(b);
    return fd;
}

static void says(struct bench *b, int fd, const char *lines)
{
    assert_int_equal(write(fd, lines, strlen(lines)), (ssize_t)strlen(lines));
    run(b);
}

/* All that has come has this in it. */
static void hears(int fd, const char *text)
{
    static char heard[65536];
    ssize_t n = read(fd, heard, sizeof(heard) - 1);
    heard[n > 0 ? n : 0] = '\0';
    if (!strstr(heard, text))
        fail_msg("no %s in %s", text, heard);
}

static bool is_hung_up(int fd)
{
    char bytes[4096];
    ssize_t n;
    while ((n = read(fd, bytes, sizeof(bytes))) > 0)
        ;
    return n == 0;
}

static void an_agent_says_at_which_endpoint_it_is(void **state)
{
    static const char *const cases[][2] = {
        {"{\"type\":\"mcp\"}\n", "get_status"},
        {"{\"type\":\"mcp\",\"endpoint\":\"/mcp\"}\n", "get_status"},
        {"{\"type\":\"mcp\",\"endpoint\":\"/mcp/operations\"}\n", "get_operation_status"},
    };
    struct bench *b = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int fd = connects(b);
        says(b, fd, cases[i][0]);
        hears(fd, HELLO);
        says(b, fd, INITIALIZE "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}\n");
        hears(fd, cases[i][1]);
        close(fd);
        run(b);
    }
    int fd = connects(b);
    says(b, fd, "{\"type\":\"mcp\",\"endpoint\":\"/nowhere\"}\n");
    hears(fd, "\"type\":\"error\""); /* a trainer's line, then, and a bad one */
    close(fd);
}

static void agents_have_their_number(void **state)
{
    struct bench *b = *state;
    b->w.config.mcp_max_sessions = 1;
    int first = connects(b);
    says(b, first, HELLO);
    int second = connects(b);
    says(b, second, HELLO);
    assert_true(is_hung_up(second));
    assert_int_equal(b->w.app->stats.connections_refused, 1);
    says(b, first, INITIALIZE PING);
    hears(first, "\"id\":1,\"result\":{}");
    close(first);
    close(second);
}

static void a_request_more_than_may_be_answered_at_once_is_refused(void **state)
{
    struct bench *b = *state;
    b->w.config.mcp_max_calls = 0;
    int fd = connects(b);
    says(b, fd, HELLO INITIALIZE);
    hears(fd, "As many requests are being answered as allowed");
    close(fd);
}

static void an_agent_that_says_no_more_still_hears_what_it_asked_for(void **state)
{
    struct bench *b = *state;
    int fd = connects(b);
    says(b, fd, HELLO INITIALIZE);
    hears(fd, "protocolVersion");
    says(b, fd,
         "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{\"name\":"
         "\"wait_for_event\",\"arguments\":{\"timeout_s\":5}}}\n");
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    run(b);
    assert_int_equal(b->w.app->stats.mcp_pipes, 1);
    world_pass(&b->w, 6);
    run(b);
    hears(fd, "\"id\":7,\"result\"");
    assert_true(is_hung_up(fd));
    close(fd);
}

static void an_agent_that_reads_nothing_of_what_it_listens_to_is_cut_off(void **state)
{
    struct bench *b = *state;
    struct app *app = b->w.app;
    b->w.config.max_outbox_bytes = 4096;
    int fd = connects(b);
    says(b, fd, HELLO INITIALIZE);
    says(b, fd,
         "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"resources/subscribe\",\"params\":{\"uri\":"
         "\"test://x\"}}\n");
    for (unsigned i = 0; i < 10000 && app->stats.mcp_pipes == 1; i++) {
        mcp_changed(app, SPAN("test://x"));
        world_pass(&b->w, 1);
        run(b);
    }
    assert_int_equal(app->stats.mcp_pipes, 0);
    assert_true(is_hung_up(fd));
    close(fd);
}

/* True: no allocation was left to fail. */
static bool is_answered_without(struct bench *b, size_t nth)
{
    static char heard[65536];
    int fd = connects(b);
    oom_fail(nth);
    says(b, fd, HELLO INITIALIZE "{\"jsonrpc\":\"2.0\",");
    if (b->w.app->stats.mcp_pipes == 1)
        says(b, fd, "\"id\":1,\"method\":\"ping\"}\n");
    bool failed = oom_failed();
    ssize_t n = read(fd, heard, sizeof(heard) - 1);
    heard[n > 0 ? n : 0] = '\0';
    bool answered = strstr(heard, "\"id\":1,\"result\":{}") != NULL;
    assert_true(answered || is_hung_up(fd) || strstr(heard, "\"error\""));
    close(fd);
    run(b);
    assert_int_equal(b->w.app->stats.mcp_pipes, 0);
    return !failed && answered;
}

static void an_agent_is_answered_or_hung_up_on_whichever_allocation_fails(void **state)
{
    size_t nth = 1;
    while (!is_answered_without(*state, nth))
        assert_true(++nth < 200);
    assert_true(nth > 5);
}

static void a_daemon_that_ends_hangs_up(void **state)
{
    struct bench *b = *state;
    int fd = connects(b);
    says(b, fd, HELLO);
    hears(fd, HELLO);
    mcp_pipes_destroy(&b->w.app->mcp);
    assert_true(is_hung_up(fd));
    close(fd);
}

#define PIPE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PIPE_TEST(an_agent_says_at_which_endpoint_it_is),
        PIPE_TEST(agents_have_their_number),
        PIPE_TEST(a_request_more_than_may_be_answered_at_once_is_refused),
        PIPE_TEST(an_agent_that_says_no_more_still_hears_what_it_asked_for),
        PIPE_TEST(an_agent_that_reads_nothing_of_what_it_listens_to_is_cut_off),
        PIPE_TEST(an_agent_is_answered_or_hung_up_on_whichever_allocation_fails),
        PIPE_TEST(a_daemon_that_ends_hangs_up),
    };
    return cmocka_run_group_tests_name("mcp/pipe", tests, NULL, NULL);
}
