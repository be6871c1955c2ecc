/* SPDX-License-Identifier: MIT */
#include "streamd/session/reckoning.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void of_many_changes_of_phase_the_latest_are_kept(void **state)
{
    struct reckoning *r = calloc(1, sizeof(*r));
    (void)state;
    assert_non_null(r);
    reckoning_begin(r, SPAN(""));
    for (size_t i = 0; i < PHASE_MARKS_MAX + 1; i++)
        (void)reckoning_event(r, i % 2 ? INSIGHT_RESUMED : INSIGHT_CRASHED, NULL);
    assert_int_equal(r->mark_count, PHASE_MARKS_MAX);
    assert_int_equal(r->marks[PHASE_MARKS_MAX - 1].phase, insight_now(&r->engine)->phase);
    assert_int_equal(r->marks[1].phase, r->marks[PHASE_MARKS_MAX - 1].phase);
    assert_int_not_equal(r->marks[0].phase, r->marks[1].phase);
    free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_many_changes_of_phase_the_latest_are_kept),
    };
    return cmocka_run_group_tests_name("session/reckoning", tests, NULL, NULL);
}
