/* SPDX-License-Identifier: MIT */
#include "streamd/store/archive_cursor.h"

#include "tests/streamd/archived.h"
#include "tests/support/lasting_store.h"
#include "tests/support/oom.h"

enum { RECORDS = 60 };

static int setup(void **state)
{
    struct archived *a = malloc(sizeof(*a));
    char metrics[64];
    archived_open(a);
    for (int i = 0; i < RECORDS; i++) {
        (void)snprintf(metrics, sizeof(metrics), "\"step\":%d,\"acc\":%d", i, 1000 + i);
        archived_add(a, metrics, false);
    }
    *state = a;
    return 0;
}

static int teardown(void **state)
{
    archived_close(*state);
    free(*state);
    return 0;
}

/* Two segments, two runs, ten records each but for the last. */
static void keep_mixed(struct archived *a)
{
    archived_keep(a, 10, true);
    archived_keep(a, 10, true);
    archived_keep(a, 10, false);
    archived_keep_all(a, RECORDS, false);
}

static void init(struct archive_cursor *c, struct archived *a, uint64_t from)
{
    archive_cursor_init(c, a->store, &a->decoder, ARCHIVED_KEY, from);
}

static void check_entry(const struct series_entry *entry, uint64_t offset)
{
    assert_int_equal(entry->offset, offset);
    assert_true(num_double(*record_extra(&entry->record, SPAN("acc"))) == 999.0 + (double)offset);
}

/* The cursor gives `from` to `to`, and nothing more if that is the last. */
static void check_walk(struct archive_cursor *c, uint64_t from, uint64_t to)
{
    struct series_entry entry;
    for (uint64_t offset = from; offset <= to; offset++) {
        assert_int_equal(archive_cursor_next(c, &entry), OK);
        check_entry(&entry, offset);
    }
    if (to == RECORDS)
        assert_int_equal(archive_cursor_next(c, &entry), E_NOT_FOUND);
}

static void entries_come_from_segments_and_runs_alike(void **state)
{
    struct archived *a = *state;
    keep_mixed(a);
    for (uint64_t from = 0; from <= RECORDS + 1; from++) {
        struct archive_cursor c;
        init(&c, a, from);
        check_walk(&c, from ? from : 1, RECORDS);
        assert_int_equal(c.damaged, 0);
        archive_cursor_fini(&c);
    }
}

static void a_cursor_goes_anywhere(void **state)
{
    static const uint64_t places[] = {15, 16, 14, 25, 27, 26, 21, 60, 1, 31, 20, 40, 39};
    struct archived *a = *state;
    struct archive_cursor c;
    keep_mixed(a);
    init(&c, a, 1);
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct series_entry entry;
        archive_cursor_seek(&c, places[i]);
        assert_int_equal(archive_cursor_next(&c, &entry), OK);
        check_entry(&entry, places[i]);
    }
    archive_cursor_fini(&c);
}

static void another_session_is_not_met(void **state)
{
    struct archived *a = *state;
    struct archive_cursor c;
    struct series_entry entry;
    keep_mixed(a);
    for (uint64_t key = ARCHIVED_KEY - 1; key <= ARCHIVED_KEY + 1; key += 2) {
        archive_cursor_init(&c, a->store, &a->decoder, key, 1);
        assert_int_equal(archive_cursor_next(&c, &entry), E_NOT_FOUND);
        assert_int_equal(archive_cursor_enter(&c), E_NOT_FOUND);
        archive_cursor_fini(&c);
    }
}

static void a_run_sealed_while_it_is_read_is_neither_missed_nor_repeated(void **state)
{
    struct archived *a = *state;
    struct archive_cursor c;
    archived_keep(a, 10, false);
    archived_keep(a, 10, false);
    init(&c, a, 1);
    check_walk(&c, 1, 5);
    a->kept = 0;
    record_memory_init(&a->at.memory);
    archived_keep(a, 20, true);
    check_walk(&c, 6, 20);
    archived_keep_all(a, 7, false);
    check_walk(&c, 21, RECORDS);
    archive_cursor_fini(&c);
}

