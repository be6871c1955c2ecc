/* SPDX-License-Identifier: MIT */
#include "insight/history.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

void history_init(struct history *h)
{
    h->count = 0;
    h->stride = 1;
    h->pushed = 0;
}

static void thin(struct history *h)
{
    for (size_t i = 0; 2 * i < h->count; i++)
        h->value[i] = h->value[2 * i];
    h->count = (h->count + 1) / 2;
    h->stride *= 2;
}

void history_push(struct history *h, double value)
{
    if (h->pushed % h->stride == 0) {
        h->value[h->count++] = value;
        if (h->count == HISTORY_MAX)
            thin(h);
    }
    h->pushed++;
}

double history_at(const struct history *h, double i)
{
    assert(h->count > 0);
    double slot = floor(i / (double)h->stride);
    double last = (double)(h->count - 1);
    return h->value[slot < 0 ? 0 : (unsigned)fmin(slot, last)];
}
