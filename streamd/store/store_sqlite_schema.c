/* SPDX-License-Identifier: MIT */
/*
 * The tables, and the steps from one schema to the next: a file's user_version says which schema it
 * has, its application_id that it is ours. A step runs in a transaction with its version.
 *
 * Rows are appended by rowid, and segments found by an index beside it: clustered by (session,
 * first), a thousand sessions' appends would each dirty a page of their own. Even an index would;
 * so where runs stand is kept in memory (store_sqlite_runs.c). Bodies stand
 * apart from heads, so that a chart of a long run reads heads that lie page by page; configs apart
 * from sessions, since a session is put with every commit and its config changes never. Each table
 * has a number for its key first and its check last, so that salvage treats them alike.
 */
#include "streamd/store/store_sqlite_parts.h"

#include <stdio.h>
#include <sys/random.h>

enum { COOKIE_SHIFT = 16 };

static const struct schema_step steps[] = {
    {1, "CREATE TABLE meta (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, value BLOB,"
        " crc INTEGER NOT NULL);"
        "CREATE TABLE session (key INTEGER PRIMARY KEY, id TEXT, project TEXT, name TEXT,"
        " status TEXT, start_time REAL, last_update REAL, pinned INTEGER, state BLOB,"
        " crc INTEGER NOT NULL);"
        "CREATE TABLE config (key INTEGER PRIMARY KEY, config TEXT, crc INTEGER NOT NULL);"
        "CREATE TABLE run (id INTEGER PRIMARY KEY, session INTEGER NOT NULL,"
        " first INTEGER NOT NULL, count INTEGER NOT NULL, bytes BLOB, crc INTEGER NOT NULL);"
        "CREATE TABLE segment (id INTEGER PRIMARY KEY, session INTEGER NOT NULL,"
        " first INTEGER NOT NULL, count INTEGER NOT NULL, head BLOB, crc INTEGER NOT NULL);"
        "CREATE UNIQUE INDEX segment_at ON segment (session, first);"
        "CREATE TABLE body (id INTEGER PRIMARY KEY, bytes BLOB, crc INTEGER NOT NULL);"},
    {2, "CREATE TABLE audit (id INTEGER PRIMARY KEY, session INTEGER NOT NULL, entry BLOB,"
        " crc INTEGER NOT NULL);"
        "CREATE INDEX audit_of ON audit (session);"},
};

_Static_assert(sizeof(steps) / sizeof(steps[0]) == STORE_SCHEMA, "one step a schema");

const struct schema_step *store_schema_steps(size_t *out_count)
{
    *out_count = sizeof(steps) / sizeof(steps[0]);
    return steps;
}

int store_schema_pragmas(sqlite3 *db)
{
    char sql[256];
    /* What is deleted is not wiped (Debian's default), only left; it would be written twice. */
    (void)snprintf(sql, sizeof(sql),
                   "PRAGMA mmap_size=0; PRAGMA trusted_schema=OFF;"
                   "PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY;"
                   "PRAGMA secure_delete=OFF; PRAGMA cache_size=-%d;",
                   STORE_CACHE_KIB);
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

int store_schema_layout(sqlite3 *db)
{
    /* Only possible before there is anything, and writes a first page at once. */
    return sqlite3_exec(db, "PRAGMA page_size=4096; PRAGMA auto_vacuum=INCREMENTAL;", NULL, NULL,
                        NULL);
}

int store_schema_logged(sqlite3 *db)
{
    return sqlite3_exec(db,
                        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                        "PRAGMA journal_size_limit=67108864;"
                        "SELECT name FROM sqlite_schema;", /* the log is made at once */
                        NULL, NULL, NULL);
}

/* The number that a statement answers. An SQLite code. */
static int read_number(sqlite3 *db, const char *sql, int *out)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        *out = sqlite3_column_int(statement, 0);
        code = SQLITE_OK;
    }
    sqlite3_finalize(statement);
    return code;
}

int store_schema_read(sqlite3 *db, struct schema_seen *out)
{
    int code = read_number(db, "PRAGMA application_id", &out->application);
    if (code == SQLITE_OK)
        code = read_number(db, "PRAGMA user_version", &out->version);
    if (code == SQLITE_OK)
        code = read_number(db, "PRAGMA schema_version", &out->cookie);
    if (code == SQLITE_OK)
        code = read_number(db, "SELECT count(*) FROM sqlite_schema", &out->tables);
    return code;
}

int store_schema_mark(sqlite3 *db, int version)
{
    char sql[64];
    (void)snprintf(sql, sizeof(sql), "PRAGMA user_version=%d", version);
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

bool store_schema_same_file(int cookie, int other)
{
    return cookie >> COOKIE_SHIFT == other >> COOKIE_SHIFT;
}

/* SQLite counts its cookie up from where it is put, with every change of a table. */
static int name_file(sqlite3 *db)
{
    char sql[96];
    uint16_t number = 0;
    if (getrandom(&number, sizeof(number), 0) != sizeof(number))
        return SQLITE_IOERR;
    (void)snprintf(sql, sizeof(sql), "PRAGMA application_id=%d; PRAGMA schema_version=%d",
                   STORE_APPLICATION_ID, (number & 0x7fff) << COOKIE_SHIFT | 1);
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static int run_step(sqlite3 *db, const struct schema_step *step)
{
    int code = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(db, step->sql, NULL, NULL, NULL);
    if (code == SQLITE_OK && step->to == 1)
        code = name_file(db);
    if (code == SQLITE_OK)
        code = store_schema_mark(db, step->to);
    if (code == SQLITE_OK)
        code = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    if (code != SQLITE_OK)
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return code;
}

int store_schema_migrate(sqlite3 *db, int version, const struct schema_step *by, size_t count)
{
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < count; i++)
        if (by[i].to > version)
            code = run_step(db, &by[i]);
    return code;
}
