/* SPDX-License-Identifier: MIT */
#include "streamd/store/column.h"

#include "tests/support/guarded.h"
#include "tests/support/oom.h"
#include "tests/support/random.h"
#include "tests/support/same.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { PACKED_MAX = 1 << 20 };

static struct column_writer writer;
static struct column_reader reader;
static struct buf packed;
static struct num nums[WORDS_MAX];
static struct num back[WORDS_MAX];
static uint64_t axis[WORDS_MAX];
static uint64_t time_ms[WORDS_MAX];

static int setup(void **state)
{
    (void)state;
    buf_init(&packed, PACKED_MAX);
    for (size_t i = 0; i < WORDS_MAX; i++) {
        axis[i] = 10 * i + (i > 7);
        time_ms[i] = 1700000000000 + 1000 * i + (i * 7919) % 100;
    }
    if (column_writer_init(&writer) != OK)
        return -1;
    return column_reader_init(&reader) == OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    column_writer_fini(&writer);
    column_reader_fini(&reader);
    buf_fini(&packed);
    return 0;
}

static struct column_source source_of(struct span bytes, size_t n)
{
    enum column_near near = column_near(bytes);
    const uint64_t *beside = near == NEAR_AXIS ? axis : near == NEAR_TIME ? time_ms : NULL;
    return (struct column_source){bytes, n, beside};
}

/* As doubles they must be what num_double makes of them. */
static void check_doubles(const struct column_source *source)
{
    static double doubles[WORDS_MAX];
    static bool has[WORDS_MAX];
    assert_int_equal(column_doubles(&reader, source, doubles, has), OK);
    for (size_t i = 0; i < source->n; i++) {
        double v = num_double(nums[i]);
        assert_int_equal(has[i], nums[i].kind != NUM_NONE);
        assert_true(has[i] ? memcmp(&v, &doubles[i], sizeof(v)) == 0 : isnan(doubles[i]));
    }
}

/* Writes the first n nums, reads them back, answers how many bytes they took. */
static size_t round_trip(size_t n)
{
    buf_reset(&packed);
    column_write(&writer, &(struct column_slots){nums, n, axis, time_ms}, &packed);
    assert_int_equal(buf_status(&packed), OK);
    struct guarded g = guarded_copy(packed.ptr, packed.len);
    struct column_source source = source_of(g.span, n);
    struct column_text text = {NULL, 0};
    assert_int_equal(column_nums(&reader, &source, back, &text), OK);
    for (size_t i = 0; i < n; i++)
        assert_same_num(nums[i], back[i]);
    free(text.bytes);
    check_doubles(&source);
    guarded_free(&g);
    return packed.len;
}

static double noise(struct random *random)
{
    return (double)(random_next(random) >> 11) * 0x1p-53;
}

static double rounded(double v, int places)
{
    return nearbyint(v * pow(10, places)) / pow(10, places);
}

/* ---- what trainers send ---- */

static struct num counter(struct random *random, size_t i)
{
    (void)random;
    return num_int((int64_t)i * 50);
}

static struct num along_the_axis(struct random *random, size_t i)
{
    (void)random;
    return num_int((int64_t)axis[i] + 3);
}

static struct num along_the_time(struct random *random, size_t i)
{
    uint64_t ms = time_ms[i] - time_ms[0] + random_below(random, 2);
    return num_float((double)ms / 1000);
}

static struct num four_decimals(struct random *random, size_t i)
{
    return num_float(rounded(2 + 3 / (1 + (double)i * 0.01) + noise(random) * 0.1, 4));
}

static struct num seven_digits_over_decades(struct random *random, size_t i)
{
    char text[32];
    double v = pow(10, -8.0 * (double)i / WORDS_MAX) * (1 + noise(random));
    (void)snprintf(text, sizeof(text), "%.6e", v);
    return num_float(strtod(text, NULL));
}

static struct num widened(struct random *random, size_t i)
{
    return num_float((double)(float)(1 / (1 + (double)i) + noise(random)));
}

static struct num full_precision(struct random *random, size_t i)
{
    return num_float(1 / (1 + (double)i) + noise(random));
}

static struct num decimals_with_gaps(struct random *random, size_t i)
{
    static const double odd[] = {NAN, INFINITY, -INFINITY, -0.0, 5e-324, M_PI};
    return i % 100 < 6 ? num_float(odd[i % 100]) : four_decimals(random, i);
}

