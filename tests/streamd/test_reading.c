/* SPDX-License-Identifier: MIT */
#include "streamd/store/reading.h"

#include "streamd/session/update.h"
#include "streamd/store/reading_names.h"
#include "tests/streamd/readings.h"
#include "tests/support/oom.h"

static int setup(void **state)
{
    struct archived *a = malloc(sizeof(*a));
    archived_open(a);
    *state = a;
    return 0;
}

static int teardown(void **state)
{
    archived_close(*state);
    free(*state);
    return 0;
}

static void assert_text(struct span text, const char *want)
{
    if (!span_is(text, want))
        fail_msg("%.*s\n wanted %s", (int)text.len, text.ptr, want);
}

static void check_text(struct archived *a, const struct reading_request *q, const char *want)
{
    struct buf out;
    buf_init(&out, 1 << 24);
    assert_text(read_text(a, q, &out), want);
    buf_fini(&out);
}

static void every_form_is_written_as_it_is_documented(void **state)
{
    static const struct {
        enum reading_form form;
        const char *want;
    } cases[] = {
        {READING_JSON, "{\"success\":true,\"data\":["
                       "{\"currentStep\":1,\"loss\":0.5,\"offset\":1,\"serverTime\":1700000000},"
                       "{\"currentStep\":2,\"loss\":null,\"a,\\\"b\":3,"
                       "\"nonFinite\":{\"loss\":\"NaN\"},\"offset\":2,\"serverTime\":1700000000.01}"
                       "],\"sessionId\":\"a\",\"epoch\":\"e1\",\"total\":2}"},
        {READING_NDJSON, "{\"currentStep\":1,\"loss\":0.5,\"offset\":1,\"serverTime\":1700000000}\n"
                         "{\"currentStep\":2,\"loss\":null,\"a,\\\"b\":3,"
                         "\"nonFinite\":{\"loss\":\"NaN\"},\"offset\":2,"
                         "\"serverTime\":1700000000.01}\n"},
        {READING_HISTORY, "{\"sessionId\":\"a\",\"history\":["
                          "{\"currentStep\":1,\"loss\":0.5,\"offset\":1,\"serverTime\":1700000000},"
                          "{\"currentStep\":2,\"loss\":null,\"a,\\\"b\":3,"
                          "\"nonFinite\":{\"loss\":\"NaN\"},\"offset\":2,"
                          "\"serverTime\":1700000000.01}]}"},
        {READING_CSV, "offset,serverTime,currentStep,loss,\"a,\"\"b\"\r\n"
                      "1,1700000000,1,0.5,\r\n"
                      "2,1700000000.01,2,NaN,3\r\n"},
    };
    struct archived *a = *state;
    archived_add(a, "\"step\":1,\"loss\":0.5", false);
    archived_add(a, "\"step\":2,\"loss\":NaN,\"a,\\\"b\":3,\"other\":1", false);
    for (int sealed = 0; sealed < 2; sealed++) {
        archived_empty(a);
        archived_keep_all(a, 10, sealed);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            struct reading_request q = request_of(a);
            ask_for(&q, "loss");
            ask_for(&q, "a,\"b");
            q.form = cases[i].form;
            check_text(a, &q, cases[i].want);
        }
    }
}

static void a_session_nobody_knows_has_an_empty_history(void **state)
{
    static const struct {
        enum reading_form form;
        const char *want;
    } cases[] = {
        {READING_JSON, "{\"success\":true,\"data\":[],\"sessionId\":\"a\",\"epoch\":\"e1\","
                       "\"total\":0}"},
        {READING_NDJSON, ""},
        {READING_UPDATES, ""},
        {READING_HISTORY, "{\"sessionId\":\"a\",\"history\":[]}"},
        {READING_CSV, "offset,serverTime,currentStep,loss\r\n"},
    };
    static const uint64_t keys[] = {0, ARCHIVED_KEY - 1, ARCHIVED_KEY};
    struct archived *a = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (size_t k = 0; k < 3; k++) {
            struct reading_request q = request_of(a);
            q.session = keys[k];
            q.form = cases[i].form;
            q.points = 5;
            q.until = k;
            ask_for(&q, "loss");
            check_text(a, &q, cases[i].want);
        }
    }
}

