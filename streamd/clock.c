/* SPDX-License-Identifier: MIT */
#include "streamd/clock.h"

#include <time.h>

struct now clock_read(void)
{
    struct timespec mono;
    struct timespec wall;
    clock_gettime(CLOCK_MONOTONIC, &mono);
    clock_gettime(CLOCK_REALTIME, &wall);
    return (struct now){
        .us = (uint64_t)mono.tv_sec * 1000000 + (uint64_t)mono.tv_nsec / 1000,
        .wall_s = (double)wall.tv_sec + (double)wall.tv_nsec * 1e-9,
    };
}
