/* SPDX-License-Identifier: MIT */
/*
 * history: an endless series in 127 places.
 *
 * Every stride-th value is kept; when the places run out every other one is dropped and the stride
 * doubles. So it always covers the whole series, evenly, with 64 to 127 values.
 */
#ifndef INSIGHT_HISTORY_H
#define INSIGHT_HISTORY_H

#include <stdint.h>

enum { HISTORY_MAX = 128 };

struct history {
    double value[HISTORY_MAX];
    unsigned count;  /* values kept */
    uint64_t stride; /* value[i] was pushed as number i * stride, counting from 0 */
    uint64_t pushed;
};

void history_init(struct history *h);
void history_push(struct history *h, double value);

/* The newest value kept that was pushed as number `i` or before. Asserts that something was. */
double history_at(const struct history *h, double i);

#endif
