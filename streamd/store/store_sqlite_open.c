/* SPDX-License-Identifier: MIT */
/*
 * The connection: made at start and anew after the disk failed, each time to the very file that was
 * opened first. Before it is used the file says what it is, and after an unclean end it is looked
 * through; nothing is written to a file that is not ours.
 *
 * An unclean end shows by the write-ahead log, which a clean one removes, or by the file
 * streamd.db-suspect, left when SQLite met damage.
 */
#include "streamd/store/store_sqlite_parts.h"

#include "streamd/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SHRINK_FROM_PAGES = 1024, /* 4 MiB */
    BUSY_MS = 2000,
    CHECKPOINT_PAGES = 1000,
    WAL_ALARM_PAGES = 65536,
};

/* ---- what went wrong ---- */

/* Remembers, for the next start, that the file is to be looked through. */
static void suspect(struct store_sqlite *s)
{
    char path[STORE_PATH_MAX];
    int fd = s->readonly
                 ? -1
                 : open(store_path(path, s, "-suspect"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0)
        (void)close(fd);
}

enum status store_sqlite_fail(struct store_sqlite *s, int code, const char *what)
{
    int primary = code & 0xff;
    int error = s->db && primary == SQLITE_IOERR ? sqlite3_system_errno(s->db) : 0;
    (void)snprintf(s->why, sizeof(s->why), "%s: %s: %s%s%s", s->path, what, sqlite3_errstr(code),
                   error ? ": " : "", error ? strerror(error) : "");
    switch (primary) {
    case SQLITE_NOMEM:
        return E_NOMEM;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        suspect(s);
        return E_MALFORMED;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        s->stale = true;
        return E_IO;
    default:
        return E_IO;
    }
}

/* ---- which file it is ---- */

const char *store_path(char out[STORE_PATH_MAX], const struct store_sqlite *s, const char *suffix)
{
    (void)snprintf(out, STORE_PATH_MAX, "%s%s", s->path, suffix);
    return out;
}

static struct file_id identify(const struct store_sqlite *s, const char *suffix)
{
    char path[STORE_PATH_MAX];
    struct stat st;
    return stat(store_path(path, s, suffix), &st) == 0 ? (struct file_id){st.st_dev, st.st_ino}
                                                       : (struct file_id){0, 0};
}

static bool same(struct file_id a, struct file_id b)
{
    return a.dev == b.dev && a.ino == b.ino;
}

enum status store_sqlite_same_file(struct store_sqlite *s)
{
    bool moved = !same(s->file, identify(s, ""));
    if (!moved && (s->db == NULL || s->stale || same(s->wal, identify(s, "-wal"))))
        return OK;
    (void)snprintf(s->why, sizeof(s->why), "%s%s was deleted or replaced while in use", s->path,
                   moved ? "" : "-wal");
    return E_IO;
}

uint64_t store_sqlite_file_bytes(const struct store_sqlite *s, const char *suffix)
{
    char path[STORE_PATH_MAX];
    struct stat st;
    return stat(store_path(path, s, suffix), &st) == 0 ? (uint64_t)st.st_size : 0;
}

uint64_t store_sqlite_bytes(struct store *base)
{
    const struct store_sqlite *s = (struct store_sqlite *)(void *)base;
    return store_sqlite_file_bytes(s, "") + store_sqlite_file_bytes(s, "-wal");
}

/* ---- the connection ---- */

static int on_wal(void *of, sqlite3 *db, const char *name, int pages)
{
    struct store_sqlite *s = of;
    (void)db;
    (void)name;
    s->wal_pages = pages;
    return SQLITE_OK;
}

/* SQLite's own automatic checkpoint is the same, but says nothing when it fails. */
void store_sqlite_checkpoint(struct store_sqlite *s)
{
    if (s->wal_pages < s->checkpoint_pages)
        return;
    s->unmarked = true;
    int code = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    bool failed = code != SQLITE_OK && code != SQLITE_BUSY;
    if (failed)
        (void)store_sqlite_fail(s, code, "checkpoint");
    if (failed && !s->checkpoint_failed)
        log_warn("store", "checkpoint why=\"%s\" retrying", s->why);
    s->checkpoint_failed = failed;
    bool large = s->wal_pages >= WAL_ALARM_PAGES;
    if (large && !s->wal_large)
        log_warn("store", "the write-ahead log grows: somebody reads for long pages=%d",
                 s->wal_pages);
    s->wal_large = large;
}

void store_sqlite_forget_read(struct store_sqlite *s)
{
    if (s->read)
        (void)sqlite3_reset(s->read);
    s->read = NULL;
}

void store_sqlite_disconnect(struct store_sqlite *s)
{
    for (size_t i = 0; i < STATEMENTS; i++) {
        (void)sqlite3_finalize(s->statement[i]);
        s->statement[i] = NULL;
    }
    s->read = NULL;
    (void)sqlite3_close(s->db);
    s->db = NULL;
}

/* E_STATE: it is not for us. */
static enum status recognize(struct store_sqlite *s, const struct schema_seen *seen)
{
    bool none = seen->application == 0 && seen->version == 0 && seen->tables == 0;
    if (seen->application == STORE_APPLICATION_ID && seen->version <= STORE_SCHEMA)
        return OK;
    if (none && !s->readonly)
        return OK;
    if (seen->application == STORE_APPLICATION_ID)
        (void)snprintf(s->why, sizeof(s->why),
                       "%s has schema %d, and this program knows those up to %d: use a newer one",
                       s->path, seen->version, STORE_SCHEMA);
    else
        (void)snprintf(s->why, sizeof(s->why), "%s is not a database of streamd", s->path);
    return E_STATE;
}

/* What is only looked at stays in the schema it has, and nobody asks it for more. */
static int prepare(struct store_sqlite *s, int version)
{
    size_t count = s->readonly && version < 2 ? S_PUT_AUDIT : STATEMENTS;
    static const char *const sql[] = {
#define STATEMENT_SQL(name, text) text,
        STATEMENT_TABLE(STATEMENT_SQL)
#undef STATEMENT_SQL
    };
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < count; i++)
        code = sqlite3_prepare_v3(s->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &s->statement[i],
                                  NULL);
    return code;
}

