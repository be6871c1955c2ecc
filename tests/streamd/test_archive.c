/* SPDX-License-Identifier: MIT */
#include "streamd/store/archive.h"

#include "tests/streamd/archived.h"
#include "tests/streamd/store_rows.h"
#include "tests/support/lasting_store.h"
#include "tests/support/oom.h"

enum { WHOLE = 1024, MOST = 12, KEY = ARCHIVED_KEY };

struct bench {
    struct archived records;
    struct lasting_store store;
    struct archive archive;
    struct list batches;
};

static void open_bench(struct bench *b)
{
    memset(b, 0, sizeof(*b));
    archived_open(&b->records);
    lasting_store_init(&b->store);
    begin(b->store.rows); /* without its row a session is a deleted one */
    must(put_session(b->store.rows, KEY, "state"));
    commit(b->store.rows);
    b->records.store->ops->destroy(b->records.store);
    b->records.store = &b->store.base;
    record_memory_init(&b->records.at.memory);
    list_init(&b->batches);
    must(archive_init(&b->archive, &b->store.base, 1));
}

static void drop_batches(struct bench *b)
{
    struct list *first;
    while ((first = list_first(&b->batches)) != NULL) {
        list_remove(first);
        batch_destroy(LIST_ENTRY(first, struct batch, letter.link));
    }
}

static void close_bench(struct bench *b)
{
    drop_batches(b);
    archive_fini(&b->archive);
    archived_close(&b->records);
    lasting_store_fini(&b->store);
}

static int setup(void **state)
{
    struct bench *b = malloc(sizeof(*b));
    assert_non_null(b);
    open_bench(b);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    close_bench(*state);
    free(*state);
    return 0;
}

static struct batch *add_batch(struct bench *b)
{
    struct batch *batch = batch_create(1);
    assert_non_null(batch);
    list_add_tail(&b->batches, &batch->letter.link);
    return batch;
}

/* The next n records, made up, as one run. They begin at `step`. */
static void add_run(struct bench *b, struct batch *batch, size_t n, unsigned step, bool resumes)
{
    struct archived *a = &b->records;
    struct series_entry entry;
    struct buf run;
    char metrics[64];
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(metrics, sizeof(metrics), "\"step\":%zu,\"acc\":%zu", step + i, a->count);
        archived_add(a, metrics, resumes && i == 0);
    }
    buf_init(&run, 1 << 28);
    assert_int_equal(archived_write_run(a, n, &run), n);
    must(run_open(&a->at, buf_span(&run), a->kept + 1, &a->decoder));
    while (run_next(&a->at, &entry) == OK)
        continue;
    must(batch_add_run(batch, KEY, a->kept + 1, n, &run));
    a->kept += n;
}

static void commit_batches(struct bench *b)
{
    must(archive_commit(&b->archive, &b->batches));
    drop_batches(b);
}

/* A batch of its own with one run. */
static void keep_run(struct bench *b, size_t n)
{
    add_run(b, add_batch(b), n, (unsigned)b->records.count, false);
    commit_batches(b);
}

static void end_session(struct bench *b)
{
    must(batch_add(add_batch(b), BATCH_SEAL, KEY));
    commit_batches(b);
}

static void tidy_all(struct bench *b)
{
    enum status status;
    unsigned rounds = 0;
    while ((status = archive_tidy(&b->archive)) == OK)
        assert_true(++rounds < 100);
    assert_int_equal(status, E_NOT_FOUND);
}

/* "S1-4096 r4097-5000": what the session has in the store. */
static const char *rows_of_session(struct bench *b, char out[512])
{
    struct store *s = b->store.rows;
    struct store_segment segment = {.first = 0};
    struct store_run run = {.first = 0};
    int n = 0;
    out[0] = '\0';
    while (s->ops->next_segment(s, KEY, segment.first + segment.count, false, &segment) == OK)
        n += snprintf(out + n, 512 - (size_t)n, "S%" PRIu64 "-%" PRIu64 " ", segment.first,
                      segment.first + segment.count - 1);
    while (s->ops->next_run(s, KEY, run.first + run.count, &run) == OK)
        n += snprintf(out + n, 512 - (size_t)n, "r%" PRIu64 "-%" PRIu64 " ", run.first,
                      run.first + run.count - 1);
    if (n > 0)
        out[n - 1] = '\0';
    return out;
}

