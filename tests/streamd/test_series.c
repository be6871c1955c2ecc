/* SPDX-License-Identifier: MIT */
#include "streamd/session/series.h"

#include "tests/support/random.h"
#include "tests/support/same.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct stats stats;
static struct series_budget budget;

static struct series *open_series(uint64_t max_records, uint64_t max_bytes)
{
    stats = (struct stats){0};
    series_budget_init(&budget, max_bytes, &stats);
    struct series *s = series_create(&budget, max_records);
    assert_non_null(s);
    return s;
}

static struct record record_with(enum record_field field, struct num value)
{
    struct record r;
    record_init(&r);
    record_set(&r, field, value);
    return r;
}

static uint64_t append(struct series *s, const struct record *r)
{
    uint64_t offset = 0;
    assert_int_equal(series_append(s, r, 1.5, &offset), OK);
    return offset;
}

static void append_steps(struct series *s, uint64_t from, uint64_t count)
{
    for (uint64_t i = from; i < from + count; i++) {
        struct record r = record_with(F_CURRENT_STEP, num_int((int64_t)i));
        assert_int_equal(append(s, &r), i);
    }
}

static bool read_one(struct series *s, uint64_t offset, struct series_cursor *c,
                     struct series_entry *out)
{
    series_cursor_init(c, s, offset);
    return series_next(c, out);
}

static void an_empty_series_has_no_offsets_and_no_entries(void **state)
{
    (void)state;
    struct series *s = open_series(10, 1 << 20);
    struct series_cursor c;
    struct series_entry e;
    assert_int_equal(series_count(s), 0);
    assert_int_equal(series_oldest(s), 0);
    assert_int_equal(series_newest(s), 0);
    assert_false(read_one(s, 0, &c, &e));
    series_cursor_fini(&c);
    series_destroy(s);
    assert_int_equal(stats.history_bytes, 0);
}

static void values_are_read_back_bit_for_bit(void **state)
{
    (void)state;
    static const char digits[] = "123456789012345678901234567890";
    const struct num values[] = {
        num_int(0),
        num_int(INT64_MIN),
        num_int(9007199254740993),
        num_float(0.1),
        num_float(-0.0),
        num_float(5e-324),
        num_float(1.7976931348623157e308),
        num_float(NAN),
        num_float(-INFINITY),
        {.kind = NUM_TEXT, .len = sizeof(digits) - 1, .text = digits},
        {.kind = NUM_TEXT, .len = 20, .text = digits},
    };
    enum { VALUES = sizeof(values) / sizeof(values[0]) };
    struct series *s = open_series(1000, 1 << 20);
    for (size_t i = 0; i < VALUES; i++) {
        const struct extra extra[] = {{SPAN("lr"), values[i]}, {SPAN("grad/norm"), values[0]}};
        struct record r = record_with(F_LOSS, values[i]);
        r.field[F_TIMESTAMP] = values[VALUES - 1 - i];
        r.wrong = 1U << F_MODEL_PARAMS;
        r.extra = extra;
        r.extra_count = 2;
        struct series_cursor c;
        struct series_entry e;
        assert_true(read_one(s, append(s, &r), &c, &e));
        assert_same_record(&r, &e.record);
        assert_int_equal(e.offset, i + 1);
        assert_true(e.server_time_s == 1.5);
        series_cursor_fini(&c);
    }
    series_destroy(s);
}

/* Records of ever other shapes: which fields, which names, in which order. */
static struct record random_record(struct random *random, struct extra *extra, char (*names)[24])
{
    struct record r;
    record_init(&r);
    for (enum record_field f = 0; f < RECORD_FIELDS; f++) {
        uint64_t dice = random_next(random);
        if (dice % 4 == 0)
            record_set(&r, f, num_int((int64_t)(dice >> 8)));
        else if (dice % 4 == 1)
            record_set(&r, f, num_float((double)dice));
    }
    r.extra = extra;
    r.extra_count = random_next(random) % 6;
    size_t first = random_next(random) % 40;
    for (size_t i = 0; i < r.extra_count; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "m%zu", first + i * 7);
        extra[i] = (struct extra){span_of(names[i]), num_float((double)i)};
    }
    return r;
}

