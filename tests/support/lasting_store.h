/* SPDX-License-Identifier: MIT */
/*
 * lasting_store: a store in memory that outlives its app, as a file outlives the process.
 *
 * Destroying it only rolls back what is open, so it can be given to one app after another. It
 * counts what is done to it, and finds rows damaged that a test says are.
 */
#ifndef TESTS_SUPPORT_LASTING_STORE_H
#define TESTS_SUPPORT_LASTING_STORE_H

#include "streamd/store/store.h"

#include <stdatomic.h>

enum lasting_kind { LASTING_SESSION, LASTING_RUN, LASTING_SEGMENT };

enum { LASTING_DAMAGED_MAX = 8 };

struct lasting_store {
    struct store base;
    struct store *rows;   /* owns; see store_memory.h */
    atomic_uint commits;  /* that went well */
    atomic_uint sessions; /* rows that were put */
    atomic_uint refusals; /* begins and commits that did not */
    atomic_bool broken;   /* none begins: any thread may say so */
    unsigned destroyed;
    struct {
        enum lasting_kind kind;
        uint64_t session, first;
    } damaged[LASTING_DAMAGED_MAX];
    size_t damaged_count;
    const char *damaged_meta; /* borrows; NULL: none */
};

/* The store to be given away is &s->base. Ends the test when out of memory. */
void lasting_store_init(struct lasting_store *s);
void lasting_store_fini(struct lasting_store *s);

/* From now on this row cannot be read; `first` of a session is not looked at. */
void lasting_store_damage(struct lasting_store *s, enum lasting_kind kind, uint64_t session,
                          uint64_t first);

/* As store_memory_fail. */
void lasting_store_fail(struct lasting_store *s, uint64_t nth);

#endif