static void has_rows(struct bench *b, const char *rows)
{
    char text[512];
    assert_string_equal(rows_of_session(b, text), rows);
}

/* Every record is there, once, but for those from..to. */
static void has_records_but(struct bench *b, uint64_t from, uint64_t to)
{
    struct archive_cursor c;
    struct series_entry entry;
    archive_cursor_init(&c, &b->store.base, &b->records.decoder, KEY, 1);
    for (uint64_t offset = 1; offset <= b->records.count; offset++) {
        if (offset >= from && offset <= to)
            continue;
        must(archive_cursor_next(&c, &entry));
        assert_int_equal(entry.offset, offset);
        assert_int_equal(entry.axis, b->records.marks[offset - 1].axis);
        assert_true(num_double(*record_extra(&entry.record, SPAN("acc"))) == (double)offset - 1);
    }
    assert_int_equal(archive_cursor_next(&c, &entry), E_NOT_FOUND);
    archive_cursor_fini(&c);
}

/* ---- commits ---- */

/* Three batches with something of everything. */
static void fill(struct bench *b)
{
    for (unsigned i = 0; i < 3; i++) {
        struct batch *batch = add_batch(b);
        struct store_session row = session_row(KEY, "run", i == 2 ? "newest" : "older");
        struct store_session gone = session_row(9, "gone", "s");
        add_run(b, batch, 10, i * 10, false);
        must(batch_add_session(batch, &row));
        if (i == 0)
            must(batch_add_session(batch, &gone));
        must(batch_add_meta(batch, "m", i == 2 ? SPAN("third") : SPAN("earlier")));
        if (i == 2)
            must(batch_add(batch, BATCH_DELETE, 9));
    }
}

static void all_batches_that_wait_are_one_transaction(void **state)
{
    struct bench *b = *state;
    struct store_session row;
    struct buf value;
    fill(b);
    commit_batches(b);
    assert_int_equal(b->store.commits, 1);
    has_rows(b, "r1-10 r11-20 r21-30");
    has_records_but(b, 0, 0);
    must(b->store.base.ops->next_session(&b->store.base, 0, &row));
    assert_true(span_is(row.state, "newest"));
    assert_int_equal(b->store.base.ops->next_session(&b->store.base, row.key, &row), E_NOT_FOUND);
    buf_init(&value, 100);
    must(b->store.base.ops->get_meta(&b->store.base, "m", &value));
    assert_true(span_is(buf_span(&value), "third"));
    buf_fini(&value);
}

static void a_commit_that_fails_keeps_nothing_and_is_tried_again(void **state)
{
    struct bench *b = *state;
    char *before = rows_text(b->store.rows);
    fill(b);
    unsigned failures = 0;
    for (uint64_t nth = 1;; nth++) {
        lasting_store_fail(&b->store, nth);
        enum status status = archive_commit(&b->archive, &b->batches);
        lasting_store_fail(&b->store, 0);
        if (status == OK)
            break;
        assert_int_equal(status, E_IO);
        char *after = rows_text(b->store.rows);
        assert_string_equal(after, before);
        free(after);
        failures++;
    }
    assert_true(failures > 8); /* begin, each put, commit */
    has_records_but(b, 0, 0);
    free(before);
}

static void what_the_disk_kept_after_all_is_not_doubled_by_the_next_try(void **state)
{
    struct bench *b = *state;
    fill(b);
    must(archive_commit(&b->archive, &b->batches));
    char *once = rows_text(b->store.rows);
    must(archive_commit(&b->archive, &b->batches));
    char *twice = rows_text(b->store.rows);
    assert_string_equal(once, twice);
    free(once);
    free(twice);
    drop_batches(b);
    end_session(b);
    tidy_all(b);
    has_rows(b, "S1-30");
}

/* ---- sealing ---- */