static void a_csv_finds_its_columns_in_the_order_of_first_appearance(void **state)
{
    static const char header[] =
        "offset,serverTime,loss,perplexity,grokProgress,modelParams,currentStep,totalSteps,"
        "currentModel,totalModels,overallProgress,trainingTime,estimatedTimeRemaining,timestamp,"
        "b,a,c,d\r\n";
    struct archived *a = *state;
    struct buf out;
    buf_init(&out, 1 << 20);
    archived_add(a, "\"b\":1,\"a\":1", false);
    archived_add(a, "\"c\":1,\"a\":1", false);
    archived_add(a, "\"d\":1,\"b\":1", false);
    for (size_t rows = 1; rows <= 3; rows++) {
        for (int sealed = 0; sealed < 2; sealed++) {
            struct reading_request q = request_of(a);
            q.form = READING_CSV;
            archived_empty(a);
            archived_keep_all(a, rows, sealed);
            struct span text = read_text(a, &q, &out);
            assert_true(span_starts(text, span_of(header)));
        }
    }
    buf_fini(&out);
}

static void a_csv_of_too_many_columns_is_refused_before_it_begins(void **state)
{
    struct archived *a = *state;
    struct buf out;
    char metrics[64];
    buf_init(&out, 1 << 24);
    for (int i = 0; i < 1100; i++) {
        (void)snprintf(metrics, sizeof(metrics), "\"m%d\":1", i);
        archived_add(a, metrics, false);
    }
    archived_keep(a, 700, true);
    archived_keep_all(a, 100, false);
    struct reading_request q = request_of(a);
    q.form = READING_CSV;
    struct outcome outcome = read_all(a, &a->decoder, &q, &out);
    assert_int_equal(outcome.status, E_LIMIT);
    assert_int_equal(outcome.pieces, 0);
    q.limit = 500;
    assert_int_equal(read_all(a, &a->decoder, &q, &out).status, OK);
    buf_fini(&out);
}

static void a_history_past_its_limit_is_refused(void **state)
{
    struct archived *a = *state;
    struct buf out;
    buf_init(&out, 1 << 20);
    add_steps(a, 0, 50);
    archived_keep_all(a, 100, true);
    struct reading_request q = request_of(a);
    q.form = READING_HISTORY;
    q.max_bytes = 4000;
    assert_int_equal(read_all(a, &a->decoder, &q, &out).status, E_LIMIT);
    q.limit = 5;
    assert_int_equal(read_all(a, &a->decoder, &q, &out).status, OK);
    buf_fini(&out);
}

static void updates_are_those_of_the_live_stream(void **state)
{
    struct archived *a = *state;
    struct archive_cursor c;
    struct series_entry entry;
    struct buf out;
    struct buf want;
    buf_init(&out, 1 << 20);
    buf_init(&want, 1 << 20);
    add_steps(a, 0, 20);
    add_steps(a, 10, 5);
    archived_keep(a, 12, true);
    archived_keep_all(a, 5, false);
    for (int clamp = 0; clamp < 2; clamp++) {
        struct reading_request q = request_of(a);
        q.form = READING_UPDATES;
        q.since = 3;
        q.branches = true;
        q.compat_clamp = clamp;
        struct span text = read_text(a, &q, &out);
        archive_cursor_init(&c, a->store, &a->decoder, ARCHIVED_KEY, 4);
        while (archive_cursor_next(&c, &entry) == OK) {
            struct reading_update head;
            buf_reset(&want);
            update_write(&want, SPAN("a"), &entry, clamp);
            assert_true(text.len >= sizeof(head) + want.len);
            memcpy(&head, text.ptr, sizeof(head));
            assert_int_equal(head.offset, entry.offset);
            assert_int_equal(head.bytes, want.len);
            assert_memory_equal(text.ptr + sizeof(head), want.ptr, want.len);
            text.ptr += sizeof(head) + want.len;
            text.len -= sizeof(head) + want.len;
        }
        assert_int_equal(text.len, 0);
        archive_cursor_fini(&c);
    }
    buf_fini(&out);
    buf_fini(&want);
}

static void entries_after_a_rewind_replace_those_before(void **state)
{
    struct archived *a = *state;
    uint64_t offsets[64];
    struct buf out;
    buf_init(&out, 1 << 20);
    add_steps(a, 0, 10); /* offsets 1 to 10 */
    add_steps(a, 6, 6);  /* 11 to 16: steps 6 to 11 */
    archived_keep(a, 10, true);
    archived_keep_all(a, 10, false);
    struct reading_request q = request_of(a);
    assert_int_equal(q.rewind_count, 1);
    assert_int_equal(offsets_of(a, &q, offsets), 12);
    assert_int_equal(offsets[5], 6);
    assert_int_equal(offsets[6], 11);
    q.limit = 8;
    assert_int_equal(offsets_of(a, &q, offsets), 8);
    assert_int_equal(offsets[0], 5);
    q.branches = true;
    assert_int_equal(offsets_of(a, &q, offsets), 8);
    assert_int_equal(offsets[0], 9);
    ask_for(&q, "loss");
    q.form = READING_JSON;
    q.limit = 7;
    struct span text = read_text(a, &q, &out);
    static const char first[] = "{\"success\":true,\"data\":[{\"currentStep\":9,\"loss\":991,"
                                "\"offset\":10,\"serverTime\":1700000000.09,\"superseded\":true},"
                                "{\"currentStep\":6,\"loss\":994,\"offset\":11,";
    assert_true(span_starts(text, span_of(first)));
    q.form = READING_CSV;
    text = read_text(a, &q, &out);
    static const char rows[] = "offset,serverTime,superseded,currentStep,loss\r\n"
                               "10,1700000000.09,true,9,991\r\n"
                               "11,1700000000.1,,6,994\r\n";
    assert_true(span_starts(text, span_of(rows)));
    buf_fini(&out);
}

