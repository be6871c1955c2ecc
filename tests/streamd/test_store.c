/* SPDX-License-Identifier: MIT */
/* What store.h promises, held against all stores by the same cases. */
#include "streamd/store/store_memory.h"
#include "streamd/store/store_sqlite.h"
#include "streamd/store/store_whole.h"

#include "tests/streamd/store_rows.h"
#include "tests/support/oom.h"
#include "tests/support/random.h"

struct kind {
    const char *name;
    struct store *(*create)(const struct store_dir *dir);
};

static struct store *create_memory(const struct store_dir *dir)
{
    (void)dir;
    return store_memory_create();
}

static struct store *create_sqlite(const struct store_dir *dir)
{
    char why[STORE_WHY_MAX];
    struct store *s = store_sqlite_open(dir->path, why);
    assert_string_equal(why, "");
    return s;
}

static struct store *create_whole(const struct store_dir *dir)
{
    return store_whole_create(create_memory(dir));
}

static const struct kind kinds[] = {
    {"memory", create_memory}, {"sqlite", create_sqlite}, {"whole", create_whole}};

static void expect_rows(struct store *s, const char *expected)
{
    char *text = rows_text(s);
    assert_string_equal(text, expected);
    free(text);
}

/* ---- the cases ---- */

static void a_new_store_is_empty(struct store *s)
{
    struct buf out;
    buf_init(&out, 16);
    expect_rows(s, "");
    assert_int_equal(s->ops->get_meta(s, "m", &out), E_NOT_FOUND);
    assert_string_equal(s->ops->why(s), "");
    buf_fini(&out);
}

static void a_session_comes_back_as_it_was_put(struct store *s)
{
    struct store_session all = {.key = 7,
                                .id = SPAN("a'; DROP TABLE session; --"),
                                .project = SPAN("p\0q"),
                                .name = SPAN(""),
                                .config = SPAN("{}"),
                                .status = SPAN("failed"),
                                .state = SPAN("\0\1\2"),
                                .start_time_s = -0.5,
                                .last_update_s = 1e300,
                                .pinned = true};
    struct store_session none = {.key = INT64_MAX, .id = SPAN("\xff\xfe")};
    struct store_session got;
    begin(s);
    must(s->ops->put_session(s, &all));
    must(s->ops->put_session(s, &none));
    commit(s);
    must(s->ops->next_session(s, 0, &got));
    assert_int_equal(got.key, 7);
    assert_true(span_eq(got.id, all.id));
    assert_true(span_eq(got.project, all.project));
    assert_non_null(got.name.ptr);
    assert_int_equal(got.name.len, 0);
    assert_true(span_eq(got.config, all.config));
    assert_true(span_eq(got.status, all.status));
    assert_true(span_eq(got.state, all.state));
    assert_true(got.start_time_s == -0.5 && got.last_update_s == 1e300 && got.pinned);
    must(s->ops->next_session(s, 7, &got));
    assert_int_equal(got.key, INT64_MAX);
    assert_true(span_eq(got.id, none.id));
    assert_null(got.project.ptr);
    assert_null(got.name.ptr);
    assert_null(got.config.ptr);
    assert_null(got.state.ptr);
    assert_false(got.pinned);
    assert_int_equal(s->ops->next_session(s, INT64_MAX, &got), E_NOT_FOUND);
    assert_int_equal(s->ops->next_session(s, UINT64_MAX, &got), E_NOT_FOUND);
}

static void putting_a_session_again_replaces_all_of_it(struct store *s)
{
    struct store_session row = session_row(1, "a", "one");
    begin(s);
    must(s->ops->put_session(s, &row));
    row.config = SPAN("{\"lr\":0.2}");
    row.state = SPAN("two");
    row.name = SPAN("n");
    must(s->ops->put_session(s, &row));
    commit(s);
    expect_rows(s, "session 1 id=1:a name=1:n config=10:{\"lr\":0.2} status=7:running state=3:two"
                   " 1700000000.25 1700000001\n");
    begin(s);
    row.config = (struct span){NULL, 0};
    must(s->ops->put_session(s, &row));
    commit(s);
    expect_rows(s, "session 1 id=1:a name=1:n status=7:running state=3:two"
                   " 1700000000.25 1700000001\n");
}

