/* SPDX-License-Identifier: MIT */
#include "streamd/store/rewind.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

/* A crash at step 40, resumed at 20; another at 60, resumed at 50; model 2 resumed at 10. */
static const struct rewind rewinds[] = {{100, 20, 1}, {200, 50, 1}, {300, 10, 2}};

static void what_followed_the_step_before_the_rewind_is_superseded(void **state)
{
    static const struct {
        struct rewind entry;
        bool superseded;
    } cases[] = {
        {{19, 19, 1}, false},        {{20, 20, 1}, true},     {{99, 40, 1}, true},
        {{100, 20, 1}, false},       {{130, 49.5, 1}, false}, {{199, 60, 1}, true},
        {{200, 50, 1}, false},       {{250, 10, 2}, true},    {{250, 9, 2}, false},
        {{250, 99, 1}, false},       {{299, 99, 3}, false},   {{300, 10, 2}, false},
        {{50, NAN, 1}, false},       {{50, 30, NAN}, false},  {{50, INFINITY, 1}, true},
        {{UINT64_MAX, 0, 1}, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (rewind_covers(rewinds, 3, cases[i].entry) != cases[i].superseded)
            fail_msg("case %zu", i);
    }
}

static void without_a_rewind_nothing_is_superseded(void **state)
{
    (void)state;
    assert_false(rewind_covers(NULL, 0, (struct rewind){1, 1, 1}));
}

static void runs_without_models_are_rewound_too(void **state)
{
    static const struct rewind without = {10, 5, NAN};
    (void)state;
    assert_true(rewind_covers(&without, 1, (struct rewind){7, 6, NAN}));
    assert_false(rewind_covers(&without, 1, (struct rewind){7, 6, 1}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_followed_the_step_before_the_rewind_is_superseded),
        cmocka_unit_test(without_a_rewind_nothing_is_superseded),
        cmocka_unit_test(runs_without_models_are_rewound_too),
    };
    return cmocka_run_group_tests_name("store/rewind", tests, NULL, NULL);
}
