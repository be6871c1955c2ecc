/* SPDX-License-Identifier: MIT */
/*
 * strmap: names to pointers.
 *
 * Keys are bytes with a length, copied in; values are borrowed. Open addressing with a seeded hash,
 * so that a peer that chooses the names cannot choose the collisions. O(1) on average; order of
 * iteration is unspecified.
 */
#ifndef BASE_STRMAP_H
#define BASE_STRMAP_H

#include "base/span.h"
#include "base/status.h"

struct strmap_slot;

struct strmap {
    struct strmap_slot *slots; /* owns `cap` slots; NULL while empty */
    size_t cap;                /* 0 or a power of two */
    size_t used;               /* keys present */
    size_t filled;             /* keys present and tombstones */
    uint64_t seed;
};

/* `seed`: any number a peer cannot know. Allocates nothing. */
void strmap_init(struct strmap *m, uint64_t seed);

/* Frees the keys and the table; the values are not touched. */
void strmap_fini(struct strmap *m);

/* The value, or NULL when there is no such key. */
void *strmap_find(const struct strmap *m, struct span key);

/* Sets key to value (not NULL), replacing. E_NOMEM: the map is as before. */
MUST_CHECK enum status strmap_put(struct strmap *m, struct span key, void *value);

/* Removes and answers the value; NULL when there is no such key. */
void *strmap_take(struct strmap *m, struct span key);

size_t strmap_count(const struct strmap *m);

/*
 * Walks all entries: start with *at = 0; false at the end. The map must not change meanwhile.
 * *out_key borrows from the map.
 */
bool strmap_next(const struct strmap *m, size_t *at, struct span *out_key, void **out_value);

#endif
