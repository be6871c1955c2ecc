/* SPDX-License-Identifier: MIT */
#include "demo/modadd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { MODULUS = 23 };

static struct modadd made(uint64_t seed, double train_fraction)
{
    struct rng rng;
    rng_init(&rng, seed);
    struct modadd data;
    assert_int_equal(modadd_init(&data, MODULUS, train_fraction, &rng), OK);
    return data;
}

static void the_two_parts_are_disjoint_and_complete(void **state)
{
    (void)state;
    struct modadd data = made(1, 0.4);
    unsigned seen[MODULUS][MODULUS] = {{0}};
    for (size_t i = 0; i < data.train_count; i++)
        seen[modadd_train(&data)[i].a][modadd_train(&data)[i].b]++;
    for (size_t i = 0; i < data.val_count; i++)
        seen[modadd_val(&data)[i].a][modadd_val(&data)[i].b]++;
    assert_int_equal(data.train_count + data.val_count, MODULUS * MODULUS);
    for (int a = 0; a < MODULUS; a++) {
        for (int b = 0; b < MODULUS; b++)
            assert_int_equal(seen[a][b], 1);
    }
    modadd_fini(&data);
}

static void every_sum_is_the_modular_one(void **state)
{
    (void)state;
    struct modadd data = made(2, 0.5);
    for (size_t i = 0; i < data.train_count + data.val_count; i++) {
        const struct modadd_pair *pair = &data.pairs[i];
        assert_int_equal(pair->sum, (pair->a + pair->b) % MODULUS);
    }
    modadd_fini(&data);
}

static void the_training_part_has_the_size_asked_for(void **state)
{
    (void)state;
    struct modadd data = made(3, 0.4);
    assert_int_equal(data.train_count, 211); /* 0.4 * 529, rounded down */
    assert_int_equal(data.val_count, 318);
    modadd_fini(&data);
}

static void equal_seeds_split_alike_and_others_do_not(void **state)
{
    (void)state;
    struct modadd data = made(4, 0.5);
    struct modadd again = made(4, 0.5);
    struct modadd other = made(5, 0.5);
    size_t bytes = sizeof(struct modadd_pair) * MODULUS * MODULUS;
    assert_memory_equal(data.pairs, again.pairs, bytes);
    assert_true(memcmp(data.pairs, other.pairs, bytes) != 0);
    modadd_fini(&data);
    modadd_fini(&again);
    modadd_fini(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_two_parts_are_disjoint_and_complete),
        cmocka_unit_test(every_sum_is_the_modular_one),
        cmocka_unit_test(the_training_part_has_the_size_asked_for),
        cmocka_unit_test(equal_seeds_split_alike_and_others_do_not),
    };
    return cmocka_run_group_tests_name("demo/modadd", tests, NULL, NULL);
}
