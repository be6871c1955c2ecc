/* SPDX-License-Identifier: MIT */
#include "demo/adamw.h"
#include "demo/mlp.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { CLASSES = 7, WIDTH = 32 };

struct fixture {
    struct modadd data;
    struct mlp *mlp;
};

static struct fixture made(enum mlp_activation activation, uint64_t seed)
{
    struct rng rng;
    rng_init(&rng, seed);
    struct fixture f;
    assert_int_equal(modadd_init(&f.data, CLASSES, 0.7, &rng), OK);
    const struct mlp_shape shape = {CLASSES, WIDTH, activation};
    f.mlp = mlp_create(&shape, 0.7, f.data.train_count, &rng);
    assert_non_null(f.mlp);
    return f;
}

static void unmade(struct fixture *f)
{
    mlp_destroy(f->mlp);
    modadd_fini(&f->data);
}

static struct mlp_score trained_step(struct fixture *f, struct adamw *adamw)
{
    struct mlp_score score = mlp_backward(f->mlp, modadd_train(&f->data), f->data.train_count);
    adamw_step(adamw, mlp_params(f->mlp), mlp_gradients(f->mlp));
    return score;
}

static double loss_with(struct fixture *f, size_t param, float value)
{
    float *params = mlp_params(f->mlp);
    float before = params[param];
    params[param] = value;
    double loss = mlp_evaluate(f->mlp, modadd_train(&f->data), f->data.train_count).loss;
    params[param] = before;
    return loss;
}

static void check_gradients(enum mlp_activation activation)
{
    struct fixture f = made(activation, 11);
    (void)mlp_backward(f.mlp, modadd_train(&f.data), f.data.train_count);
    const float *gradients = mlp_gradients(f.mlp);
    double largest = 0.0;
    for (size_t i = 0; i < mlp_param_count(f.mlp); i++)
        largest = fmax(largest, fabs(gradients[i]));
    assert_true(largest > 1e-2);

    for (size_t i = 0; i < mlp_param_count(f.mlp); i++) {
        const float step = 2e-3F;
        float value = mlp_params(f.mlp)[i];
        double slope = (loss_with(&f, i, value + step) - loss_with(&f, i, value - step)) / 2e-3 / 2;
        if (fabs(slope - gradients[i]) > 0.01 * largest)
            fail_msg("parameter %zu: slope %g, gradient %g", i, slope, (double)gradients[i]);
    }
    unmade(&f);
}

static void gradients_of_the_square_are_the_slopes_of_the_loss(void **state)
{
    (void)state;
    check_gradients(MLP_SQUARE);
}

static void gradients_of_the_relu_are_the_slopes_of_the_loss(void **state)
{
    (void)state;
    check_gradients(MLP_RELU);
}

/* Of a fresh model with tiny weights all classes are alike: the loss is that of guessing. */
static void a_model_that_knows_nothing_scores_like_guessing(void **state)
{
    (void)state;
    struct fixture f = made(MLP_SQUARE, 5);
    memset(mlp_params(f.mlp), 0, mlp_param_count(f.mlp) * sizeof(float));
    struct mlp_score score = mlp_evaluate(f.mlp, modadd_train(&f.data), f.data.train_count);
    assert_true(fabs(score.loss - log(CLASSES)) < 1e-6);
    assert_true(score.accuracy < 0.5);
    unmade(&f);
}

static void scoring_leaves_parameters_and_gradients_alone(void **state)
{
    (void)state;
    struct fixture f = made(MLP_RELU, 6);
    float params[3 * CLASSES * WIDTH];
    float gradients[3 * CLASSES * WIDTH];
    assert_int_equal(mlp_param_count(f.mlp), 3 * CLASSES * WIDTH);
    struct mlp_score score = mlp_backward(f.mlp, modadd_train(&f.data), f.data.train_count);
    memcpy(params, mlp_params(f.mlp), sizeof(params));
    memcpy(gradients, mlp_gradients(f.mlp), sizeof(gradients));
    struct mlp_score again = mlp_evaluate(f.mlp, modadd_train(&f.data), f.data.train_count);
    assert_true(score.loss == again.loss);
    assert_true(score.accuracy == again.accuracy);
    assert_memory_equal(params, mlp_params(f.mlp), sizeof(params));
    assert_memory_equal(gradients, mlp_gradients(f.mlp), sizeof(gradients));
    unmade(&f);
}