static void records_of_mixed_shapes_come_back_in_order(void **state)
{
    (void)state;
    enum { RECORDS = 5000 };
    struct series *s = open_series(RECORDS, 16 << 20);
    struct extra extra[6];
    char names[6][24];
    struct random random = random_seeded(11);
    for (size_t i = 0; i < RECORDS; i++) {
        struct record r = random_record(&random, extra, names);
        assert_int_equal(append(s, &r), i + 1);
    }
    struct series_cursor c;
    struct series_entry e;
    random = random_seeded(11);
    series_cursor_init(&c, s, 0);
    for (size_t i = 0; i < RECORDS; i++) {
        struct record r = random_record(&random, extra, names);
        assert_true(series_next(&c, &e));
        assert_int_equal(e.offset, i + 1);
        assert_same_record(&r, &e.record);
    }
    assert_false(series_next(&c, &e));
    series_cursor_fini(&c);
    series_destroy(s);
}

static void a_cursor_starts_at_the_offset_asked_for(void **state)
{
    (void)state;
    static const struct {
        uint64_t asked;
        uint64_t given; /* 0: nothing */
    } cases[] = {{0, 1},       {1, 1},       {2, 2},    {777, 777},
                 {1999, 1999}, {2000, 2000}, {2001, 0}, {UINT64_MAX, 0}};
    struct series *s = open_series(5000, 16 << 20);
    append_steps(s, 1, 2000);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct series_cursor c;
        struct series_entry e = {0};
        bool found = read_one(s, cases[i].asked, &c, &e);
        assert_int_equal(found, cases[i].given > 0);
        assert_int_equal(e.offset, cases[i].given);
        assert_int_equal(found ? e.record.field[F_CURRENT_STEP].i : 0, cases[i].given);
        series_cursor_fini(&c);
    }
    series_destroy(s);
}

static void the_record_cap_drops_the_oldest_and_counts_them(void **state)
{
    (void)state;
    static const uint64_t caps[] = {1, 2, 7, 8, 100, 1000};
    for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
        struct series *s = open_series(caps[i], 64 << 20);
        for (uint64_t n = 1; n <= 3000; n++) {
            append_steps(s, n, 1);
            uint64_t count = series_count(s);
            assert_true(count <= caps[i]);
            assert_true(n < caps[i] || count * 8 >= caps[i] * 7);
            assert_int_equal(series_newest(s), n);
            assert_int_equal(series_oldest(s), n + 1 - count);
            assert_int_equal(stats.history_evicted, n - count);
        }
        series_destroy(s);
    }
}

static void a_dropped_offset_gives_the_oldest_entry_kept(void **state)
{
    (void)state;
    struct series *s = open_series(100, 1 << 20);
    append_steps(s, 1, 1000);
    struct series_cursor c;
    struct series_entry e;
    assert_true(read_one(s, 5, &c, &e));
    assert_int_equal(e.offset, series_oldest(s));
    assert_int_equal(e.record.field[F_CURRENT_STEP].i, series_oldest(s));
    series_cursor_fini(&c);
    series_destroy(s);
}

static void the_byte_budget_holds_over_all_series(void **state)
{
    (void)state;
    enum { SERIES = 4, BUDGET = 256 * 1024, OPEN_CHUNK = 17 * 1024 };
    struct series *all[SERIES] = {open_series(1000000, BUDGET)};
    for (size_t i = 1; i < SERIES; i++)
        all[i] = series_create(&budget, 1000000);
    for (uint64_t n = 1; n <= 5000; n++) {
        for (size_t i = 0; i < SERIES; i++)
            append_steps(all[i], n, 1);
        assert_true(stats.history_bytes <= BUDGET + SERIES * OPEN_CHUNK);
    }
    assert_true(stats.history_bytes > BUDGET / 2);
    for (size_t i = 0; i < SERIES; i++) {
        assert_int_equal(series_newest(all[i]), 5000);
        assert_true(series_count(all[i]) > 0);
        series_destroy(all[i]);
    }
    assert_int_equal(stats.history_bytes, 0);
}

static void a_greedy_series_pays_for_itself(void **state)
{
    (void)state;
    struct series *modest = open_series(1000000, 128 * 1024);
    struct series *greedy = series_create(&budget, 1000000);
    append_steps(modest, 1, 500);
    append_steps(greedy, 1, 50000);
    assert_int_equal(series_count(modest), 500);
    assert_int_equal(series_oldest(modest), 1);
    assert_true(series_count(greedy) < 50000);
    series_destroy(modest);
    series_destroy(greedy);
}

static void the_newest_record_outlives_any_budget(void **state)
{
    (void)state;
    struct series *quiet = open_series(100, 1);
    struct series *busy = series_create(&budget, 100000);
    append_steps(quiet, 1, 1);
    append_steps(busy, 1, 2000);
    struct series_cursor c;
    struct series_entry e;
    assert_true(read_one(quiet, 1, &c, &e));
    assert_int_equal(e.record.field[F_CURRENT_STEP].i, 1);
    series_cursor_fini(&c);
    assert_true(read_one(busy, 2000, &c, &e));
    assert_int_equal(e.record.field[F_CURRENT_STEP].i, 2000);
    series_cursor_fini(&c);
    series_destroy(quiet);
    series_destroy(busy);
}

