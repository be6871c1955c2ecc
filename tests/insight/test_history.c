/* SPDX-License-Identifier: MIT */
#include "insight/history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void keeps_everything_while_there_is_room(void **state)
{
    (void)state;
    struct history h;
    history_init(&h);
    for (int i = 0; i < HISTORY_MAX - 1; i++)
        history_push(&h, i);
    assert_int_equal(h.count, HISTORY_MAX - 1);
    for (int i = 0; i < HISTORY_MAX - 1; i++)
        assert_float_equal(history_at(&h, i), i, 0);
    assert_float_equal(history_at(&h, -3), 0, 0);
    assert_float_equal(history_at(&h, 1e9), HISTORY_MAX - 2, 0);
}

static void covers_an_endless_series_evenly(void **state)
{
    (void)state;
    struct history h;
    history_init(&h);
    for (int i = 0; i < 1000000; i++) {
        history_push(&h, i);
        assert_true(h.count < HISTORY_MAX);
    }
    assert_true(h.count >= HISTORY_MAX / 2);
    for (unsigned i = 0; i < h.count; i++)
        assert_float_equal(h.value[i], (double)(i * h.stride), 0);
    assert_float_equal(history_at(&h, 500000), (double)(500000 - 500000 % h.stride), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_everything_while_there_is_room),
        cmocka_unit_test(covers_an_endless_series_evenly),
    };
    return cmocka_run_group_tests_name("insight/history", tests, NULL, NULL);
}
