/* SPDX-License-Identifier: MIT */
#include "clients/c/window.h"
#include "tests/clients/c/spool_folder.h"

#include <signal.h>
#include <sys/resource.h>

enum { MEMORY = 64 * 1024, SECOND_US = 1000 * 1000, BATCH = 64 * 1024 };

struct world {
    struct fake_daemon daemon; /* its folder, and the decoder; it never listens */
    struct queue queue;
    struct window window;
    pthread_mutex_t lock;
    struct buf out;
    uint64_t now_us;
    size_t given_up;
    bool acks; /* expect_sent acknowledges what it saw */
};

static const char start[] = "{\"type\":\"start\",\"sessionId\":\"r1\"";

static void begin(struct world *w, uint64_t spool_bytes, bool fresh)
{
    const struct window_params params = {
        .queue = &w->queue,
        .max_bytes = MEMORY,
        .spool = {.session_id = SPAN("r1"),
                  .start = SPAN(start),
                  .to = "/run/streamd.sock",
                  .folder = w->daemon.spool,
                  .max_bytes = spool_bytes,
                  .last_bytes = spool_bytes / 2,
                  .fresh = fresh,
                  .fork_lock = &w->lock},
    };
    assert_int_equal(queue_init(&w->queue, MEMORY), OK);
    buf_init(&w->out, 4 * BATCH);
    window_init(&w->window, &params);
    w->now_us = 1000 * (uint64_t)SECOND_US;
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    fake_folder(&w->daemon);
    (void)pthread_mutex_init(&w->lock, NULL);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    (void)window_fini(&w->window);
    (void)queue_fini(&w->queue);
    buf_fini(&w->out);
    (void)pthread_mutex_destroy(&w->lock);
    fake_end(&w->daemon);
    free(w);
    return 0;
}

static void put(struct world *w, enum line_type type)
{
    const struct streamd_metric metric = {"loss", 0.5};
    struct entry *e = type == LINE_PROGRESS ? entry_of_metrics(type, 1, &metric, 1)
                                            : entry_of_event(type, 0, "why");
    w->given_up += queue_put(&w->queue, e);
    window_relieve(&w->window, w->now_us);
}

static void put_values(struct world *w, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        put(w, LINE_PROGRESS);
}

/* All there is to send, as it comes: `first` to `last`, with nothing left out. */
static void expect_sent(struct world *w, uint64_t first, uint64_t last)
{
    uint64_t seq = first - 1;
    buf_reset(&w->out);
    while (window_write(&w->window, &w->out, BATCH)) {
        struct span rest = buf_span(&w->out);
        while (rest.len > 0) {
            struct spool_line line;
            assert_true(spool_line_read(span_cut(&rest, '\n'), &line));
            assert_int_equal(line.seq, ++seq);
        }
        buf_reset(&w->out);
        if (w->acks)
            window_ack(&w->window, seq);
    }
    assert_int_equal(seq, last);
}

static size_t files(const struct world *w)
{
    return fake_spooled(&w->daemon, NULL, 0);
}

static void memory_comes_first_and_a_file_only_after_it(void **state)
{
    struct world *w = *state;
    begin(w, 1 << 20, true);
    put_values(w, 10);
    expect_sent(w, 1, 10);
    assert_int_equal(files(w), 0);
    window_ack(&w->window, 10);
    assert_true(window_empty(&w->window));
}

static void file_memory_and_queue_are_one_stream(void **state)
{
    struct world *w = *state;
    begin(w, 1 << 20, true);
    put_values(w, 2000);
    assert_int_equal(w->given_up, 0);
    assert_int_equal(files(w), 1);
    expect_sent(w, 1, 2000);
    window_ack(&w->window, 1999);
    assert_false(window_empty(&w->window));
    window_ack(&w->window, 2000);
    assert_true(window_empty(&w->window));
    assert_int_equal(files(w), 0);
}

static void after_a_loss_it_goes_on_behind_the_last_acknowledgement(void **state)
{
    struct world *w = *state;
    begin(w, 1 << 20, true);
    put_values(w, 2000);
    expect_sent(w, 1, 2000);
    window_ack(&w->window, 37);
    window_rewind(&w->window);
    put_values(w, 5);
    expect_sent(w, 38, 2005);
}

static void what_was_sent_and_then_moved_to_the_file_is_not_sent_again(void **state)
{
    struct world *w = *state;
    begin(w, 1 << 20, true);
    put_values(w, 50);
    expect_sent(w, 1, 50);
    put_values(w, 1000);
    assert_int_equal(files(w), 1);
    expect_sent(w, 51, 1050);
    window_rewind(&w->window);
    expect_sent(w, 1, 1050);
}

