/* SPDX-License-Identifier: MIT */
/*
 * What is done about a damaged file. First, if it has a log, whether the file alone is sound: then
 * the log belongs to another file, or to an older state of this one, and only the log is put aside.
 * Otherwise all rows that can be read and have their check are copied to a new file, which takes
 * the old one's name once it is on disk; the old one keeps its bytes under another.
 *
 * Rows are read by their number. Where SQLite meets damage, the nearest number beyond it is
 * searched for from which it can read on: doubling, then halving, so a lost page costs a few dozen
 * reads. Indexes are not read at all, they are made anew.
 *
 * Rejected: SQLite's recovery extension, which Debian's library has not.
 */
#include "streamd/store/store_sqlite_parts.h"

#include "streamd/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    CHECK_ALL_BYTES = 256 * 1024 * 1024, /* above, not the bodies: they take the time */
    CONFIG_COLUMNS = 3,
};

static const struct table {
    const char *name;
    int checked; /* the first column that its check is about */
    int columns;
} tables[] = {{"meta", 1, 4}, {"session", 0, 10}, {"config", 0, CONFIG_COLUMNS},
              {"run", 0, 6},  {"segment", 1, 6},  {"body", 0, 3},
              {"audit", 0, 4}};

enum { TABLES = sizeof(tables) / sizeof(tables[0]) };

/* How many of them a file has: the last came with schema 2. */
static size_t tables_in(sqlite3 *db)
{
    struct schema_seen seen = {0};
    return store_schema_read(db, &seen) == SQLITE_OK && seen.version == 1 ? TABLES - 1 : TABLES;
}

/* ---- looking through it ---- */

/* What an integrity check says first, if not "ok". */
static enum status check_by(struct store_sqlite *s, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    enum status status = OK;
    int code = sqlite3_prepare_v2(s->db, sql, -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW && !span_is(column_span(statement, 0), "ok")) {
        (void)store_sqlite_fail(s, SQLITE_CORRUPT, "");
        (void)snprintf(s->why, sizeof(s->why), "%s: damaged: %.100s", s->path,
                       (const char *)sqlite3_column_text(statement, 0));
        status = E_MALFORMED;
    } else if (code != SQLITE_ROW) {
        bool ours = code == SQLITE_ERROR; /* a table that is not there */
        status = store_sqlite_fail(s, ours ? SQLITE_CORRUPT : code, "check");
    }
    (void)sqlite3_finalize(statement);
    return status;
}

enum status store_sqlite_check(struct store_sqlite *s)
{
    char sql[96];
    enum status status = OK;
    if (store_sqlite_file_bytes(s, "") <= CHECK_ALL_BYTES)
        return check_by(s, "PRAGMA integrity_check(1)");
    for (size_t i = 0, count = tables_in(s->db); status == OK && i < count; i++) {
        (void)snprintf(sql, sizeof(sql), "PRAGMA integrity_check(%s)", tables[i].name);
        if (strcmp(tables[i].name, "body") != 0)
            status = check_by(s, sql);
    }
    return status;
}

/* ---- copying what can be read ---- */

/* One file read, one written. */
struct salvage {
    sqlite3 *from, *to;
    sqlite3_stmt *read, *write; /* of the table at hand */
    const struct table *table;
    uint64_t kept[TABLES];
    uint64_t lost; /* that were seen: rows altered, and places where none could be read */
};

static bool is_damage(int code)
{
    return (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB;
}

/* Does reading go on after row number `at`? Also when that is the end. */
static bool readable(struct salvage *v, int64_t at)
{
    int code = sqlite3_bind_int64(v->read, 1, at);
    if (code == SQLITE_OK)
        code = sqlite3_step(v->read);
    bool well =
        code == SQLITE_DONE || (code == SQLITE_ROW && sqlite3_column_int64(v->read, 0) > at);
    (void)sqlite3_reset(v->read);
    return well;
}

/* After `at` there is damage: the first number after which there is none; INT64_MAX: nothing. */
static int64_t beyond_damage(struct salvage *v, int64_t at)
{
    int64_t low = 0;
    int64_t high = 1;
    while (!readable(v, at + high)) {
        low = high;
        if (high > (INT64_MAX - at) / 2)
            return INT64_MAX;
        high *= 2;
    }
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (readable(v, at + middle))
            high = middle;
        else
            low = middle;
    }
    return at + high;
}

/* Writes the row at hand, if it is as it was put. A row that another one stands in the way of was
 * never put. */
