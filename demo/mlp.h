/* SPDX-License-Identifier: MIT */
/*
 * mlp: the model of the demo: one hidden layer over two embeddings,
 *
 *     hidden = activation(first[a] + second[b]),  logits[c] = hidden . readout[c]
 *
 * trained with cross-entropy. Its parameters are one flat array of three classes x width tables
 * (first, second, readout), so that an optimiser sees a vector and nothing else.
 */
#ifndef DEMO_MLP_H
#define DEMO_MLP_H

#include "demo/modadd.h"
#include "demo/rng.h"

#include <stddef.h>

enum mlp_activation {
    MLP_SQUARE, /* x^2 (Gromov 2023): finds the rule through products of the two inputs */
    MLP_RELU
};

struct mlp_shape {
    unsigned classes; /* the modulus */
    unsigned width;   /* hidden units, a multiple of MATRIX_LANES */
    enum mlp_activation activation;
};

struct mlp_score {
    double loss;     /* mean cross-entropy, nats */
    double accuracy; /* share of pairs whose largest logit is the right one, 0..1 */
};

struct mlp;

/*
 * A model with normally distributed weights drawn from *rng: scale > 0 is the deviation of the
 * embeddings; the readout's is such that the first loss is near that of guessing, ln(classes). It
 * accepts at most max_batch pairs a call. NULL when memory is short.
 */
struct mlp *mlp_create(const struct mlp_shape *shape, double scale, size_t max_batch,
                       struct rng *rng);

/* Frees *mlp; NULL is allowed. */
void mlp_destroy(struct mlp *mlp);

/* Scores count > 0 pairs and leaves the parameters and gradients alone. */
struct mlp_score mlp_evaluate(struct mlp *mlp, const struct modadd_pair *pairs, size_t count);

/* Scores count > 0 pairs and sets the gradients to those of the loss over these pairs. */
struct mlp_score mlp_backward(struct mlp *mlp, const struct modadd_pair *pairs, size_t count);

/* Number of trainable parameters. */
size_t mlp_param_count(const struct mlp *mlp);

/* The parameters and their gradients, mlp_param_count floats each; borrowed, valid until destroy.
 */
float *mlp_params(struct mlp *mlp);
const float *mlp_gradients(const struct mlp *mlp);

/* Euclidean norm of all parameters. */
double mlp_weight_norm(const struct mlp *mlp);

#endif
