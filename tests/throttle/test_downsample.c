/* SPDX-License-Identifier: MIT */
/*
 * The random tests compare with the definition itself: for every bucket, search all its points for
 * the first, lowest, highest, last and first non-finite one.
 */
#include "throttle/downsample.h"

#include "tests/support/random.h"
#include "tests/support/vectors.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { MANY = 4000 };

/* Runs a whole series; answers how many points came out. */
static size_t run(struct downsample *d, const struct downsample_point *in, size_t n,
                  struct downsample_point *out)
{
    size_t given = 0;
    for (size_t i = 0; i < n; i++)
        given += downsample_add(d, in[i], out + given);
    return given + downsample_finish(d, out + given);
}

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static uint64_t number(const cJSON *object, const char *name)
{
    return (uint64_t)cJSON_GetNumberValue(member(object, name));
}

static double value_of(const cJSON *y)
{
    return cJSON_IsString(y) ? strtod(y->valuestring, NULL) : y->valuedouble;
}

static void check_vector(const cJSON *one)
{
    struct downsample_point in[16];
    struct downsample_point out[16 + DOWNSAMPLE_PER_BUCKET];
    const cJSON *point;
    size_t n = 0;
    cJSON_ArrayForEach(point, member(one, "in"))
    {
        uint64_t x = (uint64_t)cJSON_GetArrayItem(point, 0)->valuedouble;
        in[n] = (struct downsample_point){x, value_of(cJSON_GetArrayItem(point, 1)), n};
        n++;
    }
    struct downsample d;
    downsample_init(&d, number(one, "from"), number(one, "to"), number(one, "points"));
    size_t given = run(&d, in, n, out);
    assert_int_equal(given, cJSON_GetArraySize(member(one, "out")));
    for (size_t i = 0; i < given; i++) {
        int expected = cJSON_GetArrayItem(member(one, "out"), (int)i)->valueint;
        assert_int_equal(out[i].ref, expected);
        assert_int_equal(out[i].x, in[expected].x);
    }
    assert_int_equal(
        downsample_width(number(one, "from"), number(one, "to"), number(one, "points")),
        number(one, "width"));
}

static void every_vector_comes_out_as_written(void **state)
{
    (void)state;
    cJSON *file = vectors_read("tests/vectors/downsample.json");
    const cJSON *one;
    int count = 0;
    cJSON_ArrayForEach(one, member(file, "cases"))
    {
        check_vector(one);
        count++;
    }
    assert_true(count >= 13);
    cJSON_Delete(file);
}

/* Does the width keep to the budget, and would half of it not? */
static void the_width_is_the_smallest_that_keeps_to_the_budget(void **state)
{
    (void)state;
    struct random chance = random_seeded(6);
    for (int i = 0; i < 20000; i++) {
        uint64_t from = random_next(&chance) >> random_below(&chance, 64);
        uint64_t to = from + (random_next(&chance) >> (1 + random_below(&chance, 63)));
        size_t points = 4 + random_below(&chance, 5000);
        if (to <= from)
            continue;
        uint64_t width = downsample_width(from, to, points);
        uint64_t buckets = points / DOWNSAMPLE_PER_BUCKET;
        assert_int_equal(width & (width - 1), 0);
        if (width != 0)
            assert_true((to - 1) / width - from / width + 1 <= buckets);
        uint64_t half = width == 0 ? UINT64_C(1) << 63 : width / 2;
        if (half > 0)
            assert_true((to - 1) / half - from / half + 1 > buckets);
    }
    assert_int_equal(downsample_width(0, UINT64_MAX, 4), 0);
    assert_int_equal(downsample_width(0, UINT64_MAX, 8), UINT64_C(1) << 63);
}

static void a_bucket_ends_where_the_next_one_begins(void **state)
{
    static const struct {
        uint64_t from, to;
        size_t points;
        uint64_t x, bucket, end;
    } cases[] = {
        {0, 1000, 40, 0, 0, 128},
        {0, 1000, 40, 127, 0, 128},
        {0, 1000, 40, 128, 1, 256},
        {0, 4, 16, 3, 3, 4},
        {0, UINT64_MAX, 8, 5, 0, UINT64_C(1) << 63},
        {0, UINT64_MAX, 8, UINT64_C(1) << 63, 1, UINT64_MAX},
        {0, UINT64_MAX, 4, 5, 0, UINT64_MAX},
        {7, 8, 4, UINT64_MAX, UINT64_MAX, UINT64_MAX},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct downsample d;
        downsample_init(&d, cases[i].from, cases[i].to, cases[i].points);
        assert_int_equal(downsample_bucket(&d, cases[i].x), cases[i].bucket);
        assert_int_equal(downsample_bucket_end(&d, cases[i].bucket), cases[i].end);
    }
}

/* Some series of a metric: smooth, jumpy, gappy, with values that are not finite. */
static size_t make_series(struct random *chance, struct downsample_point *series)
{
    size_t n = random_below(chance, MANY);
    uint64_t step = 1 + random_below(chance, 50);
    uint64_t x = random_below(chance, 1000);
    for (size_t i = 0; i < n; i++) {
        double y = (double)random_below(chance, 50);
        if (random_below(chance, 40) == 0)
            y = random_below(chance, 2) ? NAN : -INFINITY;
        series[i] = (struct downsample_point){x, y, i};
        x += random_below(chance, step + 1);
    }
    return n;
}

