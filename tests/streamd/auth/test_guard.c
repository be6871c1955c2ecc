/* SPDX-License-Identifier: MIT */
#include "streamd/auth/guard.h"

#include "streamd/http/request.h"
#include "streamd/log.h"
#include "streamd/options.h"
#include "tests/streamd/auth/token_place.h"

struct fixture {
    struct token_place place;
    struct config config;
    struct guard guard;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    char line[256];
    assert_non_null(f);
    log_set_level(LOG_ERROR);
    token_place_open(&f->place);
    token_place_write(&f->place, token_line("alice", "read", "A", line));
    options_defaults(&f->config);
    f->config.token_file = f->place.path;
    assert_true(guard_init(&f->guard, &f->config));
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    guard_fini(&f->guard);
    token_place_close(&f->place);
    free(f);
    return 0;
}

static void who_asks_is_known_by_his_token_or_by_where_he_comes_from(void **state)
{
    static const struct {
        const char *path;
        const char *query;
        const char *authorization;
        bool remote;
        bool require; /* --require-token */
        const char *name;
    } cases[] = {
        {"/x", "", "", false, false, "local"},
        {"/x", "", "", false, true, "nobody"},
        {"/x", "", "", true, false, "nobody"},
        {"/x", "", "Bearer A", true, false, "alice"},
        {"/x", "", "bearer   A ", true, false, "alice"},
        {"/x", "", "Bearer A", false, false, "alice"},
        {"/x", "", "Bearer A", false, true, "alice"},
        {"/x", "", "Bearer B", true, false, "nobody"},
        {"/x", "", "Bearer B", false, false, "nobody"},
        {"/x", "", "Bearer", true, false, "nobody"},
        {"/x", "", "Basic A", true, false, "nobody"},
        {"/x", "", "A", true, false, "nobody"},
        {"/x", "token=A", "", true, false, "nobody"},
        {"/ws", "token=A", "", true, false, "alice"},
        {"/ws", "token=B", "", false, false, "nobody"},
        {"/ws", "token=A", "Bearer B", true, false, "nobody"},
        {"/api/training/events/x", "since=1&token=%41", "", true, false, "alice"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct request req = {.path = span_of(cases[i].path),
                              .query = span_of(cases[i].query),
                              .authorization = span_of(cases[i].authorization),
                              .remote = cases[i].remote};
        f->config.require_token = cases[i].require;
        const char *name = guard_request(&f->guard, &req)->name;
        if (strcmp(name, cases[i].name) != 0)
            fail_msg("case %zu: %s, not %s", i, name, cases[i].name);
    }
}

static void without_a_token_file_everybody_may_do_all(void **state)
{
    struct config config;
    struct guard g = {0};
    struct request req = {.path = SPAN("/x"), .authorization = SPAN("Bearer A"), .remote = true};
    (void)state;
    options_defaults(&config);
    assert_true(guard_init(&g, &config));
    assert_string_equal(guard_request(&g, &req)->name, "anonymous");
    assert_int_equal(guard_request(&g, &req)->scopes, SCOPE_ALL);
    assert_int_equal(guard_token(&g, SPAN("A"))->scopes, SCOPE_ALL);
    guard_fini(&g);
}

static void a_refusal_says_what_is_missing_and_nothing_of_the_token(void **state)
{
    char why[GUARD_WHY_MAX];
    struct fixture *f = *state;
    const struct caller *alice = guard_token(&f->guard, SPAN("A"));
    assert_true(guard_allows(alice, SCOPE_READ, why));
    assert_true(guard_allows(guard_nobody(), SCOPE_PUBLIC, why));
    assert_false(guard_allows(alice, SCOPE_CONTROL, why));
    assert_string_equal(why, "The token alice has the scope read; this needs control");
    assert_int_equal(guard_status(alice), 403);
    assert_false(guard_allows(guard_nobody(), SCOPE_READ, why));
    assert_string_equal(why, guard_needs_token);
    assert_int_equal(guard_status(guard_nobody()), 401);
}

static void a_broken_file_changes_nothing_when_read_again(void **state)
{
    struct fixture *f = *state;
    char line[256];
    const struct caller *alice = guard_token(&f->guard, SPAN("A"));
    token_place_write(&f->place, "alice");
    guard_reload(&f->guard);
    assert_ptr_equal(guard_token(&f->guard, SPAN("A")), alice);
    token_place_write(&f->place, token_line("bob", "write", "B", line));
    guard_reload(&f->guard);
    assert_string_equal(guard_token(&f->guard, SPAN("A"))->name, "nobody");
    assert_int_equal(alice->scopes, 0);
    assert_string_equal(guard_token(&f->guard, SPAN("B"))->name, "bob");
}

static void a_file_that_cannot_be_read_is_no_guard(void **state)
{
    struct fixture *f = *state;
    struct guard g = {0};
    (void)unlink(f->place.path);
    assert_false(guard_init(&g, &f->config));
    guard_fini(&g);
}

#define GUARD_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARD_TEST(who_asks_is_known_by_his_token_or_by_where_he_comes_from),
        cmocka_unit_test(without_a_token_file_everybody_may_do_all),
        GUARD_TEST(a_refusal_says_what_is_missing_and_nothing_of_the_token),
        GUARD_TEST(a_broken_file_changes_nothing_when_read_again),
        GUARD_TEST(a_file_that_cannot_be_read_is_no_guard),
    };
    return cmocka_run_group_tests_name("streamd/auth/guard", tests, NULL, NULL);
}