static void a_long_history_comes_in_pieces(void **state)
{
    struct archived *a = *state;
    struct buf out;
    buf_init(&out, 1 << 24);
    add_steps(a, 0, 6000);
    archived_keep(a, 4096, true);
    archived_keep_all(a, 500, false);
    struct reading_request q = request_of(a);
    struct outcome outcome = read_all(a, &a->decoder, &q, &out);
    assert_int_equal(outcome.status, OK);
    assert_int_equal(outcome.pieces, (out.len - 1) / READING_PIECE_BYTES + 1);
    assert_in_range(outcome.longest, READING_PIECE_BYTES, READING_PIECE_BYTES + 1024);
    buf_fini(&out);
}

static void damaged_rows_are_left_out(void **state)
{
    struct archived *a = *state;
    const struct store_ops *ops = a->store->ops;
    struct random chance = random_seeded(9);
    uint64_t *offsets = calloc(20000, sizeof(*offsets));
    for (int step = 0; step < 9000; step++) {
        char metrics[96];
        (void)snprintf(metrics, sizeof(metrics), "\"step\":%d,\"loss\":%d,\"acc\":%d", step,
                       1000 - step, (int)random_below(&chance, 1 << 30));
        archived_add(a, metrics, false);
    }
    archived_keep(a, 3000, true);
    archived_keep(a, 3000, true);
    archived_keep(a, 1000, false);
    archived_keep_all(a, 1000, false);
    for (uint64_t first = 3001; first <= 6001; first += 3000) {
        struct store_segment s;
        struct store_run r;
        bool sealed = ops->next_segment(a->store, ARCHIVED_KEY, first, true, &s) == OK;
        if (!sealed)
            assert_int_equal(ops->next_run(a->store, ARCHIVED_KEY, first, &r), OK);
        /* The memory store lends what it owns, and it is ours. */
        struct span part = sealed ? s.body : r.bytes;
        ((char *)(uintptr_t)part.ptr)[part.len / 2] ^= 1;
    }
    for (uint64_t points = 0; points <= 9000; points += 3000) {
        struct reading_request q = request_of(a);
        q.points = points;
        size_t n = offsets_of(a, &q, offsets);
        assert_in_range(n, 1, 5000);
        if (points == 0)
            assert_int_equal(n, 5000);
        for (size_t i = 0; i < n; i++)
            assert_true(offsets[i] <= 3000 || offsets[i] > 7000);
    }
    free(offsets);
}

/* Points are spread between the first and the last entry, which are not there to be read. */
static void points_of_a_history_with_damaged_ends_are_of_what_is_left(void **state)
{
    struct archived *a = *state;
    uint64_t offsets[400];
    add_steps(a, 0, 400);
    for (int i = 0; i < 4; i++)
        archived_keep(a, 100, false);
    for (uint64_t first = 1; first <= 301; first += 300) {
        struct store_run r;
        assert_int_equal(a->store->ops->next_run(a->store, ARCHIVED_KEY, first, &r), OK);
        ((char *)(uintptr_t)r.bytes.ptr)[r.bytes.len / 2] ^= 1;
    }
    struct reading_request q = request_of(a);
    q.points = 20;
    size_t n = offsets_of(a, &q, offsets);
    assert_in_range(n, 5, 20);
    assert_int_equal(offsets[0], 101);
    assert_int_equal(offsets[n - 1], 300);
}

static void who_wants_no_entry_hears_how_many_there_are(void **state)
{
    struct archived *a = *state;
    add_steps(a, 0, 7);
    archived_keep_all(a, 7, false);
    struct reading_request q = request_of(a);
    q.limit = 0;
    check_text(a, &q,
               "{\"success\":true,\"data\":[],\"sessionId\":\"a\",\"epoch\":\"e1\",\"total\":7}");
}

