/* SPDX-License-Identifier: MIT */
#include "clients/c/courier.h"
#include "tests/clients/c/spool_folder.h"

enum { SECOND_US = 1000 * 1000 };

struct world {
    struct fake_daemon daemon;
    struct courier courier;
    pthread_mutex_t lock;
    uint64_t now_us;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    fake_folder(&w->daemon);
    (void)pthread_mutex_init(&w->lock, NULL);
    const struct courier_params params = {.folder = w->daemon.spool,
                                          .session_id = SPAN("mine"),
                                          .to = w->daemon.path,
                                          .fork_lock = &w->lock};
    courier_init(&w->courier, &params);
    w->now_us = 1000 * (uint64_t)SECOND_US;
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    courier_fini(&w->courier);
    (void)pthread_mutex_destroy(&w->lock);
    fake_end(&w->daemon);
    free(w);
    return 0;
}

/* A file as a run would leave it; answers its descriptor, which the caller closes. */
static int leave(struct world *w, const char *name, const char *session, const char *fields,
                 const char *lines)
{
    char path[512];
    assert_true(spool_make_folder(w->daemon.spool));
    (void)snprintf(path, sizeof(path), "%s/%s", w->daemon.spool, name);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_true(dprintf(fd,
                        "{\"type\":\"start\",\"sessionId\":\"%s\",\"resume\":true,"
                        "\"spoolTo\":\"%s\"%s}\n%s",
                        session, w->daemon.path, fields, lines) > 0);
    return fd;
}

#define EPOCH(session, seq)                                                                        \
    "{\"type\":\"epoch\",\"sessionId\":\"" session "\",\"seq\":" seq ",\"metrics\":{\"epoch\":1}}" \
    "\n"
#define COMPLETE(session, seq)                                                                     \
    "{\"type\":\"complete\",\"sessionId\":\"" session "\",\"seq\":" seq "}\n"

static void leave_and_close(struct world *w, const char *name, const char *session,
                            const char *fields, const char *lines)
{
    assert_int_equal(close(leave(w, name, session, fields, lines)), 0);
}

/* Turns until the daemon's end has something to hear. */
static void turn_until_heard(struct world *w)
{
    struct fake_daemon *d = &w->daemon;
    struct pollfd ready = {.fd = d->connection >= 0 ? d->connection : d->listener,
                           .events = POLLIN};
    for (int turns = 0; turns < 100; turns++) {
        if (poll(&ready, 1, 0) == 1)
            return;
        assert_int_equal(courier_beside(&w->courier, w->now_us), COURIER_GOES_ON);
    }
    fail_msg("nothing came");
}

static void hear_start(struct world *w, const char *session)
{
    fake_hang_up(&w->daemon);
    turn_until_heard(w);
    fake_accept(&w->daemon);
    turn_until_heard(w);
    fake_hear(&w->daemon);
    assert_int_equal(w->daemon.line.type, LINE_START);
    assert_true(span_is(w->daemon.line.session_id, session));
}

static void answer(struct world *w, uint64_t last_seq)
{
    fake_say(&w->daemon, "{\"type\":\"started\",\"lastSeq\":%llu}\n", (unsigned long long)last_seq);
    assert_int_equal(courier_beside(&w->courier, w->now_us), COURIER_GOES_ON);
}

static void expect(struct world *w, enum line_type type, uint64_t seq)
{
    if (w->daemon.framer.chunk.len == 0)
        turn_until_heard(w);
    fake_expect(&w->daemon, type, seq);
}

/* Turns until the round is over. */
static void finish_round(struct world *w)
{
    for (int turns = 0; turns < 100; turns++) {
        if (courier_beside(&w->courier, w->now_us) == COURIER_DONE)
            return;
    }
    fail_msg("the round never ended");
}

static size_t files(const struct world *w)
{
    return fake_spooled(&w->daemon, NULL, 0);
}

