/* SPDX-License-Identifier: MIT */
/* What becomes of a file, or its log, that is not as it was left: nothing that was never put is
 * answered, and what can be read still is. */
#include "streamd/store/store_sqlite_parts.h"

#include "streamd/log.h"
#include "tests/streamd/store_rows.h"
#include "tests/support/random.h"

enum { SESSIONS = 6, RUNS = 20, PAGE = 4096 };

/* A file's bytes; owned. */
struct bytes {
    char *ptr;
    size_t len;
};

static struct bytes load(const struct store_dir *dir, const char *name)
{
    char path[384];
    struct stat st;
    store_dir_name(path, dir, name);
    FILE *f = fopen(path, "r");
    if (!f)
        return (struct bytes){NULL, 0};
    assert_int_equal(fstat(fileno(f), &st), 0);
    struct bytes b = {malloc((size_t)st.st_size + 1), (size_t)st.st_size};
    assert_int_equal(fread(b.ptr, 1, b.len, f), b.len);
    (void)fclose(f);
    return b;
}

static void save(const struct store_dir *dir, const char *name, struct bytes b)
{
    char path[384];
    store_dir_name(path, dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(b.ptr, 1, b.len, f), b.len);
    (void)fclose(f);
}

static void fill(struct store *s, uint64_t seed)
{
    static char bytes[20 * 1000];
    struct random random = random_seeded(seed);
    for (uint64_t key = 1; key <= SESSIONS; key++) {
        begin(s);
        must(put_session(s, key, key % 2 ? "odd" : "even"));
        for (uint64_t i = 0; i < RUNS; i++) {
            size_t n = random_below(&random, i % 3 ? 300 : sizeof(bytes));
            for (size_t at = 0; at < n; at++)
                bytes[at] = (char)('a' + random_below(&random, 26));
            struct span all = {bytes, n};
            must(s->ops->put_run(s, &(struct store_run){key, 1000 + i, 1, all}));
            must(s->ops->put_segment(s, &(struct store_segment){key, 1 + i, 1, all, all}));
        }
        commit(s);
    }
}

static struct store *open_quietly(const struct store_dir *dir, char why[STORE_WHY_MAX])
{
    log_set_level(LOG_ERROR);
    return store_sqlite_open(dir->path, why);
}

/* The file as a clean end leaves it, and all its rows as text. */
static struct bytes sound_file(const struct store_dir *dir, char **out_text)
{
    char why[STORE_WHY_MAX];
    struct store *s = open_quietly(dir, why);
    fill(s, 1);
    *out_text = rows_text(s);
    s->ops->destroy(s);
    return load(dir, "streamd.db");
}

static size_t lines_of(const char *text)
{
    size_t n = 0;
    for (; (text = strchr(text, '\n')) != NULL; text++)
        n++;
    return n;
}

/* Every line is one of `before`, or says that something is lost. Answers how many are there. */
static size_t expect_nothing_new(const char *text, const char *before)
{
    size_t kept = 0;
    char line[512];
    while (*text) {
        size_t n = strcspn(text, "\n") + 1;
        assert_true(n < sizeof(line));
        memcpy(line, text, n);
        line[n] = '\0';
        text += n;
        /* A session may outlive its config, which is told at the start. */
        if (strstr(line, "lost") || (strncmp(line, "session", 7) == 0 && !strstr(line, " config=")))
            continue;
        assert_non_null(strstr(before, line));
        kept++;
    }
    return kept;
}

/* Opens what stands in the directory and answers how many of the lines are still there; 0 also when
 * it is refused, which leaves it as it is. */
static size_t kept_of(const struct store_dir *dir, const char *before, struct bytes damaged)
{
    char why[STORE_WHY_MAX];
    struct store *s = open_quietly(dir, why);
    if (!s) {
        struct bytes now = load(dir, "streamd.db");
        assert_non_null(strstr(why, dir->path));
        assert_true(now.len == damaged.len && memcmp(now.ptr, damaged.ptr, now.len) == 0);
        free(now.ptr);
        return 0;
    }
    char *text = rows_text(s);
    size_t kept = expect_nothing_new(text, before);
    /* Put aside or not: it can be written to, and then it is sound. */
    assert_int_equal(store_dir_has(dir, "streamd.db.damaged-1"), why[0] != '\0');
    if (why[0]) {
        struct bytes aside = load(dir, "streamd.db.damaged-1");
        assert_true(aside.len == damaged.len && memcmp(aside.ptr, damaged.ptr, aside.len) == 0);
        free(aside.ptr);
        begin(s);
        must(put_run(s, 1, 5000, 1, "new"));
        commit(s);
        assert_int_equal(store_sqlite_check((struct store_sqlite *)(void *)s), OK);
    }
    free(text);
    s->ops->destroy(s);
    return kept;
}