static void segments_are_made_of_whole_runs(void **state)
{
    static const struct {
        const char *what;
        size_t runs[MOST];
        bool ended;
        const char *rows;
    } cases[] = {
        {"too few", {WHOLE, WHOLE, WHOLE}, false, "r1-1024 r1025-2048 r2049-3072"},
        {"just enough", {WHOLE, WHOLE, WHOLE, WHOLE}, false, "S1-4096"},
        {"what does not fit is left",
         {WHOLE, WHOLE, WHOLE, 1000, WHOLE},
         false,
         "S1-4072 r4073-5096"},
        {"the last, shorter one", {10, 20, 1}, true, "S1-31"},
        {"one after the other",
         {WHOLE, WHOLE, WHOLE, WHOLE, WHOLE, WHOLE, WHOLE, WHOLE, 5},
         true,
         "S1-4096 S4097-8192 S8193-8197"},
        {"nothing", {0}, true, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bench *b = malloc(sizeof(*b));
        open_bench(b);
        for (size_t n = 0; n < MOST && cases[i].runs[n]; n++) {
            keep_run(b, cases[i].runs[n]);
            if (!cases[i].ended)
                tidy_all(b);
        }
        if (cases[i].ended)
            end_session(b);
        tidy_all(b);
        char text[512];
        if (strcmp(rows_of_session(b, text), cases[i].rows) != 0)
            fail_msg("%s: %s", cases[i].what, text);
        has_records_but(b, 0, 0);
        assert_int_equal(b->archive.damaged, 0);
        close_bench(b);
        free(b);
    }
}

static void no_segment_goes_across_a_rewind(void **state)
{
    struct bench *b = *state;
    struct batch *batch = add_batch(b);
    add_run(b, batch, 100, 0, false);
    add_run(b, batch, 100, 100, false);
    add_run(b, batch, 50, 120, true);
    add_run(b, batch, 50, 170, false);
    must(batch_add(batch, BATCH_SEAL, KEY));
    commit_batches(b);
    tidy_all(b);
    has_rows(b, "S1-200 S201-300");
    has_records_but(b, 0, 0);
}

static void no_segment_goes_across_a_hole(void **state)
{
    struct bench *b = *state;
    struct batch *batch = add_batch(b);
    struct batch *never = batch_create(2);
    add_run(b, batch, 100, 0, false);
    add_run(b, never, 30, 100, false);
    add_run(b, batch, 100, 130, false);
    must(batch_add(batch, BATCH_SEAL, KEY));
    batch_destroy(never);
    commit_batches(b);
    tidy_all(b);
    has_rows(b, "S1-100 S131-230");
    has_records_but(b, 101, 130);
}

/* 400 values in each of 1,024 records: a segment has no room for three such runs. */
static void a_segment_that_is_full_sooner_ends_with_the_run_before(void **state)
{
    struct bench *b = *state;
    struct archived *a = &b->records;
    struct buf metrics;
    struct buf run;
    buf_init(&metrics, 1 << 16);
    for (unsigned n = 0; n < 3; n++) {
        struct series_entry entry;
        for (unsigned i = 0; i < WHOLE; i++) {
            buf_reset(&metrics);
            buf_addf(&metrics, "\"step\":%u,\"acc\":%u", i + n * WHOLE, i + n * WHOLE);
            for (unsigned v = 1; v < 400; v++)
                buf_addf(&metrics, ",\"v%u\":%u", v, i);
            buf_add_char(&metrics, '\0');
            archived_add(a, metrics.ptr, false);
        }
        buf_init(&run, 1 << 28);
        assert_int_equal(archived_write_run(a, WHOLE, &run), WHOLE);
        must(run_open(&a->at, buf_span(&run), a->kept + 1, &a->decoder));
        while (run_next(&a->at, &entry) == OK)
            continue;
        must(batch_add_run(add_batch(b), KEY, a->kept + 1, WHOLE, &run));
        a->kept += WHOLE;
    }
    commit_batches(b);
    end_session(b);
    tidy_all(b);
    has_rows(b, "S1-2048 S2049-3072");
    has_records_but(b, 0, 0);
    assert_int_equal(b->archive.damaged, 0);
    buf_fini(&metrics);
}

/* Its bytes are not what they were, which only the run's own checksum shows. */
static void spoil_run(struct bench *b, uint64_t first)
{
    struct store *s = b->store.rows;
    struct store_run run;
    struct buf bytes;
    buf_init(&bytes, 1 << 20);
    must(s->ops->next_run(s, KEY, first, &run));
    buf_add_span(&bytes, run.bytes);
    bytes.ptr[bytes.len / 2] ^= 1;
    run.bytes = buf_span(&bytes);
    begin(s);
    must(s->ops->put_run(s, &run));
    commit(s);
    buf_fini(&bytes);
}

static void a_damaged_run_stays_and_the_rest_is_sealed(void **state)
{
    static const struct {
        uint64_t damaged; /* of runs 1-10, 11-20, 21-30 */
        const char *rows;
    } cases[] = {
        {1, "S11-30 r1-10"},
        {11, "S1-10 S21-30 r11-20"},
        {21, "S1-20 r21-30"},
    };
    (void)state;
    for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
        bool by_store = i % 2;
        uint64_t damaged = cases[i / 2].damaged;
        struct bench *b = malloc(sizeof(*b));
        open_bench(b);
        for (unsigned n = 0; n < 3; n++)
            keep_run(b, 10);
        if (by_store)
            lasting_store_damage(&b->store, LASTING_RUN, KEY, damaged);
        else
            spoil_run(b, damaged);
        end_session(b);
        tidy_all(b);
        has_rows(b, cases[i / 2].rows);
        has_records_but(b, damaged, damaged + 9);
        assert_int_equal(b->archive.damaged, 1);
        assert_int_equal(strmap_count(&b->archive.journal), 0);
        close_bench(b);
        free(b);
    }
}