static void sessions_come_by_key(struct store *s)
{
    static const uint64_t keys[] = {500, 3, 70000, 1, 2};
    static const uint64_t sorted[] = {1, 2, 3, 500, 70000};
    struct store_session got = {.key = 0};
    begin(s);
    for (size_t i = 0; i < 5; i++)
        must(put_session(s, keys[i], "x"));
    commit(s);
    for (size_t i = 0; i < 5; i++) {
        must(s->ops->next_session(s, got.key, &got));
        assert_int_equal(got.key, sorted[i]);
    }
    assert_int_equal(s->ops->next_session(s, got.key, &got), E_NOT_FOUND);
    assert_int_equal(got.key, 70000);
}

static void the_row_that_holds_an_offset_or_the_next_one_is_found(struct store *s)
{
    static const struct {
        uint64_t session, offset;
        uint64_t first; /* 0: none */
    } cases[] = {
        {1, 0, 10},  {1, 9, 10},  {1, 10, 10}, {1, 14, 10},        {1, 15, 20},
        {1, 19, 20}, {1, 20, 20}, {1, 20, 20}, {1, 21, 21},        {1, 29, 21},
        {1, 30, 0},  {2, 0, 5},   {2, 5, 5},   {2, 6, 0},          {0, 0, 0},
        {3, 0, 0},   {1, 99, 0},  {9, 9, 0},   {1, UINT64_MAX, 0}, {UINT64_MAX, 1, 0},
    };
    begin(s);
    must(put_run(s, 1, 20, 1, "b"));
    must(put_run(s, 1, 10, 5, "a"));
    must(put_run(s, 2, 5, 1, "d"));
    must(put_run(s, 1, 21, 9, "c"));
    must(put_segment(s, 2, 5, 1, "D", "DD"));
    must(put_run(s, 2, 5, 1, "d"));
    must(put_segment(s, 1, 10, 5, "A", "AA"));
    must(put_run(s, 1, 10, 5, "a"));
    must(put_segment(s, 1, 21, 9, "C", "CC"));
    must(put_run(s, 1, 21, 9, "c"));
    must(put_segment(s, 1, 20, 1, "B", "BB"));
    must(put_run(s, 1, 20, 1, "b"));
    commit(s);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct store_run run = {.first = 0};
        struct store_segment segment = {.first = 0};
        enum status expected = cases[i].first ? OK : E_NOT_FOUND;
        assert_int_equal(s->ops->next_run(s, cases[i].session, cases[i].offset, &run), expected);
        assert_int_equal(run.first, cases[i].first);
        for (int body = 0; body < 2; body++) {
            assert_int_equal(
                s->ops->next_segment(s, cases[i].session, cases[i].offset, body, &segment),
                expected);
            assert_int_equal(segment.first, cases[i].first);
            if (expected == OK)
                assert_int_equal(segment.body.len, body ? 2 : 0);
            assert_true(body || segment.body.ptr == NULL);
        }
    }
}

static void a_run_with_the_same_first_is_replaced(struct store *s)
{
    begin(s);
    must(put_run(s, 1, 1, 1, "short"));
    commit(s);
    begin(s);
    must(put_run(s, 1, 1, 3, "longer"));
    commit(s);
    expect_rows(s, "run 1 1 3 bytes=6:longer\n");
}

static void a_segment_takes_the_place_of_the_runs_that_begin_in_it(struct store *s)
{
    begin(s);
    for (uint64_t first = 1; first < 50; first += 10)
        must(put_run(s, 1, first, 10, "x"));
    must(put_run(s, 2, 11, 10, "y"));
    must(put_segment(s, 1, 11, 20, "h", "b"));
    commit(s);
    expect_rows(s, "run 1 1 10 bytes=1:x\nrun 1 31 10 bytes=1:x\nrun 1 41 10 bytes=1:x\n"
                   "segment 1 11 20 head=1:h body=1:b\nrun 2 11 10 bytes=1:y\n");
    begin(s);
    must(put_segment(s, 1, 11, 21, "h2", "b2"));
    commit(s);
    expect_rows(s, "run 1 1 10 bytes=1:x\nrun 1 41 10 bytes=1:x\n"
                   "segment 1 11 21 head=2:h2 body=2:b2\nrun 2 11 10 bytes=1:y\n");
}

static void what_is_forgotten_are_the_segments_that_end_before_an_offset(struct store *s)
{
    begin(s);
    for (uint64_t first = 1; first < 40; first += 10)
        must(put_segment(s, 1, first, 10, "h", "b"));
    must(put_run(s, 1, 41, 1, "r"));
    must(put_segment(s, 2, 1, 10, "h", "b"));
    must(s->ops->delete_before(s, 1, 21));
    must(s->ops->delete_before(s, 1, 30)); /* in the midst of one */
    must(s->ops->delete_before(s, 3, 99));
    commit(s);
    expect_rows(s, "run 1 41 1 bytes=1:r\n"
                   "segment 1 21 10 head=1:h body=1:b\nsegment 1 31 10 head=1:h body=1:b\n"
                   "segment 2 1 10 head=1:h body=1:b\n");
}

