/* SPDX-License-Identifier: MIT */
#include "streamd/tools/condition.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void what_is_no_condition_is_refused(void **state)
{
    static const char *const cases[] = {
        "",         "loss",     "=1",      "loss<",  "loss<x",       "loss<0.3x",
        "loss<nan", "loss!0.3", "phase<5", "phase=", "status>=done", "loss<0.3 ",
    };
    struct condition c;
    const char *why;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_false(condition_parse(cases[i], &c, &why));
        assert_non_null(why);
    }
}

static void a_metric_is_compared_with_a_number(void **state)
{
    static const struct {
        const char *text;
        double number;
        bool holds;
    } cases[] = {
        {"loss<0.3", 0.3, false}, {"loss<0.3", 0.29, true}, {"loss<=0.3", 0.3, true},
        {"loss=0.3", 0.3, true},  {"loss==0.3", 0.3, true}, {"loss=0.3", 0.31, false},
        {"val/loss>=1", 1, true}, {"val/loss>1", 1, false}, {"loss>-1e3", -999, true},
        {"loss<0.3", NAN, false}, {"loss>0.3", NAN, false}, {"loss<inf", 1e300, true},
    };
    struct condition c;
    const char *why;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(condition_parse(cases[i].text, &c, &why));
        assert_true(condition_is_about_a_metric(&c));
        assert_int_equal(condition_holds_of_number(&c, cases[i].number), cases[i].holds);
    }
}

static void words_are_equal_without_regard_to_case(void **state)
{
    struct condition c;
    const char *why;
    (void)state;
    assert_true(condition_parse("phase=plateau", &c, &why));
    assert_true(condition_is_about(&c, "phase") && !condition_is_about(&c, "status"));
    assert_false(condition_is_about_a_metric(&c));
    assert_true(condition_holds_of_word(&c, SPAN("PLATEAU")));
    assert_false(condition_holds_of_word(&c, SPAN("PLATEAUS")));
    assert_false(condition_holds_of_word(&c, SPAN("PLATEA")));
    assert_true(condition_parse("status==completed", &c, &why));
    assert_true(condition_holds_of_word(&c, SPAN("completed")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_condition_is_refused),
        cmocka_unit_test(a_metric_is_compared_with_a_number),
        cmocka_unit_test(words_are_equal_without_regard_to_case),
    };
    return cmocka_run_group_tests_name("streamd/tools/condition", tests, NULL, NULL);
}
