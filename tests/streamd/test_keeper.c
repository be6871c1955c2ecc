/* SPDX-License-Identifier: MIT */
#include "streamd/store/keeper.h"

#include "tests/streamd/archived.h"
#include "tests/streamd/store_rows.h"
#include "tests/support/lasting_store.h"
#include "tests/support/oom.h"

#include <semaphore.h>
#include <time.h>

enum { KEY = ARCHIVED_KEY, RECORDS = 3000, PATIENCE_S = 60 };

struct bench {
    struct lasting_store store;
    struct keeper *keeper;
    sem_t woken;
    uint64_t given; /* batches */
    uint64_t done;
    uint64_t failed;
    uint64_t newest; /* number of the batch that came back last */
    struct archived records;
};

static void on_wake(void *context)
{
    struct bench *b = context;
    (void)sem_post(&b->woken);
}

static void on_done(void *context, struct batch *batch, bool committed)
{
    struct bench *b = context;
    assert_int_equal(batch->number, b->newest + 1);
    b->newest = batch->number;
    b->done += committed;
    b->failed += !committed;
    batch_destroy(batch);
}

static struct keeper_params params_of(struct bench *b, bool inline_work)
{
    return (struct keeper_params){.store = &b->store.base,
                                  .wake = on_wake,
                                  .wake_context = b,
                                  .done = on_done,
                                  .context = b,
                                  .inline_work = inline_work};
}

static struct bench *open_bench(bool inline_work)
{
    struct bench *b = calloc(1, sizeof(*b));
    assert_non_null(b);
    archived_open(&b->records);
    lasting_store_init(&b->store);
    begin(b->store.rows); /* without its row a session is a deleted one */
    must(put_session(b->store.rows, KEY, "state"));
    commit(b->store.rows);
    assert_int_equal(sem_init(&b->woken, 0, 0), 0);
    struct keeper_params params = params_of(b, inline_work);
    b->keeper = keeper_create(&params);
    assert_non_null(b->keeper);
    return b;
}

static int setup(void **state)
{
    *state = open_bench(false);
    return 0;
}

static int setup_inline(void **state)
{
    *state = open_bench(true);
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    keeper_destroy(b->keeper);
    assert_int_equal(b->done + b->failed, b->given);
    assert_int_equal(b->store.destroyed, 1);
    lasting_store_fini(&b->store);
    archived_close(&b->records);
    (void)sem_destroy(&b->woken);
    free(b);
    return 0;
}

/* Until the keeper has something to say. */
static void receive(struct bench *b)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    assert_int_equal(sem_timedwait(&b->woken, &until), 0);
    keeper_receive(b->keeper);
}

static void submit(struct bench *b, const char *state)
{
    struct batch *batch = batch_create(++b->given);
    struct store_session row = session_row(b->given, "run", state);
    assert_non_null(batch);
    must(batch_add_session(batch, &row));
    keeper_submit(b->keeper, batch);
}

/* The next n records as a batch of one run. */
static void submit_run(struct bench *b, size_t n)
{
    struct archived *a = &b->records;
    struct batch *batch = batch_create(++b->given);
    struct series_entry entry;
    struct buf run;
    char metrics[64];
    assert_non_null(batch);
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(metrics, sizeof(metrics), "\"step\":%zu", a->count);
        archived_add(a, metrics, false);
    }
    buf_init(&run, 1 << 28);
    assert_int_equal(archived_write_run(a, n, &run), n);
    must(run_open(&a->at, buf_span(&run), a->kept + 1, &a->decoder));
    while (run_next(&a->at, &entry) == OK)
        continue;
    must(batch_add_run(batch, KEY, a->kept + 1, n, &run));
    a->kept += n;
    keeper_submit(b->keeper, batch);
}

/* ---- batches ---- */

static void batches_come_back_in_order_once_they_are_on_disk(void **state)
{
    struct bench *b = *state;
    for (unsigned i = 0; i < 500; i++) {
        submit(b, "s");
        assert_true(keeper_pending(b->keeper) > 0 && keeper_pending_bytes(b->keeper) > 0);
        if (i % 50 == 0)
            keeper_receive(b->keeper);
    }
    while (b->done < 500)
        receive(b);
    assert_int_equal(keeper_pending(b->keeper), 0);
    assert_int_equal(keeper_pending_bytes(b->keeper), 0);
    assert_null(keeper_trouble(b->keeper));
    assert_in_range(b->store.commits, 1, 500);
}

