/* SPDX-License-Identifier: MIT */
/*
 * The disk, or memory, fails at each call in turn. Whatever failed is said, the rows are those of
 * the commits that answered OK, and once the disk is well again so is the store, without a restart
 * and after one.
 */
#include "streamd/store/store_memory.h"
#include "streamd/store/store_sqlite_parts.h"

#include "streamd/log.h"
#include "tests/streamd/store_rows.h"
#include "tests/support/fault_vfs.h"
#include "tests/support/oom.h"

enum {
    EVERY_CALL = FAULT_OPEN | FAULT_READ | FAULT_WRITE | FAULT_SYNC | FAULT_TRUNCATE | FAULT_DELETE,
    MEMORY = 1 << 20, /* SQLite's own allocations */
    STEPS = 5,
};

static const struct fault_kind kinds[] = {
    {"a file is not opened", FAULT_OPEN, 0, false, false},
    {"a read fails", FAULT_READ, 0, false, false},
    {"a write fails", FAULT_WRITE, 0, false, false},
    {"the disk is full", FAULT_WRITE, SQLITE_FULL, false, false},
    {"the disk is full amid a write", FAULT_WRITE, SQLITE_FULL, true, false},
    {"a sync fails", FAULT_SYNC, 0, false, false},
    {"a truncation fails", FAULT_TRUNCATE, 0, false, false},
    {"a removal fails", FAULT_DELETE, 0, false, false},
    {"the disk is full and stays so", FAULT_WRITE, SQLITE_FULL, true, true},
    {"syncs fail from then on", FAULT_SYNC, 0, false, true},
    {"everything fails from then on", EVERY_CALL, 0, false, true},
    {"memory runs out", MEMORY, 0, false, false},
    {"memory runs out and stays so", MEMORY, 0, false, true},
};

/* ---- SQLite's memory ---- */

static sqlite3_mem_methods real_memory;

static void *failing_malloc(int n)
{
    return fault_now(MEMORY) ? NULL : real_memory.xMalloc(n);
}

static void *failing_realloc(void *at, int n)
{
    return fault_now(MEMORY) ? NULL : real_memory.xRealloc(at, n);
}

static void wrap_memory(void)
{
    sqlite3_mem_methods ours;
    assert_int_equal(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_memory), SQLITE_OK);
    ours = real_memory;
    ours.xMalloc = failing_malloc;
    ours.xRealloc = failing_realloc;
    assert_int_equal(sqlite3_config(SQLITE_CONFIG_MALLOC, &ours), SQLITE_OK);
}

/* ---- what is done ---- */

static enum status change(struct store *s, int step)
{
    static char bytes[40 * 1000];
    enum status status = OK;
    memset(bytes, 'a' + step, sizeof(bytes) - 1);
    switch (step) {
    case 0:
        for (uint64_t key = 1; status == OK && key <= 3; key++)
            status = put_session(s, key, "x");
        return status == OK ? s->ops->put_meta(s, "m", SPAN("value")) : status;
    case 1:
    case 2:
        for (uint64_t key = 1; status == OK && key <= 3; key++)
            status = put_run(s, key, (uint64_t)step * 10, 10, bytes);
        return status;
    case 3:
        return put_segment(s, 1, 10, 20, "head", bytes);
    default:
        return s->ops->delete_session(s, 2);
    }
}

static enum status transact(struct store *s, int step)
{
    enum status status = s->ops->begin(s);
    if (status == OK)
        status = change(s, step);
    if (status == OK)
        return s->ops->commit(s);
    s->ops->rollback(s);
    return status;
}

/* The rows after each step, and before the first. */
static void model(char *text[STEPS + 1])
{
    struct store *s = store_memory_create();
    text[0] = rows_text(s);
    for (int step = 0; step < STEPS; step++) {
        must(transact(s, step));
        text[step + 1] = rows_text(s);
    }
    s->ops->destroy(s);
}

static struct store *open_fault(const struct store_dir *dir, char why[STORE_WHY_MAX])
{
    struct store *s = store_sqlite_open_vfs(dir->path, "fault", why);
    if (s)
        ((struct store_sqlite *)(void *)s)->checkpoint_pages = 8;
    return s;
}

