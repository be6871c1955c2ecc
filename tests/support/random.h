/* SPDX-License-Identifier: MIT */
/*
 * random: numbers that look random and are the same in every run.
 *
 * xorshift64*. A test names its seed, so a failure can be met again.
 */
#ifndef TESTS_SUPPORT_RANDOM_H
#define TESTS_SUPPORT_RANDOM_H

#include <stdint.h>

struct random {
    uint64_t state; /* never 0 */
};

static inline struct random random_seeded(uint64_t seed)
{
    return (struct random){seed * UINT64_C(0x9e3779b97f4a7c15) + 1};
}

static inline uint64_t random_next(struct random *r)
{
    r->state ^= r->state >> 12;
    r->state ^= r->state << 25;
    r->state ^= r->state >> 27;
    return r->state * UINT64_C(0x2545f4914f6cdd1d);
}

/* 0 .. n-1, n > 0 */
static inline uint64_t random_below(struct random *r, uint64_t n)
{
    return (random_next(r) >> 11) % n;
}

#endif
