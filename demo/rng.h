/* SPDX-License-Identifier: MIT */
/*
 * rng: a seeded random number generator (xoshiro256**), so that a demo run can be repeated byte for
 * byte. A plain value: copy it to fork a stream, give each user its own. Not for secrets, not
 * thread-safe.
 */
#ifndef DEMO_RNG_H
#define DEMO_RNG_H

#include <stdint.h>

struct rng {
    uint64_t state[4];
};

/* Fills *rng from any seed, 0 included; equal seeds give equal streams. */
void rng_init(struct rng *rng, uint64_t seed);

/* 64 uniform bits. */
uint64_t rng_next(struct rng *rng);

/* Uniform in [0, limit) without modulo bias. limit > 0. */
uint64_t rng_below(struct rng *rng, uint64_t limit);

/* Uniform in [0, 1), 53 bits. */
double rng_uniform(struct rng *rng);

/* Standard normal deviate. */
double rng_normal(struct rng *rng);

#endif
