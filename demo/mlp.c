/* SPDX-License-Identifier: MIT */
/*
 * The first layer sees one-hot inputs, so its product with the weights is a table look-up and its
 * gradient a scatter; only the readout is a real matrix product. Logits are padded to whole vector
 * lanes; the padding stays zero in the transposed readout and is never looked at by the softmax, so
 * it is not part of the parameters. All scratch memory is allocated at birth: a training step makes
 * no allocation.
 */
#include "demo/mlp.h"

#include "demo/matrix.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double first_logits = 0.3; /* their deviation in a fresh model */

struct mlp {
    struct mlp_shape shape;
    size_t max_batch;
    size_t table_size;    /* classes * width: one of the three tables */
    size_t logit_columns; /* classes, padded to lanes */
    float *params;
    float *gradients;
    float *readout_t; /* width x logit_columns: the readout of this step, transposed */
    float *sum;       /* batch x width: first[a] + second[b], then the gradient of it */
    float *hidden;    /* batch x width */
    float *logits;    /* batch x logit_columns, then the gradient of it */
};

static float *floats(size_t count)
{
    return calloc(count, sizeof(float));
}

/*
 * The root mean square of a hidden unit behind embeddings of this deviation: its input is normal
 * with twice their variance, of which the square has the fourth moment and relu half the second.
 */
static double hidden_size(enum mlp_activation activation, double scale)
{
    double variance = 2.0 * scale * scale;
    return activation == MLP_SQUARE ? sqrt(3.0) * variance : sqrt(variance / 2.0);
}

static void draw_weights(struct mlp *mlp, double scale, struct rng *rng)
{
    double readout_scale =
        first_logits / (sqrt(mlp->shape.width) * hidden_size(mlp->shape.activation, scale));
    for (size_t i = 0; i < 2 * mlp->table_size; i++)
        mlp->params[i] = (float)(scale * rng_normal(rng));
    for (size_t i = 2 * mlp->table_size; i < 3 * mlp->table_size; i++)
        mlp->params[i] = (float)(readout_scale * rng_normal(rng));
}

struct mlp *mlp_create(const struct mlp_shape *shape, double scale, size_t max_batch,
                       struct rng *rng)
{
    assert(shape->classes >= 2 && shape->width > 0 && shape->width % MATRIX_LANES == 0);
    assert(max_batch > 0);
    struct mlp *mlp = calloc(1, sizeof(*mlp));
    if (!mlp)
        return NULL;
    mlp->shape = *shape;
    mlp->max_batch = max_batch;
    mlp->table_size = (size_t)shape->classes * shape->width;
    mlp->logit_columns = matrix_padded(shape->classes);
    mlp->params = floats(3 * mlp->table_size);
    mlp->gradients = floats(3 * mlp->table_size);
    mlp->readout_t = floats(shape->width * mlp->logit_columns);
    mlp->sum = floats(max_batch * shape->width);
    mlp->hidden = floats(max_batch * shape->width);
    mlp->logits = floats(max_batch * mlp->logit_columns);
    if (!mlp->params || !mlp->gradients || !mlp->readout_t || !mlp->sum || !mlp->hidden ||
        !mlp->logits)
        goto fail;
    draw_weights(mlp, scale, rng);
    return mlp;

fail:
    mlp_destroy(mlp);
    return NULL;
}

void mlp_destroy(struct mlp *mlp)
{
    if (!mlp)
        return;
    free(mlp->params);
    free(mlp->gradients);
    free(mlp->readout_t);
    free(mlp->sum);
    free(mlp->hidden);
    free(mlp->logits);
    free(mlp);
}

static void transpose_readout(struct mlp *mlp)
{
    const float *readout = mlp->params + 2 * mlp->table_size;
    for (size_t c = 0; c < mlp->shape.classes; c++) {
        for (size_t unit = 0; unit < mlp->shape.width; unit++)
            mlp->readout_t[unit * mlp->logit_columns + c] = readout[c * mlp->shape.width + unit];
    }
}

static void activate(enum mlp_activation activation, const float *restrict sum,
                     float *restrict hidden, size_t count)
{
    if (activation == MLP_SQUARE) {
        for (size_t i = 0; i < count; i++)
            hidden[i] = sum[i] * sum[i];
    } else {
        for (size_t i = 0; i < count; i++)
            hidden[i] = 0.5F * (sum[i] + fabsf(sum[i]));
    }
}

static void forward(struct mlp *mlp, const struct modadd_pair *pairs, size_t count)
{
    size_t width = mlp->shape.width;
    for (size_t row = 0; row < count; row++) {
        const float *first = mlp->params + pairs[row].a * width;
        const float *second = mlp->params + mlp->table_size + pairs[row].b * width;
        float *sum = mlp->sum + row * width;
        for (size_t unit = 0; unit < width; unit++)
            sum[unit] = first[unit] + second[unit];
    }
    activate(mlp->shape.activation, mlp->sum, mlp->hidden, count * width);
    transpose_readout(mlp);
    matrix_multiply(mlp->logits, (struct matrix_view){mlp->hidden, width, 1}, mlp->readout_t,
                    (struct matrix_shape){count, width, mlp->logit_columns});
}