static void a_segment_is_opened_by_its_head_first(void **state)
{
    struct archived *a = *state;
    struct archive_cursor c;
    struct series_entry entry;
    double steps[SEGMENT_ROWS_MAX];
    uint32_t column;
    keep_mixed(a);
    init(&c, a, 13);
    assert_int_equal(archive_cursor_enter(&c), OK);
    assert_int_equal(c.place, PLACE_SEGMENT);
    assert_int_equal(c.first, 11);
    assert_int_equal(c.last, 20);
    assert_int_equal(c.next, 13);
    assert_false(c.whole);
    assert_int_equal(archive_cursor_open(&c), OK);
    assert_true(c.whole && c.place == PLACE_SEGMENT);
    assert_true(segment_column_find(&c.segment, F_CURRENT_STEP, SPAN(""), &column));
    assert_int_equal(segment_numbers(&c.segment, column, steps, NULL), OK);
    assert_true(steps[2] == 12);
    assert_int_equal(archive_cursor_next(&c, &entry), OK);
    check_entry(&entry, 13);
    archive_cursor_seek(&c, 25);
    assert_int_equal(archive_cursor_enter(&c), OK);
    assert_int_equal(c.place, PLACE_RUN);
    assert_int_equal(c.next, 25);
    check_walk(&c, 25, RECORDS);
    archive_cursor_fini(&c);
}

/* Each row spoiled in turn, at each of its bytes. */
static void spoil(struct archived *a, uint64_t first, size_t at, bool in_head)
{
    struct store_segment s;
    struct store_run r;
    const struct store_ops *ops = a->store->ops;
    bool sealed =
        ops->next_segment(a->store, ARCHIVED_KEY, first, true, &s) == OK && s.first == first;
    if (!sealed)
        assert_int_equal(ops->next_run(a->store, ARCHIVED_KEY, first, &r), OK);
    struct span part = !sealed ? r.bytes : in_head ? s.head : s.body;
    /* The memory store lends what it owns, and it is ours. */
    if (part.len > 0) /* a short segment stands in its head alone */
        ((char *)(uintptr_t)part.ptr)[at % part.len] ^= 0x20;
}

static void check_passes_over(struct archived *a, uint64_t first, uint64_t last)
{
    struct archive_cursor c;
    init(&c, a, 1);
    check_walk(&c, 1, first - 1);
    check_walk(&c, last + 1, RECORDS);
    assert_int_equal(c.damaged, 1);
    archive_cursor_fini(&c);
}

static void a_damaged_row_is_counted_and_passed_over(void **state)
{
    struct archived *a = *state;
    log_set_level(LOG_ERROR);
    keep_mixed(a);
    for (size_t at = 0; at < 200; at++) {
        spoil(a, 11, at, true);
        check_passes_over(a, 11, 20);
        spoil(a, 11, at, true);
        spoil(a, 21, at, false);
        check_passes_over(a, 21, 30);
        spoil(a, 21, at, false);
    }
}

static void a_segment_with_a_damaged_body_is_passed_over(void **state)
{
    struct archived *a = *state;
    struct archive_cursor c;
    struct series_entry entry;
    for (int i = RECORDS; i < 3000; i++) {
        char metrics[64];
        (void)snprintf(metrics, sizeof(metrics), "\"step\":%d,\"acc\":%d.%d", i, 1000 + i, i % 7);
        archived_add(a, metrics, false);
    }
    archived_keep(a, 2900, true);
    archived_keep_all(a, 100, false);
    for (size_t at = 0; at < 2000; at += 13) {
        spoil(a, 1, at, false);
        init(&c, a, 1);
        assert_int_equal(archive_cursor_next(&c, &entry), OK);
        assert_int_equal(entry.offset, 2901);
        assert_int_equal(c.damaged, 1);
        archive_cursor_fini(&c);
        spoil(a, 1, at, false);
    }
}

