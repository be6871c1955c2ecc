/* SPDX-License-Identifier: MIT */
/*
 * epoch_trend: what the epochs of a run say by the plain rules that scripts rely on.
 *
 * Best epoch, how long ago that was, and three flags, by the fixed rules of the operations API
 * (P-81). The verdict of the engine (insight.h) is the better one and stands beside it; this is
 * what others compute themselves, so it must give exactly what they get. Each epoch costs the same
 * however many came before. A plain value without padding that matters: it is kept as it is.
 */
#ifndef INSIGHT_EPOCH_TREND_H
#define INSIGHT_EPOCH_TREND_H

#include <stdbool.h>
#include <stdint.h>

enum {
    EPOCH_TREND_WINDOW = 10,   /* epochs that overfitting is judged by */
    EPOCH_TREND_DIVERGING = 5, /* epochs that divergence is judged by */
    EPOCH_TREND_PATIENCE = 10, /* epochs without improvement that make a plateau, by default */
};

/* All zero: no epoch came yet. NaN stands for a loss that was not given. */
struct epoch_trend {
    uint64_t count;
    uint64_t val_count; /* epochs with a validation loss */
    uint64_t best;      /* index of the first of the lowest; undefined while val_count is 0 */
    double best_val_loss;
    uint64_t newest; /* place of the newest epoch in the rings below */
    double train[EPOCH_TREND_WINDOW];
    double val[EPOCH_TREND_WINDOW];
};

/* The next epoch. A validation loss that is not finite counts as none. */
void epoch_trend_add(struct epoch_trend *t, double train_loss, double val_loss);

/* Is there a best epoch? Without validation losses there is none. */
bool epoch_trend_has_best(const struct epoch_trend *t);

/* Epochs since the best one; 0 when there is none. */
uint64_t epoch_trend_since_best(const struct epoch_trend *t);

/* Over the last ten epochs, all with a validation loss: the training loss fell and the validation
 * loss rose, each by more than 5 %. */
bool epoch_trend_overfits(const struct epoch_trend *t);

/* At least `patience` epochs without improvement. */
bool epoch_trend_plateaus(const struct epoch_trend *t, uint64_t patience);

/* Over the last five epochs the training loss rose by more than 20 %, or is no number any more. */
bool epoch_trend_diverges(const struct epoch_trend *t);

#endif
