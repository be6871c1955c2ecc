/* SPDX-License-Identifier: MIT */
/*
 * trainee: one of the demo's models in training, with its data and its optimiser.
 *
 * The plans differ in what delays the discovery of the rule: activation, width, size of the first
 * weights, strength of the decay. All learn (a + b) mod 53 from half of the pairs. A plan and a
 * seed determine every number that comes out, on the same machine.
 */
#ifndef DEMO_TRAINEE_H
#define DEMO_TRAINEE_H

#include "demo/adamw.h"
#include "demo/mlp.h"
#include "demo/modadd.h"

struct plan {
    const char *name;
    enum mlp_activation activation;
    unsigned width;
    double scale; /* deviation of the first weights */
    double learning_rate;
    double weight_decay;
};

struct trainee {
    const struct plan *plan; /* borrows */
    struct modadd data;
    struct mlp *mlp; /* owns */
    struct adamw adamw;
};

enum { TRAINEE_MODULUS = 53 };

/* The plan of the model with this index; past the last one they begin again. A static. */
const struct plan *plan_of(unsigned index);

/* The pairs a model is trained on, at once in every step. */
size_t trainee_batch_size(void);

/* E_NOMEM holds nothing. Each index of one seed draws its own split and weights. */
MUST_CHECK enum status trainee_init(struct trainee *t, uint64_t seed, unsigned index);
void trainee_fini(struct trainee *t);

/* The steps from here on are taken with this learning rate. */
void trainee_set_learning_rate(struct trainee *t, double learning_rate);

/* One full-batch step; answers the training score from before it. */
struct mlp_score trainee_step(struct trainee *t);

/* The score on the pairs that it never sees. */
struct mlp_score trainee_validate(struct trainee *t);

#endif
