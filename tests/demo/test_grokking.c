/* SPDX-License-Identifier: MIT */
/*
 * The claim that the demo rests on, on a task small enough for a second: the parts together do
 * grok, and it is the weight decay that makes them.
 */
#include "demo/adamw.h"
#include "demo/mlp.h"
#include "demo/modadd.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct lesson {
    struct modadd data;
    struct mlp *mlp;
    struct adamw adamw;
};

static void begin(struct lesson *l, double weight_decay)
{
    struct rng rng;
    rng_init(&rng, 1);
    assert_int_equal(modadd_init(&l->data, 23, 0.7, &rng), OK);
    const struct mlp_shape shape = {23, 64, MLP_SQUARE};
    l->mlp = mlp_create(&shape, 2.5, l->data.train_count, &rng);
    assert_non_null(l->mlp);
    const struct adamw_options options = {.learning_rate = 0.005,
                                          .beta1 = 0.9,
                                          .beta2 = 0.98,
                                          .epsilon = 1e-8,
                                          .weight_decay = weight_decay};
    assert_int_equal(adamw_init(&l->adamw, &options, mlp_param_count(l->mlp)), OK);
}

static void end(struct lesson *l)
{
    adamw_fini(&l->adamw);
    mlp_destroy(l->mlp);
    modadd_fini(&l->data);
}

static void train(struct lesson *l, int steps)
{
    for (int step = 0; step < steps; step++) {
        (void)mlp_backward(l->mlp, modadd_train(&l->data), l->data.train_count);
        adamw_step(&l->adamw, mlp_params(l->mlp), mlp_gradients(l->mlp));
    }
}

static struct mlp_score train_score(struct lesson *l)
{
    return mlp_evaluate(l->mlp, modadd_train(&l->data), l->data.train_count);
}

static struct mlp_score val_score(struct lesson *l)
{
    return mlp_evaluate(l->mlp, modadd_val(&l->data), l->data.val_count);
}

static void it_knows_its_pairs_long_before_it_finds_the_rule(void **state)
{
    (void)state;
    struct lesson l;
    begin(&l, 1.0);
    double guessing = val_score(&l).loss;
    train(&l, 200);
    assert_true(train_score(&l).accuracy > 0.99);
    assert_true(val_score(&l).accuracy < 0.1);
    assert_true(val_score(&l).loss > guessing);
    train(&l, 700);
    assert_true(val_score(&l).accuracy > 0.95);
    assert_true(val_score(&l).loss < 0.3);
    end(&l);
}

static void without_weight_decay_it_does_not_find_the_rule(void **state)
{
    (void)state;
    struct lesson l;
    begin(&l, 0.0);
    train(&l, 900);
    assert_true(train_score(&l).accuracy == 1.0);
    assert_true(val_score(&l).accuracy < 0.1);
    end(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_knows_its_pairs_long_before_it_finds_the_rule),
        cmocka_unit_test(without_weight_decay_it_does_not_find_the_rule),
    };
    return cmocka_run_group_tests_name("demo/grokking", tests, NULL, NULL);
}