/* The first step that fails; STEPS when none does. */
static int until_failure(struct store *s)
{
    int step = 0;
    while (step < STEPS && transact(s, step) == OK)
        step++;
    return step;
}

static void expect(struct store *s, const char *expected)
{
    char *text = rows_text(s);
    assert_string_equal(text, expected);
    free(text);
    assert_int_equal(store_sqlite_check((struct store_sqlite *)(void *)s), OK);
}

/* The disk is well again, and the store goes on. */
static void go_on(struct store *s, int step, char *text[STEPS + 1])
{
    expect(s, text[step]);
    for (; step < STEPS; step++)
        must(transact(s, step));
    expect(s, text[STEPS]);
    s->ops->destroy(s);
}

/* The store is closed while the disk is still as it is, and another one opened. A commit that
 * failed on a disk that went on failing may be there, whole. */
static void start_again(struct store *s, const struct store_dir *dir, int step, bool lasting,
                        char *text[STEPS + 1])
{
    char why[STORE_WHY_MAX];
    s->ops->destroy(s);
    (void)fault_failed();
    s = open_fault(dir, why);
    assert_string_equal(why, "");
    char *found = rows_text(s);
    if (lasting && step < STEPS && strcmp(found, text[step + 1]) == 0)
        step++;
    free(found);
    go_on(s, step, text);
}

static bool one_round(const struct fault_kind *kind, size_t nth, bool again, char *text[STEPS + 1])
{
    char why[STORE_WHY_MAX];
    struct store_dir dir;
    store_dir_make(&dir);
    fault_fail(kind, nth);
    struct store *s = open_fault(&dir, why);
    bool opened = s != NULL;
    assert_true(opened || why[0] != '\0');
    if (!opened) {
        (void)fault_failed();
        s = open_fault(&dir, why);
        assert_string_equal(why, "");
    }
    int step = until_failure(s);
    if (step < STEPS)
        assert_string_not_equal(s->ops->why(s), "");
    bool failed = !opened;
    if (again && opened) {
        start_again(s, &dir, step, kind->from_now, text);
        failed = fault_happened();
    } else {
        failed = fault_failed() || failed;
        go_on(s, step, text);
    }
    store_dir_remove(&dir);
    return failed;
}

/* Each of the first calls, then fewer and fewer of them: all take minutes. */
static bool every_call;

static void sweep(const struct fault_kind *kind)
{
    char *text[STEPS + 1];
    model(text);
    for (int again = 0; again < 2; again++) {
        size_t nth = 1;
        while (one_round(kind, nth, again, text))
            nth += every_call ? 1 : 1 + nth / 16;
        assert_true(nth > 1);
    }
    for (size_t i = 0; i <= STEPS; i++)
        free(text[i]);
}

static void run_sweep(void **state)
{
    sweep(*state);
}

static void our_own_memory_runs_out(void **state)
{
    (void)state;
    struct store_dir dir;
    char why[STORE_WHY_MAX];
    store_dir_make(&dir);
    for (size_t n = 1; oom_sweeps(n); n++) {
        struct store *s = store_sqlite_open(dir.path, why);
        if (s)
            s->ops->destroy(s);
        else
            assert_string_equal(why, "out of memory");
    }
    store_dir_remove(&dir);
}

/* `all`: every call. */
int main(int argc, char **argv)
{
    enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };
    struct CMUnitTest tests[KINDS + 1];
    every_call = argc > 1 && strcmp(argv[1], "all") == 0;
    wrap_memory();
    fault_vfs_register();
    log_set_level(LOG_ERROR);
    for (size_t i = 0; i < KINDS; i++) {
        union {
            const struct fault_kind *in;
            void *out;
        } as = {&kinds[i]};
        tests[i] = (struct CMUnitTest){kinds[i].name, run_sweep, NULL, NULL, as.out};
    }
    tests[KINDS] = (struct CMUnitTest)cmocka_unit_test(our_own_memory_runs_out);
    return cmocka_run_group_tests_name("streamd/store/faults", tests, NULL, NULL);
}
