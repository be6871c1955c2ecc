/* SPDX-License-Identifier: MIT */
/*
 * store_sqlite_parts: what the files of store_sqlite, and their tests, know of each other.
 *
 * store_sqlite.c has the rows, store_sqlite_open.c the connection, store_sqlite_claim.c the
 * directory and the lock, store_sqlite_schema.c the tables and how older ones become newer,
 * store_sqlite_check.c what tells an altered row, store_sqlite_salvage.c what is done about a
 * damaged file.
 */
#ifndef STREAMD_STORE_STORE_SQLITE_PARTS_H
#define STREAMD_STORE_STORE_SQLITE_PARTS_H

#include "streamd/store/store_sqlite.h"

#include <sqlite3.h>
#include <sys/stat.h>

/* Every statement, prepared once a connection. A row's last column but its blob is its check. */
#define STATEMENT_TABLE(X)                                                                         \
    X(BEGIN, "BEGIN IMMEDIATE")                                                                    \
    X(COMMIT, "COMMIT")                                                                            \
    X(PUT_SESSION, "REPLACE INTO session VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)")                 \
    X(PUT_CONFIG, "INSERT INTO config VALUES (?1,?2,?3) ON CONFLICT (key) DO UPDATE"               \
                  " SET config=excluded.config, crc=excluded.crc"                                  \
                  " WHERE config IS NOT excluded.config OR crc IS NOT excluded.crc")               \
    X(PUT_RUN, "REPLACE INTO run VALUES (NULL,?1,?2,?3,?4,?5)")                                    \
    X(PUT_SEGMENT, "INSERT INTO segment VALUES (NULL,?1,?2,?3,?4,?5) ON CONFLICT (session,first)"  \
                   " DO UPDATE SET count=excluded.count, head=excluded.head, crc=excluded.crc"     \
                   " RETURNING id")                                                                \
    X(PUT_BODY, "REPLACE INTO body VALUES (?1,?2,?3)")                                             \
    X(PUT_META, "REPLACE INTO meta VALUES (?1,?2,?3)")                                             \
    X(DELETE_SEALED, "DELETE FROM run WHERE session=?1 AND first BETWEEN ?2 AND ?3")               \
    X(DELETE_RUNS, "DELETE FROM run WHERE session=?1")                                             \
    X(DELETE_BODIES, "DELETE FROM body WHERE id IN (SELECT id FROM segment WHERE session=?1)")     \
    X(DELETE_SEGMENTS, "DELETE FROM segment WHERE session=?1")                                     \
    X(DELETE_SESSION, "DELETE FROM session WHERE key=?1")                                          \
    X(DELETE_CONFIG, "DELETE FROM config WHERE key=?1")                                            \
    X(GET_META, "SELECT * FROM meta WHERE name=?1")                                                \
    X(NEXT_SESSION, "SELECT session.*, config.* FROM session LEFT JOIN config USING (key)"         \
                    " WHERE session.key>?1 ORDER BY session.key LIMIT 1")                          \
    X(NEXT_KEY, "SELECT key FROM session WHERE key>?1 ORDER BY key LIMIT 1")                       \
    X(NEXT_RUN, "SELECT * FROM run WHERE id=" NEXT_ID("run"))                                      \
    X(NEXT_RUN_AT, NEXT_AT("run"))                                                                 \
    X(NEXT_HEAD, "SELECT * FROM segment WHERE id=" NEXT_ID("segment"))                             \
    X(NEXT_SEGMENT, "SELECT segment.*, body.* FROM segment LEFT JOIN body USING (id)"              \
                    " WHERE segment.id=" NEXT_ID("segment"))                                       \
    X(NEXT_SEGMENT_AT, NEXT_AT("segment"))

/* The row of session ?1 that holds ?2, else the first after it. Answered from the index, but for
 * the count of one row, so that no other row's blob is read. */
#define NEXT_ID(table)                                                                             \
    "coalesce((SELECT id FROM (SELECT id, first+count AS ends FROM " table                         \
    " WHERE session=?1 AND first<=?2 ORDER BY first DESC LIMIT 1) WHERE ends>?2),"                 \
    " (SELECT id FROM " table " WHERE session=?1 AND first>?2 ORDER BY first LIMIT 1))"

/* Where the first row after ?2 begins that is not the row ?3. */
#define NEXT_AT(table)                                                                             \
    "SELECT first FROM " table " WHERE session=?1 AND first>?2 AND id<>?3 ORDER BY first LIMIT 1"

enum statement {
#define STATEMENT_ENUM(name, sql) S_##name,
    STATEMENT_TABLE(STATEMENT_ENUM)
#undef STATEMENT_ENUM
        STATEMENTS
};

