/* SPDX-License-Identifier: MIT */
/*
 * Slots that are taken again in turn forget what is old without a timer: a slot whose number is
 * not the present one is emptied by the first note into it, and left out by who reads.
 */
#include "streamd/lag.h"

#include <string.h>

enum { SLOT_US = 5000000, FINE = 8, FINE_BITS = 3 };

static uint64_t slot_number(uint64_t now_us)
{
    return now_us / SLOT_US + 1;
}

static unsigned highest_bit(uint64_t value)
{
    return 63 - (unsigned)__builtin_clzll(value);
}

/* Below FINE microseconds a bucket each; above, FINE buckets to each power of two. */
static unsigned bucket_of(uint64_t us)
{
    if (us < FINE)
        return (unsigned)us;
    unsigned shift = highest_bit(us) - FINE_BITS;
    unsigned bucket = (shift + 1) * FINE + (unsigned)(us >> shift) % FINE;
    return bucket < LAG_BUCKETS ? bucket : LAG_BUCKETS - 1;
}

/* The longest time that falls into it. */
static uint64_t bucket_top_us(unsigned bucket)
{
    if (bucket < FINE)
        return bucket;
    unsigned shift = bucket / FINE - 1;
    return ((uint64_t)(FINE + bucket % FINE + 1) << shift) - 1;
}

void lag_note(struct lag *lag, uint64_t held_us, uint64_t now_us)
{
    uint64_t number = slot_number(now_us);
    struct lag_slot *slot = &lag->slots[number % LAG_SLOTS];
    if (slot->number != number) {
        memset(slot, 0, sizeof(*slot));
        slot->number = number;
    }
    slot->counts[bucket_of(held_us)]++;
    if (held_us > slot->max_us)
        slot->max_us = held_us;
}

static uint64_t count_in(const struct lag *lag, unsigned bucket, uint64_t oldest)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < LAG_SLOTS; i++) {
        if (lag->slots[i].number >= oldest)
            count += lag->slots[i].counts[bucket];
    }
    return count;
}

struct lag_figures lag_figures(const struct lag *lag, uint64_t now_us)
{
    struct lag_figures figures = {0, 0};
    uint64_t present = slot_number(now_us);
    uint64_t oldest = present > LAG_SLOTS ? present - LAG_SLOTS + 1 : 1;
    uint64_t all = 0;
    for (unsigned i = 0; i < LAG_SLOTS; i++) {
        const struct lag_slot *slot = &lag->slots[i];
        if (slot->number >= oldest && slot->max_us > figures.max_us)
            figures.max_us = slot->max_us;
    }
    for (unsigned b = 0; b < LAG_BUCKETS; b++)
        all += count_in(lag, b, oldest);
    uint64_t longer = all - (all * 99 + 99) / 100; /* how many may have been */
    unsigned bucket = LAG_BUCKETS;
    for (uint64_t above = 0; bucket > 0; bucket--) {
        above += count_in(lag, bucket - 1, oldest);
        if (above > longer)
            break;
    }
    if (bucket > 0)
        figures.p99_us = bucket_top_us(bucket - 1);
    if (figures.p99_us > figures.max_us || bucket == LAG_BUCKETS)
        figures.p99_us = figures.max_us;
    return figures;
}