static int set_up(struct store_sqlite *s, int version)
{
    size_t count;
    const struct schema_step *steps = store_schema_steps(&count);
    int code = store_schema_pragmas(s->db);
    if (code == SQLITE_OK && !s->readonly && version == 0)
        code = store_schema_layout(s->db);
    if (code == SQLITE_OK && !s->readonly)
        code = store_schema_migrate(s->db, version, steps, count);
    if (code == SQLITE_OK && !s->readonly)
        code = store_schema_logged(s->db);
    if (code == SQLITE_OK)
        code = prepare(s, version);
    s->wal_pages = 0;
    if (code == SQLITE_OK)
        (void)sqlite3_wal_hook(s->db, on_wal, s);
    return code;
}

static enum status connect_with(struct store_sqlite *s, bool check)
{
    struct schema_seen seen = {0};
    int flags = s->readonly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    int code = sqlite3_open_v2(s->path, &s->db, flags | SQLITE_OPEN_NOMUTEX, s->vfs);
    if (code == SQLITE_OK) {
        (void)sqlite3_extended_result_codes(s->db, 1);
        (void)sqlite3_busy_timeout(s->db, BUSY_MS);
        code = store_schema_read(s->db, &seen);
    }
    if (code != SQLITE_OK)
        return store_sqlite_fail(s, code, "open");
    enum status status = recognize(s, &seen);
    if (status == OK && seen.version > 0 &&
        !store_schema_same_file(seen.cookie, store_sqlite_raw_cookie(s))) {
        (void)snprintf(s->why, sizeof(s->why), "%s: its log is another file's", s->path);
        status = E_MALFORMED;
    }
    if (status == OK && check && seen.version > 0)
        status = store_sqlite_check(s);
    if (status != OK)
        return status;
    code = set_up(s, seen.version);
    return code == SQLITE_OK ? store_sqlite_load_runs(s) : store_sqlite_fail(s, code, "open");
}

