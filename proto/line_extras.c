/* SPDX-License-Identifier: MIT */
/*
 * A line has three to ten numbers of its own, and looking at each is quicker than any hash. A line
 * may also have ten thousand, all a peer's choice: past LINEAR_MAX the names are found through an
 * open-addressing index whose hash is seeded, so neither the number nor the names can make one
 * line cost more than its bytes. The index is built only when a line gets that far.
 */
#include "proto/line_extras.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { LINEAR_MAX = 16, FIRST_CAP = 32 };

_Static_assert(LINE_BYTES_MAX / sizeof("\"\":0,") < UINT16_MAX, "an index slot counts the extras");

static uint64_t hash_of(const struct line_decoder *d, struct span name)
{
    uint64_t h = d->seed ^ name.len;
    for (size_t i = 0; i < name.len; i++)
        h = (h ^ (unsigned char)name.ptr[i]) * 0x100000001b3ULL;
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93ULL;
    return h ^ h >> 32;
}

/* The slot of a name: where it is, or the free one where it goes. */
static uint16_t *slot_of(struct line_decoder *d, struct span name)
{
    size_t mask = d->index_cap - 1;
    size_t at = hash_of(d, name) & mask;
    while (d->index[at] != 0 && !span_eq(d->extra[d->index[at] - 1].name, name))
        at = (at + 1) & mask;
    return &d->index[at];
}

/* Indexes the extras there are, with room for twice as many. */
static enum status build_index(struct line_decoder *d)
{
    size_t cap = d->index_cap ? d->index_cap : (size_t)4 * LINEAR_MAX;
    while (cap < d->extra_count * 4)
        cap *= 2;
    if (cap != d->index_cap) {
        uint16_t *index = realloc(d->index, cap * sizeof(*index));
        if (!index)
            return E_NOMEM;
        d->index = index;
        d->index_cap = cap;
    }
    memset(d->index, 0, cap * sizeof(*d->index));
    for (size_t i = 0; i < d->extra_count; i++)
        *slot_of(d, d->extra[i].name) = (uint16_t)(i + 1);
    return OK;
}

static struct extra *find(struct line_decoder *d, struct span name)
{
    if (d->extra_count > LINEAR_MAX) {
        uint16_t place = *slot_of(d, name);
        return place ? &d->extra[place - 1] : NULL;
    }
    for (size_t i = 0; i < d->extra_count; i++) {
        if (span_eq(d->extra[i].name, name))
            return &d->extra[i];
    }
    return NULL;
}

static enum status grow(struct line_decoder *d)
{
    size_t cap = d->extra_cap ? d->extra_cap * 2 : FIRST_CAP;
    struct extra *extra = realloc(d->extra, cap * sizeof(*extra));
    if (!extra)
        return E_NOMEM;
    d->extra = extra;
    d->extra_cap = cap;
    return OK;
}

enum status line_extras_put(struct line_decoder *d, struct span name, struct num value)
{
    struct extra *known = find(d, name);
    if (known) {
        known->value = value;
        return OK;
    }
    if (d->extra_count == d->extra_cap && grow(d) != OK)
        return E_NOMEM;
    assert(d->extra);
    d->extra[d->extra_count++] = (struct extra){name, value};
    if (d->extra_count <= LINEAR_MAX)
        return OK;
    if (d->extra_count == LINEAR_MAX + 1 || d->extra_count * 2 > d->index_cap) {
        if (build_index(d) == OK)
            return OK;
        d->extra_count--;
        return E_NOMEM;
    }
    *slot_of(d, name) = (uint16_t)d->extra_count;
    return OK;
}
