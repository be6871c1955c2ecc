/* SPDX-License-Identifier: MIT */
/* What only a store in a file can do: be there again, be refused, be taken away. */
#include "streamd/memory_bound.h"
#include "streamd/store/store_sqlite_parts.h"
#include "streamd/store/store_sqlite_verify.h"

#include "tests/streamd/store_rows.h"

#include <signal.h>
#include <sys/wait.h>

static struct store *open_in(const struct store_dir *dir)
{
    char why[STORE_WHY_MAX];
    struct store *s = store_sqlite_open(dir->path, why);
    assert_string_equal(why, "");
    assert_non_null(s);
    return s;
}

static void some_rows(struct store *s)
{
    begin(s);
    must(put_session(s, 1, "x"));
    must(put_segment(s, 1, 1, 10, "h", "b"));
    must(put_run(s, 1, 11, 2, "r"));
    must(s->ops->put_meta(s, "m", SPAN("v")));
    commit(s);
}

static void expect_rows(struct store *s, const char *expected)
{
    char *text = rows_text(s);
    assert_string_equal(text, expected);
    free(text);
}

static mode_t mode_of(const struct store_dir *dir, const char *name)
{
    char path[384];
    struct stat st;
    store_dir_name(path, dir, name);
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static void write_file(const struct store_dir *dir, const char *name, struct span bytes)
{
    char path[384];
    store_dir_name(path, dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes.ptr, 1, bytes.len, f), bytes.len);
    (void)fclose(f);
}

static void execute(const struct store_dir *dir, const char *sql)
{
    char path[384];
    sqlite3 *db;
    store_dir_name(path, dir, "streamd.db");
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    (void)sqlite3_close(db);
}

static void rows_are_there_again_after_a_clean_end(void **state)
{
    const struct store_dir *dir = *state;
    struct store *s = open_in(dir);
    some_rows(s);
    char *before = rows_text(s);
    s->ops->destroy(s);
    assert_false(store_dir_has(dir, "streamd.db-wal"));
    s = open_in(dir);
    expect_rows(s, before);
    s->ops->destroy(s);
    free(before);
}

static void a_clean_end_gives_back_what_runs_have_left_free(void **state)
{
    static char bytes[10 * 1000];
    const struct store_dir *dir = *state;
    char path[384];
    struct stat st;
    struct store *s = open_in(dir);
    memset(bytes, 'a', sizeof(bytes) - 1);
    begin(s);
    must(put_session(s, 1, "x"));
    for (uint64_t first = 1; first <= 100; first++)
        must(put_run(s, 1, first, 1, bytes));
    commit(s);
    begin(s);
    must(put_segment(s, 1, 1, 100, "head", "body"));
    commit(s);
    char *before = rows_text(s);
    s->ops->destroy(s);
    store_dir_name(path, dir, "streamd.db");
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_size < 100 * 1000);
    s = open_in(dir);
    expect_rows(s, before);
    s->ops->destroy(s);
    free(before);
}

static void a_store_that_was_emptied_gives_its_pages_back_little_by_little(void **state)
{
    static char bytes[10 * 1000];
    const struct store_dir *dir = *state;
    struct store *s = open_in(dir);
    memset(bytes, 'a', sizeof(bytes) - 1);
    begin(s);
    must(put_session(s, 1, "x"));
    must(put_session(s, 2, "kept"));
    for (uint64_t first = 1; first <= 600; first++)
        must(put_run(s, 1, first, 1, bytes));
    must(put_run(s, 2, 1, 1, "kept"));
    commit(s);
    assert_int_equal(s->ops->shrink(s), E_NOT_FOUND);
    begin(s);
    must(s->ops->delete_session(s, 1));
    assert_int_equal(s->ops->shrink(s), E_NOT_FOUND); /* within a transaction it is left alone */
    commit(s);
    char *before = rows_text(s);
    int times = 0;
    enum status status;
    for (; (status = s->ops->shrink(s)) == OK; times++)
        assert_true(times < 1000);
    assert_int_equal(status, E_NOT_FOUND);
    assert_true(times > 1);
    expect_rows(s, before);
    free(before);
    s->ops->destroy(s);
}