static struct num diverged(struct random *random, size_t i)
{
    return i > 1000 ? num_float(NAN) : four_decimals(random, i);
}

static struct num integers_among_floats(struct random *random, size_t i)
{
    double v = rounded(noise(random) * 3, 1);
    return v == floor(v) ? num_int((int64_t)v) : num_float(v + (double)(i % 2) / 100);
}

static struct num integers_among_widened(struct random *random, size_t i)
{
    return i % 5 ? widened(random, i) : num_int((int64_t)i);
}

static struct num integers_among_anything(struct random *random, size_t i)
{
    return i % 3 ? full_precision(random, i) : num_int((int64_t)random_next(random));
}

static struct num any_bits(struct random *random, size_t i)
{
    double v;
    uint64_t bits = random_next(random);
    (void)i;
    memcpy(&v, &bits, sizeof(v));
    return num_float(v);
}

static struct num any_integer(struct random *random, size_t i)
{
    return num_int(i % 2 ? INT64_MIN : (int64_t)random_next(random));
}

static struct num level(struct random *random, size_t i)
{
    (void)random;
    (void)i;
    return num_float(0.0003);
}

static struct num level_and_unround(struct random *random, size_t i)
{
    (void)random;
    (void)i;
    return num_float(1.0 / 3);
}

static struct num any_kind(struct random *random, size_t i)
{
    static const char digits[] = "-123456789012345678901234567890";
    switch (random_below(random, 4)) {
    case 0:
        return num_none();
    case 1:
        return num_int((int64_t)i);
    case 2:
        return full_precision(random, i);
    default:
        return (struct num){.kind = NUM_TEXT,
                            .len = (uint32_t)random_below(random, sizeof(digits)),
                            .text = digits};
    }
}

static const struct sort_of {
    const char *name;
    struct num (*make)(struct random *random, size_t i);
    double bytes_most; /* a number, of a full column */
} sorts[] = {
    {"counter", counter, 0.01},
    {"along the axis", along_the_axis, 0.01},
    {"along the time", along_the_time, 0.2},
    {"level", level, 0.01},
    {"level and unround", level_and_unround, 0.01},
    {"four decimals", four_decimals, 1.6},
    {"seven digits over decades", seven_digits_over_decades, 3.2},
    {"widened", widened, 3.5},
    {"full precision", full_precision, 7.5},
    {"decimals with gaps", decimals_with_gaps, 2.5},
    {"diverged", diverged, 1.0},
    {"integers among floats", integers_among_floats, 1.6},
    {"integers among widened", integers_among_widened, 4},
    {"integers among anything", integers_among_anything, 9},
    {"any bits", any_bits, 8.1},
    {"any integer", any_integer, 8.3},
    {"any kind", any_kind, 12},
};

enum { SORTS = sizeof(sorts) / sizeof(sorts[0]) };

static void fill(const struct sort_of *sort, size_t n)
{
    struct random random = random_seeded(3);
    for (size_t i = 0; i < n; i++)
        nums[i] = sort->make(&random, i);
}

static void every_sort_of_column_comes_back_bit_for_bit(void **state)
{
    (void)state;
    static const size_t lengths[] = {1, 2, 3, 4, 5, 17, 63, 64, 65, 300, 1023, WORDS_MAX};
    for (size_t k = 0; k < SORTS; k++) {
        for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
            fill(&sorts[k], lengths[i]);
            (void)round_trip(lengths[i]);
        }
    }
}

static void each_sort_finds_its_short_form(void **state)
{
    (void)state;
    for (size_t k = 0; k < SORTS; k++) {
        fill(&sorts[k], WORDS_MAX);
        double bytes = (double)round_trip(WORDS_MAX) / WORDS_MAX;
        if (bytes > sorts[k].bytes_most)
            fail_msg("%s: %.3f bytes a number", sorts[k].name, bytes);
    }
}

static void extremes_stand_side_by_side(void **state)
{
    (void)state;
    static const double extremes[] = {
        0.0,       -0.0,     5e-324,    -5e-324, 0x1p-1022, 0x1.fffffffffffffp1023,
        -0x1p1023, INFINITY, -INFINITY, 0.1,     1e22,      1e23,
        0x1p52,    0x1p53,   0x1p63,    1e-22,   1e-23,     3.4e38};
    enum { EXTREMES = sizeof(extremes) / sizeof(extremes[0]) };
    static const int64_t integers[] = {
        INT64_MAX, INT64_MIN, 0, -1, 1, (int64_t)1 << 53, ((int64_t)1 << 53) + 1};
    for (size_t i = 0; i < EXTREMES; i++)
        nums[i] = num_float(extremes[i]);
    (void)round_trip(EXTREMES);
    for (size_t i = 0; i < 7; i++)
        nums[EXTREMES + i] = num_int(integers[i]);
    (void)round_trip(EXTREMES + 7);
    memmove(nums, nums + EXTREMES, 7 * sizeof(nums[0]));
    (void)round_trip(7);
}