static void trouble_is_told_and_nothing_comes_back_before_it_is_over(void **state)
{
    struct bench *b = *state;
    b->store.broken = true;
    for (unsigned i = 0; i < 5; i++)
        submit(b, "s");
    while (!keeper_trouble(b->keeper))
        receive(b);
    assert_string_equal(keeper_trouble(b->keeper), "broken");
    assert_int_equal(b->done, 0);
    assert_int_equal(keeper_pending(b->keeper), 5);
    b->store.broken = false;
    while (b->done < 5 || keeper_trouble(b->keeper))
        receive(b);
    assert_int_equal(b->store.commits, 1); /* all that waited, as one */
    assert_int_equal(keeper_pending(b->keeper), 0);
}

static void trouble_comes_and_goes(void **state)
{
    struct bench *b = *state;
    for (unsigned i = 0; i < 3; i++) {
        b->store.broken = true;
        submit(b, "s");
        while (!keeper_trouble(b->keeper))
            receive(b);
        b->store.broken = false;
        while (keeper_trouble(b->keeper))
            receive(b);
        assert_int_equal(b->done, b->given);
    }
}

static void how_much_stands_on_disk_is_told(void **state)
{
    struct bench *b = *state;
    submit(b, "s");
    while (b->done < 1 || keeper_store_bytes(b->keeper) == 0)
        receive(b);
    uint64_t before = keeper_store_bytes(b->keeper);
    submit(b, "s");
    while (keeper_store_bytes(b->keeper) <= before)
        receive(b);
    assert_int_equal(b->done, 2);
}

static void a_keeper_that_ends_commits_what_it_was_given(void **state)
{
    struct bench *b = *state;
    for (unsigned i = 0; i < 50; i++)
        submit(b, "s");
    keeper_destroy(b->keeper);
    b->keeper = NULL;
    assert_int_equal(b->done, 50);
}

/* It gives up after a second. */
static void what_cannot_be_committed_at_the_end_is_given_back(void **state)
{
    struct bench *b = *state;
    submit(b, "s");
    while (b->done < 1)
        receive(b);
    b->store.broken = true;
    submit(b, "s");
    submit(b, "s");
    keeper_destroy(b->keeper);
    b->keeper = NULL;
    assert_int_equal(b->done, 1);
    assert_int_equal(b->failed, 2);
}

static void a_keeper_that_ends_tries_once_more(void **state)
{
    struct bench *b = *state;
    b->store.broken = true;
    submit(b, "s");
    while (!keeper_trouble(b->keeper))
        receive(b);
    b->store.broken = false;
    keeper_destroy(b->keeper);
    b->keeper = NULL;
    assert_int_equal(b->done, 1);
}

/* ---- readings ---- */

struct reader {
    struct reading reading;
    struct bench *bench;
    struct buf text;
    unsigned pieces;
    bool over;
    enum status status;
};

static void on_piece(struct reading *r, struct refbuf *piece, bool last, enum status status)
{
    struct reader *reader = LIST_ENTRY(r, struct reader, reading);
    assert_false(reader->over);
    reader->pieces++;
    reader->status = status;
    reader->over = last || status != OK;
    if (piece)
        buf_add_span(&reader->text, refbuf_span(piece));
}

static void start(struct reader *r, struct bench *b)
{
    struct reading_request *request = calloc(1, sizeof(*request));
    assert_non_null(request);
    *request = (struct reading_request){.form = READING_NDJSON,
                                        .session = KEY,
                                        .until = UINT64_MAX,
                                        .to = UINT64_MAX,
                                        .limit = UINT64_MAX};
    *r = (struct reader){.bench = b, .reading = {.on_piece = on_piece}};
    buf_init(&r->text, 1 << 28);
    must(reading_start(&r->reading, b->keeper, request));
    free(request);
}

static bool awaits_more(const struct reader *r, unsigned pieces)
{
    return !r->over && r->pieces == pieces;
}

/* Reads on until it is over. */
static void finish(struct reader *r)
{
    while (!r->over) {
        unsigned pieces = r->pieces;
        while (awaits_more(r, pieces))
            receive(r->bench);
        if (!r->over)
            reading_more(&r->reading);
    }
    assert_int_equal(r->status, OK);
    size_t lines = 0;
    for (size_t i = 0; i < r->text.len; i++)
        lines += r->text.ptr[i] == '\n';
    assert_int_equal(lines, r->bench->records.count);
}