static void a_file_is_sent_on_its_own_connection_and_goes_when_acknowledged(void **state)
{
    struct world *w = *state;
    leave_and_close(w, "1-1-r1.ndjson", "r1", "", EPOCH("r1", "1") COMPLETE("r1", "2"));
    fake_listen(&w->daemon);
    courier_begin(&w->courier);
    hear_start(w, "r1");
    answer(w, 0);
    expect(w, LINE_EPOCH, 1);
    expect(w, LINE_COMPLETE, 2);
    fake_ack(&w->daemon, 1);
    assert_int_equal(courier_beside(&w->courier, w->now_us), COURIER_GOES_ON);
    assert_int_equal(files(w), 1);
    fake_ack(&w->daemon, 2);
    finish_round(w);
    assert_int_equal(files(w), 0);
    assert_false(fake_hear_or_end(&w->daemon));
}

static void what_the_daemon_has_is_not_sent_again(void **state)
{
    struct world *w = *state;
    leave_and_close(w, "1-1-r1.ndjson", "r1", "",
                    EPOCH("r1", "1") EPOCH("r1", "2") COMPLETE("r1", "3"));
    fake_listen(&w->daemon);
    courier_begin(&w->courier);
    hear_start(w, "r1");
    answer(w, 2);
    expect(w, LINE_COMPLETE, 3);
    fake_ack(&w->daemon, 3);
    finish_round(w);
    assert_int_equal(files(w), 0);
}

static void a_long_file_whose_lines_the_daemon_has_is_read_to_its_new_ones(void **state)
{
    struct world *w = *state;
    struct buf lines;
    buf_init(&lines, 1 << 20);
    for (unsigned n = 1; n <= 2500; n++)
        buf_addf(&lines, "{\"type\":\"epoch\",\"sessionId\":\"r1\",\"seq\":%u,\"metrics\":{}}\n",
                 n);
    assert_true(lines.len > 2 * SPOOL_CHUNK_BYTES);
    buf_add_str(&lines, COMPLETE("r1", "2501"));
    buf_add_char(&lines, '\0');
    leave_and_close(w, "1-1-r1.ndjson", "r1", "", lines.ptr);
    buf_fini(&lines);
    fake_listen(&w->daemon);
    courier_begin(&w->courier);
    hear_start(w, "r1");
    answer(w, 2500);
    expect(w, LINE_COMPLETE, 2501);
    fake_ack(&w->daemon, 2501);
    finish_round(w);
    assert_int_equal(files(w), 0);
}

static void damage_longer_than_a_line_is_passed_over_and_so_is_an_answer_that_is_none(void **state)
{
    struct world *w = *state;
    enum { DAMAGE = 300000 };
    char *lines = calloc(1, DAMAGE + 1000);
    assert_non_null(lines);
    (void)snprintf(lines, DAMAGE + 1000, EPOCH("r1", "1") "%0*d\n" COMPLETE("r1", "3"), DAMAGE, 0);
    leave_and_close(w, "1-1-r1.ndjson", "r1", "", lines);
    free(lines);
    fake_listen(&w->daemon);
    courier_begin(&w->courier);
    hear_start(w, "r1");
    fake_say(&w->daemon, "nonsense\n[]\n");
    answer(w, 0);
    expect(w, LINE_EPOCH, 1);
    expect(w, LINE_COMPLETE, 3);
    fake_ack(&w->daemon, 3);
    finish_round(w);
    assert_int_equal(files(w), 0);
}

static void torn_and_damaged_lines_are_passed_over(void **state)
{
    struct world *w = *state;
    leave_and_close(w, "1-1-r1.ndjson", "r1", "",
                    EPOCH("r1", "1") "\x01\x02\n" EPOCH("r1", "x") EPOCH(
                        "r1", "4") "{\"type\":\"epoch\",\"sessionId\":\"r1\",\"seq\":5,\"met");
    fake_listen(&w->daemon);
    courier_begin(&w->courier);
    hear_start(w, "r1");
    answer(w, 0);
    expect(w, LINE_EPOCH, 1);
    expect(w, LINE_EPOCH, 4);
    fake_ack(&w->daemon, 4);
    finish_round(w);
    assert_int_equal(files(w), 0);
}

