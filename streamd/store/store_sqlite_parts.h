/* SPDX-License-Identifier: MIT */
/*
 * store_sqlite_parts: what the files of store_sqlite, and their tests, know of each other.
 *
 * store_sqlite.c has the rows, store_sqlite_open.c the connection, store_sqlite_claim.c the
 * directory and the lock, store_sqlite_runs.c where runs stand, store_sqlite_schema.c the tables
 * and how older ones become newer, store_sqlite_check.c what tells an altered row,
 * store_sqlite_salvage.c what is done about a damaged file.
 */
#ifndef STREAMD_STORE_STORE_SQLITE_PARTS_H
#define STREAMD_STORE_STORE_SQLITE_PARTS_H

#include "base/strmap.h"
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
    X(PUT_RUN, "REPLACE INTO run VALUES (?1,?2,?3,?4,?5,?6)")                                      \
    X(PUT_SEGMENT, "INSERT INTO segment VALUES (NULL,?1,?2,?3,?4,?5) ON CONFLICT (session,first)"  \
                   " DO UPDATE SET count=excluded.count, head=excluded.head, crc=excluded.crc"     \
                   " RETURNING id")                                                                \
    X(PUT_BODY, "REPLACE INTO body VALUES (?1,?2,?3)")                                             \
    X(PUT_META, "INSERT INTO meta VALUES (NULL,?1,?2,?3) ON CONFLICT (name) DO UPDATE"             \
                " SET value=excluded.value, crc=excluded.crc")                                     \
    X(DELETE_RUN, "DELETE FROM run WHERE id=?1")                                                   \
    X(DELETE_BODIES, "DELETE FROM body WHERE id IN (SELECT id FROM segment WHERE session=?1)")     \
    X(DELETE_SEGMENTS, "DELETE FROM segment WHERE session=?1")                                     \
    X(DELETE_BODIES_BEFORE, "DELETE FROM body WHERE id IN (SELECT id FROM segment"                 \
                            " WHERE session=?1 AND first+count<=?2)")                              \
    X(DELETE_SEGMENTS_BEFORE, "DELETE FROM segment WHERE session=?1 AND first+count<=?2")          \
    X(DELETE_SESSION, "DELETE FROM session WHERE key=?1")                                          \
    X(DELETE_CONFIG, "DELETE FROM config WHERE key=?1")                                            \
    X(GET_META, "SELECT * FROM meta WHERE name=?1")                                                \
    X(NEXT_SESSION, "SELECT session.*, config.* FROM session LEFT JOIN config USING (key)"         \
                    " WHERE session.key>?1 ORDER BY session.key")                                  \
    X(NEXT_KEY, "SELECT key FROM session WHERE key>?1 ORDER BY key LIMIT 1")                       \
    X(GET_RUN, "SELECT * FROM run WHERE id=?1")                                                    \
    X(ALL_RUNS, "SELECT id, session, first, count FROM run")                                       \
    X(FREE_PAGES, "PRAGMA freelist_count")                                                         \
    X(ALL_PAGES, "PRAGMA page_count")                                                              \
    X(SHRINK, "PRAGMA incremental_vacuum(256)")                                                    \
    X(DATA_VERSION, "PRAGMA data_version")                                                         \
    X(NEXT_HEAD, "SELECT * FROM segment WHERE id=" NEXT_ID)                                        \
    X(NEXT_SEGMENT, "SELECT segment.*, body.* FROM segment LEFT JOIN body USING (id)"              \
                    " WHERE segment.id=" NEXT_ID)                                                  \
    X(NEXT_SEGMENT_AT, NEXT_AT)                                                                    \
    /* From here on of schema 2. */                                                                \
    X(PUT_AUDIT, "REPLACE INTO audit VALUES (?1,?2,?3,?4)")                                        \
    X(DELETE_AUDIT, "DELETE FROM audit WHERE id=?1")                                               \
    X(DELETE_AUDITS, "DELETE FROM audit WHERE session=?1")                                         \
    X(NEXT_AUDIT, "SELECT * FROM audit WHERE id>?1 ORDER BY id LIMIT 1")                           \
    X(NEXT_AUDIT_ID, "SELECT id FROM audit WHERE id>?1 ORDER BY id LIMIT 1")

/* The segment of session ?1 that holds ?2, else the first after it. Answered from the index, but
 * for the count of one. */
#define NEXT_ID                                                                                    \
    "coalesce((SELECT id FROM (SELECT id, first+count AS ends FROM segment"                        \
    " WHERE session=?1 AND first<=?2 ORDER BY first DESC LIMIT 1) WHERE ends>?2),"                 \
    " (SELECT id FROM segment WHERE session=?1 AND first>?2 ORDER BY first LIMIT 1))"

/* Where the first segment after ?2 begins that is not ?3. */
#define NEXT_AT                                                                                    \
    "SELECT first FROM segment WHERE session=?1 AND first>?2 AND id<>?3 ORDER BY first LIMIT 1"

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

/* Where a run stands. */
struct run_place {
    uint64_t first, count;
    int64_t id;
};

