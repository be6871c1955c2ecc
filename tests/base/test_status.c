/* SPDX-License-Identifier: MIT */
#include "base/status.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const enum status all[] = {
#define STATUS_ITEM(name, text) name,
    STATUS_TABLE(STATUS_ITEM)
#undef STATUS_ITEM
};

enum { COUNT = sizeof(all) / sizeof(all[0]) };

static void names_are_those_of_the_enum(void **state)
{
    (void)state;
    assert_string_equal(status_name(OK), "OK");
    assert_string_equal(status_name(E_LIMIT), "E_LIMIT");
    assert_string_equal(status_name(E_NOMEM), "E_NOMEM");
    assert_int_equal(OK, 0);
}

static void each_has_a_name_and_a_sentence_of_its_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        assert_true(strlen(status_text(all[i])) > 0);
        assert_false(isupper((unsigned char)status_text(all[i])[0]));
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(status_name(all[i]), status_name(all[j]));
            assert_string_not_equal(status_text(all[i]), status_text(all[j]));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_those_of_the_enum),
        cmocka_unit_test(each_has_a_name_and_a_sentence_of_its_own),
    };
    return cmocka_run_group_tests_name("base/status", tests, NULL, NULL);
}
