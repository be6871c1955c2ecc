/* SPDX-License-Identifier: MIT */
#include "demo/trainee.h"
#include "tests/support/oom.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { STEPS = 3 };

struct curve {
    struct mlp_score train[STEPS];
    struct mlp_score val[STEPS];
};

static struct curve trained(uint64_t seed, unsigned index)
{
    struct curve curve;
    struct trainee t;
    assert_int_equal(trainee_init(&t, seed, index), OK);
    for (int step = 0; step < STEPS; step++) {
        curve.train[step] = trainee_step(&t);
        curve.val[step] = trainee_validate(&t);
    }
    trainee_fini(&t);
    return curve;
}

static void a_seed_and_an_index_determine_every_number(void **state)
{
    (void)state;
    struct curve curve = trained(1, 0);
    struct curve again = trained(1, 0);
    struct curve other_seed = trained(2, 0);
    struct curve other_index = trained(1, 3);
    assert_memory_equal(&curve, &again, sizeof(curve));
    assert_memory_not_equal(&curve, &other_seed, sizeof(curve));
    assert_memory_not_equal(&curve, &other_index, sizeof(curve));
}

/* Whatever its plan, a fresh model guesses, and the very first steps make it better. */
static void every_plan_begins_at_chance_and_learns(void **state)
{
    (void)state;
    for (unsigned index = 0; index < 3; index++) {
        struct curve curve = trained(1, index);
        assert_true(fabs(curve.train[0].loss - log(TRAINEE_MODULUS)) < 0.2);
        assert_true(curve.train[0].accuracy < 0.1);
        assert_true(curve.train[STEPS - 1].loss < curve.train[0].loss);
    }
}

static void plans_begin_again_after_the_last(void **state)
{
    (void)state;
    assert_ptr_equal(plan_of(3), plan_of(0));
    assert_ptr_not_equal(plan_of(1), plan_of(0));
    assert_ptr_not_equal(plan_of(2), plan_of(1));
}

static void the_batch_is_the_whole_training_part(void **state)
{
    (void)state;
    struct trainee t;
    assert_int_equal(trainee_init(&t, 1, 0), OK);
    assert_int_equal(trainee_batch_size(), t.data.train_count);
    trainee_fini(&t);
}

static void without_memory_nothing_is_held(void **state)
{
    (void)state;
    for (size_t n = 1; oom_sweeps(n); n++) {
        struct trainee t;
        if (trainee_init(&t, 1, 0) == OK)
            trainee_fini(&t);
        else
            assert_null(t.mlp);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_and_an_index_determine_every_number),
        cmocka_unit_test(every_plan_begins_at_chance_and_learns),
        cmocka_unit_test(plans_begin_again_after_the_last),
        cmocka_unit_test(the_batch_is_the_whole_training_part),
        cmocka_unit_test(without_memory_nothing_is_held),
    };
    return cmocka_run_group_tests_name("demo/trainee", tests, NULL, NULL);
}
