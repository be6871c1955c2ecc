/* SPDX-License-Identifier: MIT */
#ifndef BENCH_LOAD_PUSHER_H
#define BENCH_LOAD_PUSHER_H

/*
 * The pace of what is pushed: ticks of all rooms, each in slices at even distances, so that a
 * thousand runs need not speak at one moment. Between two pushes the swarm receives.
 */

#include <stdint.h>

#include "load_options.h"
#include "load_swarm.h"
#include "load_trainer.h"

struct pusher {
    const struct load_options *options; /* borrowed */
    struct trainer *trainer;            /* borrowed */
    unsigned ticks;                     /* whole ones, pushed */
    unsigned slice;                     /* the next one of the tick that has begun */
    uint64_t due_us;                    /* when that is due */
    uint64_t tick_stamp;                /* no line of the newest tick has an earlier one */
    uint64_t told[LOAD_ROOMS_MAX];      /* lines of each room, so the offset of its newest */
};

/* Begins now, with nothing pushed. */
void pusher_begin(struct pusher *pusher, const struct load_options *options,
                  struct trainer *trainer);

/* Receives until the next slice is due, and pushes it. */
void pusher_push(struct pusher *pusher, struct swarm *swarm);

#endif