static void a_file_is_the_user_s_alone_locked_and_begins_with_start(void **state)
{
    struct world *w = *state;
    struct stat info;
    char path[512];
    begin(w, 1 << 20, true);
    put_values(w, 2000);
    assert_int_equal(fake_spooled(&w->daemon, path, sizeof(path)), 1);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(stat(w->daemon.spool, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    assert_true(is_locked(&w->daemon));
    char *text = spooled_text(&w->daemon);
    assert_ptr_equal(strstr(text, "{\"type\":\"start\",\"sessionId\":\"r1\",\"resume\":true,"
                                  "\"spoolTo\":\"/run/streamd.sock\"}\n"),
                     text);
    free(text);
}

static void at_the_end_all_that_is_not_acknowledged_is_in_the_file(void **state)
{
    struct world *w = *state;
    begin(w, 1 << 20, true);
    put_values(w, 20);
    expect_sent(w, 1, 20);
    window_ack(&w->window, 15);
    put_values(w, 3);
    put(w, LINE_COMPLETE);
    window_keep(&w->window, w->now_us);
    assert_int_equal(window_given_up(&w->window), 0);
    assert_int_equal(window_fini(&w->window), 0);
    assert_int_equal(expect_spooled(&w->daemon, 16, 24, false), LINE_COMPLETE);
    assert_false(is_locked(&w->daemon));
}

static void past_the_bound_the_oldest_values_in_memory_go_and_never_the_end(void **state)
{
    struct world *w = *state;
    struct stat info;
    char path[512];
    begin(w, 100000, true);
    put_values(w, 5000);
    put(w, LINE_FAIL);
    assert_true(w->given_up > 1000);
    window_keep(&w->window, w->now_us);
    w->given_up += window_given_up(&w->window);
    assert_int_equal(window_fini(&w->window), 0);
    assert_int_equal(fake_spooled(&w->daemon, path, sizeof(path)), 1);
    assert_int_equal(stat(path, &info), 0);
    assert_true(info.st_size <= 100000);
    assert_int_equal(expect_spooled(&w->daemon, 1, w->window.last_seq, true), LINE_FAIL);
}

static void a_bound_without_room_for_the_end_is_kept_and_all_is_counted(void **state)
{
    struct world *w = *state;
    begin(w, 120, true);
    put_values(w, 3);
    put(w, LINE_COMPLETE);
    window_keep(&w->window, w->now_us);
    w->given_up += window_given_up(&w->window);
    w->given_up += window_fini(&w->window);
    assert_int_equal(w->given_up, 4);
    char *text = spooled_text(&w->daemon);
    assert_null(strstr(text, "seq\":"));
    free(text);
}

static void a_tiny_bound_keeps_at_least_the_end(void **state)
{
    struct world *w = *state;
    begin(w, 400, true);
    put_values(w, 100);
    put(w, LINE_COMPLETE);
    window_keep(&w->window, w->now_us);
    w->given_up += window_given_up(&w->window);
    assert_int_equal(window_fini(&w->window), 0);
    assert_true(w->given_up >= 97);
    char *text = spooled_text(&w->daemon);
    assert_non_null(strstr(text, "{\"type\":\"complete\",\"sessionId\":\"r1\",\"seq\":101}\n"));
    assert_true(strlen(text) <= 400);
    free(text);
}

/* A disk that is full: no file of this process grows beyond `most` bytes. */
static void limit_file_size(rlim_t most)
{
    struct rlimit limit;
    (void)signal(SIGXFSZ, SIG_IGN); /* the sender thread has it blocked */
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = most;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_leaves_whole_lines_and_the_run_goes_on_in_memory(void **state)
{
    struct world *w = *state;
    begin(w, 1 << 20, true);
    limit_file_size(50000);
    put_values(w, 3000);
    limit_file_size(RLIM_INFINITY);
    assert_true(w->given_up > 0);
    assert_int_equal(w->window.spool.errors, 1);
    uint64_t in_file = spool_lines(&w->window.spool);
    if (in_file > 0)
        (void)expect_spooled(&w->daemon, 1, in_file, false);
    w->acks = true;
    expect_sent(w, 1, 3000 - w->given_up);
    assert_true(window_empty(&w->window));
}

static void a_failed_disk_is_tried_again_after_a_minute(void **state)
{
    struct world *w = *state;
    begin(w, 1 << 20, true);
    limit_file_size(0);
    put_values(w, 2000);
    limit_file_size(RLIM_INFINITY);
    assert_int_equal(w->window.spool.errors, 1);
    put_values(w, 1000);
    assert_int_equal(files(w), 0);
    w->now_us += 60 * (uint64_t)SECOND_US;
    put_values(w, 1);
    assert_int_equal(files(w), 1);
}

static void lines_that_no_disk_took_are_renumbered_by_the_daemon_s_answer(void **state)
{
    struct world *w = *state;
    begin(w, 1 << 20, false);
    limit_file_size(0);
    put_values(w, 2000);
    limit_file_size(RLIM_INFINITY);
    window_begin(&w->window, 40);
    w->acks = true;
    expect_sent(w, 41, 2040 - w->given_up);
}

static void the_end_of_the_run_does_not_wait_for_that_minute(void **state)
{
    struct world *w = *state;
    begin(w, 1 << 20, true);
    limit_file_size(0);
    put_values(w, 2000);
    limit_file_size(RLIM_INFINITY);
    window_keep(&w->window, w->now_us);
    assert_int_equal(window_fini(&w->window), 0);
    (void)expect_spooled(&w->daemon, 1, 2000 - w->given_up, false);
}

static void without_a_spool_what_is_left_is_lost(void **state)
{
    struct world *w = *state;
    begin(w, 0, true);
    put_values(w, 3);
    window_keep(&w->window, w->now_us);
    assert_int_equal(window_fini(&w->window), 3);
    assert_int_equal(files(w), 0);
}

static void a_session_that_may_be_known_is_numbered_from_1_and_settled_by_the_daemon(void **state)
{
    struct world *w = *state;
    begin(w, 1 << 20, false);
    put_values(w, 2000);
    char *text = spooled_text(&w->daemon);
    assert_non_null(strstr(text, "\"seqBase\":\"????????????????????\"}\n"));
    assert_non_null(strstr(text, "\"seq\":1,"));
    free(text);
    window_begin(&w->window, 40);
    text = spooled_text(&w->daemon);
    assert_non_null(strstr(text, "\"seqBase\":\"00000000000000000040\"}\n"));
    free(text);
    expect_sent(w, 41, 2040);
    window_ack(&w->window, 700);
    window_rewind(&w->window);
    put_values(w, 1000);
    expect_sent(w, 701, 3040);
    window_keep(&w->window, w->now_us);
    assert_int_equal(window_fini(&w->window), 0);
    (void)expect_spooled(&w->daemon, 1, 3000, false);
}

static void a_file_begun_after_the_answer_has_the_final_numbers(void **state)
{
    struct world *w = *state;
    begin(w, 1 << 20, false);
    window_begin(&w->window, 40);
    put_values(w, 2000);
    window_keep(&w->window, w->now_us);
    assert_int_equal(window_fini(&w->window), 0);
    (void)expect_spooled(&w->daemon, 41, 2040, false);
}

static void a_daemon_that_knows_of_more_is_not_told_those_numbers_again(void **state)
{
    struct world *w = *state;
    begin(w, 1 << 20, true);
    put_values(w, 2);
    expect_sent(w, 1, 2);
    window_repeat_end(&w->window, 50); /* another process has gone on with the run */
    window_ack(&w->window, 50);
    assert_true(window_empty(&w->window));
    put_values(w, 2);
    expect_sent(w, 51, 52);
}

static void a_line_that_cannot_be_one_is_counted_and_leaves_the_others(void **state)
{
    struct world *w = *state;
    const struct streamd_metric unusable = {"\xff", 1};
    begin(w, 1 << 20, true);
    assert_int_equal(queue_put(&w->queue, entry_of_metrics(LINE_PROGRESS, 1, &unusable, 1)), 0);
    put_values(w, 2000);
    assert_int_equal(files(w), 1);
    assert_int_equal(window_given_up(&w->window), 1);
    assert_int_equal(queue_put(&w->queue, entry_of_metrics(LINE_PROGRESS, 1, &unusable, 1)), 0);
    put_values(w, 2);
    window_keep(&w->window, w->now_us);
    assert_int_equal(window_given_up(&w->window), 1);
    assert_int_equal(window_fini(&w->window), 0);
    (void)expect_spooled(&w->daemon, 2, 2004, true);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(memory_comes_first_and_a_file_only_after_it),
        TEST(file_memory_and_queue_are_one_stream),
        TEST(after_a_loss_it_goes_on_behind_the_last_acknowledgement),
        TEST(what_was_sent_and_then_moved_to_the_file_is_not_sent_again),
        TEST(a_file_is_the_user_s_alone_locked_and_begins_with_start),
        TEST(at_the_end_all_that_is_not_acknowledged_is_in_the_file),
        TEST(past_the_bound_the_oldest_values_in_memory_go_and_never_the_end),
        TEST(a_bound_without_room_for_the_end_is_kept_and_all_is_counted),
        TEST(a_tiny_bound_keeps_at_least_the_end),
        TEST(a_full_disk_leaves_whole_lines_and_the_run_goes_on_in_memory),
        TEST(a_failed_disk_is_tried_again_after_a_minute),
        TEST(lines_that_no_disk_took_are_renumbered_by_the_daemon_s_answer),
        TEST(the_end_of_the_run_does_not_wait_for_that_minute),
        TEST(without_a_spool_what_is_left_is_lost),
        TEST(a_session_that_may_be_known_is_numbered_from_1_and_settled_by_the_daemon),
        TEST(a_file_begun_after_the_answer_has_the_final_numbers),
        TEST(a_daemon_that_knows_of_more_is_not_told_those_numbers_again),
        TEST(a_line_that_cannot_be_one_is_counted_and_leaves_the_others),
    };
    return cmocka_run_group_tests_name("clients/c/window", tests, NULL, NULL);
}