static void deleting_a_session_takes_its_rows_and_no_others(struct store *s)
{
    begin(s);
    for (uint64_t key = 1; key <= 3; key++) {
        must(put_session(s, key, "x"));
        must(put_segment(s, key, 1, 10, "h", "b"));
        must(put_run(s, key, 11, 1, "r"));
        must(put_audit(s, key, key, "o"));
        must(put_audit(s, key + 3, key, "o"));
    }
    commit(s);
    begin(s);
    must(s->ops->delete_session(s, 2));
    must(s->ops->delete_session(s, 2));
    must(s->ops->delete_session(s, 99));
    commit(s);
    const char *config = "config=10:{\"lr\":0.1} status=7:running state=1:x 1700000000.25"
                         " 1700000001\n";
    char expected[512];
    (void)snprintf(expected, sizeof(expected),
                   "session 1 id=2:id %ssession 3 id=2:id %s"
                   "run 1 11 1 bytes=1:r\nsegment 1 1 10 head=1:h body=1:b\n"
                   "run 3 11 1 bytes=1:r\nsegment 3 1 10 head=1:h body=1:b\n"
                   "order 1 1 entry=1:o\norder 3 3 entry=1:o\n"
                   "order 4 1 entry=1:o\norder 6 3 entry=1:o\n",
                   config, config);
    expect_rows(s, expected);
}

static void orders_come_by_id_and_are_replaced_by_it(struct store *s)
{
    struct store_audit order;
    assert_int_equal(s->ops->next_audit(s, 0, &order), E_NOT_FOUND);
    assert_int_equal(s->ops->next_audit(s, UINT64_MAX, &order), E_NOT_FOUND);
    begin(s);
    must(put_audit(s, 9, 1, "nine"));
    must(put_audit(s, 2, 2, "told"));
    must(put_audit(s, 5, 1, ""));
    must(put_audit(s, 2, 2, "done"));
    must(s->ops->delete_audit(s, 5));
    must(s->ops->delete_audit(s, 5));
    commit(s);
    expect_rows(s, "order 2 2 entry=4:done\norder 9 1 entry=4:nine\n");
}

static void values_of_the_whole_store_are_kept_by_name(struct store *s)
{
    struct buf out;
    buf_init(&out, 8);
    begin(s);
    must(s->ops->put_meta(s, "epoch", SPAN("a\0b")));
    must(s->ops->put_meta(s, "m", SPAN("")));
    must(s->ops->put_meta(s, "epoch", SPAN("c\0d")));
    must(s->ops->put_meta(s, "epo", SPAN("x")));
    commit(s);
    buf_add_str(&out, "<");
    must(s->ops->get_meta(s, "epoch", &out));
    assert_true(span_eq(buf_span(&out), SPAN("<c\0d")));
    must(s->ops->get_meta(s, "m", &out));
    assert_int_equal(out.len, 4);
    assert_int_equal(s->ops->get_meta(s, "epochs", &out), E_NOT_FOUND);
    begin(s);
    must(s->ops->put_meta(s, "m", SPAN("0123456789")));
    commit(s);
    assert_int_equal(s->ops->get_meta(s, "m", &out), E_LIMIT);
    buf_fini(&out);
}

static void long_and_empty_bytes_come_back_as_they_were(struct store *s)
{
    static const size_t sizes[] = {0, 1, 100, 4000, 4096, 65536, 300 * 1000, 2 * 1000 * 1000};
    struct random random = random_seeded(1);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct store_run run;
        struct store_segment segment;
        char *bytes = test_malloc(sizes[i] + 1);
        for (size_t at = 0; at < sizes[i]; at++)
            bytes[at] = (char)random_next(&random);
        struct span all = {bytes, sizes[i]};
        begin(s);
        must(s->ops->put_run(s, &(struct store_run){1, 1, 1, all}));
        must(s->ops->put_segment(s, &(struct store_segment){2, 1, 1, all, all}));
        commit(s);
        must(s->ops->next_run(s, 1, 0, &run));
        assert_true(span_eq(run.bytes, all));
        must(s->ops->next_segment(s, 2, 0, true, &segment));
        assert_true(span_eq(segment.head, all) && span_eq(segment.body, all));
        assert_true(s->ops->bytes(s) >= 3 * sizes[i]);
        test_free(bytes);
    }
}

