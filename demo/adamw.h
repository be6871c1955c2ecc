/* SPDX-License-Identifier: MIT */
/*
 * adamw: AdamW (Loshchilov and Hutter 2019): Adam with the weight decay taken off the weights
 * directly, not through the gradient. The decay is what makes the demo's models generalise, so it
 * matters that it is the decoupled kind.
 */
#ifndef DEMO_ADAMW_H
#define DEMO_ADAMW_H

#include "base/status.h"

#include <stddef.h>

struct adamw_options {
    double learning_rate;
    double beta1;
    double beta2;
    double epsilon;
    double weight_decay;
};

struct adamw {
    struct adamw_options options;
    float *mean;   /* owns; running mean of each gradient */
    float *square; /* owns; running mean of each gradient squared */
    size_t count;
    unsigned long step;
};

/* Zeroes the state for count parameters; ended with adamw_fini. E_NOMEM holds nothing. */
MUST_CHECK enum status adamw_init(struct adamw *adamw, const struct adamw_options *options,
                                  size_t count);

/* Frees the state; twice is harmless. */
void adamw_fini(struct adamw *adamw);

/* One update of params[count] from gradients[count]; borrows both for the call. */
void adamw_step(struct adamw *adamw, float *params, const float *gradients);

#endif