/* A session is written, and all is read, that is twice as much as the cache may hold. */
static void the_cache_fills_up_to_its_bound(void **state)
{
    enum { BODY_BYTES = 100000, SEGMENTS = 2 * CACHE_BYTES / BODY_BYTES };
    const struct store_dir *dir = *state;
    struct store_segment row = {.session = 1, .count = 1, .head = SPAN("h")};
    char *body = calloc(1, BODY_BYTES);
    struct store *s = open_in(dir);
    assert_non_null(body);
    (void)sqlite3_memory_highwater(true);
    row.body = (struct span){body, BODY_BYTES};
    begin(s);
    must(put_session(s, 1, "x"));
    for (row.first = 1; row.first <= SEGMENTS; row.first++)
        must(s->ops->put_segment(s, &row));
    commit(s);
    for (uint64_t first = 1; s->ops->next_segment(s, 1, first, true, &row) == OK; first++)
        assert_int_equal(row.body.len, BODY_BYTES);
    assert_in_range(sqlite3_memory_highwater(false), STORE_CACHE_KIB * 1024, CACHE_BYTES);
    s->ops->destroy(s);
    free(body);
}

static void directories_are_made_and_nobody_else_may_look(void **state)
{
    const struct store_dir *dir = *state;
    char why[STORE_WHY_MAX];
    struct store_dir below;
    (void)umask(0);
    (void)snprintf(below.path, sizeof(below.path), "%.50s/a/b", dir->path);
    struct store *s = store_sqlite_open(below.path, why);
    assert_non_null(s);
    assert_int_equal(mode_of(dir, "a"), 0700);
    assert_int_equal(mode_of(dir, "a/b"), 0700);
    assert_int_equal(mode_of(&below, "streamd.db"), 0600);
    assert_int_equal(mode_of(&below, "streamd.db-wal"), 0600);
    assert_int_equal(mode_of(&below, "streamd.lock"), 0600);
    s->ops->destroy(s);
    store_dir_remove(&below);
    store_dir_name(why, dir, "a");
    (void)rmdir(why);
    write_file(dir, "file", SPAN(""));
    (void)snprintf(below.path, sizeof(below.path), "%.50s/file/b", dir->path);
    assert_null(store_sqlite_open(below.path, why));
    assert_non_null(strstr(why, "/file"));
    assert_non_null(strstr(why, "directory"));
}

static void an_empty_file_becomes_a_store(void **state)
{
    const struct store_dir *dir = *state;
    write_file(dir, "streamd.db", SPAN(""));
    char why[STORE_WHY_MAX];
    assert_null(store_sqlite_open_readonly(dir->path, why)); /* who only looks makes none of it */
    assert_non_null(strstr(why, "empty"));
    struct store *s = open_in(dir);
    some_rows(s);
    s->ops->destroy(s);
}

static void what_is_no_store_of_ours_is_refused_and_left_as_it_is(void **state)
{
    const struct {
        const char *sql; /* or, without one, what stands in the file */
        struct span bytes;
        const char *why;
    } cases[] = {
        {NULL, SPAN("x"), "not a database"},
        {NULL, SPAN("SQLite format 3\0 and no more"), "not a database"},
        {NULL,
         SPAN("To whom it may concern: this text is long enough to have room for all of SQLite's "
              "hundred bytes, and none of them is there."),
         "not a database"},
        {"CREATE TABLE t (a)", SPAN(""), "another program's"},
        {"PRAGMA journal_mode=WAL; CREATE TABLE t (a); PRAGMA application_id=7", SPAN(""),
         "another program's"},
        {"PRAGMA user_version=5", SPAN(""), "is not a database of streamd"},
        {"PRAGMA application_id=0x73747264; PRAGMA user_version=3", SPAN(""),
         "has schema 3, and this program knows those up to 2"},
    };
    const struct store_dir *dir = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char why[STORE_WHY_MAX];
        char path[384];
        char before[8192];
        char after[8192];
        store_dir_empty(dir);
        write_file(dir, "streamd.db", cases[i].bytes);
        if (cases[i].sql)
            execute(dir, cases[i].sql);
        store_dir_name(path, dir, "streamd.db");
        FILE *f = fopen(path, "r");
        size_t n = fread(before, 1, sizeof(before), f);
        (void)fclose(f);
        assert_null(store_sqlite_open(dir->path, why));
        assert_non_null(strstr(why, path));
        assert_non_null(strstr(why, cases[i].why));
        assert_null(store_sqlite_open_readonly(dir->path, why));
        assert_non_null(strstr(why, cases[i].why));
        f = fopen(path, "r");
        assert_int_equal(fread(after, 1, sizeof(after), f), n);
        (void)fclose(f);
        assert_memory_equal(after, before, n);
    }
    char path[384];
    char why[STORE_WHY_MAX];
    store_dir_empty(dir);
    store_dir_name(path, dir, "streamd.db");
    assert_int_equal(mkdir(path, 0700), 0);
    assert_null(store_sqlite_open(dir->path, why));
    assert_non_null(strstr(why, path));
    assert_non_null(strstr(why, "not a file"));
}