/* Both ways of reading give the rows that are left and no others. */
static void check_goes_around(struct archived *a, const bool *lost)
{
    unsigned holes = 0;
    struct archive_cursor c;
    struct series_entry entry;
    init(&c, a, 1);
    for (uint64_t first = 1; first <= RECORDS; first += 10) {
        holes += lost[first / 10];
        for (uint64_t i = 0; i < 10 && !lost[first / 10]; i++) {
            assert_int_equal(archive_cursor_next(&c, &entry), OK);
            check_entry(&entry, first + i);
        }
    }
    assert_int_equal(archive_cursor_next(&c, &entry), E_NOT_FOUND);
    assert_in_range(c.damaged, 1, holes); /* neighbours may count as one */
    archive_cursor_seek(&c, 1);
    for (uint64_t first = 1; first <= RECORDS; first += 10) {
        if (lost[first / 10])
            continue;
        assert_int_equal(archive_cursor_enter(&c), OK);
        assert_int_equal(c.next, first);
        archive_cursor_seek(&c, first + 10);
    }
    archive_cursor_fini(&c);
}

static void damage_that_the_store_has_found_is_gone_around(void **state)
{
    /* The rows begin at 1, 11, ... 51; S is a segment, r a run. */
    static const struct {
        const char *rows;
        bool lost[6];
    } cases[] = {
        {"SSSSSS", {false, true, false, false, false, true}},
        {"SSSSSS", {true, true, true, true, true, true}},
        {"rrrrrr", {true, false, true, true, false, false}},
        {"rrrrrr", {true, true, true, true, true, true}},
        {"SSrrrr", {true, false, false, false, false, true}},
        {"SSrrrr", {false, true, true, false, false, false}},
        {"SrSrSr", {true, false, true, false, true, false}},
        {"SrSrSr", {false, true, false, true, false, true}},
    };
    struct archived *a = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lasting_store store;
        lasting_store_init(&store);
        a->store->ops->destroy(a->store);
        a->store = &store.base;
        a->kept = 0;
        record_memory_init(&a->at.memory);
        for (unsigned row = 0; row < 6; row++) {
            bool sealed = cases[i].rows[row] == 'S';
            archived_keep(a, 10, sealed);
            if (cases[i].lost[row])
                lasting_store_damage(&store, sealed ? LASTING_SEGMENT : LASTING_RUN, ARCHIVED_KEY,
                                     row * 10 + 1);
        }
        check_goes_around(a, cases[i].lost);
        lasting_store_fini(&store);
        a->store = store_memory_create();
    }
}

static void a_row_that_does_not_hold_what_it_says_is_damaged(void **state)
{
    struct archived *a = *state;
    const struct store_ops *ops = a->store->ops;
    struct store_run run;
    struct archive_cursor c;
    struct series_entry entry;
    struct buf bytes;
    buf_init(&bytes, 1 << 20);
    archived_keep(a, 10, false);
    assert_int_equal(ops->next_run(a->store, ARCHIVED_KEY, 1, &run), OK);
    buf_add_span(&bytes, run.bytes);
    assert_int_equal(ops->begin(a->store), OK);
    run = (struct store_run){ARCHIVED_KEY, 1, 12, buf_span(&bytes)};
    assert_int_equal(ops->put_run(a->store, &run), OK);
    run = (struct store_run){ARCHIVED_KEY, 13, 0, buf_span(&bytes)};
    assert_int_equal(ops->put_run(a->store, &run), OK);
    run = (struct store_run){ARCHIVED_KEY, 14, UINT64_MAX, buf_span(&bytes)};
    assert_int_equal(ops->put_run(a->store, &run), OK);
    assert_int_equal(ops->commit(a->store), OK);
    init(&c, a, 1);
    check_walk(&c, 1, 10);
    assert_int_equal(archive_cursor_next(&c, &entry), OK);
    assert_in_range(entry.offset, 13, 14);
    assert_int_equal(c.damaged, 1);
    archive_cursor_fini(&c);
    buf_fini(&bytes);
}

static void a_segment_that_is_gone_when_it_is_opened_is_passed_over(void **state)
{
    struct archived *a = *state;
    struct archive_cursor c;
    keep_mixed(a);
    init(&c, a, 1);
    assert_int_equal(archive_cursor_enter(&c), OK);
    assert_int_equal(a->store->ops->begin(a->store), OK);
    assert_int_equal(a->store->ops->delete_session(a->store, ARCHIVED_KEY), OK);
    assert_int_equal(a->store->ops->commit(a->store), OK);
    assert_int_equal(archive_cursor_open(&c), OK);
    assert_int_equal(c.place, PLACE_NONE);
    assert_int_equal(archive_cursor_enter(&c), E_IO); /* that was not all */
    archive_cursor_fini(&c);
}

