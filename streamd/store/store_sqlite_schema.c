/* SPDX-License-Identifier: MIT */
/*
 * The tables, and the steps from one schema to the next: a file's user_version says which schema it
 * has, its application_id that it is ours. A step runs in a transaction with its version.
 *
 * Rows are appended by rowid, and runs and segments found by an index beside it: clustered by
 * (session, first), a thousand sessions' appends would each dirty a page of their own. Bodies stand
 * apart from heads, so that a chart of a long run reads heads that lie page by page; configs apart
 * from sessions, since a session is put with every commit and its config changes never.
 */
#include "streamd/store/store_sqlite_parts.h"

#include <stdio.h>
#include <string.h>

static const struct schema_step steps[] = {
    {1, "CREATE TABLE meta (name TEXT PRIMARY KEY NOT NULL, value BLOB, crc INTEGER NOT NULL)"
        " WITHOUT ROWID;"
        "CREATE TABLE session (key INTEGER PRIMARY KEY, id TEXT, project TEXT, name TEXT,"
        " status TEXT, start_time REAL, last_update REAL, pinned INTEGER, state BLOB,"
        " crc INTEGER NOT NULL);"
        "CREATE TABLE config (key INTEGER PRIMARY KEY, config TEXT, crc INTEGER NOT NULL);"
        "CREATE TABLE run (id INTEGER PRIMARY KEY, session INTEGER NOT NULL,"
        " first INTEGER NOT NULL, count INTEGER NOT NULL, bytes BLOB, crc INTEGER NOT NULL);"
        "CREATE UNIQUE INDEX run_at ON run (session, first);"
        "CREATE TABLE segment (id INTEGER PRIMARY KEY, session INTEGER NOT NULL,"
        " first INTEGER NOT NULL, count INTEGER NOT NULL, head BLOB, crc INTEGER NOT NULL);"
        "CREATE UNIQUE INDEX segment_at ON segment (session, first);"
        "CREATE TABLE body (id INTEGER PRIMARY KEY, bytes BLOB, crc INTEGER NOT NULL);"},
};

_Static_assert(sizeof(steps) / sizeof(steps[0]) == STORE_SCHEMA, "one step a schema");

const struct schema_step *store_schema_steps(size_t *out_count)
{
    *out_count = sizeof(steps) / sizeof(steps[0]);
    return steps;
}

int store_schema_pragmas(sqlite3 *db, bool readonly)
{
    /* What is deleted is not wiped (Debian's default), only left; it would be written twice. */
    static const char *const always = "PRAGMA mmap_size=0; PRAGMA trusted_schema=OFF;"
                                      "PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY;"
                                      "PRAGMA secure_delete=OFF; PRAGMA cache_size=-8000;";
    static const char *const writing = "PRAGMA page_size=4096; PRAGMA journal_mode=WAL;"
                                       "PRAGMA synchronous=FULL;"
                                       "PRAGMA journal_size_limit=67108864;";
    int code = sqlite3_exec(db, always, NULL, NULL, NULL);
    return code == SQLITE_OK && !readonly ? sqlite3_exec(db, writing, NULL, NULL, NULL) : code;
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
        code = read_number(db, "SELECT count(*) FROM sqlite_schema", &out->tables);
    return code;
}

static int run_step(sqlite3 *db, const struct schema_step *step)
{
    char version[96];
    (void)snprintf(version, sizeof(version), "PRAGMA application_id=%d; PRAGMA user_version=%d;",
                   STORE_APPLICATION_ID, step->to);
    int code = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(db, step->sql, NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(db, version, NULL, NULL, NULL);
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