static void huge_logits_give_a_finite_loss(void **state)
{
    (void)state;
    struct fixture f = made(MLP_SQUARE, 7);
    for (size_t i = 0; i < mlp_param_count(f.mlp); i++)
        mlp_params(f.mlp)[i] *= 100.0F;
    struct mlp_score score = mlp_backward(f.mlp, modadd_train(&f.data), f.data.train_count);
    assert_true(isfinite(score.loss));
    assert_true(score.loss > 100.0);
    unmade(&f);
}

static void the_norm_is_euclidean(void **state)
{
    (void)state;
    struct fixture f = made(MLP_SQUARE, 8);
    float *params = mlp_params(f.mlp);
    memset(params, 0, mlp_param_count(f.mlp) * sizeof(float));
    params[0] = 3.0F;
    params[mlp_param_count(f.mlp) - 1] = -4.0F;
    assert_true(fabs(mlp_weight_norm(f.mlp) - 5.0) < 1e-12);
    unmade(&f);
}

static const struct adamw_options quick = {
    .learning_rate = 0.01, .beta1 = 0.9, .beta2 = 0.98, .epsilon = 1e-8, .weight_decay = 0.01};

static void a_tiny_model_fits_its_training_pairs(void **state)
{
    (void)state;
    struct fixture f = made(MLP_SQUARE, 9);
    struct adamw adamw;
    assert_int_equal(adamw_init(&adamw, &quick, mlp_param_count(f.mlp)), OK);
    struct mlp_score first = trained_step(&f, &adamw);
    assert_true(first.accuracy < 0.9);
    for (int step = 0; step < 300; step++)
        (void)trained_step(&f, &adamw);
    struct mlp_score last = mlp_evaluate(f.mlp, modadd_train(&f.data), f.data.train_count);
    assert_true(last.accuracy == 1.0);
    assert_true(last.loss < 0.01);
    adamw_fini(&adamw);
    unmade(&f);
}

static void train_briefly(uint64_t seed, float *out_params)
{
    struct fixture f = made(MLP_RELU, seed);
    struct adamw adamw;
    assert_int_equal(adamw_init(&adamw, &quick, mlp_param_count(f.mlp)), OK);
    for (int step = 0; step < 20; step++)
        (void)trained_step(&f, &adamw);
    memcpy(out_params, mlp_params(f.mlp), mlp_param_count(f.mlp) * sizeof(float));
    adamw_fini(&adamw);
    unmade(&f);
}

static void equal_seeds_train_to_the_same_bytes(void **state)
{
    (void)state;
    float once[3 * CLASSES * WIDTH];
    float again[3 * CLASSES * WIDTH];
    float other[3 * CLASSES * WIDTH];
    train_briefly(20, once);
    train_briefly(20, again);
    train_briefly(21, other);
    assert_memory_equal(once, again, sizeof(once));
    assert_true(memcmp(once, other, sizeof(once)) != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_of_the_square_are_the_slopes_of_the_loss),
        cmocka_unit_test(gradients_of_the_relu_are_the_slopes_of_the_loss),
        cmocka_unit_test(a_model_that_knows_nothing_scores_like_guessing),
        cmocka_unit_test(scoring_leaves_parameters_and_gradients_alone),
        cmocka_unit_test(huge_logits_give_a_finite_loss),
        cmocka_unit_test(the_norm_is_euclidean),
        cmocka_unit_test(a_tiny_model_fits_its_training_pairs),
        cmocka_unit_test(equal_seeds_train_to_the_same_bytes),
    };
    return cmocka_run_group_tests_name("demo/mlp", tests, NULL, NULL);
}
