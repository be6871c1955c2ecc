/* SPDX-License-Identifier: MIT */
/*
 * One array holds both parts, so that "disjoint and complete" follows from the layout instead of
 * from bookkeeping: a Fisher-Yates shuffle of all pairs, then a cut. Pairs (a, b) and (b, a) may
 * fall on different sides; that is how the published experiments split too.
 */
#include "demo/modadd.h"

#include <assert.h>
#include <stdlib.h>

static void fill_all_pairs(struct modadd_pair *pairs, unsigned modulus)
{
    for (unsigned a = 0; a < modulus; a++) {
        for (unsigned b = 0; b < modulus; b++) {
            pairs[a * modulus + b] = (struct modadd_pair){
                .a = (uint16_t)a, .b = (uint16_t)b, .sum = (uint16_t)((a + b) % modulus)};
        }
    }
}

static void shuffle(struct modadd_pair *pairs, size_t count, struct rng *rng)
{
    for (size_t left = count; left > 1; left--) {
        size_t chosen = (size_t)rng_below(rng, left);
        struct modadd_pair moved = pairs[chosen];
        pairs[chosen] = pairs[left - 1];
        pairs[left - 1] = moved;
    }
}

enum status modadd_init(struct modadd *data, unsigned modulus, double train_fraction,
                        struct rng *rng)
{
    assert(modulus >= 2 && modulus <= 1024);
    size_t count = (size_t)modulus * modulus;
    size_t train_count = (size_t)((double)count * train_fraction);
    assert(train_count > 0 && train_count < count);

    struct modadd_pair *pairs = malloc(count * sizeof(*pairs));
    if (!pairs)
        return E_NOMEM;
    fill_all_pairs(pairs, modulus);
    shuffle(pairs, count, rng);
    *data = (struct modadd){
        .pairs = pairs, .train_count = train_count, .val_count = count - train_count};
    return OK;
}

void modadd_fini(struct modadd *data)
{
    free(data->pairs);
    *data = (struct modadd){0};
}

const struct modadd_pair *modadd_train(const struct modadd *data)
{
    return data->pairs;
}

const struct modadd_pair *modadd_val(const struct modadd *data)
{
    return data->pairs + data->train_count;
}
