/* SPDX-License-Identifier: MIT */
/*
 * store_whole: a store of which many commits can be made one.
 *
 * Between store_whole_begin and store_whole_commit every transaction of whoever uses the store is a
 * part of one, which is kept at the end or not at all, whatever happens to the process. Outside it
 * is the store that it was made of.
 */
#ifndef STREAMD_STORE_STORE_WHOLE_H
#define STREAMD_STORE_STORE_WHOLE_H

#include "streamd/store/store.h"

/* Takes the store; NULL, and it is destroyed, when out of memory. */
struct store *store_whole_create(struct store *inner);

MUST_CHECK enum status store_whole_begin(struct store *s);

/*
 * Keeps all of it. Not OK: nothing of it is kept, nor is anything from now on, for who used the
 * store believes in what is gone; it is only good for being destroyed.
 */
MUST_CHECK enum status store_whole_commit(struct store *s);

#endif