static void a_second_daemon_is_refused_with_the_first_ones_process(void **state)
{
    const struct store_dir *dir = *state;
    char why[STORE_WHY_MAX];
    char pid[32];
    struct store *s = open_in(dir);
    (void)snprintf(pid, sizeof(pid), "process %ld", (long)getpid());
    assert_null(store_sqlite_open(dir->path, why));
    assert_non_null(strstr(why, pid));
    assert_non_null(strstr(why, dir->path));
    some_rows(s);
    s->ops->destroy(s);
    s = open_in(dir);
    s->ops->destroy(s);
}

static void a_long_path_is_refused(void **state)
{
    (void)state;
    char why[STORE_WHY_MAX];
    char dir[600];
    memset(dir, 'a', sizeof(dir));
    dir[sizeof(dir) - 1] = '\0';
    assert_null(store_sqlite_open(dir, why));
    assert_non_null(strstr(why, "too long"));
}

/* A process that commits `count` runs and is killed within the next transaction. */
static void write_and_die(const struct store_dir *dir, uint64_t from, uint64_t count)
{
    char why[STORE_WHY_MAX];
    struct store *s = store_sqlite_open(dir->path, why);
    bool well = s != NULL;
    for (uint64_t i = 0; well && i < count; i++)
        well = s->ops->begin(s) == OK && put_run(s, 1, from + i, 1, "kept") == OK &&
               s->ops->commit(s) == OK;
    if (well && s->ops->begin(s) == OK && put_run(s, 1, 1, 1, "not kept") == OK)
        (void)kill(getpid(), SIGKILL);
    _exit(1);
}

static void a_killed_process_leaves_what_it_committed(void **state)
{
    const struct store_dir *dir = *state;
    for (uint64_t round = 1; round <= 20; round++) {
        int how = 0;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            write_and_die(dir, round * 100, round);
        assert_int_equal(waitpid(child, &how, 0), child);
        assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
    }
    struct store *s = open_in(dir);
    struct store_run run = {.first = 0};
    uint64_t count = 0;
    while (s->ops->next_run(s, 1, run.first + 1, &run) == OK) {
        assert_true(span_eq(run.bytes, SPAN("kept")));
        count++;
    }
    assert_int_equal(count, 20 * 21 / 2);
    s->ops->destroy(s);
}

static void a_file_taken_away_or_replaced_is_noticed(void **state)
{
    static const char *const names[] = {"streamd.db", "streamd.db-wal"};
    const struct store_dir *dir = *state;
    for (size_t i = 0; i < 4; i++) {
        char path[384];
        char away[384];
        struct store *s = open_in(dir);
        some_rows(s);
        store_dir_name(path, dir, names[i % 2]);
        store_dir_name(away, dir, "away");
        begin(s);
        must(put_run(s, 1, 100, 1, "x"));
        assert_int_equal(rename(path, away), 0);
        if (i >= 2)
            write_file(dir, names[i % 2], SPAN("something else"));
        assert_int_equal(s->ops->commit(s), E_IO);
        assert_non_null(strstr(s->ops->why(s), path));
        assert_non_null(strstr(s->ops->why(s), "deleted or replaced"));
        assert_int_equal(s->ops->begin(s), E_IO);
        assert_int_equal(rename(away, path), 0);
        some_rows(s);
        s->ops->destroy(s);
    }
}

static void who_only_looks_sees_what_is_committed_and_writes_nothing(void **state)
{
    const struct store_dir *dir = *state;
    char why[STORE_WHY_MAX];
    assert_null(store_sqlite_open_readonly(dir->path, why));
    assert_non_null(strstr(why, "streamd.db"));
    assert_false(store_dir_has(dir, "streamd.db"));
    struct store *s = open_in(dir);
    some_rows(s);
    char *before = rows_text(s);
    struct store *looks = store_sqlite_open_readonly(dir->path, why);
    assert_non_null(looks);
    begin(s);
    must(put_run(s, 1, 50, 1, "more"));
    expect_rows(looks, before);
    commit(s);
    char *after = rows_text(s);
    expect_rows(looks, after);
    looks->ops->destroy(looks);
    s->ops->destroy(s);
    looks = store_sqlite_open_readonly(dir->path, why);
    assert_non_null(looks);
    expect_rows(looks, after);
    looks->ops->destroy(looks);
    s = open_in(dir);
    expect_rows(s, after);
    s->ops->destroy(s);
    free(before);
    free(after);
}

