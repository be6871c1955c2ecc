/* SPDX-License-Identifier: MIT */
/*
 * The plans were found by experiment. Large first weights let the model learn its pairs by heart in
 * a few hundred steps; only the weight decay then makes that solution dearer than the rule, and how
 * long it takes is the plateau. Full batches, because the data is small, and because noise in the
 * curves would hide what is to be seen. Cross-entropy rather than the squared error of the papers:
 * its exponential is a perplexity.
 */
#include "demo/trainee.h"

static const double train_fraction = 0.5;
static const double beta1 = 0.9;
static const double beta2 = 0.98;
static const double epsilon = 1e-8;

static const struct plan plans[] = {
    {"square, 128 wide", MLP_SQUARE, 128, 1.5, 0.001, 1.0},
    {"relu, 256 wide", MLP_RELU, 256, 1.0, 0.003, 0.5},
    {"square, 160 wide", MLP_SQUARE, 160, 3.0, 0.001, 0.7},
};

enum { PLANS = sizeof(plans) / sizeof(plans[0]) };

const struct plan *plan_of(unsigned index)
{
    return &plans[index % PLANS];
}

size_t trainee_batch_size(void)
{
    return (size_t)(TRAINEE_MODULUS * TRAINEE_MODULUS * train_fraction);
}

static enum status make_model(struct trainee *t, struct rng *rng)
{
    const struct plan *plan = t->plan;
    const struct mlp_shape shape = {TRAINEE_MODULUS, plan->width, plan->activation};
    const struct adamw_options options = {.learning_rate = plan->learning_rate,
                                          .beta1 = beta1,
                                          .beta2 = beta2,
                                          .epsilon = epsilon,
                                          .weight_decay = plan->weight_decay};
    size_t max_batch =
        t->data.train_count > t->data.val_count ? t->data.train_count : t->data.val_count;
    t->mlp = mlp_create(&shape, plan->scale, max_batch, rng);
    return t->mlp ? adamw_init(&t->adamw, &options, mlp_param_count(t->mlp)) : E_NOMEM;
}

enum status trainee_init(struct trainee *t, uint64_t seed, unsigned index)
{
    struct rng rng;
    rng_init(&rng, seed * 1000 + index);
    *t = (struct trainee){.plan = plan_of(index)};
    enum status status = modadd_init(&t->data, TRAINEE_MODULUS, train_fraction, &rng);
    if (status == OK)
        status = make_model(t, &rng);
    if (status != OK)
        trainee_fini(t);
    return status;
}

void trainee_fini(struct trainee *t)
{
    modadd_fini(&t->data);
    mlp_destroy(t->mlp);
    adamw_fini(&t->adamw);
    *t = (struct trainee){.plan = t->plan};
}

void trainee_set_learning_rate(struct trainee *t, double learning_rate)
{
    t->adamw.options.learning_rate = learning_rate;
}

struct mlp_score trainee_step(struct trainee *t)
{
    struct mlp_score score = mlp_backward(t->mlp, modadd_train(&t->data), t->data.train_count);
    adamw_step(&t->adamw, mlp_params(t->mlp), mlp_gradients(t->mlp));
    return score;
}

struct mlp_score trainee_validate(struct trainee *t)
{
    return mlp_evaluate(t->mlp, modadd_val(&t->data), t->data.val_count);
}