static unsigned argmax(const float *logits, unsigned classes)
{
    unsigned best = 0;
    for (unsigned c = 1; c < classes; c++) {
        if (logits[c] > logits[best])
            best = c;
    }
    return best;
}

/* Turns one row of logits into probabilities; returns the cross-entropy of the right class. */
static double softmax(float *logits, unsigned classes, unsigned right, float largest)
{
    double right_logit = logits[right];
    double total = 0.0;
    for (unsigned c = 0; c < classes; c++) {
        logits[c] = expf(logits[c] - largest);
        total += logits[c];
    }
    float scale = (float)(1.0 / total);
    for (unsigned c = 0; c < classes; c++)
        logits[c] *= scale;
    /* cppcheck-suppress invalidFunctionArg ; the largest logit alone adds 1 to the total */
    return log(total) + largest - right_logit;
}

/* Replaces the logits by probabilities, row by row. */
static struct mlp_score score(struct mlp *mlp, const struct modadd_pair *pairs, size_t count)
{
    double loss = 0.0;
    size_t hits = 0;
    for (size_t row = 0; row < count; row++) {
        float *logits = mlp->logits + row * mlp->logit_columns;
        unsigned best = argmax(logits, mlp->shape.classes);
        hits += best == pairs[row].sum;
        loss += softmax(logits, mlp->shape.classes, pairs[row].sum, logits[best]);
    }
    return (struct mlp_score){.loss = loss / (double)count,
                              .accuracy = (double)hits / (double)count};
}

struct mlp_score mlp_evaluate(struct mlp *mlp, const struct modadd_pair *pairs, size_t count)
{
    assert(count > 0 && count <= mlp->max_batch);
    forward(mlp, pairs, count);
    return score(mlp, pairs, count);
}

/* d loss / d logits = (probability - one-hot) / count */
static void logit_gradients(struct mlp *mlp, const struct modadd_pair *pairs, size_t count)
{
    float share = 1.0F / (float)count;
    for (size_t row = 0; row < count; row++) {
        float *logits = mlp->logits + row * mlp->logit_columns;
        logits[pairs[row].sum] -= 1.0F;
        for (size_t c = 0; c < mlp->shape.classes; c++)
            logits[c] *= share;
    }
}

/* Takes d loss / d hidden through the activation, in place, given what went into it. */
static void deactivate(enum mlp_activation activation, const float *restrict sum,
                       float *restrict gradient, size_t count)
{
    if (activation == MLP_SQUARE) {
        for (size_t i = 0; i < count; i++)
            gradient[i] *= 2.0F * sum[i];
    } else {
        for (size_t i = 0; i < count; i++)
            gradient[i] *= 0.5F + copysignf(0.5F, sum[i]);
    }
}

static void add_row(float *restrict total, const float *restrict row, size_t width)
{
    for (size_t unit = 0; unit < width; unit++)
        total[unit] += row[unit];
}

struct mlp_score mlp_backward(struct mlp *mlp, const struct modadd_pair *pairs, size_t count)
{
    struct mlp_score result = mlp_evaluate(mlp, pairs, count);
    size_t width = mlp->shape.width;
    logit_gradients(mlp, pairs, count);

    float *readout_gradient = mlp->gradients + 2 * mlp->table_size;
    matrix_multiply(readout_gradient, (struct matrix_view){mlp->logits, 1, mlp->logit_columns},
                    mlp->hidden, (struct matrix_shape){mlp->shape.classes, count, width});
    matrix_multiply(mlp->hidden, (struct matrix_view){mlp->logits, mlp->logit_columns, 1},
                    mlp->params + 2 * mlp->table_size,
                    (struct matrix_shape){count, mlp->shape.classes, width});
    deactivate(mlp->shape.activation, mlp->sum, mlp->hidden, count * width);

    memset(mlp->gradients, 0, 2 * mlp->table_size * sizeof(float));
    for (size_t row = 0; row < count; row++) {
        const float *gradient = mlp->hidden + row * width;
        add_row(mlp->gradients + pairs[row].a * width, gradient, width);
        add_row(mlp->gradients + mlp->table_size + pairs[row].b * width, gradient, width);
    }
    return result;
}

size_t mlp_param_count(const struct mlp *mlp)
{
    return 3 * mlp->table_size;
}

float *mlp_params(struct mlp *mlp)
{
    return mlp->params;
}

const float *mlp_gradients(const struct mlp *mlp)
{
    return mlp->gradients;
}

double mlp_weight_norm(const struct mlp *mlp)
{
    double squares = 0.0;
    for (size_t i = 0; i < mlp_param_count(mlp); i++)
        squares += (double)mlp->params[i] * mlp->params[i];
    return sqrt(squares);
}