static void an_entry_is_picked_or_it_is_not_there(void **state)
{
    const struct segment_wanted wanted = {.every = true};
    struct archived *a = *state;
    struct archive_cursor c;
    struct series_entry entry;
    keep_mixed(a);
    spoil(a, 11, 0, true);
    spoil(a, 21, 30, false);
    init(&c, a, 1);
    for (uint64_t offset = 1; offset <= RECORDS + 1; offset++) {
        bool there = offset <= 10 || (offset > 30 && offset <= RECORDS);
        assert_int_equal(archive_cursor_pick(&c, offset, &wanted, &entry),
                         there ? OK : E_NOT_FOUND);
        if (there)
            check_entry(&entry, offset);
    }
    archive_cursor_fini(&c);
}

static void forget_before(struct archived *a, uint64_t offset)
{
    assert_int_equal(a->store->ops->begin(a->store), OK);
    assert_int_equal(a->store->ops->delete_before(a->store, ARCHIVED_KEY, offset), OK);
    assert_int_equal(a->store->ops->commit(a->store), OK);
}

static void a_segment_that_is_gone_between_looking_and_reading_is_passed_over(void **state)
{
    const struct segment_wanted wanted = {.every = true};
    struct archived *a = *state;
    struct archive_cursor c;
    struct series_entry entry;
    keep_mixed(a);
    init(&c, a, 1);
    assert_int_equal(archive_cursor_enter(&c), OK);
    forget_before(a, 11);
    assert_int_equal(archive_cursor_next(&c, &entry), OK);
    check_entry(&entry, 11);
    archive_cursor_fini(&c);
    init(&c, a, 11);
    assert_int_equal(archive_cursor_enter(&c), OK);
    forget_before(a, 21);
    assert_int_equal(archive_cursor_pick(&c, 11, &wanted, &entry), E_NOT_FOUND);
    assert_int_equal(archive_cursor_pick(&c, 21, &wanted, &entry), OK);
    check_entry(&entry, 21);
    archive_cursor_fini(&c);
}

static void without_memory_the_same_may_be_asked_again(void **state)
{
    struct archived *a = *state;
    keep_mixed(a);
    for (size_t n = 1; oom_sweeps(n); n++) {
        struct archive_cursor c;
        struct series_entry entry;
        line_decoder_fini(&a->decoder);
        line_decoder_init(&a->decoder, 1);
        init(&c, a, 1);
        for (uint64_t offset = 1; offset <= RECORDS; offset++) {
            enum status status = archive_cursor_enter(&c);
            if (status == OK)
                status = archive_cursor_next(&c, &entry);
            if (status == E_NOMEM)
                status = archive_cursor_next(&c, &entry);
            assert_int_equal(status, OK);
            check_entry(&entry, offset);
        }
        assert_int_equal(archive_cursor_next(&c, &entry), E_NOT_FOUND);
        assert_int_equal(c.damaged, 0);
        archive_cursor_fini(&c);
    }
}

#define CURSOR_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CURSOR_TEST(entries_come_from_segments_and_runs_alike),
        CURSOR_TEST(a_cursor_goes_anywhere),
        CURSOR_TEST(another_session_is_not_met),
        CURSOR_TEST(a_run_sealed_while_it_is_read_is_neither_missed_nor_repeated),
        CURSOR_TEST(a_segment_is_opened_by_its_head_first),
        CURSOR_TEST(a_damaged_row_is_counted_and_passed_over),
        CURSOR_TEST(a_segment_with_a_damaged_body_is_passed_over),
        CURSOR_TEST(damage_that_the_store_has_found_is_gone_around),
        CURSOR_TEST(a_row_that_does_not_hold_what_it_says_is_damaged),
        CURSOR_TEST(a_segment_that_is_gone_when_it_is_opened_is_passed_over),
        CURSOR_TEST(an_entry_is_picked_or_it_is_not_there),
        CURSOR_TEST(a_segment_that_is_gone_between_looking_and_reading_is_passed_over),
        CURSOR_TEST(without_memory_the_same_may_be_asked_again),
    };
    return cmocka_run_group_tests_name("store/archive_cursor", tests, NULL, NULL);
}