/* Every kind of change, to a store where rows_before put something. */
static void change_everything(struct store *s)
{
    must(put_session(s, 1, "new"));
    must(put_session(s, 5, "new"));
    must(put_run(s, 1, 11, 1, "new"));
    must(put_run(s, 1, 12, 1, "new"));
    must(put_segment(s, 1, 1, 20, "new", "new"));
    must(put_segment(s, 4, 1, 20, "new", "new"));
    must(put_run(s, 4, 1, 1, "new"));
    must(put_segment(s, 4, 1, 1, "newer", "newer"));
    must(s->ops->put_meta(s, "m", SPAN("new")));
    must(s->ops->delete_session(s, 2));
    must(put_session(s, 2, "newest"));
    must(s->ops->delete_session(s, 5));
    must(put_audit(s, 1, 1, "new"));
    must(put_audit(s, 8, 1, "new"));
    must(s->ops->delete_audit(s, 3));
    must(s->ops->delete_before(s, 3, 11));
}

static void rows_before(struct store *s)
{
    begin(s);
    for (uint64_t key = 1; key <= 3; key++) {
        must(put_session(s, key, "old"));
        must(put_segment(s, key, 1, 10, "old", "old"));
        must(put_run(s, key, 11, 1, "old"));
        must(put_audit(s, key, key, "old"));
    }
    must(s->ops->put_meta(s, "m", SPAN("old")));
    commit(s);
}

static void rolling_back_leaves_all_as_it_was(struct store *s)
{
    rows_before(s);
    char *before = rows_text(s);
    uint64_t bytes = s->ops->bytes(s);
    for (int round = 0; round < 3; round++) {
        begin(s);
        change_everything(s);
        char *meanwhile = rows_text(s);
        assert_string_not_equal(meanwhile, before);
        free(meanwhile);
        s->ops->rollback(s);
        expect_rows(s, before);
    }
    s->ops->rollback(s);
    expect_rows(s, before);
    assert_true(s->ops->bytes(s) <= bytes + 65536);
    free(before);
}

static void what_a_transaction_put_is_read_within_it_and_after_it(struct store *s)
{
    rows_before(s);
    begin(s);
    change_everything(s);
    char *within = rows_text(s);
    commit(s);
    expect_rows(s, within);
    begin(s);
    commit(s);
    expect_rows(s, within);
    free(within);
}

/* The same random changes done to this store and to one in memory give the same rows. */
static void any_changes_give_what_a_plain_model_gives(struct store *s)
{
    struct store *both[] = {s, store_memory_create()};
    for (uint64_t round = 0; round < 60; round++) {
        char *text[2];
        for (int i = 0; i < 2; i++) {
            struct store *at = both[i];
            struct random random = random_seeded(round);
            begin(at);
            for (int n = 0; n < 20; n++) {
                uint64_t key = 1 + random_next(&random) % 4;
                uint64_t first = 1 + random_next(&random) % 40 * 5;
                switch (random_next(&random) % 8) {
                case 0:
                    must(put_session(at, key, n % 2 ? "x" : "y"));
                    break;
                case 1:
                    must(put_segment(at, key, first, 5, "h", "b"));
                    break;
                case 2:
                    must(n == 2 ? at->ops->delete_session(at, key) : OK);
                    break;
                default:
                    must(put_run(at, key, first, 1 + random_next(&random) % 5, "r"));
                }
            }
            if (random_next(&random) % 4 == 0)
                at->ops->rollback(at);
            else
                commit(at);
            text[i] = rows_text(at);
        }
        assert_string_equal(text[0], text[1]);
        free(text[0]);
        free(text[1]);
    }
    both[1]->ops->destroy(both[1]);
}

static void a_transaction_left_open_is_rolled_back_at_the_end(struct store *s)
{
    begin(s);
    change_everything(s);
}

/* ---- running them ---- */

typedef void case_fn(struct store *s);

