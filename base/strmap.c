/* SPDX-License-Identifier: MIT */
/*
 * Linear probing over a power-of-two table kept at most 3/4 full, with tombstones; FNV-1a mixed
 * with the seed and finished by a multiply-xorshift, because plain FNV's low bits are weak. The
 * hash is kept in the slot: growing never touches a key and most mismatches end at one compare.
 */
#include "base/strmap.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct strmap_slot {
    uint64_t hash;
    char *key; /* owns key_len bytes; NULL: never used, `tombstone`: once used */
    size_t key_len;
    void *value; /* borrows */
};

static char tombstone[1];

enum { FIRST_CAP = 16 };

static uint64_t hash_of(const struct strmap *m, struct span key)
{
    uint64_t h = 0xcbf29ce484222325ULL ^ m->seed;
    for (size_t i = 0; i < key.len; i++)
        h = (h ^ (unsigned char)key.ptr[i]) * 0x100000001b3ULL;
    h ^= h >> 32;
    h *= 0x9e3779b97f4a7c15ULL;
    return h ^ (h >> 29);
}

void strmap_init(struct strmap *m, uint64_t seed)
{
    *m = (struct strmap){.seed = seed};
}

static bool is_live(const struct strmap_slot *slot)
{
    return slot->key && slot->key != tombstone;
}

void strmap_fini(struct strmap *m)
{
    for (size_t i = 0; i < m->cap; i++) {
        if (is_live(&m->slots[i]))
            free(m->slots[i].key);
    }
    free(m->slots);
    strmap_init(m, m->seed);
}

static struct strmap_slot *find_slot(const struct strmap *m, struct span key, uint64_t hash)
{
    if (m->cap == 0)
        return NULL;
    for (size_t i = hash & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
        struct strmap_slot *slot = &m->slots[i];
        if (!slot->key)
            return NULL;
        if (is_live(slot) && slot->hash == hash &&
            span_eq((struct span){slot->key, slot->key_len}, key))
            return slot;
    }
}

void *strmap_find(const struct strmap *m, struct span key)
{
    struct strmap_slot *slot = find_slot(m, key, hash_of(m, key));
    return slot ? slot->value : NULL;
}

static struct strmap_slot *free_slot(struct strmap_slot *slots, size_t cap, uint64_t hash)
{
    size_t i = hash & (cap - 1);
    while (is_live(&slots[i]))
        i = (i + 1) & (cap - 1);
    return &slots[i];
}

static enum status rehash(struct strmap *m)
{
    size_t cap = FIRST_CAP;
    while (cap * 3 < (m->used + 1) * 4 * 2)
        cap *= 2;
    struct strmap_slot *slots = calloc(cap, sizeof(*slots));
    if (!slots)
        return E_NOMEM;
    for (size_t i = 0; i < m->cap; i++) {
        if (is_live(&m->slots[i]))
            *free_slot(slots, cap, m->slots[i].hash) = m->slots[i];
    }
    free(m->slots);
    m->slots = slots;
    m->cap = cap;
    m->filled = m->used;
    return OK;
}

enum status strmap_put(struct strmap *m, struct span key, void *value)
{
    assert(value);
    uint64_t hash = hash_of(m, key);
    struct strmap_slot *slot = find_slot(m, key, hash);
    if (slot) {
        slot->value = value;
        return OK;
    }
    if ((m->filled + 1) * 4 > m->cap * 3 && rehash(m) != OK)
        return E_NOMEM;
    char *copy = malloc(key.len ? key.len : 1);
    if (!copy)
        return E_NOMEM;
    if (key.len)
        memcpy(copy, key.ptr, key.len);
    slot = free_slot(m->slots, m->cap, hash);
    m->filled += slot->key ? 0 : 1;
    m->used++;
    slot->hash = hash;
    slot->key = copy;
    slot->key_len = key.len;
    slot->value = value;
    return OK;
}

void *strmap_take(struct strmap *m, struct span key)
{
    struct strmap_slot *slot = find_slot(m, key, hash_of(m, key));
    if (!slot)
        return NULL;
    void *value = slot->value;
    free(slot->key);
    *slot = (struct strmap_slot){.key = tombstone};
    m->used--;
    return value;
}

size_t strmap_count(const struct strmap *m)
{
    return m->used;
}

bool strmap_next(const struct strmap *m, size_t *at, struct span *out_key, void **out_value)
{
    for (; *at < m->cap; (*at)++) {
        const struct strmap_slot *slot = &m->slots[*at];
        if (!is_live(slot))
            continue;
        *out_key = (struct span){slot->key, slot->key_len};
        *out_value = slot->value;
        (*at)++;
        return true;
    }
    return false;
}