enum how { ZEROED, FLIPPED, SCRAMBLED };

static void damage(struct bytes b, size_t page, enum how how, struct random *random)
{
    char *at = b.ptr + page * PAGE;
    if (how == ZEROED)
        memset(at, 0, PAGE);
    else if (how == FLIPPED)
        at[random_below(random, PAGE)] ^= (char)(1 << random_below(random, 8));
    else
        for (size_t i = 0; i < PAGE; i++)
            at[i] = (char)random_next(random);
}

/* The first pages and every 13th damaged, one after the other; after a clean end, or so that the
 * file is looked through at the start. */
static void damage_pages(const struct store_dir *dir, enum how how, bool suspect)
{
    char *before;
    struct bytes sound = sound_file(dir, &before);
    struct random random = random_seeded(how + 1U);
    size_t pages = sound.len / PAGE;
    size_t lines = lines_of(before);
    size_t kept = 0;
    size_t rounds = 0;
    assert_true(pages > 100);
    for (size_t page = 0; page < pages; page += page < 20 ? 1 : 7, rounds++) {
        struct bytes bad = {malloc(sound.len), sound.len};
        memcpy(bad.ptr, sound.ptr, sound.len);
        damage(bad, page, how, &random);
        store_dir_empty(dir);
        save(dir, "streamd.db", bad);
        if (suspect)
            save(dir, "streamd.db-suspect", (struct bytes){"", 0});
        kept += kept_of(dir, before, bad);
        assert_false(suspect && store_dir_has(dir, "streamd.db-suspect") &&
                     store_dir_has(dir, "streamd.db.damaged-1"));
        free(bad.ptr);
    }
    /* All but a few pages cost a row or two. */
    assert_true(kept * 100 >= lines * rounds * (how == FLIPPED ? 95 : 85));
    free(before);
    free(sound.ptr);
}

static void a_zeroed_page_costs_its_rows_only(void **state)
{
    damage_pages(*state, ZEROED, true);
    damage_pages(*state, ZEROED, false);
}

static void a_flipped_bit_costs_its_row_only(void **state)
{
    damage_pages(*state, FLIPPED, true);
    damage_pages(*state, FLIPPED, false);
}

static void a_scrambled_page_costs_its_rows_only(void **state)
{
    damage_pages(*state, SCRAMBLED, true);
    damage_pages(*state, SCRAMBLED, false);
}

static void a_file_cut_short_keeps_what_is_left(void **state)
{
    const struct store_dir *dir = *state;
    char *before;
    struct bytes sound = sound_file(dir, &before);
    size_t last = 0;
    for (size_t tenth = 1; tenth < 20; tenth++) {
        struct bytes bad = {sound.ptr, sound.len * tenth / 20};
        store_dir_empty(dir);
        save(dir, "streamd.db", bad);
        last = kept_of(dir, before, bad);
    }
    assert_true(last > lines_of(before) / 2);
    free(before);
    free(sound.ptr);
}

/* ---- the log ---- */

/* The file and its log as a killed process leaves them, and the rows after each commit. */
struct left {
    struct bytes file, log;
    char *text[8];
    size_t commits;
};

static struct left left_behind(const struct store_dir *dir, uint64_t seed)
{
    char why[STORE_WHY_MAX];
    struct left l = {.commits = 0};
    struct store *s = open_quietly(dir, why);
    fill(s, seed);
    s->ops->destroy(s);
    s = open_quietly(dir, why);
    l.text[l.commits++] = rows_text(s);
    for (uint64_t i = 1; i < 8; i++) {
        begin(s);
        must(put_session(s, i % SESSIONS + 1, "later"));
        must(put_run(s, i % SESSIONS + 1, 3000 + 100 * seed + i, 1, "later"));
        commit(s);
        l.text[l.commits++] = rows_text(s);
    }
    l.file = load(dir, "streamd.db");
    l.log = load(dir, "streamd.db-wal");
    s->ops->destroy(s);
    return l;
}