static const struct {
    const char *name;
    case_fn *run;
} cases[] = {
#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }
    CASE(a_new_store_is_empty),
    CASE(a_session_comes_back_as_it_was_put),
    CASE(putting_a_session_again_replaces_all_of_it),
    CASE(sessions_come_by_key),
    CASE(the_row_that_holds_an_offset_or_the_next_one_is_found),
    CASE(a_run_with_the_same_first_is_replaced),
    CASE(a_segment_takes_the_place_of_the_runs_that_begin_in_it),
    CASE(what_is_forgotten_are_the_segments_that_end_before_an_offset),
    CASE(deleting_a_session_takes_its_rows_and_no_others),
    CASE(orders_come_by_id_and_are_replaced_by_it),
    CASE(values_of_the_whole_store_are_kept_by_name),
    CASE(long_and_empty_bytes_come_back_as_they_were),
    CASE(rolling_back_leaves_all_as_it_was),
    CASE(what_a_transaction_put_is_read_within_it_and_after_it),
    CASE(any_changes_give_what_a_plain_model_gives),
    CASE(a_transaction_left_open_is_rolled_back_at_the_end),
};

enum { CASES = sizeof(cases) / sizeof(cases[0]), KINDS = sizeof(kinds) / sizeof(kinds[0]) };

struct trial {
    const struct kind *kind;
    case_fn *run;
};

static void run_trial(void **state)
{
    const struct trial *t = *state;
    struct store_dir dir;
    store_dir_make(&dir);
    struct store *s = t->kind->create(&dir);
    assert_non_null(s);
    t->run(s);
    s->ops->destroy(s);
    store_dir_remove(&dir);
}

/* ---- what only memory does ---- */

static void memory_fails_from_the_nth_change_on_when_told_to(void **state)
{
    (void)state;
    struct store *s = store_memory_create();
    rows_before(s);
    char *before = rows_text(s);
    store_memory_fail(s, 3);
    begin(s);
    must(put_run(s, 1, 11, 1, "new"));
    assert_int_equal(put_run(s, 1, 12, 1, "new"), E_IO);
    assert_string_equal(s->ops->why(s), "made to fail");
    assert_int_equal(put_run(s, 1, 12, 1, "new"), E_IO);
    assert_int_equal(s->ops->commit(s), E_IO);
    expect_rows(s, before);
    assert_int_equal(s->ops->begin(s), E_IO);
    store_memory_fail(s, 2);
    begin(s);
    assert_int_equal(s->ops->commit(s), E_IO);
    store_memory_fail(s, 0);
    begin(s);
    commit(s);
    expect_rows(s, before);
    free(before);
    s->ops->destroy(s);
}

/* True when all went well. */
static bool try_changes(struct store *s)
{
    struct store_session row = session_row(1, "a", "new");
    bool well = s->ops->begin(s) == OK && s->ops->put_session(s, &row) == OK &&
                put_run(s, 1, 11, 1, "new") == OK && put_segment(s, 1, 1, 20, "new", "new") == OK &&
                s->ops->put_meta(s, "m", SPAN("new")) == OK && put_audit(s, 9, 1, "new") == OK &&
                s->ops->delete_session(s, 2) == OK;
    for (uint64_t first = 100; well && first < 200; first++)
        well = put_run(s, 1, first, 1, "new") == OK;
    if (well && s->ops->commit(s) == OK)
        return true;
    s->ops->rollback(s);
    return false;
}

static void memory_that_runs_out_leaves_all_as_it_was(void **state)
{
    (void)state;
    bool failed = true;
    oom_fail(1);
    assert_null(store_memory_create());
    assert_true(oom_failed());
    for (size_t n = 1; failed; n++) {
        struct store *s = store_memory_create();
        rows_before(s);
        char *before = rows_text(s);
        oom_fail(n);
        bool well = try_changes(s);
        failed = oom_failed();
        assert_int_equal(well, !failed);
        if (failed)
            expect_rows(s, before);
        free(before);
        s->ops->destroy(s);
    }
}

int main(void)
{
    static struct trial trials[CASES * KINDS];
    static char names[CASES * KINDS][128];
    struct CMUnitTest tests[CASES * KINDS + 2];
    size_t n = 0;
    for (size_t k = 0; k < KINDS; k++)
        for (size_t i = 0; i < CASES; i++, n++) {
            trials[n] = (struct trial){&kinds[k], cases[i].run};
            (void)snprintf(names[n], sizeof(names[n]), "%s: %s", kinds[k].name, cases[i].name);
            tests[n] = (struct CMUnitTest){names[n], run_trial, NULL, NULL, &trials[n]};
        }
    tests[n++] =
        (struct CMUnitTest)cmocka_unit_test(memory_fails_from_the_nth_change_on_when_told_to);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(memory_that_runs_out_leaves_all_as_it_was);
    return cmocka_run_group_tests_name("streamd/store/store", tests, NULL, NULL);
}
