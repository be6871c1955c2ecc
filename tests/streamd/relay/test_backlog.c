/* SPDX-License-Identifier: MIT */
/* The lines of one run between its trainer and the hub, in memory and on a real disk. */
#include "streamd/relay/backlog.h"

#include "clients/c/leftover.h"
#include "tests/clients/c/spool_folder.h"
#include "tests/support/random.h"

enum { SPOOL_BYTES = 256 * 1024, NOW_US = 1000 };

static const char start[] = "{\"type\":\"start\",\"sessionId\":\"r1\"";
static const char head[] = "{\"type\":\"progress\",\"sessionId\":\"r1\"";

struct world {
    struct fake_daemon daemon; /* its folder */
    struct backlog backlog;
    pthread_mutex_t lock;
    struct buf out;
    uint64_t hub; /* the last number that the hub has taken */
};

static struct spool_params params_of(struct world *w)
{
    return (struct spool_params){.session_id = SPAN("r1"),
                                 .start = SPAN(start),
                                 .to = "http://hub",
                                 .folder = w->daemon.spool,
                                 .max_bytes = SPOOL_BYTES,
                                 .fresh = true,
                                 .fork_lock = &w->lock};
}

static void begin(struct world *w)
{
    struct spool_params params = params_of(w);
    backlog_init(&w->backlog, &params);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    fake_folder(&w->daemon);
    (void)pthread_mutex_init(&w->lock, NULL);
    buf_init(&w->out, 8 * 1024 * 1024);
    begin(w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    backlog_fini(&w->backlog);
    (void)pthread_mutex_destroy(&w->lock);
    buf_fini(&w->out);
    fake_end(&w->daemon);
    free(w);
    return 0;
}

static void add(struct world *w, uint64_t seq)
{
    assert_int_equal(backlog_add(&w->backlog, SPAN(head), SPAN(",\"metrics\":{}}"), seq), OK);
}

static void add_many(struct world *w, uint64_t first, uint64_t last)
{
    for (uint64_t seq = first; seq <= last; seq++)
        add(w, seq);
}

/* Takes what is given out, as a hub does: repeats are dropped, a gap is a failure. */
static size_t take_all(struct world *w)
{
    size_t lines = 0;
    buf_reset(&w->out);
    while (backlog_next(&w->backlog, &w->out))
        ;
    struct span rest = buf_span(&w->out);
    while (rest.len > 0) {
        struct spool_line line;
        struct span text = span_cut(&rest, '\n');
        lines++;
        if (!spool_line_read(text, &line))
            continue; /* it has no number */
        assert_true(line.seq <= w->hub + 1);
        w->hub = line.seq > w->hub ? line.seq : w->hub;
    }
    return lines;
}

static void lines_go_through_memory_until_they_are_acknowledged(void **state)
{
    struct world *w = *state;
    add_many(w, 1, 10);
    assert_int_equal(take_all(w), 10);
    assert_int_equal(take_all(w), 0);
    backlog_ack(&w->backlog, 4);
    assert_int_equal(backlog_durable(&w->backlog), 4);
    assert_int_equal(backlog_lines(&w->backlog), 6);
    backlog_rewind(&w->backlog);
    assert_int_equal(take_all(w), 6);
    backlog_ack(&w->backlog, 10);
    assert_true(backlog_empty(&w->backlog));
    assert_int_equal(fake_spooled(&w->daemon, NULL, 0), 0);
}

static void what_is_kept_is_durable_and_goes_first(void **state)
{
    struct world *w = *state;
    add_many(w, 1, 3);
    assert_int_equal(take_all(w), 3);
    backlog_rewind(&w->backlog);
    add_many(w, 4, 2000);
    assert_int_equal(backlog_durable(&w->backlog), 0);
    assert_true(backlog_keep(&w->backlog, NOW_US));
    assert_int_equal(backlog_durable(&w->backlog), 2000);
    assert_int_equal(w->backlog.bytes, 0);
    add_many(w, 2001, 2010);
    w->hub = 0;
    assert_int_equal(take_all(w), 2010);
    assert_int_equal(w->hub, 2010);
    backlog_ack(&w->backlog, 2010);
    assert_int_equal(fake_spooled(&w->daemon, NULL, 0), 0);
}

static void only_so_much_is_under_way(void **state)
{
    struct world *w = *state;
    add_many(w, 1, 20000);
    size_t first = take_all(w);
    assert_true(w->out.len >= BACKLOG_UNDER_WAY_MAX);
    assert_true(w->out.len < BACKLOG_UNDER_WAY_MAX + 2 * BACKLOG_BATCH);
    assert_true(first < 20000);
    assert_int_equal(take_all(w), 0);
    backlog_ack(&w->backlog, w->hub);
    assert_true(take_all(w) > 0);
}

static void a_line_without_number_is_sent_once_and_never_from_the_disk(void **state)
{
    struct world *w = *state;
    add(w, 1);
    add(w, 0);
    add(w, 2);
    assert_true(backlog_keep(&w->backlog, NOW_US));
    assert_int_equal(backlog_lines(&w->backlog), 3);
    assert_int_equal(take_all(w), 3);
    assert_non_null(strstr(w->out.ptr, "\"r1\",\"metrics\""));
    backlog_rewind(&w->backlog);
    assert_int_equal(take_all(w), 2);
    backlog_ack(&w->backlog, 2);
    assert_true(backlog_empty(&w->backlog));
}

static void a_full_file_keeps_the_rest_in_memory(void **state)
{
    struct world *w = *state;
    add_many(w, 1, 8000);
    assert_false(backlog_keep(&w->backlog, NOW_US));
    uint64_t durable = backlog_durable(&w->backlog);
    assert_true(durable > 1000 && durable < 8000);
    assert_int_equal(backlog_lines(&w->backlog), 8000);
    while (take_all(w) > 0)
        backlog_ack(&w->backlog, w->hub);
    assert_int_equal(w->hub, 8000);
    assert_true(backlog_empty(&w->backlog));
}

static void numbers_of_ours_wait_for_where_the_hub_stands(void **state)
{
    struct world *w = *state;
    struct spool_params params = params_of(w);
    params.fresh = false;
    backlog_fini(&w->backlog);
    backlog_init(&w->backlog, &params);
    add_many(w, 1, 3);
    assert_true(backlog_keep(&w->backlog, NOW_US));
    add_many(w, 4, 5);
    backlog_learn(&w->backlog, 40);
    w->hub = 40;
    backlog_ack(&w->backlog, 40);
    backlog_rewind(&w->backlog);
    assert_int_equal(take_all(w), 5);
    assert_int_equal(w->hub, 45);
    assert_int_equal(w->backlog.last_seq, 45);
}

static void what_the_hub_never_wants_is_given_up(void **state)
{
    struct world *w = *state;
    add_many(w, 1, 3);
    (void)take_all(w);
    add(w, 4);
    assert_int_equal(backlog_give_up(&w->backlog), 3);
    assert_int_equal(backlog_lines(&w->backlog), 1);
}

/* Whatever happens in whatever order, the hub gets every number, in order. */
static void nothing_is_lost_whatever_happens(void **state)
{
    struct world *w = *state;
    struct random random = random_seeded(7);
    uint64_t said = 0;
    for (unsigned i = 0; i < 2000; i++) {
        switch (random_below(&random, 12)) {
        case 0:
            backlog_rewind(&w->backlog);
            break;
        case 1:
            (void)backlog_keep(&w->backlog, NOW_US);
            break;
        case 2:
            backlog_ack(&w->backlog, w->hub);
            break;
        case 3: { /* killed: what is not durable is said again */
            char path[512];
            struct leftover left;
            struct spool_params params = params_of(w);
            uint64_t durable = backlog_durable(&w->backlog);
            backlog_fini(&w->backlog);
            leftover_init(&left, &w->lock);
            bool there = fake_spooled(&w->daemon, path, sizeof(path)) == 1;
            backlog_init(&w->backlog, &params);
            if (there) {
                assert_int_equal(
                    leftover_open(&left, w->daemon.spool, strrchr(path, '/') + 1, "http://hub"),
                    LEFTOVER_OPEN);
                assert_true(backlog_reopen(&w->backlog, &left));
            }
            leftover_fini(&left);
            backlog_ack(&w->backlog, w->hub);
            backlog_rewind(&w->backlog);
            said = w->backlog.last_seq;
            assert_true(backlog_durable(&w->backlog) >= durable);
            break;
        }
        case 4:
            (void)take_all(w);
            break;
        default:
            add(w, ++said);
            break;
        }
    }
    while (take_all(w) > 0)
        backlog_ack(&w->backlog, w->hub);
    assert_int_equal(w->hub, said);
    assert_true(backlog_empty(&w->backlog));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(lines_go_through_memory_until_they_are_acknowledged),
        TEST(what_is_kept_is_durable_and_goes_first),
        TEST(only_so_much_is_under_way),
        TEST(a_line_without_number_is_sent_once_and_never_from_the_disk),
        TEST(a_full_file_keeps_the_rest_in_memory),
        TEST(numbers_of_ours_wait_for_where_the_hub_stands),
        TEST(what_the_hub_never_wants_is_given_up),
        TEST(nothing_is_lost_whatever_happens),
    };
    return cmocka_run_group_tests_name("streamd/relay/backlog", tests, NULL, NULL);
}