static void another_process_that_writes_is_waited_for_and_then_an_error(void **state)
{
    const struct store_dir *dir = *state;
    char path[384];
    sqlite3 *other;
    struct store *s = open_in(dir);
    store_dir_name(path, dir, "streamd.db");
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    (void)sqlite3_busy_timeout(((struct store_sqlite *)(void *)s)->db, 20);
    assert_int_equal(s->ops->begin(s), E_IO);
    assert_non_null(strstr(s->ops->why(s), "locked"));
    (void)sqlite3_close(other);
    some_rows(s);
    s->ops->destroy(s);
}

static void the_log_stays_small_and_shrinks_after_a_long_reader(void **state)
{
    static char bytes[100 * 1000];
    const struct store_dir *dir = *state;
    char path[384];
    sqlite3 *reader;
    struct stat st;
    memset(bytes, 'x', sizeof(bytes) - 1);
    struct store *s = open_in(dir);
    some_rows(s);
    store_dir_name(path, dir, "streamd.db");
    assert_int_equal(sqlite3_open(path, &reader), SQLITE_OK);
    assert_int_equal(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM run", NULL, NULL, NULL),
                     SQLITE_OK);
    store_dir_name(path, dir, "streamd.db-wal");
    for (uint64_t i = 0; i < 800; i++) {
        begin(s);
        must(put_run(s, 2, 1, 1, bytes));
        commit(s);
    }
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_size > 80 * 1000 * 1000);
    assert_true(s->ops->bytes(s) > 80 * 1000 * 1000);
    (void)sqlite3_close(reader);
    for (uint64_t i = 0; i < 100; i++) {
        begin(s);
        must(put_run(s, 2, 1, 1, bytes));
        commit(s);
    }
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_size <= 64 * 1024 * 1024);
    s->ops->destroy(s);
}

static void a_config_is_written_only_when_it_changed(void **state)
{
    static char config[64 * 1024];
    const struct store_dir *dir = *state;
    struct store *s = open_in(dir);
    memset(config, 'x', sizeof(config));
    struct store_session row = session_row(1, "a", "state");
    row.config = (struct span){config, sizeof(config)};
    uint64_t written[3];
    for (size_t i = 0; i < 3; i++) {
        uint64_t before = s->ops->bytes(s);
        if (i == 2)
            config[sizeof(config) - 1] = 'y';
        begin(s);
        must(s->ops->put_session(s, &row));
        commit(s);
        written[i] = s->ops->bytes(s) - before;
    }
    assert_true(written[0] >= sizeof(config));
    assert_true(written[1] <= 2 * 4096 + 512);
    assert_true(written[2] > written[1]); /* though not all of it: SQLite compares pages */
    s->ops->destroy(s);
}

static int pages_read(struct store *s)
{
    int now;
    int highest;
    (void)sqlite3_db_status(((struct store_sqlite *)(void *)s)->db, SQLITE_DBSTATUS_CACHE_MISS,
                            &now, &highest, 0);
    return now;
}

static void heads_are_read_without_their_bodies(void **state)
{
    static char body[30 * 1000];
    const struct store_dir *dir = *state;
    struct store *s = open_in(dir);
    struct store_segment got = {.first = 0};
    memset(body, 'x', sizeof(body) - 1);
    begin(s);
    for (uint64_t i = 0; i < 100; i++)
        must(put_segment(s, 1, 1 + i, 1, "head", body));
    commit(s);
    s->ops->destroy(s);
    s = open_in(dir);
    int before = pages_read(s);
    while (s->ops->next_segment(s, 1, got.first + 1, false, &got) == OK)
        assert_true(span_eq(got.head, SPAN("head")));
    assert_int_equal(got.first, 100);
    assert_true(pages_read(s) - before < 10);
    s->ops->destroy(s);
}

