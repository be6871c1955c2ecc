/* SPDX-License-Identifier: MIT */
/*
 * The map keeps keys of its own, so a text is held twice: once to be found, once to be read back.
 * That is a few hundred bytes in any real run, and the price of one map for the whole daemon.
 * A peer that sends ever new names meets both limits, of count and of bytes; its numbers under
 * known names go on being kept.
 */
#include "streamd/session/names.h"

#include "streamd/session/series.h"

#include <stdlib.h>
#include <string.h>

struct name {
    uint16_t number;
    uint16_t len;
    char text[];
};

/* What a name costs beside its two texts: the struct, its slots in map and array. */
enum { NAME_OVERHEAD = 96, FIRST_CAP = 8 };

void names_init(struct names *n)
{
    *n = (struct names){0};
    /* The map is seeded by its own place in memory, which a peer does not know. */
    strmap_init(&n->by_text, (uint64_t)(uintptr_t)n);
}

void names_fini(struct names *n)
{
    for (uint32_t i = 0; i < n->count; i++)
        free(n->all[i]);
    free(n->all);
    strmap_fini(&n->by_text);
    names_init(n);
}

static enum status grow(struct names *n)
{
    uint32_t cap = n->cap ? n->cap * 2 : FIRST_CAP;
    struct name **all = realloc(n->all, cap * sizeof(struct name *));
    if (!all)
        return E_NOMEM;
    n->all = all;
    n->cap = cap;
    return OK;
}

static enum status add(struct names *n, struct span text, uint16_t *out_number)
{
    size_t bytes = 2 * text.len + NAME_OVERHEAD;
    if (n->count == SERIES_NAMES_MAX || text.len > UINT16_MAX ||
        n->bytes + bytes > SERIES_NAME_BYTES_MAX)
        return E_LIMIT;
    if (n->count == n->cap && grow(n) != OK)
        return E_NOMEM;
    struct name *name = malloc(sizeof(*name) + text.len);
    if (!name || strmap_put(&n->by_text, text, name) != OK) {
        free(name);
        return E_NOMEM;
    }
    name->number = (uint16_t)n->count;
    name->len = (uint16_t)text.len;
    memcpy(name->text, text.ptr, text.len);
    n->all[n->count++] = name;
    n->bytes += bytes;
    *out_number = name->number;
    return OK;
}

enum status names_enter(struct names *n, struct span text, uint32_t guess, uint16_t *out_number)
{
    if (guess < n->count && span_eq(names_at(n, (uint16_t)guess), text)) {
        *out_number = (uint16_t)guess;
        return OK;
    }
    const struct name *known = strmap_find(&n->by_text, text);
    if (!known)
        return add(n, text, out_number);
    *out_number = known->number;
    return OK;
}

struct span names_at(const struct names *n, uint16_t number)
{
    return (struct span){n->all[number]->text, n->all[number]->len};
}
