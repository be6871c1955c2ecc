/* SPDX-License-Identifier: MIT */
#include "base/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct item {
    int number;
    struct list link;
};

static int numbers(const struct list *head)
{
    int digits = 0;
    LIST_EACH (at, head) {
        digits = digits * 10 + LIST_ENTRY(at, struct item, link)->number;
    }
    return digits;
}

static void elements_stand_in_the_order_of_adding(void **state)
{
    (void)state;
    struct list head;
    struct item items[3] = {{.number = 1}, {.number = 2}, {.number = 3}};
    list_init(&head);
    assert_true(list_empty(&head));
    assert_null(list_first(&head));
    for (size_t i = 0; i < 3; i++)
        list_add_tail(&head, &items[i].link);
    assert_int_equal(numbers(&head), 123);
    assert_ptr_equal(LIST_ENTRY(list_first(&head), struct item, link), &items[0]);
}

static void any_element_can_be_removed_even_twice(void **state)
{
    (void)state;
    struct list head;
    struct item items[3] = {{.number = 1}, {.number = 2}, {.number = 3}};
    list_init(&head);
    for (size_t i = 0; i < 3; i++)
        list_add_tail(&head, &items[i].link);
    list_remove(&items[1].link);
    list_remove(&items[1].link);
    assert_int_equal(numbers(&head), 13);
    list_remove(&items[0].link);
    list_remove(&items[2].link);
    assert_true(list_empty(&head));
    list_add_tail(&head, &items[1].link);
    assert_int_equal(numbers(&head), 2);
}

static void the_element_at_hand_may_go_while_walking(void **state)
{
    (void)state;
    struct list head;
    struct item items[5] = {0};
    list_init(&head);
    for (int i = 0; i < 5; i++) {
        items[i].number = i + 1;
        list_add_tail(&head, &items[i].link);
    }
    LIST_EACH_SAFE (at, &head) {
        if (LIST_ENTRY(at, struct item, link)->number % 2 == 1)
            list_remove(at);
    }
    assert_int_equal(numbers(&head), 24);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_stand_in_the_order_of_adding),
        cmocka_unit_test(any_element_can_be_removed_even_twice),
        cmocka_unit_test(the_element_at_hand_may_go_while_walking),
    };
    return cmocka_run_group_tests_name("base/list", tests, NULL, NULL);
}