/* The position of the best point of [start, end) in the order `better`, or `end`. */
static size_t search(const struct downsample_point *in, size_t start, size_t end, int sign)
{
    size_t best = end;
    for (size_t i = start; i < end; i++) {
        if (isfinite(in[i].y) && (best == end || in[i].y * sign > in[best].y * sign))
            best = i;
    }
    return best;
}

static size_t search_gap(const struct downsample_point *in, size_t start, size_t end)
{
    while (start < end && isfinite(in[start].y))
        start++;
    return start;
}

/* Marks which points of one bucket [start, end) must come out. */
static void mark_bucket(const struct downsample_point *in, size_t start, size_t end, bool *chosen)
{
    size_t wanted[5] = {start, search(in, start, end, -1), search(in, start, end, 1), end - 1,
                        search_gap(in, start, end)};
    size_t n = 0;
    for (size_t i = 0; i < 5; i++) {
        if (wanted[i] < end && !chosen[wanted[i]]) {
            chosen[wanted[i]] = true;
            n++;
        }
    }
    if (n == 5)
        chosen[start] = false;
}

static void check_against_the_definition(const struct downsample_point *in, size_t n, uint64_t from,
                                         uint64_t to, size_t points)
{
    static struct downsample_point out[MANY + DOWNSAMPLE_PER_BUCKET];
    static bool chosen[MANY];
    struct downsample d;
    uint64_t width = downsample_width(from, to, points);
    memset(chosen, 0, sizeof(chosen));
    for (size_t start = 0; start < n;) {
        size_t end = start + 1;
        if (in[start].x < from || in[start].x >= to) {
            start = end;
            continue;
        }
        while (end < n && in[end].x < to && in[end].x / width == in[start].x / width)
            end++;
        mark_bucket(in, start, end, chosen);
        start = end;
    }
    downsample_init(&d, from, to, points);
    size_t given = run(&d, in, n, out);
    assert_true(given <= (points < 4 ? 4 : points));
    size_t next = 0;
    for (size_t i = 0; i < n; i++) {
        if (chosen[i])
            assert_int_equal(out[next++].ref, i);
    }
    assert_int_equal(next, given);
}

static void it_chooses_what_the_definition_says(void **state)
{
    (void)state;
    static struct downsample_point series[MANY];
    struct random chance = random_seeded(7);
    for (int i = 0; i < 500; i++) {
        size_t n = make_series(&chance, series);
        uint64_t from = random_below(&chance, 3000);
        uint64_t to = from + 1 + random_below(&chance, 200000);
        check_against_the_definition(series, n, from, to, random_below(&chance, 3000));
    }
}

static void what_is_appended_after_the_range_changes_nothing(void **state)
{
    (void)state;
    static struct downsample_point series[MANY];
    static struct downsample_point early[MANY + DOWNSAMPLE_PER_BUCKET];
    static struct downsample_point late[MANY + DOWNSAMPLE_PER_BUCKET];
    struct random chance = random_seeded(8);
    for (int i = 0; i < 300; i++) {
        size_t n = make_series(&chance, series);
        if (n == 0)
            continue;
        size_t known = 1 + random_below(&chance, n); /* the history at the first request */
        uint64_t to = series[known - 1].x;
        size_t points = 4 + random_below(&chance, 400);
        struct downsample d;
        downsample_init(&d, 0, to, points);
        size_t first = run(&d, series, known, early);
        size_t again = run(&d, series, n, late); /* finish made it as new */
        assert_int_equal(first, again);
        if (first > 0)
            assert_memory_equal(early, late, first * sizeof(early[0]));
    }
}

static void every_extreme_of_the_whole_series_survives(void **state)
{
    (void)state;
    static struct downsample_point series[MANY];
    static struct downsample_point out[MANY + DOWNSAMPLE_PER_BUCKET];
    struct random chance = random_seeded(9);
    for (int i = 0; i < 300; i++) {
        size_t n = make_series(&chance, series);
        struct downsample d;
        downsample_init(&d, 0, UINT64_MAX, 40);
        size_t given = run(&d, series, n, out);
        assert_true(given <= 40);
        size_t low_in = search(series, 0, n, -1);
        size_t low_out = search(out, 0, given, -1);
        assert_int_equal(low_in == n, low_out == given);
        if (low_in < n)
            assert_true(series[low_in].y == out[low_out].y);
        assert_int_equal(search_gap(series, 0, n) < n, search_gap(out, 0, given) < given);
        if (n > 0)
            assert_int_equal(out[given - 1].ref, n - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vector_comes_out_as_written),
        cmocka_unit_test(the_width_is_the_smallest_that_keeps_to_the_budget),
        cmocka_unit_test(a_bucket_ends_where_the_next_one_begins),
        cmocka_unit_test(it_chooses_what_the_definition_says),
        cmocka_unit_test(what_is_appended_after_the_range_changes_nothing),
        cmocka_unit_test(every_extreme_of_the_whole_series_survives),
    };
    return cmocka_run_group_tests_name("throttle/downsample", tests, NULL, NULL);
}
