/* SPDX-License-Identifier: MIT */
#include "clients/c/spool_format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void the_folder_is_the_one_that_is_named_else_of_the_user_s_state(void **state)
{
    (void)state;
    char folder[64];
    (void)setenv("STREAMD_SPOOL", "/named", 1);
    (void)setenv("XDG_STATE_HOME", "/state", 1);
    (void)setenv("HOME", "/home/u", 1);
    assert_true(spool_folder(folder, sizeof(folder)));
    assert_string_equal(folder, "/named");
    (void)setenv("STREAMD_SPOOL", "", 1);
    assert_true(spool_folder(folder, sizeof(folder)));
    assert_string_equal(folder, "/state/streamd/spool");
    (void)unsetenv("XDG_STATE_HOME");
    assert_true(spool_folder(folder, sizeof(folder)));
    assert_string_equal(folder, "/home/u/.local/state/streamd/spool");
    assert_false(spool_folder(folder, strlen("/home/u/.local/state/streamd/spool")));
    assert_string_equal(folder, "");
    (void)unsetenv("HOME");
    assert_false(spool_folder(folder, sizeof(folder)));
    assert_string_equal(folder, "");
}

static void a_folder_that_no_system_has_is_not_made(void **state)
{
    (void)state;
    static char longest[SPOOL_PATH_BYTES + 1];
    memset(longest, 'a', SPOOL_PATH_BYTES);
    assert_false(spool_make_folder(""));
    assert_false(spool_make_folder(longest));
}

static void a_damaged_line_is_none(void **state)
{
    (void)state;
    static const char *const damaged[] = {
        "",
        "}",
        "{\"type\":\"epoch\",\"sessionId\":\"a\",\"seq\":1",
        "{\"type\":\"\",\"sessionId\":\"a\",\"seq\":1}",
        "{\"type\":\"epoch}",
        "{\"type\":\"epoch\",\"session\":\"a\",\"seq\":1}",
        "{\"type\":\"epoch\",\"sessionId\":\"a b\",\"seq\":1}",
        "{\"type\":\"epoch\",\"sessionId\":\"a}",
        "{\"type\":\"epoch\",\"sessionId\":\"a\",\"sea\":1}",
        "{\"type\":\"epoch\",\"sessionId\":\"a\",\"seq\":}",
        "{\"type\":\"epoch\",\"sessionId\":\"a\",\"seq\":1.5}",
        "{\"type\":\"epoch\",\"sessionId\":\"a\",\"seq\":99999999999999999999}",
    };
    struct spool_line line;
    for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++)
        assert_false(spool_line_read(span_of(damaged[i]), &line));
    assert_true(
        spool_line_read(SPAN("{\"type\":\"epoch\",\"sessionId\":\"a\",\"seq\":12}"), &line));
    assert_int_equal(line.seq, 12);
    assert_true(span_is(line.head, "{\"type\":\"epoch\",\"sessionId\":\"a\",\"seq\":"));
    assert_true(span_is(line.tail, "}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_folder_is_the_one_that_is_named_else_of_the_user_s_state),
        cmocka_unit_test(a_folder_that_no_system_has_is_not_made),
        cmocka_unit_test(a_damaged_line_is_none),
    };
    return cmocka_run_group_tests_name("clients/c/spool_format", tests, NULL, NULL);
}
