/* SPDX-License-Identifier: MIT */
#include "demo/trainer_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { ARGUMENTS_MAX = 20 };

static bool parsed(const char *const *arguments, struct trainer_options *out)
{
    char *argv[ARGUMENTS_MAX] = {(char *)"demo-trainer"};
    int argc = 1;
    for (; arguments[argc - 1]; argc++)
        argv[argc] = (char *)arguments[argc - 1];
    return trainer_options_parse(argc, argv, out);
}

static void nothing_given_is_all_defaults(void **state)
{
    (void)state;
    struct trainer_options o;
    assert_true(parsed((const char *const[]){NULL}, &o));
    assert_int_equal(o.models, 3);
    assert_int_equal(o.seed, 1);
    assert_int_equal(o.steps, 10000);
    assert_int_equal(o.step_delay_us, 0);
    assert_null(o.socket);
    assert_null(o.session);
    assert_false(o.quiet);
    assert_false(o.help);
}

static void every_option_reaches_its_place(void **state)
{
    (void)state;
    struct trainer_options o;
    assert_true(parsed((const char *const[]){"--socket", "/s", "--session", "a", "--models", "10",
                                             "--seed", "0", "--steps", "7", "--step-delay-us", "30",
                                             "--quiet", "--help", NULL},
                       &o));
    assert_string_equal(o.socket, "/s");
    assert_string_equal(o.session, "a");
    assert_int_equal(o.models, 10);
    assert_int_equal(o.seed, 0);
    assert_int_equal(o.steps, 7);
    assert_int_equal(o.step_delay_us, 30);
    assert_true(o.quiet);
    assert_true(o.help);
}

static void what_is_wrong_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[][3] = {
        {"--models", "0", NULL},    {"--models", "11", NULL},
        {"--models", "-1", NULL},   {"--models", "3x", NULL},
        {"--models", "", NULL},     {"--models", " 3", NULL},
        {"--steps", "0", NULL},     {"--steps", "99999999999999999999999", NULL},
        {"--steps", NULL, NULL},    {"--socket", NULL, NULL},
        {"--unknown", "1", NULL},   {"stray", NULL, NULL},
        {"--models=3", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct trainer_options o = {.models = 77};
        assert_false(parsed(wrong[i], &o));
        assert_int_equal(o.models, 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_given_is_all_defaults),
        cmocka_unit_test(every_option_reaches_its_place),
        cmocka_unit_test(what_is_wrong_is_refused),
    };
    return cmocka_run_group_tests_name("demo/trainer_options", tests, NULL, NULL);
}