static void a_session_goes_on_after_damage_in_its_journal(void **state)
{
    struct bench *b = *state;
    keep_run(b, 10);
    lasting_store_damage(&b->store, LASTING_RUN, KEY, 1);
    archive_fini(&b->archive);
    must(archive_init(&b->archive, &b->store.base, 1)); /* counts around it, too */
    for (unsigned n = 0; n < 9; n++) {
        keep_run(b, WHOLE);
        tidy_all(b);
    }
    has_rows(b, "S11-4106 S4107-8202 r1-10 r8203-9226");
    assert_int_equal(b->archive.damaged, 1); /* told once */
}

/* ---- what is counted ---- */

static void runs_of_one_commit_are_counted_once(void **state)
{
    struct bench *b = *state;
    struct batch *batch = add_batch(b);
    add_run(b, batch, WHOLE, 0, false);
    add_run(b, batch, WHOLE, WHOLE, false);
    add_run(b, add_batch(b), 500, 2 * WHOLE, false);
    commit_batches(b);
    keep_run(b, WHOLE);
    assert_int_equal(archive_tidy(&b->archive), E_NOT_FOUND);
    keep_run(b, WHOLE);
    tidy_all(b);
    has_rows(b, "S1-3572 r3573-4596");
}

static void runs_of_an_earlier_process_count(void **state)
{
    struct bench *b = *state;
    for (unsigned n = 0; n < 3; n++)
        keep_run(b, WHOLE);
    assert_int_equal(archive_tidy(&b->archive), E_NOT_FOUND);
    archive_fini(&b->archive);
    must(archive_init(&b->archive, &b->store.base, 2));
    assert_int_equal(archive_tidy(&b->archive), E_NOT_FOUND);
    keep_run(b, WHOLE);
    tidy_all(b);
    has_rows(b, "S1-4096");
    has_records_but(b, 0, 0);
}

static void nothing_is_remembered_of_a_session_that_has_no_runs(void **state)
{
    struct bench *b = *state;
    keep_run(b, 10);
    assert_int_equal(strmap_count(&b->archive.journal), 1);
    end_session(b);
    tidy_all(b);
    assert_int_equal(strmap_count(&b->archive.journal), 0);
    end_session(b); /* told again */
    assert_int_equal(archive_tidy(&b->archive), E_NOT_FOUND);
    assert_int_equal(strmap_count(&b->archive.journal), 0);
    keep_run(b, 10); /* its trainer came back */
    end_session(b);
    must(batch_add(add_batch(b), BATCH_DELETE, KEY));
    commit_batches(b);
    assert_int_equal(strmap_count(&b->archive.journal), 0);
    assert_int_equal(archive_tidy(&b->archive), E_NOT_FOUND);
    has_rows(b, "");
}

