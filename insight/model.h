/* SPDX-License-Identifier: MIT */
/*
 * model: the constants that were fitted from curves.
 *
 * scripts/insight-fit finds them and writes model_table.c, the set that is built in. A set is a
 * plain value, so that other ones (of a cross-validation, say) can be read from text in its place.
 */
#ifndef INSIGHT_MODEL_H
#define INSIGHT_MODEL_H

#include <stddef.h>

enum {
    GAIN_BASE = 13,     /* features of the gain model */
    GAIN_FEATURES = 18, /* and those that need a planned length */
    FORECAST_FEATURES = 12,
    SCALE_FEATURES = 9,
    ETA_FEATURES = 6,
};

/* X(field, how many numbers) */
#define MODEL_TABLE(X)                                                                             \
    X(gain_fresh, GAIN_BASE)             /* at any evaluation */                                   \
    X(gain_stall, GAIN_BASE)             /* two or more evaluations after the best */              \
    X(gain_fresh_planned, GAIN_FEATURES) /* the same where the length is known */                  \
    X(gain_stall_planned, GAIN_FEATURES)                                                           \
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

/* The sum of products. */
double model_dot(const double *weights, const double *features, size_t count);

#endif
