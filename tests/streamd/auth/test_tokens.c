/* SPDX-License-Identifier: MIT */
#include "tests/streamd/auth/token_place.h"
#include "tests/support/oom.h"

struct fixture {
    struct token_place place;
    struct tokens tokens;
    char why[TOKENS_WHY_MAX];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    token_place_open(&f->place);
    tokens_init(&f->tokens);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    tokens_fini(&f->tokens);
    token_place_close(&f->place);
    free(f);
    return 0;
}

static bool reads(struct fixture *f, const char *text)
{
    token_place_write(&f->place, text);
    return tokens_read(&f->tokens, f->place.path, f->why);
}

/* A file of these two tokens: alice, who may read, and ci, who may read and write. */
static const char *two(char text[1024])
{
    char a[256];
    char b[256];
    (void)snprintf(text, 1024, "# who may come\n\n%s\t%s", token_line("alice", "read", "A", a),
                   token_line("ci", "read,write", "B", b));
    return text;
}

static void a_token_is_found_by_what_it_is(void **state)
{
    struct fixture *f = *state;
    char text[1024];
    assert_true(reads(f, two(text)));
    assert_int_equal(f->tokens.count, 2);
    const struct caller *alice = tokens_find(&f->tokens, SPAN("A"));
    assert_non_null(alice);
    assert_string_equal(alice->name, "alice");
    assert_int_equal(alice->scopes, SCOPE_READ);
    assert_int_equal(tokens_find(&f->tokens, SPAN("B"))->scopes, SCOPE_READ | SCOPE_WRITE);
    assert_null(tokens_find(&f->tokens, SPAN("C")));
    assert_null(tokens_find(&f->tokens, SPAN("")));
    assert_null(tokens_find(&f->tokens, (struct span){NULL, 0}));
}

static void a_line_that_is_wrong_is_named_and_nothing_of_the_file_counts(void **state)
{
    static const char hex[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    static const struct {
        const char *format; /* %s: the digest */
        const char *why;
    } cases[] = {
        {"x read", "line 1: the third word must be a SHA-256, 64 hexadecimal digits"},
        {"x read 1234", "line 1: the third word must be a SHA-256, 64 hexadecimal digits"},
        {"# c\nx reed %s", "line 2: the scopes must be read, write and control, with commas "
                           "between them"},
        {"x %s", "line 1: the scopes must be read, write and control, with commas between them"},
        {"x/y read %s", "line 1: the name must be 1 to 64 of A-Z a-z 0-9 . _ -"},
        {"x read %s more", "line 1: nothing may follow the SHA-256"},
        {"a read %s\na read 00%.62s", "line 2: a token of this name stands above"},
        {"a read %s\nb read %s", "line 2: the same token stands above"},
    };
    struct fixture *f = *state;
    char text[1024];
    assert_true(reads(f, two(text)));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char expected[512];
        (void)snprintf(expected, sizeof(expected), "\"%s\": %s", f->place.path, cases[i].why);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        (void)snprintf(text, sizeof(text), cases[i].format, hex, hex);
#pragma GCC diagnostic pop
        assert_false(reads(f, text));
        assert_string_equal(f->why, expected);
        assert_non_null(tokens_find(&f->tokens, SPAN("A")));
        assert_null(tokens_find(&f->tokens, SPAN("abc")));
    }
}

static void a_comment_may_follow_and_a_last_line_needs_no_end(void **state)
{
    struct fixture *f = *state;
    char line[256];
    char text[512];
    token_line("a", "control", "A", line);
    line[strlen(line) - 1] = '\0';
    (void)snprintf(text, sizeof(text), "  %s # of Alice\r\n# end", line);
    assert_true(reads(f, text));
    assert_non_null(tokens_find(&f->tokens, SPAN("A")));
    assert_true(reads(f, ""));
    assert_int_equal(f->tokens.count, 0);
    assert_null(tokens_find(&f->tokens, SPAN("A")));
}

static void who_is_known_keeps_the_caller_and_gets_its_new_scopes(void **state)
{
    struct fixture *f = *state;
    char text[1024];
    char line[256];
    assert_true(reads(f, two(text)));
    const struct caller *alice = tokens_find(&f->tokens, SPAN("A"));
    const struct caller *ci = tokens_find(&f->tokens, SPAN("B"));
    assert_true(reads(f, token_line("alice2", "read,control", "A", line)));
    assert_ptr_equal(tokens_find(&f->tokens, SPAN("A")), alice);
    assert_string_equal(alice->name, "alice2");
    assert_int_equal(alice->scopes, SCOPE_READ | SCOPE_CONTROL);
    assert_null(tokens_find(&f->tokens, SPAN("B")));
    assert_int_equal(ci->scopes, 0);
    assert_true(reads(f, two(text)));
    assert_ptr_equal(tokens_find(&f->tokens, SPAN("B")), ci);
    assert_int_equal(ci->scopes, SCOPE_READ | SCOPE_WRITE);
}