static void an_older_schema_is_taken_forward_step_by_step(void **state)
{
    static const struct schema_step broken[] = {{1, "CREATE TABLE t (a)"},
                                                {2, "ALTER TABLE t ADD b; CREATE TABLE t (c)"}};
    static const struct schema_step steps[] = {
        {1, "no step that was taken is taken again"},
        {2, "ALTER TABLE t ADD b; INSERT INTO t VALUES (1, 2)"},
        {3, "UPDATE t SET b=b+1"},
    };
    const struct store_dir *dir = *state;
    char path[384];
    sqlite3 *db;
    struct schema_seen seen;
    store_dir_name(path, dir, "old.db");
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_not_equal(store_schema_migrate(db, 0, broken, 2), SQLITE_OK);
    assert_int_equal(store_schema_read(db, &seen), SQLITE_OK);
    assert_int_equal(seen.version, 1);
    assert_int_equal(seen.application, STORE_APPLICATION_ID);
    assert_int_equal(store_schema_migrate(db, seen.version, steps, 3), SQLITE_OK);
    assert_int_equal(store_schema_read(db, &seen), SQLITE_OK);
    assert_int_equal(seen.version, 3);
    assert_int_equal(sqlite3_exec(db, "SELECT CASE b WHEN 3 THEN 1 ELSE abs(-1<<63) END FROM t",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(store_schema_migrate(db, seen.version, steps, 3), SQLITE_OK);
    (void)sqlite3_close(db);
}

static void no_problem(void *context, const char *text)
{
    (void)context;
    fail_msg("%s", text);
}

/* The first step made a whole store, which daemons have written to. */
static void a_store_of_schema_1_can_be_read_as_it_is_and_becomes_one_of_today(void **state)
{
    const struct store_dir *dir = *state;
    char path[384];
    char why[STORE_WHY_MAX] = "";
    sqlite3 *db;
    size_t count;
    const struct schema_step *steps = store_schema_steps(&count);
    store_dir_name(path, dir, "streamd.db");
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(store_schema_layout(db), SQLITE_OK);
    assert_int_equal(store_schema_migrate(db, 0, steps, 1), SQLITE_OK);
    (void)sqlite3_close(db);
    struct store *s = store_sqlite_open_readonly(dir->path, why);
    assert_string_equal(why, "");
    struct store_session row;
    assert_int_equal(s->ops->next_session(s, 0, &row), E_NOT_FOUND);
    assert_int_equal(store_sqlite_verify(s, no_problem, NULL), OK);
    s->ops->destroy(s);
    s = open_in(dir);
    begin(s);
    must(put_session(s, 1, "x"));
    must(put_audit(s, 1, 1, "o"));
    commit(s);
    s->ops->destroy(s);
    s = store_sqlite_open_readonly(dir->path, why);
    assert_int_equal(store_sqlite_verify(s, no_problem, NULL), OK);
    s->ops->destroy(s);
}

int main(void)
{
#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, store_dir_setup, store_dir_teardown)
    const struct CMUnitTest tests[] = {
        IN_DIR(rows_are_there_again_after_a_clean_end),
        IN_DIR(a_clean_end_gives_back_what_runs_have_left_free),
        IN_DIR(a_store_that_was_emptied_gives_its_pages_back_little_by_little),
        IN_DIR(the_cache_fills_up_to_its_bound),
        IN_DIR(directories_are_made_and_nobody_else_may_look),
        IN_DIR(an_empty_file_becomes_a_store),
        IN_DIR(what_is_no_store_of_ours_is_refused_and_left_as_it_is),
        IN_DIR(a_second_daemon_is_refused_with_the_first_ones_process),
        IN_DIR(a_long_path_is_refused),
        IN_DIR(a_killed_process_leaves_what_it_committed),
        IN_DIR(a_file_taken_away_or_replaced_is_noticed),
        IN_DIR(who_only_looks_sees_what_is_committed_and_writes_nothing),
        IN_DIR(another_process_that_writes_is_waited_for_and_then_an_error),
        IN_DIR(the_log_stays_small_and_shrinks_after_a_long_reader),
        IN_DIR(a_config_is_written_only_when_it_changed),
        IN_DIR(heads_are_read_without_their_bodies),
        IN_DIR(an_older_schema_is_taken_forward_step_by_step),
        IN_DIR(a_store_of_schema_1_can_be_read_as_it_is_and_becomes_one_of_today),
    };
    return cmocka_run_group_tests_name("streamd/store/store_sqlite", tests, NULL, NULL);
}