static void relative_numbers_are_settled_before_a_line_is_sent_and_never_again(void **state)
{
    struct world *w = *state;
    leave_and_close(w, "1-1-r1.ndjson", "r1", ",\"seqBase\":\"" SPOOL_BASE_UNKNOWN "\"",
                    EPOCH("r1", "1") COMPLETE("r1", "2"));
    fake_listen(&w->daemon);
    courier_begin(&w->courier);
    hear_start(w, "r1");
    answer(w, 40);
    char *text = spooled_text(&w->daemon);
    assert_non_null(strstr(text, "\"seqBase\":\"00000000000000000040\"}\n"));
    free(text);
    expect(w, LINE_EPOCH, 41);
    courier_stop(&w->courier); /* as if killed */
    assert_int_equal(files(w), 1);

    courier_begin(&w->courier);
    hear_start(w, "r1");
    answer(w, 41);
    expect(w, LINE_COMPLETE, 42);
    fake_ack(&w->daemon, 42);
    finish_round(w);
    assert_int_equal(files(w), 0);
}

static void a_locked_file_a_stranger_and_another_daemon_s_are_left_alone(void **state)
{
    struct world *w = *state;
    int locked = leave(w, "1-1-r1.ndjson", "r1", "", COMPLETE("r1", "1"));
    assert_true(spool_lock(locked));
    leave_and_close(w, "2-1-r1.ndjson", "r1", "", COMPLETE("r1", "2")); /* behind the locked one */
    leave_and_close(w, "3-1-r3.ndjson", "other", "", COMPLETE("r3", "1"));
    leave_and_close(w, "4-1-r4.ndjson", "r4", ",\"spoolTo\":\"/elsewhere\"", COMPLETE("r4", "1"));
    leave_and_close(w, "5-1-r5.txt", "r5", "", COMPLETE("r5", "1"));
    leave_and_close(w, "6-1-r6.ndjson", "r6", ",\"seqBase\":\"x\"", COMPLETE("r6", "1"));
    fake_listen(&w->daemon);
    courier_begin(&w->courier);
    finish_round(w);
    assert_int_equal(files(w), 6);
    struct pollfd nobody = {.fd = w->daemon.listener, .events = POLLIN};
    assert_int_equal(poll(&nobody, 1, 0), 0);
    assert_int_equal(close(locked), 0);
}

static void an_empty_file_goes(void **state)
{
    struct world *w = *state;
    char path[512];
    leave_and_close(w, "1-1-r1.ndjson", "r1", "", "");
    (void)fake_spooled(&w->daemon, path, sizeof(path));
    assert_int_equal(truncate(path, 0), 0);
    courier_begin(&w->courier);
    finish_round(w);
    assert_int_equal(files(w), 0);
}

static void without_a_daemon_the_file_stays_and_the_run_waits(void **state)
{
    struct world *w = *state;
    leave_and_close(w, "1-1-mine.ndjson", "mine", "", COMPLETE("mine", "1"));
    leave_and_close(w, "2-1-mine.ndjson", "mine", "", COMPLETE("mine", "2"));
    enum courier_result result;
    for (int minutes = 0; minutes < 10; minutes++) {
        while ((result = courier_before(&w->courier, "", w->now_us)) == COURIER_GOES_ON)
            continue;
        assert_int_equal(result, COURIER_WAIT);
        w->now_us += 60 * (uint64_t)SECOND_US;
    }
    assert_int_equal(files(w), 2);
}

static void a_run_waits_a_while_for_whoever_holds_its_own_file(void **state)
{
    struct world *w = *state;
    int locked = leave(w, "1-1-mine.ndjson", "mine", "", COMPLETE("mine", "1"));
    assert_true(spool_lock(locked));
    fake_listen(&w->daemon);
    assert_int_equal(courier_before(&w->courier, "", w->now_us), COURIER_WAIT);
    assert_int_equal(courier_before(&w->courier, "", w->now_us + 9 * (uint64_t)SECOND_US),
                     COURIER_WAIT);
    assert_int_equal(courier_before(&w->courier, "", w->now_us + 10 * (uint64_t)SECOND_US),
                     COURIER_DONE);
    assert_int_equal(close(locked), 0);
}