static int keep_row(struct salvage *v)
{
    const struct table *t = v->table;
    if (!check_columns(v->read, t->checked, t->columns - t->checked)) {
        v->lost++;
        return SQLITE_OK;
    }
    int code = SQLITE_OK;
    for (int i = 0; code == SQLITE_OK && i < t->columns; i++)
        code = sqlite3_bind_value(v->write, i + 1, sqlite3_column_value(v->read, i));
    if (code == SQLITE_OK)
        code = sqlite3_step(v->write);
    (void)sqlite3_reset(v->write);
    v->kept[t - tables] += code == SQLITE_DONE;
    v->lost += (code & 0xff) == SQLITE_CONSTRAINT;
    return code == SQLITE_DONE || (code & 0xff) == SQLITE_CONSTRAINT ? SQLITE_OK : code;
}

/* Until damage, or the end: SQLITE_DONE. *at is the last number that was read. */
static int copy_rows(struct salvage *v, int64_t *at)
{
    int code = sqlite3_bind_int64(v->read, 1, *at);
    while (code == SQLITE_OK && (code = sqlite3_step(v->read)) == SQLITE_ROW) {
        int64_t id = sqlite3_column_int64(v->read, 0);
        code = id > *at ? keep_row(v) : SQLITE_CORRUPT;
        *at = id > *at ? id : *at;
    }
    (void)sqlite3_reset(v->read);
    return code;
}