enum status store_sqlite_connect(struct store_sqlite *s, bool check)
{
    s->stale = false;
    enum status status = connect_with(s, check);
    if (status == OK) {
        s->wal = identify(s, "-wal");
        s->unmarked = true;
        return OK;
    }
    /* Nothing of a log that may not belong here goes into the file. */
    if (s->db)
        (void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
    store_sqlite_disconnect(s);
    return status;
}

/* Somebody else wrote to what we only look at. */
static bool was_written(struct store_sqlite *s)
{
    sqlite3_stmt *statement = s->statement[S_DATA_VERSION];
    int version = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int(statement, 0) : -1;
    (void)sqlite3_reset(statement);
    bool written = version != s->data_version;
    s->data_version = version;
    return written;
}

enum status store_sqlite_ready(struct store_sqlite *s)
{
    if (!s->db || s->stale) {
        store_sqlite_disconnect(s);
        enum status status = store_sqlite_same_file(s);
        return status == OK ? store_sqlite_connect(s, true) : status;
    }
    if (s->runs.stale || (s->readonly && was_written(s)))
        return store_sqlite_load_runs(s);
    return OK;
}

/* ---- space ---- */

/* What a statement of one number answers; -1 when it cannot. */
static int64_t number(struct store_sqlite *s, enum statement which)
{
    sqlite3_stmt *statement = s->statement[which];
    int64_t value = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : -1;
    (void)sqlite3_reset(statement);
    return value;
}

/* A file that was made before it could be shrunk answers E_NOT_FOUND as well. */
enum status store_sqlite_shrink(struct store *base)
{
    struct store_sqlite *s = (struct store_sqlite *)(void *)base;
    if (!s->db || s->open || s->stale || s->readonly)
        return E_NOT_FOUND;
    store_sqlite_forget_read(s);
    int64_t unused = number(s, S_FREE_PAGES);
    if (unused < SHRINK_FROM_PAGES || unused < number(s, S_ALL_PAGES) / 8)
        return E_NOT_FOUND;
    int code = SQLITE_ROW;
    while (code == SQLITE_ROW)
        code = sqlite3_step(s->statement[S_SHRINK]);
    (void)sqlite3_reset(s->statement[S_SHRINK]);
    if (code != SQLITE_DONE)
        return store_sqlite_fail(s, code, "shrink");
    return number(s, S_FREE_PAGES) < unused ? OK : E_NOT_FOUND;
}

/* ---- life ---- */

/* What runs have left free is worth keeping only while more of them come. Should it fail, the file
 * is as good as it was. */
static void give_back(struct store_sqlite *s)
{
    if (s->db && !s->readonly && !s->stale)
        (void)sqlite3_exec(s->db, "PRAGMA incremental_vacuum", NULL, NULL, NULL);
}

void store_sqlite_destroy(struct store *base)
{
    struct store_sqlite *s = (struct store_sqlite *)(void *)base;
    base->ops->rollback(base);
    give_back(s);
    store_sqlite_disconnect(s);
    run_map_fini(&s->runs);
    if (s->lock >= 0)
        (void)close(s->lock);
    free(s->path);
    free(s);
}

/* A store without a connection; NULL when out of memory. */
static struct store_sqlite *create(const char *dir, const char *vfs, bool readonly)
{
    static const char name[] = "/streamd.db";
    struct store_sqlite *s = malloc(sizeof(*s));
    if (!s)
        return NULL;
    *s = (struct store_sqlite){.base = {&store_sqlite_ops},
                               .vfs = vfs,
                               .lock = -1,
                               .readonly = readonly,
                               .checkpoint_pages = CHECKPOINT_PAGES};
    run_map_init(&s->runs);
    size_t room = strlen(dir) + sizeof(name);
    s->path = malloc(room);
    if (!s->path) {
        free(s);
        return NULL;
    }
    (void)snprintf(s->path, room, "%s%s", dir, name);
    return s;
}

/* After an unclean end the file is looked through, and what is damaged put aside. */
static enum status first_connect(struct store_sqlite *s)
{
    char mark[STORE_PATH_MAX];
    (void)store_path(mark, s, "-suspect");
    bool unclean = store_sqlite_file_bytes(s, "-wal") > 0 || access(mark, F_OK) == 0;
    enum status status = store_sqlite_connect(s, unclean && !s->readonly);
    if (status == E_MALFORMED && !s->readonly)
        status = store_sqlite_salvage(s);
    if (status == OK && !s->readonly)
        (void)unlink(mark);
    s->file = identify(s, "");
    return status;
}

static struct store *open_store(const char *dir, const char *vfs, bool readonly,
                                char why[STORE_WHY_MAX])
{
    why[0] = '\0';
    if (strlen(dir) > STORE_DIR_MAX) {
        (void)snprintf(why, STORE_WHY_MAX, "the directory's path is too long");
        return NULL;
    }
    struct store_sqlite *s = create(dir, vfs, readonly);
    if (!s) {
        (void)snprintf(why, STORE_WHY_MAX, "%s", status_text(E_NOMEM));
        return NULL;
    }
    enum status status = store_sqlite_claim(s, dir);
    if (status == OK)
        status = first_connect(s);
    (void)snprintf(why, STORE_WHY_MAX, "%s", s->why);
    s->why[0] = '\0';
    if (status == OK)
        return &s->base;
    store_sqlite_destroy(&s->base);
    return NULL;
}

struct store *store_sqlite_open_vfs(const char *dir, const char *vfs, char why[STORE_WHY_MAX])
{
    return open_store(dir, vfs, false, why);
}

struct store *store_sqlite_open(const char *dir, char why[STORE_WHY_MAX])
{
    return open_store(dir, NULL, false, why);
}

struct store *store_sqlite_open_readonly(const char *dir, char why[STORE_WHY_MAX])
{
    return open_store(dir, NULL, true, why);
}
