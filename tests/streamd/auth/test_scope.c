/* SPDX-License-Identifier: MIT */
#include "streamd/auth/caller.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void scopes_are_words_with_commas(void **state)
{
    static const struct {
        const char *text;
        unsigned scopes; /* 0: refused */
    } cases[] = {
        {"read", SCOPE_READ},
        {"write,read", SCOPE_READ | SCOPE_WRITE},
        {"read,write,control", SCOPE_ALL},
        {"read,read", SCOPE_READ},
        {"", 0},
        {"read,", 0},
        {",read", 0},
        {"Read", 0},
        {"read, write", 0},
        {"all", 0},
        {NULL, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned scopes = 99;
        bool good = scopes_parse(span_of(cases[i].text), &scopes);
        if (good != (cases[i].scopes != 0) || scopes != (good ? cases[i].scopes : 99))
            fail_msg("case %zu: %u", i, scopes);
    }
}

static void they_are_written_as_they_are_read(void **state)
{
    char text[SCOPES_TEXT_MAX];
    (void)state;
    assert_string_equal(scopes_text(SCOPE_ALL, text), "read,write,control");
    assert_string_equal(scopes_text(SCOPE_CONTROL, text), "control");
    assert_string_equal(scopes_text(0, text), "nothing");
}

static void a_caller_needs_all_that_is_asked(void **state)
{
    const struct caller c = {"c", SCOPE_READ | SCOPE_CONTROL, true};
    (void)state;
    assert_true(caller_may(&c, SCOPE_PUBLIC));
    assert_true(caller_may(&c, SCOPE_READ));
    assert_false(caller_may(&c, SCOPE_WRITE));
    assert_false(caller_may(&c, SCOPE_READ | SCOPE_WRITE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scopes_are_words_with_commas),
        cmocka_unit_test(they_are_written_as_they_are_read),
        cmocka_unit_test(a_caller_needs_all_that_is_asked),
    };
    return cmocka_run_group_tests_name("streamd/auth/scope", tests, NULL, NULL);
}
