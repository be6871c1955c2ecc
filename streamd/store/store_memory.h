/* SPDX-License-Identifier: MIT */
/*
 * store_memory: the rows in memory, for --ephemeral and for tests. A transaction that is rolled
 * back leaves them as they were.
 */
#ifndef STREAMD_STORE_STORE_MEMORY_H
#define STREAMD_STORE_STORE_MEMORY_H

#include "streamd/store/store.h"

/* NULL when out of memory. */
struct store *store_memory_create(void);

/* For tests: from the nth next put, begin or commit on (1: the next) all of them answer E_IO, until
 * this is called again; 0: none does. */
void store_memory_fail(struct store *s, uint64_t nth);

#endif
