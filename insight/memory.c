/* SPDX-License-Identifier: MIT */
#include "insight/memory.h"

#include <assert.h>
#include <string.h>

static const double leak = 1.2;
static const double full = 22000.0 / 24576.0;

void memory_init(struct memory *m)
{
    memset(m, 0, sizeof(*m));
}

void memory_push(struct memory *m, double mb, double x)
{
    m->mb[m->count % MEMORY_READINGS] = mb;
    m->x[m->count % MEMORY_READINGS] = x;
    m->count++;
}

bool memory_leaks(const struct memory *m, struct memory_rise *out)
{
    if (m->count < MEMORY_READINGS)
        return false;
    uint64_t first = m->count % MEMORY_READINGS; /* the oldest */
    uint64_t last = (m->count - 1) % MEMORY_READINGS;
    for (uint64_t i = first + 1; i < first + MEMORY_READINGS; i++) {
        if (m->mb[i % MEMORY_READINGS] < m->mb[(i - 1) % MEMORY_READINGS])
            return false;
    }
    *out = (struct memory_rise){m->mb[first], m->mb[last], m->x[first], m->x[last]};
    return out->from_mb > 0 && out->to_mb >= leak * out->from_mb;
}

bool memory_is_short(const struct memory *m, double total_mb)
{
    return m->count > 0 && memory_newest(m) > full * total_mb;
}

double memory_newest(const struct memory *m)
{
    assert(m->count > 0);
    return m->mb[(m->count - 1) % MEMORY_READINGS];
}
