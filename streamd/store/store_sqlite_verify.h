/* SPDX-License-Identifier: MIT */
/*
 * store_sqlite_verify: what can be wrong with the file as a whole.
 *
 * SQLite's own check of every page and index, and rows that belong to nothing: runs and segments
 * without a session, bodies without a segment. What rows hold is for the caller to look at.
 */
#ifndef STREAMD_STORE_STORE_SQLITE_VERIFY_H
#define STREAMD_STORE_STORE_SQLITE_VERIFY_H

#include "streamd/store/store.h"

/* `store` is one of store_sqlite.h. Calls `problem` with a line for each; E_IO, E_NOMEM: it could
 * not look further. Reads the whole file. */
MUST_CHECK enum status store_sqlite_verify(struct store *store,
                                           void (*problem)(void *context, const char *text),
                                           void *context);

#endif