/* Of all sessions: what an index would be. */
struct run_map {
    struct strmap shelves; /* owns them, by the session's number */
    int64_t last_id;       /* the highest that there is */
    bool changed;          /* in the open transaction */
    bool stale;            /* to be read anew from the table */
};

struct store_sqlite {
    struct store base;
    char *path;                          /* owns; of the file itself */
    const char *vfs;                     /* borrows; NULL: SQLite's own */
    sqlite3 *db;                         /* owns; NULL: to be opened by the next begin */
    sqlite3_stmt *statement[STATEMENTS]; /* owns */
    sqlite3_stmt *read; /* borrows: what the spans last answered stand in; else NULL */
    struct run_map runs;
    int data_version; /* readonly: when they were read */
    int lock;         /* owns the descriptor; -1: none */
    struct file_id file, wal;
    bool readonly;
    bool unmarked;          /* the log may be a new one: store_schema_mark */
    bool open;              /* a transaction is */
    bool stale;             /* the disk failed: the connection is to be opened anew */
    enum status doomed;     /* OK, or why the transaction can only be rolled back */
    int wal_pages;          /* at the last commit */
    int checkpoint_pages;   /* from which on the log is emptied; tests have it sooner */
    bool wal_large;         /* and that was said */
    bool checkpoint_failed; /* the last one, and that was said */
    char why[STORE_WHY_MAX];
};

/* The same as store_sqlite_open with SQLite's file system replaced, for tests. */
struct store *store_sqlite_open_vfs(const char *dir, const char *vfs, char why[STORE_WHY_MAX]);

extern const struct store_ops store_sqlite_ops;

/* ---- store_sqlite_claim.c ---- */

/* Makes and locks the directory, makes the file or sees that it is one. Not OK: s->why says why. */
MUST_CHECK enum status store_sqlite_claim(struct store_sqlite *s, const char *dir);

/* The cookie in the file itself, whatever its log says; 0 when it cannot be read. */
int store_sqlite_raw_cookie(const struct store_sqlite *s);

/* What was made, renamed or removed in the directory stays so. */
MUST_CHECK enum status store_sqlite_sync_dir(struct store_sqlite *s);

/* ---- store_sqlite_open.c ---- */

/* The path of the file with a suffix. Answers `out`. */
const char *store_path(char out[STORE_PATH_MAX], const struct store_sqlite *s, const char *suffix);

/* 0 when there is no such file. */
uint64_t store_sqlite_file_bytes(const struct store_sqlite *s, const char *suffix);
uint64_t store_sqlite_bytes(struct store *base);
enum status store_sqlite_shrink(struct store *base);

/* Spans that were answered are no longer valid. */
void store_sqlite_forget_read(struct store_sqlite *s);

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

/* ---- store_sqlite_runs.c ---- */

void run_map_init(struct run_map *m);
void run_map_fini(struct run_map *m);

/* Adds, or replaces the one with that first. E_NOMEM. */
MUST_CHECK enum status run_map_put(struct run_map *m, uint64_t session, struct run_place place);

/* The run that holds `offset`, else the first after it, else NULL; as the next, until a change. */
const struct run_place *run_map_find(const struct run_map *m, uint64_t session, uint64_t offset);

/* Those that begin from `first` until before `end`. */
const struct run_place *run_map_range(const struct run_map *m, uint64_t session, uint64_t first,
                                      uint64_t end, size_t *out_count);
void run_map_cut(struct run_map *m, uint64_t session, uint64_t first, uint64_t end);

/* All that the table has. */
MUST_CHECK enum status store_sqlite_load_runs(struct store_sqlite *s);

/* ---- store_sqlite_schema.c ---- */

enum { STORE_APPLICATION_ID = 0x73747264 }; /* "strd" */

/* What makes schema `to` from the one before it. */
struct schema_step {
    int to;
    const char *sql;
};

/* How a connection reads and writes; before the file is made. An SQLite code, as the next. */
int store_schema_pragmas(sqlite3 *db);
/* What a file is made with, also before it is; writes to one that is there. */
int store_schema_layout(sqlite3 *db);
/* From now on with a write-ahead log: after the file says whose it is, which thus stands in it
 * from its first page on. */
int store_schema_logged(sqlite3 *db);

/* What a file says it is. */
struct schema_seen {
    int application;
    int version; /* 0: none of ours yet */
    int cookie;  /* SQLite's, which we begin with a random number */
    int tables;  /* and indexes */
};

/* An SQLite code, and so the next. */
int store_schema_read(sqlite3 *db, struct schema_seen *out);

/* A log does not say whose it is. So the file's first page, with its cookie, is written into every
 * new log: within a transaction, to the version that the file has. */
int store_schema_mark(sqlite3 *db, int version);
/* Are these cookies of one file, if perhaps some changes apart? */
bool store_schema_same_file(int cookie, int other);

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

/* ---- store_sqlite_salvage.c ---- */

/* Looks through the file. E_MALFORMED: it is damaged. */
MUST_CHECK enum status store_sqlite_check(struct store_sqlite *s);

/* Puts a damaged file aside and what can be read of it in its place, connects to that, and tells in
 * s->why. E_IO, E_NOMEM: the file is where it was. */
MUST_CHECK enum status store_sqlite_salvage(struct store_sqlite *s);

#endif