static void end_reader(struct reader *r)
{
    reading_cancel(&r->reading);
    reading_cancel(&r->reading);
    buf_fini(&r->text);
}

static void a_reading_sees_every_batch_given_before_it(void **state)
{
    struct bench *b = *state;
    for (unsigned i = 0; i < 20; i++) {
        struct reader r;
        submit_run(b, 10);
        start(&r, b);
        finish(&r);
        end_reader(&r);
    }
}

static void pieces_come_one_at_a_time_and_readings_take_turns(void **state)
{
    enum { READERS = 4 };
    struct bench *b = *state;
    struct reader readers[READERS];
    submit_run(b, RECORDS);
    for (unsigned i = 0; i < READERS; i++)
        start(&readers[i], b);
    bool all = false;
    while (!all) {
        receive(b);
        all = true;
        for (unsigned i = 0; i < READERS; i++)
            all = all && readers[i].pieces == 1;
    }
    keeper_receive(b->keeper);
    for (unsigned i = 0; i < READERS; i++) {
        assert_int_equal(readers[i].pieces, 1); /* not asked for more */
        assert_false(readers[i].over);
        reading_more(&readers[i].reading);
    }
    for (unsigned i = 0; i < READERS; i++) {
        struct reader *r = &readers[i];
        while (awaits_more(r, 1))
            receive(b);
        if (!r->over)
            reading_more(&r->reading);
        finish(r);
        assert_true(r->pieces > 2);
        end_reader(r);
    }
}

static void a_reading_may_begin_anew_once_it_is_over(void **state)
{
    struct bench *b = *state;
    struct reader r;
    submit_run(b, 10);
    start(&r, b);
    finish(&r);
    buf_fini(&r.text);
    start(&r, b);
    finish(&r);
    end_reader(&r);
}

static void a_reading_that_is_cancelled_says_no_more(void **state)
{
    enum { READERS = 60 };
    struct bench *b = *state;
    struct reader *readers = calloc(READERS, sizeof(*readers));
    assert_non_null(readers);
    submit_run(b, RECORDS);
    for (unsigned i = 0; i < READERS; i++) {
        start(&readers[i], b);
        if (i % 3 == 0)
            end_reader(&readers[i]); /* before it began */
    }
    while (readers[1].pieces == 0)
        receive(b);
    for (unsigned i = 0; i < READERS; i++) {
        if (i % 3 == 1 && readers[i].pieces > 0)
            reading_more(&readers[i].reading);
        if (i % 3 == 1)
            end_reader(&readers[i]); /* while it is under way, or at home */
    }
    struct reader last;
    start(&last, b);
    finish(&last);
    end_reader(&last);
    for (unsigned i = 0; i < READERS; i++) {
        assert_true(i % 3 || readers[i].pieces == 0);
        end_reader(&readers[i]);
    }
    free(readers);
}

static void readings_go_on_while_nothing_can_be_committed(void **state)
{
    struct bench *b = *state;
    struct reader r;
    submit_run(b, RECORDS);
    while (b->done < 1)
        receive(b);
    b->store.broken = true;
    submit(b, "s");
    while (!keeper_trouble(b->keeper))
        receive(b);
    start(&r, b);
    finish(&r);
    end_reader(&r);
    b->store.broken = false;
}

static void a_keeper_that_ends_ends_its_readings(void **state)
{
    enum { READERS = 10 };
    struct bench *b = *state;
    struct reader readers[READERS];
    submit_run(b, RECORDS);
    for (unsigned i = 0; i < READERS; i++)
        start(&readers[i], b);
    while (readers[0].pieces == 0)
        receive(b);
    reading_more(&readers[0].reading);
    unsigned pieces[READERS];
    for (unsigned i = 0; i < READERS; i++)
        pieces[i] = readers[i].pieces;
    keeper_destroy(b->keeper);
    b->keeper = NULL;
    for (unsigned i = 0; i < READERS; i++) {
        assert_int_equal(readers[i].pieces, pieces[i]);
        end_reader(&readers[i]);
    }
}

