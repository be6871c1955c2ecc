/* SPDX-License-Identifier: MIT */
/*
 * model: the constants that were fitted from curves.
 *
 * scripts/insight-fit finds them and writes model_table.c, the set that is built in. A set is a
 * plain value, so that other ones (of a cross-validation, say) can be read from text in its place.
 */
#ifndef INSIGHT_MODEL_H
#define INSIGHT_MODEL_H

#include <stdbool.h>
#include <stddef.h>

enum {
    GAIN_FEATURES = 33,
    GAIN_TREES = 80,
    OVERFIT_LIMITS = 4,
    FORECAST_FEATURES = 12,
    SCALE_FEATURES = 9,
    ETA_FEATURES = 6,

    /* A tree of depth 3: which feature each split asks for, its threshold, what each leaf adds. */
    TREE_SPLITS = 7,
    TREE_LEAVES = 8,
    TREE_NUMBERS = 2 * TREE_SPLITS + TREE_LEAVES,
};

/* X(field, how many numbers) */
#define MODEL_TABLE(X)                                                                             \
    X(gain_base, 1) /* log odds of a further gain, before any tree */                              \
    X(gain_trees, GAIN_TREES *TREE_NUMBERS)                                                        \
    X(strict_base, 1) /* the same by the range since a tenth of the run */                         \
    X(strict_trees, GAIN_TREES *TREE_NUMBERS)                                                      \
    X(overfit, OVERFIT_LIMITS)        /* above: too much, see stopping.c */                        \
    X(forecast, FORECAST_FEATURES)    /* value at the end */                                       \
    X(forecast_scale, SCALE_FEATURES) /* log of its error */                                       \
    X(forecast_quantile, 2)           /* 5 % and 95 % of error by scale */                         \
    X(eta_scale, ETA_FEATURES)        /* log of the error of log time */                           \
    X(eta_quantile, 2)

struct insight_model {
#define MODEL_FIELD(field, count) double field[count];
    MODEL_TABLE(MODEL_FIELD)
#undef MODEL_FIELD
};

/* The built-in set. Static. */
const struct insight_model *insight_model(void);

/* For those who read a set from text: the n-th field's name and numbers; NULL past the end. */
const char *model_field(struct insight_model *m, size_t n, double **out_numbers, size_t *out_count);

/* Does every split ask for a feature that there is? The others may only be used if so. */
bool model_sound(const struct insight_model *m);

/* The sum of products. */
double model_dot(const double *weights, const double *features, size_t count);

/* What `count` trees add up to. A feature that is NaN is below every threshold. */
double model_trees(const double *trees, size_t count, const double *features);

#endif