static void the_payload_of_a_nan_is_kept(void **state)
{
    (void)state;
    static const uint64_t nans[] = {0x7ff8000000000000, 0xfff8000000000000, 0x7ff0000000000001,
                                    0x7ff8000020000000, 0xffffffffffffffff};
    for (size_t i = 0; i < 40; i++) {
        nums[i] = num_float(0);
        memcpy(&nums[i].f, &nans[i % 5], sizeof(nums[i].f));
    }
    (void)round_trip(40);
    for (size_t i = 5; i < 40; i++)
        nums[i] = num_float(0.25);
    (void)round_trip(40);
}

/* ---- bytes that are no column ---- */

static void read_anyway(struct span bytes, size_t n)
{
    struct guarded g = guarded_copy(bytes.ptr, bytes.len);
    struct column_source source = source_of(g.span, n);
    struct column_text text = {NULL, 0};
    static double doubles[WORDS_MAX];
    enum status status = column_nums(&reader, &source, back, &text);
    assert_true(status == OK || status == E_MALFORMED);
    if (status == OK)
        free(text.bytes);
    status = column_doubles(&reader, &source, doubles, NULL);
    assert_true(status == OK || status == E_MALFORMED);
    guarded_free(&g);
}

static void altered_bytes_are_read_within_bounds(void **state)
{
    (void)state;
    struct random random = random_seeded(5);
    for (size_t k = 0; k < SORTS; k++) {
        fill(&sorts[k], 200);
        (void)round_trip(200);
        for (size_t i = 0; i < 2000; i++) {
            size_t at = i < packed.len ? i : random_below(&random, packed.len);
            char before = packed.ptr[at];
            packed.ptr[at] = (char)random_next(&random);
            read_anyway(buf_span(&packed), 200);
            packed.ptr[at] = before;
        }
    }
}

static void a_column_cut_short_or_with_more_behind_it_is_refused(void **state)
{
    (void)state;
    for (size_t k = 0; k < SORTS; k++) {
        fill(&sorts[k], 100);
        (void)round_trip(100);
        buf_add_char(&packed, 0);
        for (size_t len = 0; len <= packed.len; len++) {
            struct guarded g = guarded_copy(packed.ptr, len);
            struct column_source source = source_of(g.span, 100);
            struct column_text text = {NULL, 0};
            bool whole = len == packed.len - 1;
            assert_int_equal(column_nums(&reader, &source, back, &text), whole ? OK : E_MALFORMED);
            free(text.bytes);
            guarded_free(&g);
        }
    }
}

static void want_of_memory_is_said_and_leaks_nothing(void **state)
{
    (void)state;
    static double doubles[WORDS_MAX];
    fill(&sorts[SORTS - 1], 100);
    for (size_t n = 1; oom_sweeps(n); n++) {
        struct buf out;
        struct column_text text = {NULL, 0};
        buf_init(&out, PACKED_MAX);
        column_write(&writer, &(struct column_slots){nums, 100, axis, time_ms}, &out);
        enum status status = buf_status(&out);
        struct column_source source = source_of(buf_span(&out), 100);
        if (status == OK)
            status = column_nums(&reader, &source, back, &text);
        if (status == OK)
            status = column_doubles(&reader, &source, doubles, NULL);
        assert_true(status == OK || status == E_NOMEM);
        free(text.bytes);
        buf_fini(&out);
    }
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_sort_of_column_comes_back_bit_for_bit),
        TEST(each_sort_finds_its_short_form),
        TEST(extremes_stand_side_by_side),
        TEST(the_payload_of_a_nan_is_kept),
        TEST(altered_bytes_are_read_within_bounds),
        TEST(a_column_cut_short_or_with_more_behind_it_is_refused),
        TEST(want_of_memory_is_said_and_leaks_nothing),
    };
    return cmocka_run_group_tests_name("streamd/store/column", tests, NULL, NULL);
}