static void segments_are_sealed_between_everything_else(void **state)
{
    struct bench *b = *state;
    struct store_segment segment = {.first = 0};
    for (unsigned i = 0; i < 12; i++) {
        struct reader r;
        submit_run(b, 1024);
        start(&r, b);
        finish(&r);
        end_reader(&r);
    }
    keeper_destroy(b->keeper);
    b->keeper = NULL;
    unsigned count = 0;
    struct store *rows = b->store.rows;
    while (rows->ops->next_segment(rows, KEY, segment.first + segment.count, false, &segment) == OK)
        count++;
    assert_in_range(count, 2, 3); /* the last one may have had no time */
}

/* ---- without a thread ---- */

static void without_a_thread_each_receive_tries_once(void **state)
{
    struct bench *b = *state;
    b->store.broken = true;
    submit(b, "s");
    for (unsigned i = 1; i < 5; i++) {
        keeper_receive(b->keeper);
        assert_int_equal(b->store.refusals, i);
        assert_string_equal(keeper_trouble(b->keeper), "broken");
        submit(b, "s");
    }
    b->store.broken = false;
    keeper_receive(b->keeper);
    assert_int_equal(b->done, b->given);
    assert_int_equal(b->store.commits, 1);
    keeper_receive(b->keeper);
    assert_null(keeper_trouble(b->keeper));
}

static void without_a_thread_readings_end_with_the_keeper_too(void **state)
{
    struct bench *b = *state;
    struct reader readers[2];
    submit_run(b, RECORDS);
    receive(b);
    for (unsigned i = 0; i < 2; i++)
        start(&readers[i], b);
    keeper_destroy(b->keeper); /* and nothing leaks */
    b->keeper = NULL;
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(readers[i].pieces, 0);
        end_reader(&readers[i]);
    }
}

static void without_a_thread_what_is_given_wakes(void **state)
{
    struct bench *b = *state;
    struct reader r;
    submit_run(b, RECORDS);
    receive(b);
    start(&r, b);
    finish(&r);
    end_reader(&r);
}

static void what_cannot_begin_for_want_of_memory_is_destroyed(void **state)
{
    (void)state;
    bool failed = true;
    for (size_t n = 1; failed; n++) {
        struct bench b = {.keeper = NULL};
        lasting_store_init(&b.store);
        struct keeper_params params = params_of(&b, true);
        oom_fail(n);
        struct keeper *k = keeper_create(&params);
        failed = oom_failed();
        assert_int_equal(k == NULL, failed);
        keeper_destroy(k);
        assert_int_equal(b.store.destroyed, 1);
        lasting_store_fini(&b.store);
    }
}

#define KEEPER_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
#define INLINE_TEST(test) cmocka_unit_test_setup_teardown(test, setup_inline, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        KEEPER_TEST(batches_come_back_in_order_once_they_are_on_disk),
        KEEPER_TEST(trouble_is_told_and_nothing_comes_back_before_it_is_over),
        KEEPER_TEST(trouble_comes_and_goes),
        KEEPER_TEST(how_much_stands_on_disk_is_told),
        KEEPER_TEST(a_keeper_that_ends_commits_what_it_was_given),
        KEEPER_TEST(what_cannot_be_committed_at_the_end_is_given_back),
        KEEPER_TEST(a_keeper_that_ends_tries_once_more),
        KEEPER_TEST(a_reading_sees_every_batch_given_before_it),
        KEEPER_TEST(pieces_come_one_at_a_time_and_readings_take_turns),
        KEEPER_TEST(a_reading_may_begin_anew_once_it_is_over),
        KEEPER_TEST(a_reading_that_is_cancelled_says_no_more),
        KEEPER_TEST(readings_go_on_while_nothing_can_be_committed),
        KEEPER_TEST(a_keeper_that_ends_ends_its_readings),
        KEEPER_TEST(segments_are_sealed_between_everything_else),
        INLINE_TEST(without_a_thread_each_receive_tries_once),
        INLINE_TEST(without_a_thread_readings_end_with_the_keeper_too),
        INLINE_TEST(without_a_thread_what_is_given_wakes),
        INLINE_TEST(a_reading_sees_every_batch_given_before_it),
        INLINE_TEST(a_reading_that_is_cancelled_says_no_more),
        INLINE_TEST(a_keeper_that_ends_ends_its_readings),
        cmocka_unit_test(what_cannot_begin_for_want_of_memory_is_destroyed),
    };
    return cmocka_run_group_tests_name("streamd/store/keeper", tests, NULL, NULL);
}