static void a_file_that_others_may_open_or_change_is_refused(void **state)
{
    static const struct {
        mode_t mode;
        bool good;
    } cases[] = {{0600, true},  {0640, true},  {0400, true}, {0660, false},
                 {0644, false}, {0602, false}, {0601, false}};
    struct fixture *f = *state;
    char text[1024];
    token_place_write(&f->place, two(text));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(chmod(f->place.path, cases[i].mode), 0);
        if (tokens_read(&f->tokens, f->place.path, f->why) != cases[i].good)
            fail_msg("%o: %s", (unsigned)cases[i].mode, f->why);
    }
    assert_non_null(strstr(f->why, "chmod 600"));
}

static void what_is_no_file_of_tokens_is_refused(void **state)
{
    struct fixture *f = *state;
    assert_false(tokens_read(&f->tokens, f->place.path, f->why));
    assert_non_null(strstr(f->why, strerror(ENOENT)));
    assert_false(tokens_read(&f->tokens, f->place.folder, f->why));
    assert_non_null(strstr(f->why, "not a file"));
    char *large = malloc(TOKEN_FILE_MAX + 2);
    assert_non_null(large);
    memset(large, '\n', TOKEN_FILE_MAX + 1);
    large[TOKEN_FILE_MAX + 1] = '\0';
    assert_false(reads(f, large));
    assert_non_null(strstr(f->why, "larger than 1 MiB"));
    free(large);
}

static void a_file_of_somebody_else_says_nothing(void **state)
{
    struct fixture *f = *state;
    char text[1024];
    token_place_write(&f->place, two(text));
    if (geteuid() != 0)
        skip();
    assert_int_equal(chown(f->place.path, 65534, 65534), 0);
    assert_false(tokens_read(&f->tokens, f->place.path, f->why));
    assert_non_null(strstr(f->why, "belongs to another user"));
}

static void there_are_so_many_tokens_and_no_more(void **state)
{
    struct fixture *f = *state;
    size_t len = 0;
    char *text = malloc((TOKENS_MAX + 1) * 96);
    assert_non_null(text);
    for (unsigned i = 0; i < TOKENS_MAX; i++)
        len += (size_t)sprintf(text + len, "n%u read %064x\n", i, i);
    assert_true(reads(f, text));
    assert_int_equal(f->tokens.count, TOKENS_MAX);
    (void)sprintf(text + len, "one read %064x\n", TOKENS_MAX);
    assert_false(reads(f, text));
    assert_non_null(strstr(f->why, "line 4097: one token too many"));
    assert_int_equal(f->tokens.count, TOKENS_MAX);
    free(text);
}

static void what_finds_no_memory_leaves_the_tokens_there_were(void **state)
{
    struct fixture *f = *state;
    char text[1024];
    char other[256];
    assert_true(reads(f, two(text)));
    token_place_write(&f->place, token_line("bob", "control", "C", other));
    for (size_t n = 1; oom_sweeps(n); n++) {
        bool good = tokens_read(&f->tokens, f->place.path, f->why);
        assert_int_equal(tokens_find(&f->tokens, SPAN("C")) != NULL, good);
        assert_int_equal(tokens_find(&f->tokens, SPAN("A")) == NULL, good);
    }
}

#define TOKENS_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TOKENS_TEST(a_token_is_found_by_what_it_is),
        TOKENS_TEST(a_line_that_is_wrong_is_named_and_nothing_of_the_file_counts),
        TOKENS_TEST(a_comment_may_follow_and_a_last_line_needs_no_end),
        TOKENS_TEST(who_is_known_keeps_the_caller_and_gets_its_new_scopes),
        TOKENS_TEST(a_file_that_others_may_open_or_change_is_refused),
        TOKENS_TEST(what_is_no_file_of_tokens_is_refused),
        TOKENS_TEST(a_file_of_somebody_else_says_nothing),
        TOKENS_TEST(there_are_so_many_tokens_and_no_more),
        TOKENS_TEST(what_finds_no_memory_leaves_the_tokens_there_were),
    };
    return cmocka_run_group_tests_name("streamd/auth/tokens", tests, NULL, NULL);
}
