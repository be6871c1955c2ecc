/* SPDX-License-Identifier: MIT */
#include "streamd/relay/upstream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void an_address_is_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *given;
        const char *url;
        const char *host;
        const char *path;
        const char *base;
    } cases[] = {
        {"http://hub:5001", "http://hub:5001/", "hub:5001", "/api/training/ingest",
         "http://hub:5001"},
        {"ws://hub/", "http://hub/", "hub", "/api/training/ingest", "http://hub"},
        {"https://[::1]:5/a/b/", "https://[::1]:5/", "[::1]:5", "/a/b/api/training/ingest",
         "https://[::1]:5/a/b"},
        {"wss://h", "https://h/", "h", "/api/training/ingest", "https://h"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct upstream u;
        assert_null(upstream_init(&u, cases[i].given));
        assert_string_equal(u.url, cases[i].url);
        assert_string_equal(u.host, cases[i].host);
        assert_string_equal(u.path, cases[i].path);
        assert_string_equal(u.base, cases[i].base);
        assert_int_equal(u.encrypted, strncmp(u.url, "https", 5) == 0);
        upstream_fini(&u);
    }
}

static void what_is_none_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",           "hub:5001",     "ftp://hub",       "http://",
        "http:///a",  "http://u:p@h", "http://h/?a=b",   "http://h/\r\nX: y",
        "http://h h", "http://h#a",   "http://\xc3\xa9",
    };
    struct upstream u;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_non_null(upstream_init(&u, cases[i]));
    char long_one[UPSTREAM_URL_MAX + 8];
    memset(long_one, 'a', sizeof(long_one));
    memcpy(long_one, "http://", 7);
    long_one[sizeof(long_one) - 1] = '\0';
    assert_non_null(upstream_init(&u, long_one));
    long_one[UPSTREAM_URL_MAX - 30] = '\0';
    assert_null(upstream_init(&u, long_one));
    upstream_fini(&u);
}

static void a_token_is_one_word_and_leaks_only_in_the_clear(void **state)
{
    (void)state;
    struct upstream u;
    assert_null(upstream_init(&u, "http://hub"));
    assert_false(upstream_leaks_token(&u));
    assert_non_null(upstream_set_token(&u, SPAN(" \n")));
    assert_non_null(upstream_set_token(&u, SPAN("a b")));
    assert_non_null(upstream_set_token(&u, SPAN("a\r\nHost: x")));
    assert_string_equal(u.token, "");
    assert_null(upstream_set_token(&u, SPAN(" secret\n")));
    assert_string_equal(u.token, "secret");
    assert_true(upstream_leaks_token(&u));
    upstream_fini(&u);
    static const char *const safe[] = {"https://hub", "http://127.0.0.1:1", "ws://[::1]:1"};
    for (size_t i = 0; i < sizeof(safe) / sizeof(safe[0]); i++) {
        assert_null(upstream_init(&u, safe[i]));
        assert_null(upstream_set_token(&u, SPAN("secret")));
        assert_false(upstream_leaks_token(&u));
        upstream_fini(&u);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_taken_apart),
        cmocka_unit_test(what_is_none_is_refused),
        cmocka_unit_test(a_token_is_one_word_and_leaks_only_in_the_clear),
    };
    return cmocka_run_group_tests_name("streamd/relay/upstream", tests, NULL, NULL);
}
