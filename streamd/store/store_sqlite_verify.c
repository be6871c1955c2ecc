/* SPDX-License-Identifier: MIT */
/*
 * Each is a query that answers a line for each problem. Orphans are no damage to anything that can
 * be asked for, but space that nobody will ever free.
 */
#include "streamd/store/store_sqlite_verify.h"

#include "streamd/store/store_sqlite_parts.h"

#include <string.h>

static const char *const queries[] = {
    "PRAGMA integrity_check",
    "SELECT 'segment at offset '||first||' belongs to no session (key '||session||')'"
    " FROM segment WHERE session NOT IN (SELECT key FROM session)",
    "SELECT 'run at offset '||first||' belongs to no session (key '||session||')'"
    " FROM run WHERE session NOT IN (SELECT key FROM session)",
    "SELECT 'body '||id||' belongs to no segment'"
    " FROM body WHERE id NOT IN (SELECT id FROM segment)",
    "SELECT 'order '||id||' belongs to no session (key '||session||')'"
    " FROM audit WHERE session NOT IN (SELECT key FROM session)",
};

static enum status ask(struct store_sqlite *s, const char *sql,
                       void (*problem)(void *context, const char *text), void *context)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(s->db, sql, -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    for (; code == SQLITE_ROW; code = sqlite3_step(statement)) {
        const char *text = (const char *)sqlite3_column_text(statement, 0);
        if (text && strcmp(text, "ok") != 0)
            problem(context, text);
    }
    enum status status = code == SQLITE_DONE ? OK : store_sqlite_fail(s, code, "verify");
    (void)sqlite3_finalize(statement);
    return status;
}

enum status store_sqlite_verify(struct store *store,
                                void (*problem)(void *context, const char *text), void *context)
{
    struct store_sqlite *s = (struct store_sqlite *)(void *)store;
    enum status status = store_sqlite_ready(s);
    size_t count = sizeof(queries) / sizeof(queries[0]) - !s->statement[S_PUT_AUDIT];
    for (size_t i = 0; status == OK && i < count; i++) {
        status = ask(s, queries[i], problem, context);
        if (status == E_MALFORMED) {
            problem(context, s->why);
            status = OK;
        }
    }
    return status;
}