static void fields_longer_than_a_request_has_room_for_are_refused(void **state)
{
    (void)state;
    static struct reading_request q;
    static char names[sizeof(q.names) + 1];
    memset(names, 'a', sizeof(names));
    assert_null(reading_add_fields(&q, (struct span){names, sizeof(q.names)}));
    assert_int_equal(q.field_count, 1);
    assert_string_equal(reading_add_fields(&q, (struct span){names, sizeof(names)}),
                        "fields may have at most 8192 characters");
}

/* A store whose reads fail from the nth on. */
struct failing_store {
    struct store base;
    struct store_ops ops;
    struct store *real;
    size_t left;
};

static struct failing_store *failing(struct store *s)
{
    return (struct failing_store *)(void *)s;
}

static enum status failing_next_run(struct store *s, uint64_t session, uint64_t offset,
                                    struct store_run *out)
{
    struct failing_store *f = failing(s);
    if (f->left == 0 || --f->left == 0)
        return E_IO;
    return f->real->ops->next_run(f->real, session, offset, out);
}

static enum status failing_next_segment(struct store *s, uint64_t session, uint64_t offset,
                                        bool with_body, struct store_segment *out)
{
    struct failing_store *f = failing(s);
    if (f->left == 0 || --f->left == 0)
        return E_IO;
    return f->real->ops->next_segment(f->real, session, offset, with_body, out);
}

static void a_store_that_cannot_be_read_ends_the_reading(void **state)
{
    struct archived *a = *state;
    struct buf out;
    struct failing_store f = {.real = a->store};
    f.ops.next_run = failing_next_run;
    f.ops.next_segment = failing_next_segment;
    f.base.ops = &f.ops;
    buf_init(&out, 1 << 20);
    add_steps(a, 0, 40);
    archived_keep(a, 10, true);
    archived_keep_all(a, 10, false);
    for (uint64_t points = 0; points <= 20; points += 20) {
        size_t reads = 1;
        enum status status = E_IO;
        for (; status == E_IO; reads++) {
            struct reading_request q = request_of(a);
            struct archived broken = *a;
            broken.store = &f.base;
            q.points = points;
            f.left = reads;
            status = read_all(&broken, &a->decoder, &q, &out).status;
        }
        assert_int_equal(status, OK);
        assert_in_range(reads, 4, 40);
    }
    buf_fini(&out);
}

static void without_memory_a_reading_says_so(void **state)
{
    struct archived *a = *state;
    struct random chance = random_seeded(5);
    struct buf out;
    buf_init(&out, 1 << 22);
    assert_int_equal(buf_reserve(&out, 1 << 20), OK);
    add_anything(a, &chance, 400);
    archived_keep(a, 150, true);
    archived_keep(a, 100, true);
    archived_keep_all(a, 60, false);
    for (enum reading_form form = 0; form <= READING_UPDATES; form++) {
        for (uint64_t points = 0; points <= 40; points += 40) {
            struct reading_request q = request_of(a);
            q.form = form;
            q.points = points;
            q.limit = 200;
            for (size_t n = 1; oom_sweeps(n); n++) {
                struct line_decoder decoder;
                line_decoder_init(&decoder, 3);
                buf_reset(&out);
                struct outcome outcome = read_all(a, &decoder, &q, &out);
                assert_int_equal(outcome.status, oom_failed() ? E_NOMEM : OK);
                line_decoder_fini(&decoder);
            }
        }
    }
    buf_fini(&out);
}

#define READING_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        READING_TEST(every_form_is_written_as_it_is_documented),
        READING_TEST(a_session_nobody_knows_has_an_empty_history),
        READING_TEST(a_csv_finds_its_columns_in_the_order_of_first_appearance),
        READING_TEST(a_csv_of_too_many_columns_is_refused_before_it_begins),
        READING_TEST(a_history_past_its_limit_is_refused),
        READING_TEST(updates_are_those_of_the_live_stream),
        READING_TEST(entries_after_a_rewind_replace_those_before),
        READING_TEST(a_long_history_comes_in_pieces),
        READING_TEST(damaged_rows_are_left_out),
        READING_TEST(points_of_a_history_with_damaged_ends_are_of_what_is_left),
        READING_TEST(who_wants_no_entry_hears_how_many_there_are),
        READING_TEST(fields_longer_than_a_request_has_room_for_are_refused),
        READING_TEST(a_store_that_cannot_be_read_ends_the_reading),
        READING_TEST(without_memory_a_reading_says_so),
    };
    return cmocka_run_group_tests_name("store/reading", tests, NULL, NULL);
}