static int copy_all_rows(struct salvage *v)
{
    int64_t at = 0;
    int code;
    while (is_damage(code = copy_rows(v, &at))) {
        v->lost++;
        at = beyond_damage(v, at);
        if (at == INT64_MAX)
            return SQLITE_OK;
    }
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int copy_table(struct salvage *v, const struct table *t)
{
    static const char places[] = "?,?,?,?,?,?,?,?,?,?";
    char read[96];
    char write[96];
    (void)snprintf(read, sizeof(read), "SELECT * FROM %s WHERE rowid>? ORDER BY rowid", t->name);
    (void)snprintf(write, sizeof(write), "INSERT INTO %s VALUES (%.*s)", t->name,
                   2 * t->columns - 1, places);
    v->table = t;
    int code = sqlite3_prepare_v2(v->to, write, -1, &v->write, NULL);
    int readable_at_all = sqlite3_prepare_v2(v->from, read, -1, &v->read, NULL);
    bool fits = readable_at_all == SQLITE_OK && sqlite3_column_count(v->read) == t->columns;
    if (code == SQLITE_OK && fits)
        code = copy_all_rows(v);
    else if (code == SQLITE_OK && (readable_at_all & 0xff) == SQLITE_NOMEM)
        code = SQLITE_NOMEM;
    else
        v->lost++;
    (void)sqlite3_finalize(v->read);
    (void)sqlite3_finalize(v->write);
    return code;
}

/* A session whose config is gone has none, as long as nothing else of it is gone. */
static int restore_configs(struct salvage *v)
{
    sqlite3_stmt *read = NULL;
    sqlite3_stmt *write = NULL;
    int code = sqlite3_prepare_v2(
        v->to, "SELECT key FROM session WHERE key NOT IN (SELECT key FROM config)", -1, &read,
        NULL);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(v->to, "INSERT INTO config VALUES (?,NULL,?)", -1, &write, NULL);
    while (code == SQLITE_OK && (code = sqlite3_step(read)) == SQLITE_ROW) {
        struct check check;
        int64_t key = sqlite3_column_int64(read, 0);
        check_init(&check);
        check_int(&check, key);
        check_span(&check, (struct span){NULL, 0});
        (void)sqlite3_bind_int64(write, 1, key);
        (void)sqlite3_bind_int64(write, 2, (int64_t)check.crc);
        code = sqlite3_step(write);
        (void)sqlite3_reset(write);
        code = code == SQLITE_DONE ? SQLITE_OK : code;
    }
    (void)sqlite3_finalize(read);
    (void)sqlite3_finalize(write);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* What belongs to a row that is gone says nothing any more. */
static const char *const loose_ends =
    "DELETE FROM config WHERE key NOT IN (SELECT key FROM session);"
    "DELETE FROM run WHERE session NOT IN (SELECT key FROM session);"
    "DELETE FROM segment WHERE session NOT IN (SELECT key FROM session)"
    " OR id NOT IN (SELECT id FROM body);"
    "DELETE FROM body WHERE id NOT IN (SELECT id FROM segment);"
    "DELETE FROM audit WHERE session NOT IN (SELECT key FROM session);";

static int copy_readable(struct salvage *v)
{
    size_t count;
    const struct schema_step *steps = store_schema_steps(&count);
    int code = store_schema_layout(v->to);
    if (code == SQLITE_OK)
        code = store_schema_pragmas(v->to);
    if (code == SQLITE_OK)
        code = store_schema_migrate(v->to, 0, steps, count);
    if (code == SQLITE_OK)
        code = sqlite3_exec(v->to, "PRAGMA synchronous=FULL; BEGIN", NULL, NULL, NULL);
    for (size_t i = 0, all = tables_in(v->from); code == SQLITE_OK && i < all; i++)
        code = copy_table(v, &tables[i]);
    if (code == SQLITE_OK)
        code = sqlite3_exec(v->to, loose_ends, NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = restore_configs(v);
    return code == SQLITE_OK ? sqlite3_exec(v->to, "COMMIT", NULL, NULL, NULL) : code;
}

/* To the file with this suffix. */
static enum status copy_to(struct store_sqlite *s, struct salvage *v, const char *suffix)
{
    char path[STORE_PATH_MAX];
    (void)unlink(store_path(path, s, suffix));
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        (void)close(fd);
    int code =
        sqlite3_open_v2(s->path, &v->from, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, s->vfs);
    if (code == SQLITE_OK) {
        (void)sqlite3_db_config(v->from, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
        /* Else a file that is shorter than it says is not read at all. */
        (void)sqlite3_exec(v->from, "PRAGMA writable_schema=ON", NULL, NULL, NULL);
        code = sqlite3_open_v2(path, &v->to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, s->vfs);
    }
    if (code == SQLITE_OK)
        code = copy_readable(v);
    (void)sqlite3_close(v->from);
    (void)sqlite3_close(v->to);
    if (code == SQLITE_OK)
        return OK;
    (void)unlink(path);
    enum status status = store_sqlite_fail(s, code, "salvage");
    return status == E_NOMEM ? E_NOMEM : E_IO;
}

/* ---- which file has which name ---- */

/* The first names after ".damaged-N" that nobody has. */
static void choose_name(const struct store_sqlite *s, char aside[STORE_PATH_MAX],
                        char aside_log[STORE_PATH_MAX])
{
    for (int n = 1;; n++) {
        char suffix[32];
        (void)snprintf(suffix, sizeof(suffix), ".damaged-%d", n);
        (void)store_path(aside, s, suffix);
        (void)snprintf(suffix, sizeof(suffix), ".damaged-%d-wal", n);
        (void)store_path(aside_log, s, suffix);
        if (access(aside, F_OK) != 0 && access(aside_log, F_OK) != 0)
            return;
    }
}

static enum status fail_to(struct store_sqlite *s, const char *what)
{
    (void)snprintf(s->why, sizeof(s->why), "%s: damaged, and %s: %s", s->path, what,
                   strerror(errno));
    return E_IO;
}

static void forget_shm(const struct store_sqlite *s)
{
    char path[STORE_PATH_MAX];
    (void)unlink(store_path(path, s, "-shm"));
}

/* Is the file sound without its log? Then the log stays aside. */
static bool sound_alone(struct store_sqlite *s, const char *aside_log)
{
    char log[STORE_PATH_MAX];
    if (store_sqlite_file_bytes(s, "-wal") == 0 ||
        rename(store_path(log, s, "-wal"), aside_log) != 0)
        return false;
    forget_shm(s);
    if (store_sqlite_connect(s, true) == OK)
        return true;
    (void)unlink(log);
    forget_shm(s);
    (void)rename(aside_log, log);
    return false;
}

/* The copy takes the file's name, the file and its log take others. */
static enum status exchange(struct store_sqlite *s, const char *copy_suffix, const char *aside,
                            const char *aside_log)
{
    char copy[STORE_PATH_MAX];
    char log[STORE_PATH_MAX];
    if (link(s->path, aside) != 0)
        return fail_to(s, "cannot be put aside");
    if (rename(store_path(log, s, "-wal"), aside_log) != 0 && errno != ENOENT)
        return fail_to(s, "its log cannot be put aside");
    forget_shm(s);
    if (rename(store_path(copy, s, copy_suffix), s->path) != 0)
        return fail_to(s, "cannot be replaced");
    return store_sqlite_sync_dir(s);
}

enum status store_sqlite_salvage(struct store_sqlite *s)
{
    static const char copy_suffix[] = "-salvaged";
    char aside[STORE_PATH_MAX];
    char aside_log[STORE_PATH_MAX];
    struct salvage v = {0};
    log_warn("store", "damaged, salvaging why=\"%s\"", s->why);
    choose_name(s, aside, aside_log);
    if (sound_alone(s, aside_log)) {
        (void)snprintf(s->why, sizeof(s->why),
                       "its write-ahead log does not belong to it and was put aside as %s",
                       aside_log);
        return OK;
    }
    enum status status = copy_to(s, &v, copy_suffix);
    if (status == OK)
        status = exchange(s, copy_suffix, aside, aside_log);
    if (status == OK)
        status = store_sqlite_connect(s, false);
    if (status == OK)
        (void)snprintf(s->why, sizeof(s->why),
                       "damaged, and put aside as %s; read from it: %llu sessions, %llu runs, %llu"
                       " segments; not read: %llu rows or more",
                       aside, (unsigned long long)v.kept[1], (unsigned long long)v.kept[3],
                       (unsigned long long)v.kept[4], (unsigned long long)v.lost);
    return status;
}
