/* SPDX-License-Identifier: MIT */
/* A relay that was killed and is there again: its runs' files, taken up where they stood. */
#include "clients/c/leftover.h"
#include "clients/c/spool.h"
#include "tests/clients/c/spool_folder.h"
#include "tests/support/oom.h"

enum { MAX_BYTES = 1024 * 1024, NOW_US = 1000 };

static const char start[] = "{\"type\":\"start\",\"sessionId\":\"r1\",\"name\":\"a\"";

#define LINE(n) "{\"type\":\"progress\",\"sessionId\":\"r1\",\"seq\":" #n ",\"metrics\":{}}\n"

struct world {
    struct fake_daemon daemon; /* its folder */
    struct spool spool;
    pthread_mutex_t lock;
    struct buf out;
};

static struct spool_params params_of(struct world *w)
{
    return (struct spool_params){.session_id = SPAN("r1"),
                                 .start = SPAN(start),
                                 .to = "http://hub:5001",
                                 .folder = w->daemon.spool,
                                 .max_bytes = MAX_BYTES,
                                 .fork_lock = &w->lock};
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    fake_folder(&w->daemon);
    (void)pthread_mutex_init(&w->lock, NULL);
    buf_init(&w->out, MAX_BYTES);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    spool_fini(&w->spool);
    (void)pthread_mutex_destroy(&w->lock);
    buf_fini(&w->out);
    fake_end(&w->daemon);
    free(w);
    return 0;
}

static void begin(struct world *w, bool fresh, bool anew)
{
    struct spool_params params = params_of(w);
    params.fresh = fresh;
    params.anew = anew;
    spool_init(&w->spool, &params);
}

static void append(struct world *w, const char *lines, uint32_t count, uint64_t last_seq)
{
    const struct spool_chunk chunk = {.lines = count, .last_seq = last_seq};
    (void)spool_bias(&w->spool, NOW_US);
    assert_true(spool_append(&w->spool, span_of(lines), &chunk, false, NOW_US));
    assert_true(spool_sync(&w->spool, NOW_US));
}

/* The process is gone; the next one finds its file. */
static void find(struct world *w, struct leftover *out)
{
    char path[512];
    struct spool_params params = params_of(w);
    spool_fini(&w->spool);
    assert_int_equal(fake_spooled(&w->daemon, path, sizeof(path)), 1);
    leftover_init(out, &w->lock);
    assert_int_equal(leftover_open(out, w->daemon.spool, strrchr(path, '/') + 1, "http://hub:5001"),
                     LEFTOVER_OPEN);
    spool_init(&w->spool, &params);
}

static void reopen(struct world *w)
{
    struct leftover left;
    find(w, &left);
    assert_true(spool_reopen(&w->spool, &left));
    leftover_fini(&left);
}

static void expect_sent(struct world *w, const char *expected)
{
    buf_reset(&w->out);
    while (spool_has_unsent(&w->spool))
        assert_int_equal(spool_next(&w->spool, &w->out), 0);
    buf_add_char(&w->out, '\0');
    assert_string_equal(w->out.ptr, expected);
}

static void a_file_is_gone_on_with(void **state)
{
    struct world *w = *state;
    begin(w, true, false);
    append(w, LINE(1) LINE(2), 2, 2);
    reopen(w);
    assert_int_equal(spool_last_seq(&w->spool), 2);
    assert_int_equal(spool_lines(&w->spool), 2);
    append(w, LINE(3), 1, 3);
    expect_sent(w, LINE(1) LINE(2) LINE(3));
    spool_ack(&w->spool, 2);
    assert_int_equal(fake_spooled(&w->daemon, NULL, 0), 1);
    spool_ack(&w->spool, 3);
    assert_int_equal(fake_spooled(&w->daemon, NULL, 0), 0);
    assert_int_equal(spool_last_seq(&w->spool), 0);
}

static void a_torn_line_is_cut_off_and_a_damaged_one_left_out(void **state)
{
    struct world *w = *state;
    begin(w, true, false);
    append(w, LINE(1), 1, 1);
    static const char damage[] = "zeros\n{\"type\":\"prog";
    assert_int_equal(pwrite(w->spool.fd, damage, strlen(damage), (off_t)w->spool.end),
                     strlen(damage));
    reopen(w);
    append(w, LINE(3), 1, 3);
    expect_sent(w, LINE(1) LINE(3));
}