static void left_free(struct left *l)
{
    for (size_t i = 0; i < l->commits; i++)
        free(l->text[i]);
    free(l->file.ptr);
    free(l->log.ptr);
}

/* How many commits are there. */
static size_t commits_found(const struct store_dir *dir, const struct left *l)
{
    char why[STORE_WHY_MAX];
    struct store *s = open_quietly(dir, why);
    size_t found = l->commits;
    assert_non_null(s);
    assert_string_equal(why, "");
    char *text = rows_text(s);
    for (size_t i = 0; i < l->commits; i++)
        found = strcmp(text, l->text[i]) == 0 ? i : found;
    assert_true(found < l->commits);
    free(text);
    s->ops->destroy(s);
    return found;
}

static void lay_out(const struct store_dir *dir, struct bytes file, struct bytes log)
{
    store_dir_empty(dir);
    save(dir, "streamd.db", file);
    if (log.len > 0)
        save(dir, "streamd.db-wal", log);
}

static void a_torn_log_gives_all_up_to_a_commit(void **state)
{
    const struct store_dir *dir = *state;
    struct left l = left_behind(dir, 1);
    struct random random = random_seeded(1);
    lay_out(dir, l.file, l.log);
    assert_int_equal(commits_found(dir, &l), l.commits - 1);
    lay_out(dir, l.file, (struct bytes){NULL, 0});
    assert_int_equal(commits_found(dir, &l), 0);
    for (size_t i = 0; i < 100; i++) {
        struct bytes torn = {l.log.ptr, random_below(&random, l.log.len)};
        lay_out(dir, l.file, torn);
        (void)commits_found(dir, &l);
    }
    for (size_t i = 0; i < 100; i++) {
        char *at = l.log.ptr + random_below(&random, l.log.len);
        *at ^= 1;
        lay_out(dir, l.file, l.log);
        (void)commits_found(dir, &l);
        *at ^= 1;
    }
    left_free(&l);
}

static void the_log_of_another_store_is_put_aside(void **state)
{
    const struct store_dir *dir = *state;
    char why[STORE_WHY_MAX];
    struct left ours = left_behind(dir, 1);
    store_dir_empty(dir);
    struct left other = left_behind(dir, 2);
    lay_out(dir, ours.file, other.log);
    struct store *s = open_quietly(dir, why);
    assert_non_null(s);
    assert_non_null(strstr(why, "does not belong to it"));
    assert_non_null(strstr(why, "streamd.db.damaged-1-wal"));
    assert_true(store_dir_has(dir, "streamd.db.damaged-1-wal"));
    char *text = rows_text(s);
    assert_string_equal(text, ours.text[0]);
    free(text);
    s->ops->destroy(s);
    left_free(&ours);
    left_free(&other);
}

static void what_is_put_aside_never_takes_another_ones_name(void **state)
{
    const struct store_dir *dir = *state;
    char *before;
    struct bytes sound = sound_file(dir, &before);
    memset(sound.ptr + PAGE, 0, PAGE);
    for (int i = 1; i <= 3; i++) {
        char why[STORE_WHY_MAX];
        char name[64];
        (void)snprintf(name, sizeof(name), "streamd.db.damaged-%d", i);
        save(dir, "streamd.db", sound);
        save(dir, "streamd.db-suspect", (struct bytes){"", 0});
        struct store *s = open_quietly(dir, why);
        assert_non_null(s);
        assert_non_null(strstr(why, name));
        assert_true(store_dir_has(dir, name));
        s->ops->destroy(s);
    }
    free(before);
    free(sound.ptr);
}

int main(void)
{
#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, store_dir_setup, store_dir_teardown)
    const struct CMUnitTest tests[] = {
        IN_DIR(a_zeroed_page_costs_its_rows_only),
        IN_DIR(a_flipped_bit_costs_its_row_only),
        IN_DIR(a_scrambled_page_costs_its_rows_only),
        IN_DIR(a_file_cut_short_keeps_what_is_left),
        IN_DIR(a_torn_log_gives_all_up_to_a_commit),
        IN_DIR(the_log_of_another_store_is_put_aside),
        IN_DIR(what_is_put_aside_never_takes_another_ones_name),
    };
    return cmocka_run_group_tests_name("streamd/store/damage", tests, NULL, NULL);
}
