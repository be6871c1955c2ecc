/* SPDX-License-Identifier: MIT */
/*
 * store_sqlite: the rows in one SQLite file, DIR/streamd.db, write-ahead logged and fsync'd at
 * every commit.
 *
 * One connection writes, reads and checkpoints (SQLite before 3.51.3 can corrupt a file when one
 * connection writes while another checkpoints), without mmap. A file of a newer schema, one that is
 * no database, and a directory that another daemon uses are refused. After the disk failed in any
 * way but being full the connection is opened anew before anything else is done, since nobody knows
 * what of it is on disk. A file that is gone or replaced meanwhile is E_IO until it is back.
 *
 * After an unclean end the file is looked through when it is opened: whole up to 256 MiB, else all
 * but the segments' bodies. What that does not find, each row's check does when it is read.
 */
#ifndef STREAMD_STORE_STORE_SQLITE_H
#define STREAMD_STORE_STORE_SQLITE_H

#include "streamd/store/store.h"

enum {
    STORE_WHY_MAX = 1024,
    STORE_CACHE_KIB = 8000, /* of the file's pages in memory */
};

/*
 * Makes `dir` and the file where they are missing. NULL: `why` says what is wrong and with which
 * path. A file that is damaged is put aside as streamd.db.damaged-N, what can be read of it is
 * taken over, and `why` (else "") says so while the store is answered all the same; a log that
 * belongs to another file is put aside alone. Damage met later is left for the next start.
 */
struct store *store_sqlite_open(const char *dir, char why[STORE_WHY_MAX]);

/* The same file for looking only (offline tools): nothing is written, no lock is taken; NULL also
 * when there is none. */
struct store *store_sqlite_open_readonly(const char *dir, char why[STORE_WHY_MAX]);

/*
 * For looking only: from here to the release all that is read is as it was at one moment, whatever
 * a daemon does meanwhile. Its log cannot be emptied until then, so it should not be for long.
 * E_IO, E_NOMEM, E_MALFORMED: nothing is held.
 */
MUST_CHECK enum status store_sqlite_hold(struct store *s);
void store_sqlite_release(struct store *s);

#endif