enum {
    STORE_DIR_MAX = 384,                 /* SQLite itself takes paths of 512 */
    STORE_PATH_MAX = STORE_DIR_MAX + 64, /* with the name and a suffix */
};

/* Which file a path was, when the connection was made. */
struct file_id {
    dev_t dev;
    ino_t ino;
};

struct store_sqlite {
    struct store base;
    char *path;                          /* owns; of the file itself */
    const char *vfs;                     /* borrows; NULL: SQLite's own */
    sqlite3 *db;                         /* owns; NULL: to be opened by the next begin */
    sqlite3_stmt *statement[STATEMENTS]; /* owns */
    sqlite3_stmt *read; /* borrows: what the spans last answered stand in; else NULL */
    int lock;           /* owns the descriptor; -1: none */
    struct file_id file, wal;
    bool readonly;
    bool open;          /* a transaction is */
    bool stale;         /* the disk failed: the connection is to be opened anew */
    enum status doomed; /* OK, or why the transaction can only be rolled back */
    int wal_pages;      /* at the last commit */
    bool wal_large;     /* and that was said */
    char why[STORE_WHY_MAX];
};

/* The same as store_sqlite_open with SQLite's file system replaced, for tests. */
struct store *store_sqlite_open_vfs(const char *dir, const char *vfs, char why[STORE_WHY_MAX]);

extern const struct store_ops store_sqlite_ops;

/* ---- store_sqlite_claim.c ---- */

/* Makes and locks the directory, makes the file or sees that it is one. Not OK: s->why says why. */
MUST_CHECK enum status store_sqlite_claim(struct store_sqlite *s, const char *dir);

/* What was made, renamed or removed in the directory stays so. */
MUST_CHECK enum status store_sqlite_sync_dir(struct store_sqlite *s);

/* ---- store_sqlite_open.c ---- */

/* The path of the file with a suffix. Answers `out`. */
const char *store_path(char out[STORE_PATH_MAX], const struct store_sqlite *s, const char *suffix);

/* 0 when there is no such file. */
uint64_t store_sqlite_file_bytes(const struct store_sqlite *s, const char *suffix);
uint64_t store_sqlite_bytes(struct store *base);

/* Notes what SQLite says about `what` and answers the status for its code. */
enum status store_sqlite_fail(struct store_sqlite *s, int code, const char *what);

/* A connection, with its statements, after looking through the file if `check`. Not OK: there is
 * none, and s->why says why. E_MALFORMED: the file is damaged. E_STATE: it is not for us. */
MUST_CHECK enum status store_sqlite_connect(struct store_sqlite *s, bool check);
/* Harmless when there is none. */
void store_sqlite_disconnect(struct store_sqlite *s);

/* E_IO when another file stands, or none, where the store's own stood. */
MUST_CHECK enum status store_sqlite_same_file(struct store_sqlite *s);

/* A connection that can be used, made anew where the disk failed. */
MUST_CHECK enum status store_sqlite_ready(struct store_sqlite *s);

/* Moves what was committed from the log to the file, when there is much. */
void store_sqlite_checkpoint(struct store_sqlite *s);

void store_sqlite_destroy(struct store *base);

/* ---- store_sqlite_schema.c ---- */

enum { STORE_APPLICATION_ID = 0x73747264 }; /* "strd" */

/* What makes schema `to` from the one before it. */
struct schema_step {
    int to;
    const char *sql;
};

/* How a connection reads and writes; before anything else is done with it. An SQLite code. */
int store_schema_pragmas(sqlite3 *db, bool readonly);

/* What a file says it is. */
struct schema_seen {
    int application;
    int version; /* 0: none of ours yet */
    int tables;  /* and indexes */
};

/* An SQLite code, and so the next. */
int store_schema_read(sqlite3 *db, struct schema_seen *out);

/* Takes the file through the steps beyond its version, each in a transaction of its own. */
int store_schema_migrate(sqlite3 *db, int version, const struct schema_step *by, size_t count);

/* The steps to STORE_SCHEMA. */
const struct schema_step *store_schema_steps(size_t *out_count);

/* ---- store_sqlite_check.c ---- */

/* A row's check: over what its other columns hold, in their order. */
struct check {
    uint32_t crc;
};

void check_init(struct check *c);
void check_int(struct check *c, int64_t value);
void check_real(struct check *c, double value);
/* ptr NULL: as SQL's NULL. */
void check_span(struct check *c, struct span bytes);

/* Do the `count` columns from `first` on hold what their check, the last of them, was made of? */
bool check_columns(sqlite3_stmt *row, int first, int count);

/* Bound for binding; a text or blob that is borrowed until the statement is reset. */
int bind_span(sqlite3_stmt *statement, int at, struct span bytes, bool text);
struct span column_span(sqlite3_stmt *row, int at);

#endif