static void a_segment_that_cannot_be_written_is_still_due(void **state)
{
    struct bench *b = *state;
    for (unsigned n = 0; n < 3; n++)
        keep_run(b, 10);
    end_session(b);
    for (uint64_t nth = 1; nth <= 3; nth++) { /* begin, put, commit */
        lasting_store_fail(&b->store, nth);
        assert_int_equal(archive_tidy(&b->archive), E_IO);
        lasting_store_fail(&b->store, 0);
        has_rows(b, "r1-10 r11-20 r21-30");
    }
    tidy_all(b);
    has_rows(b, "S1-30");
    has_records_but(b, 0, 0);
    assert_int_equal(b->archive.sealed, 1);
}

static void sessions_are_sealed_in_turn(void **state)
{
    struct bench *b = *state;
    struct batch *batch = add_batch(b);
    add_run(b, batch, 10, 0, false);
    for (uint64_t key = 1; key < 4; key++) {
        struct buf run;
        buf_init(&run, 1 << 20);
        buf_add_span(&run, buf_span(&batch->items[0].bytes));
        must(batch_add_run(batch, key, 1, 10, &run));
        must(batch_add(batch, BATCH_SEAL, key));
    }
    must(batch_add(batch, BATCH_SEAL, KEY));
    commit_batches(b);
    for (unsigned n = 0; n < 4; n++)
        must(archive_tidy(&b->archive));
    assert_int_equal(archive_tidy(&b->archive), E_NOT_FOUND);
    assert_int_equal(b->archive.sealed, 4);
}

static void running_out_of_memory_only_puts_things_off(void **state)
{
    (void)state;
    bool failed = true;
    for (size_t n = 1; failed; n++) {
        struct bench *b = malloc(sizeof(*b));
        open_bench(b);
        fill(b);
        must(batch_add(LIST_ENTRY(b->batches.prev, struct batch, letter.link), BATCH_SEAL, KEY));
        oom_fail(n);
        enum status status = archive_commit(&b->archive, &b->batches);
        for (unsigned tries = 0; status == OK && tries < 4; tries++)
            status = archive_tidy(&b->archive);
        failed = oom_failed();
        assert_true(status == E_NOT_FOUND || (failed && status == E_NOMEM));
        has_records_but(b, 1, b->store.commits > 0 ? 0 : 30);
        must(archive_commit(&b->archive, &b->batches));
        tidy_all(b);
        has_rows(b, "S1-30");
        close_bench(b);
        free(b);
    }
}

#define ARCHIVE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARCHIVE_TEST(all_batches_that_wait_are_one_transaction),
        ARCHIVE_TEST(a_commit_that_fails_keeps_nothing_and_is_tried_again),
        ARCHIVE_TEST(what_the_disk_kept_after_all_is_not_doubled_by_the_next_try),
        cmocka_unit_test(segments_are_made_of_whole_runs),
        ARCHIVE_TEST(no_segment_goes_across_a_rewind),
        ARCHIVE_TEST(no_segment_goes_across_a_hole),
        ARCHIVE_TEST(a_segment_that_is_full_sooner_ends_with_the_run_before),
        cmocka_unit_test(a_damaged_run_stays_and_the_rest_is_sealed),
        ARCHIVE_TEST(a_session_goes_on_after_damage_in_its_journal),
        ARCHIVE_TEST(runs_of_one_commit_are_counted_once),
        ARCHIVE_TEST(runs_of_an_earlier_process_count),
        ARCHIVE_TEST(nothing_is_remembered_of_a_session_that_has_no_runs),
        ARCHIVE_TEST(a_segment_that_cannot_be_written_is_still_due),
        ARCHIVE_TEST(sessions_are_sealed_in_turn),
        cmocka_unit_test(running_out_of_memory_only_puts_things_off),
    };
    return cmocka_run_group_tests_name("streamd/store/archive", tests, NULL, NULL);
}
