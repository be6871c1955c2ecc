/* SPDX-License-Identifier: MIT */
#include "demo/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* The published xoshiro256** started from the state {1, 2, 3, 4}. */
static void the_stream_is_the_published_one(void **state)
{
    (void)state;
    static const uint64_t expected[] = {11520, 0, 1509978240, 1215971899390074240};
    struct rng rng = {.state = {1, 2, 3, 4}};
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        assert_true(rng_next(&rng) == expected[i]);
}

/* The published splitmix64 started from 0, whose first output is E220A8397B1DCDAF. */
static void a_seed_is_spread_by_splitmix64(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 0);
    assert_true(rng.state[0] == 0xE220A8397B1DCDAFU);
    assert_true(rng.state[1] == 0x6E789E6AA1B965F4U);
}

static void equal_seeds_agree_and_neighbours_differ(void **state)
{
    (void)state;
    struct rng a;
    struct rng b;
    struct rng other;
    rng_init(&a, 7);
    rng_init(&b, 7);
    rng_init(&other, 8);
    unsigned same_as_other = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t bits = rng_next(&a);
        assert_true(bits == rng_next(&b));
        same_as_other += bits == rng_next(&other);
    }
    assert_int_equal(same_as_other, 0);
}

static void below_stays_below_and_reaches_every_value(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 1);
    unsigned seen[7] = {0};
    for (int i = 0; i < 7000; i++) {
        uint64_t value = rng_below(&rng, 7);
        assert_true(value < 7);
        seen[value]++;
    }
    for (int i = 0; i < 7; i++)
        assert_in_range(seen[i], 850, 1150);
    assert_true(rng_below(&rng, 1) == 0);
}

static void normal_deviates_have_mean_zero_and_deviation_one(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    struct rng rng;
    rng_init(&rng, 3);
    double sum = 0.0;
    double squares = 0.0;
    double fourths = 0.0;
    for (int i = 0; i < COUNT; i++) {
        double value = rng_normal(&rng);
        sum += value;
        squares += value * value;
        fourths += value * value * value * value;
    }
    assert_true(fabs(sum / COUNT) < 0.02);
    assert_true(fabs(squares / COUNT - 1.0) < 0.02);
    assert_true(fabs(fourths / COUNT - 3.0) < 0.15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_stream_is_the_published_one),
        cmocka_unit_test(a_seed_is_spread_by_splitmix64),
        cmocka_unit_test(equal_seeds_agree_and_neighbours_differ),
        cmocka_unit_test(below_stays_below_and_reaches_every_value),
        cmocka_unit_test(normal_deviates_have_mean_zero_and_deviation_one),
    };
    return cmocka_run_group_tests_name("demo/rng", tests, NULL, NULL);
}