static void a_file_that_cannot_be_read_just_now_stays_whole(void **state)
{
    struct world *w = *state;
    struct leftover left;
    begin(w, true, false);
    append(w, LINE(1) LINE(2), 2, 2);
    find(w, &left);
    for (size_t nth = 1; nth <= 2; nth++) {
        oom_fail(nth); /* as when the disk fails */
        assert_false(spool_reopen(&w->spool, &left));
        assert_true(oom_failed());
        spool_fini(&w->spool);
        struct spool_params params = params_of(w);
        spool_init(&w->spool, &params);
    }
    leftover_fini(&left);
    reopen(w);
    expect_sent(w, LINE(1) LINE(2));
}

static void a_file_without_a_good_line_is_gone_on_with(void **state)
{
    struct world *w = *state;
    begin(w, true, false);
    (void)spool_bias(&w->spool, NOW_US);
    assert_int_equal(pwrite(w->spool.fd, "zeros\n", 6, (off_t)w->spool.end), 6);
    reopen(w);
    assert_false(spool_has_unsent(&w->spool));
    append(w, LINE(1), 1, 1);
    expect_sent(w, LINE(1));
}

static void what_is_acknowledged_makes_place_for_what_comes(void **state)
{
    struct world *w = *state;
    struct buf lines;
    buf_init(&lines, MAX_BYTES);
    begin(w, true, false);
    (void)spool_bias(&w->spool, NOW_US);
    for (uint64_t n = 1; n <= 100; n++) {
        const struct spool_chunk chunk = {.lines = 1, .last_seq = n};
        char line[128];
        (void)snprintf(line, sizeof(line),
                       "{\"type\":\"progress\",\"sessionId\":\"r1\",\"seq\":%u,\"metrics\":{}}\n",
                       (unsigned)n);
        assert_true(spool_append(&w->spool, span_of(line), &chunk, false, NOW_US));
        if (n > 50)
            buf_add_str(&lines, line);
        else
            spool_ack(&w->spool, n - 1);
        if (n == 60)
            spool_ack(&w->spool, 50);
    }
    assert_true(w->spool.cap < 100);
    assert_int_equal(spool_lines(&w->spool), 50);
    buf_add_char(&lines, '\0');
    expect_sent(w, lines.ptr);
    buf_fini(&lines);
}

static void more_than_one_chunk_is_found_again(void **state)
{
    struct world *w = *state;
    struct buf lines;
    buf_init(&lines, MAX_BYTES);
    begin(w, true, false);
    for (unsigned n = 1; n <= 4000; n++)
        buf_addf(&lines, "{\"type\":\"progress\",\"sessionId\":\"r1\",\"seq\":%u,\"metrics\":{}}\n",
                 n);
    buf_add_char(&lines, '\0');
    append(w, lines.ptr, 4000, 4000);
    reopen(w);
    assert_true(w->spool.count > 1);
    assert_int_equal(spool_lines(&w->spool), 4000);
    expect_sent(w, lines.ptr);
    buf_fini(&lines);
}

static void numbers_without_a_base_get_it_from_the_first_daemon(void **state)
{
    struct world *w = *state;
    begin(w, false, false);
    append(w, LINE(1), 1, 1);
    reopen(w);
    assert_false(w->spool.known);
    spool_learn(&w->spool, 40);
    assert_int_equal(spool_last_seq(&w->spool), 41);
    expect_sent(w, LINE(41));
    reopen(w);
    assert_true(w->spool.known);
    assert_int_equal(spool_last_seq(&w->spool), 41);
    expect_sent(w, LINE(41));
}

static void a_session_is_begun_anew_only_once(void **state)
{
    struct world *w = *state;
    begin(w, true, true);
    append(w, LINE(1), 1, 1);
    char *text = spooled_text(&w->daemon);
    assert_non_null(strstr(text, "\"resume\":false,"));
    free(text);
    assert_true(spool_begun(&w->spool));
    text = spooled_text(&w->daemon);
    assert_non_null(strstr(text, "\"name\":\"a\",\"resume\":true ,\"spoolTo\""));
    free(text);
    reopen(w);
    expect_sent(w, LINE(1));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_gone_on_with),
        TEST(a_torn_line_is_cut_off_and_a_damaged_one_left_out),
        TEST(a_file_that_cannot_be_read_just_now_stays_whole),
        TEST(a_file_without_a_good_line_is_gone_on_with),
        TEST(what_is_acknowledged_makes_place_for_what_comes),
        TEST(more_than_one_chunk_is_found_again),
        TEST(numbers_without_a_base_get_it_from_the_first_daemon),
        TEST(a_session_is_begun_anew_only_once),
    };
    return cmocka_run_group_tests_name("clients/c/spool_reopen", tests, NULL, NULL);
}
