/* SPDX-License-Identifier: MIT */
#include "clients/c/queue.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct entry *value(int64_t step)
{
    const struct streamd_metric metric = {"loss", 1};
    struct entry *e = entry_of_metrics(LINE_PROGRESS, step, &metric, 1);
    assert_non_null(e);
    return e;
}

static struct entry *event(enum line_type type, int64_t number)
{
    struct entry *e = entry_of_event(type, number, NULL);
    assert_non_null(e);
    return e;
}

static size_t value_bytes(void)
{
    struct entry *e = value(0);
    size_t bytes = e->bytes;
    free(e);
    return bytes;
}

static void assert_takes(struct queue *q, enum line_type type, int64_t number)
{
    struct entry *e = queue_take(q);
    assert_non_null(e);
    assert_int_equal(e->type, type);
    assert_int_equal(e->number, number);
    free(e);
}

static bool woken(const struct queue *q)
{
    struct pollfd pollfd = {.fd = q->wake_fd, .events = POLLIN};
    return poll(&pollfd, 1, 0) == 1;
}

static void lines_of_both_kinds_come_in_the_order_they_went(void **state)
{
    (void)state;
    struct queue q;
    assert_int_equal(queue_init(&q, 1 << 20), OK);
    assert_int_equal(queue_put(&q, value(1)), 0);
    assert_int_equal(queue_put(&q, event(LINE_MODEL_COMPLETED, 2)), 0);
    assert_int_equal(queue_put(&q, event(LINE_MODEL_COMPLETED, 3)), 0);
    assert_int_equal(queue_put(&q, value(4)), 0);
    assert_int_equal(queue_put(&q, value(5)), 0);
    assert_int_equal(queue_put(&q, event(LINE_COMPLETE, 6)), 0);
    assert_false(queue_empty(&q));
    assert_takes(&q, LINE_PROGRESS, 1);
    assert_takes(&q, LINE_MODEL_COMPLETED, 2);
    assert_takes(&q, LINE_MODEL_COMPLETED, 3);
    assert_takes(&q, LINE_PROGRESS, 4);
    assert_takes(&q, LINE_PROGRESS, 5);
    assert_takes(&q, LINE_COMPLETE, 6);
    assert_null(queue_take(&q));
    assert_true(queue_empty(&q));
    assert_int_equal(queue_fini(&q), 0);
}

static void a_full_queue_gives_up_the_oldest_value(void **state)
{
    (void)state;
    struct queue q;
    assert_int_equal(queue_init(&q, 3 * value_bytes()), OK);
    for (int64_t step = 1; step <= 3; step++)
        assert_int_equal(queue_put(&q, value(step)), 0);
    assert_int_equal(queue_put(&q, value(4)), 1);
    assert_int_equal(queue_put(&q, value(5)), 1);
    for (int64_t step = 3; step <= 5; step++)
        assert_takes(&q, LINE_PROGRESS, step);
    assert_int_equal(q.bytes, 0);
    assert_int_equal(queue_fini(&q), 0);
}

static void values_make_room_for_lifecycle_lines_and_never_the_reverse(void **state)
{
    (void)state;
    struct queue q;
    assert_int_equal(queue_init(&q, 3 * value_bytes()), OK);
    assert_int_equal(queue_put(&q, event(LINE_MODEL_COMPLETED, 0)), 0);
    assert_int_equal(queue_put(&q, event(LINE_MODEL_COMPLETED, 1)), 0);
    size_t given_up = 0;
    for (int64_t step = 1; step <= 10; step++)
        given_up += queue_put(&q, value(step));
    assert_int_equal(given_up, 9);
    assert_int_equal(queue_put(&q, event(LINE_MODEL_COMPLETED, 2)), 1);
    for (int64_t index = 0; index <= 2; index++)
        assert_takes(&q, LINE_MODEL_COMPLETED, index);
    assert_null(queue_take(&q));
    assert_int_equal(queue_fini(&q), 0);
}

static void too_many_lifecycle_lines_are_refused_but_for_the_end(void **state)
{
    (void)state;
    struct queue q;
    assert_int_equal(queue_init(&q, 2 * value_bytes()), OK);
    size_t given_up = 0;
    for (int64_t index = 0; index < 10; index++)
        given_up += queue_put(&q, event(LINE_MODEL_COMPLETED, index));
    assert_in_range(given_up, 7, 8);
    assert_int_equal(queue_put(&q, event(LINE_FAIL, 77)), 0);
    for (int64_t index = 0; index < 10 - (int64_t)given_up; index++)
        assert_takes(&q, LINE_MODEL_COMPLETED, index);
    assert_takes(&q, LINE_FAIL, 77);
    assert_int_equal(queue_fini(&q), 0);
}

static void a_line_that_could_not_be_made_counts_as_given_up(void **state)
{
    (void)state;
    struct queue q;
    assert_int_equal(queue_init(&q, 1000), OK);
    assert_int_equal(queue_put(&q, NULL), 1);
    assert_true(queue_empty(&q));
    assert_int_equal(queue_fini(&q), 0);
}

static void only_a_sleeper_is_woken_and_only_once(void **state)
{
    (void)state;
    struct queue q;
    assert_int_equal(queue_init(&q, 1 << 20), OK);
    assert_int_equal(queue_put(&q, value(1)), 0);
    assert_false(woken(&q));
    assert_false(queue_sleep(&q)); /* there is a line */
    assert_takes(&q, LINE_PROGRESS, 1);
    assert_true(queue_sleep(&q));
    assert_false(woken(&q));
    assert_int_equal(queue_put(&q, value(2)), 0);
    assert_true(woken(&q));
    queue_woken(&q);
    assert_false(woken(&q));
    assert_int_equal(queue_put(&q, value(3)), 0);
    assert_false(woken(&q));
    queue_wake(&q);
    assert_true(woken(&q));
    assert_int_equal(queue_fini(&q), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_both_kinds_come_in_the_order_they_went),
        cmocka_unit_test(a_full_queue_gives_up_the_oldest_value),
        cmocka_unit_test(values_make_room_for_lifecycle_lines_and_never_the_reverse),
        cmocka_unit_test(too_many_lifecycle_lines_are_refused_but_for_the_end),
        cmocka_unit_test(a_line_that_could_not_be_made_counts_as_given_up),
        cmocka_unit_test(only_a_sleeper_is_woken_and_only_once),
    };
    return cmocka_run_group_tests_name("clients/c/queue", tests, NULL, NULL);
}
