/* SPDX-License-Identifier: MIT */
/*
 * modadd: the data set of the demo: every pair (a, b) with its sum (a + b) mod p, split at random
 * into a training and a validation part. This is the task on which grokking was first described
 * (Power et al. 2022): a model can learn the training part by heart long before it finds the rule.
 */
#ifndef DEMO_MODADD_H
#define DEMO_MODADD_H

#include "base/status.h"
#include "demo/rng.h"

#include <stddef.h>
#include <stdint.h>

struct modadd_pair {
    uint16_t a;
    uint16_t b;
    uint16_t sum;
};

struct modadd {
    struct modadd_pair *pairs; /* owns; the training part first, the validation part behind it */
    size_t train_count;
    size_t val_count;
};

/*
 * Makes all modulus * modulus pairs, shuffled by *rng, the first train_fraction of them (rounded
 * down) for training. modulus is 2..1024 and train_fraction in (0, 1); both parts must come out
 * non-empty. E_NOMEM leaves *data untouched; else the caller ends it with modadd_fini.
 */
MUST_CHECK enum status modadd_init(struct modadd *data, unsigned modulus, double train_fraction,
                                   struct rng *rng);

void modadd_fini(struct modadd *data);

/* Borrowed views of the two parts. */
const struct modadd_pair *modadd_train(const struct modadd *data);
const struct modadd_pair *modadd_val(const struct modadd *data);

#endif
