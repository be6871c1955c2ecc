/* SPDX-License-Identifier: MIT */
/*
 * xoshiro256** with its state filled by splitmix64, as its authors advise: nearby seeds then give
 * unrelated streams, and no seed gives the forbidden all-zero state. libc's rand() was rejected
 * because its sequence differs between libraries, which would make "same seed, same curve" false.
 * The normal deviate is Box-Muller with its second value thrown away: weights are drawn once, and a
 * cached half would be hidden state that a copied struct carries along.
 */
#include "demo/rng.h"

#include <assert.h>
#include <math.h>

static const double two_pi = 6.283185307179586;

static uint64_t splitmix64(uint64_t *counter)
{
    *counter += 0x9E3779B97F4A7C15U;
    uint64_t mixed = *counter;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBU;
    return mixed ^ (mixed >> 31);
}

static uint64_t rotate_left(uint64_t bits, unsigned count)
{
    return (bits << count) | (bits >> (64 - count));
}

void rng_init(struct rng *rng, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        rng->state[i] = splitmix64(&seed);
}

uint64_t rng_next(struct rng *rng)
{
    uint64_t *s = rng->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t rng_below(struct rng *rng, uint64_t limit)
{
    assert(limit > 0);
    uint64_t biased = (UINT64_MAX - limit + 1) % limit;
    uint64_t bits;
    do {
        bits = rng_next(rng);
    } while (bits < biased);
    return bits % limit;
}

double rng_uniform(struct rng *rng)
{
    return (double)(rng_next(rng) >> 11) * 0x1.0p-53;
}

double rng_normal(struct rng *rng)
{
    double radius = sqrt(-2.0 * log(1.0 - rng_uniform(rng)));
    return radius * cos(two_pi * rng_uniform(rng));
}