static void a_record_longer_than_a_chunk_has_one_of_its_own(void **state)
{
    (void)state;
    enum { EXTRAS = 8000 };
    static struct extra extra[EXTRAS];
    static char names[EXTRAS][24];
    for (size_t i = 0; i < EXTRAS; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "n%zu", i);
        extra[i] = (struct extra){span_of(names[i]), num_int((int64_t)i)};
    }
    struct series *s = open_series(100, 16 << 20);
    struct record r = record_with(F_LOSS, num_float(1));
    append_steps(s, 1, 1);
    r.extra = extra;
    r.extra_count = EXTRAS;
    assert_int_equal(append(s, &r), 2);
    append_steps(s, 3, 1);
    struct series_cursor c;
    struct series_entry e;
    assert_true(read_one(s, 2, &c, &e));
    assert_same_record(&r, &e.record);
    assert_true(series_next(&c, &e));
    assert_int_equal(e.offset, 3);
    series_cursor_fini(&c);
    series_destroy(s);
}

/* Appends records with ever new names of `width` bytes, each beside the first name of all. */
static void append_names(struct series *s, unsigned count, int width)
{
    struct record r;
    record_init(&r);
    for (unsigned i = 0; i < count; i++) {
        char name[256];
        char first[256];
        (void)snprintf(name, sizeof(name), "%0*u", width, i);
        (void)snprintf(first, sizeof(first), "%0*u", width, 0U);
        const struct extra extra[] = {{span_of(name), num_int(1)}, {span_of(first), num_int(2)}};
        r.extra = extra;
        r.extra_count = 2;
        (void)append(s, &r);
    }
}

static void names_past_the_limit_are_left_out_and_counted(void **state)
{
    (void)state;
    struct series *s = open_series(10, 16 << 20);
    append_names(s, SERIES_NAMES_MAX, 6);
    assert_int_equal(stats.values_ignored, 0);
    append_names(s, SERIES_NAMES_MAX + 10, 6);
    assert_int_equal(stats.values_ignored, 10);
    struct series_cursor c;
    struct series_entry e;
    assert_true(read_one(s, series_newest(s), &c, &e));
    assert_int_equal(e.record.extra_count, 1);
    assert_true(span_is(e.record.extra[0].name, "000000"));
    series_cursor_fini(&c);
    series_destroy(s);
}

static void long_names_meet_a_limit_of_bytes(void **state)
{
    (void)state;
    struct series *s = open_series(10, 16 << 20);
    append_names(s, SERIES_NAMES_MAX, 250);
    assert_true(stats.values_ignored > 0);
    assert_true(stats.history_bytes < SERIES_NAME_BYTES_MAX + 64 * 1024);
    series_destroy(s);
    assert_int_equal(stats.history_bytes, 0);
}

static void a_cursor_that_was_ended_gives_nothing(void **state)
{
    (void)state;
    struct series *s = open_series(10, 1 << 20);
    append_steps(s, 1, 3);
    struct series_cursor c;
    struct series_entry e;
    series_cursor_init(&c, s, 1);
    series_cursor_fini(&c);
    assert_false(series_next(&c, &e));
    series_cursor_fini(&c);
    series_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_series_has_no_offsets_and_no_entries),
        cmocka_unit_test(values_are_read_back_bit_for_bit),
        cmocka_unit_test(records_of_mixed_shapes_come_back_in_order),
        cmocka_unit_test(a_cursor_starts_at_the_offset_asked_for),
        cmocka_unit_test(the_record_cap_drops_the_oldest_and_counts_them),
        cmocka_unit_test(a_dropped_offset_gives_the_oldest_entry_kept),
        cmocka_unit_test(the_byte_budget_holds_over_all_series),
        cmocka_unit_test(a_greedy_series_pays_for_itself),
        cmocka_unit_test(the_newest_record_outlives_any_budget),
        cmocka_unit_test(a_record_longer_than_a_chunk_has_one_of_its_own),
        cmocka_unit_test(names_past_the_limit_are_left_out_and_counted),
        cmocka_unit_test(long_names_meet_a_limit_of_bytes),
        cmocka_unit_test(a_cursor_that_was_ended_gives_nothing),
    };
    return cmocka_run_group_tests_name("streamd/session/series", tests, NULL, NULL);
}