static void a_hung_daemon_and_one_that_wants_it_again_leave_the_file(void **state)
{
    struct world *w = *state;
    leave_and_close(w, "1-1-r1.ndjson", "r1", "", COMPLETE("r1", "1"));
    fake_listen(&w->daemon);
    courier_begin(&w->courier);
    hear_start(w, "r1");
    w->now_us += 6 * (uint64_t)SECOND_US;
    finish_round(w);
    assert_int_equal(files(w), 1);

    courier_begin(&w->courier);
    hear_start(w, "r1");
    answer(w, 0);
    expect(w, LINE_COMPLETE, 1);
    fake_say(&w->daemon, "{\"type\":\"error\",\"code\":\"resend\",\"message\":\"disk\"}\n");
    finish_round(w);
    assert_int_equal(files(w), 1);
}

static void a_file_that_cannot_be_read_just_now_is_sent_another_time(void **state)
{
    struct world *w = *state;
    char path[512];
    leave_and_close(w, "1-1-r1.ndjson", "r1", "", EPOCH("r1", "1") COMPLETE("r1", "2"));
    fake_listen(&w->daemon);
    courier_begin(&w->courier);
    hear_start(w, "r1");
    answer(w, 0);
    (void)fake_spooled(&w->daemon, path, sizeof(path));
    int unreadable = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(dup2(unreadable, w->courier.file.fd), w->courier.file.fd);
    assert_int_equal(close(unreadable), 0);
    finish_round(w);
    assert_int_equal(files(w), 1);

    courier_begin(&w->courier);
    hear_start(w, "r1");
    answer(w, 0);
    expect(w, LINE_EPOCH, 1);
    expect(w, LINE_COMPLETE, 2);
    fake_ack(&w->daemon, 2);
    finish_round(w);
    assert_int_equal(files(w), 0);
}

static void a_last_line_that_is_refused_does_not_hold_the_file_for_ever(void **state)
{
    struct world *w = *state;
    leave_and_close(w, "1-1-r1.ndjson", "r1", "", EPOCH("r1", "1") COMPLETE("r1", "2"));
    fake_listen(&w->daemon);
    courier_begin(&w->courier);
    hear_start(w, "r1");
    answer(w, 0);
    expect(w, LINE_EPOCH, 1);
    expect(w, LINE_COMPLETE, 2);
    fake_say(&w->daemon, "{\"type\":\"error\",\"code\":\"state\",\"message\":\"no\"}\n");
    fake_ack(&w->daemon, 1);
    for (int turns = 0; turns < 3; turns++)
        assert_int_equal(courier_beside(&w->courier, w->now_us), COURIER_GOES_ON);
    w->now_us += 6 * (uint64_t)SECOND_US;
    finish_round(w);
    assert_int_equal(files(w), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_sent_on_its_own_connection_and_goes_when_acknowledged),
        TEST(what_the_daemon_has_is_not_sent_again),
        TEST(a_long_file_whose_lines_the_daemon_has_is_read_to_its_new_ones),
        TEST(damage_longer_than_a_line_is_passed_over_and_so_is_an_answer_that_is_none),
        TEST(torn_and_damaged_lines_are_passed_over),
        TEST(relative_numbers_are_settled_before_a_line_is_sent_and_never_again),
        TEST(a_locked_file_a_stranger_and_another_daemon_s_are_left_alone),
        TEST(an_empty_file_goes),
        TEST(without_a_daemon_the_file_stays_and_the_run_waits),
        TEST(a_run_waits_a_while_for_whoever_holds_its_own_file),
        TEST(a_hung_daemon_and_one_that_wants_it_again_leave_the_file),
        TEST(a_file_that_cannot_be_read_just_now_is_sent_another_time),
        TEST(a_last_line_that_is_refused_does_not_hold_the_file_for_ever),
    };
    return cmocka_run_group_tests_name("clients/c/courier", tests, NULL, NULL);
}
