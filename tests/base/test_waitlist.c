/* SPDX-License-Identifier: MIT */
#include "base/waitlist.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { DELAY = 100 };

/* A node that writes down when it was called, and then does something. */
struct probe {
    struct wait wait;
    char name;
    struct waitlist *again_in; /* waits anew there when called */
    struct probe *victim;      /* is cancelled when this one is called */
    bool dies;                 /* is freed when called */
};

static char calls[256];
static uint64_t called_us;

static void on_due(struct wait *wait, uint64_t now_us)
{
    struct probe *p = LIST_ENTRY(wait, struct probe, wait);
    assert_false(wait_pending(wait));
    size_t len = strlen(calls);
    calls[len] = p->name;
    calls[len + 1] = '\0';
    called_us = now_us;
    if (p->victim)
        wait_cancel(&p->victim->wait);
    if (p->again_in)
        waitlist_add(p->again_in, wait, now_us);
    if (p->dies)
        free(p);
}

static void probe_init(struct probe *p, char name)
{
    *p = (struct probe){.name = name};
    wait_init(&p->wait);
}

static int setup(void **state)
{
    static struct waitlist list;
    waitlist_init(&list, DELAY, on_due);
    calls[0] = '\0';
    *state = &list;
    return 0;
}

static void an_empty_list_has_nothing_due(void **state)
{
    struct waitlist *l = *state;
    assert_int_equal(waitlist_next_us(l), UINT64_MAX);
    waitlist_run(l, 1000000);
    assert_string_equal(calls, "");
}

static void each_node_is_called_once_when_its_delay_has_passed(void **state)
{
    struct waitlist *l = *state;
    struct probe a;
    struct probe b;
    probe_init(&a, 'a');
    probe_init(&b, 'b');
    waitlist_add(l, &a.wait, 1000);
    waitlist_add(l, &b.wait, 1030);
    assert_true(wait_pending(&a.wait));
    assert_int_equal(waitlist_next_us(l), 1000 + DELAY);
    waitlist_run(l, 1000 + DELAY - 1);
    assert_string_equal(calls, "");
    waitlist_run(l, 1000 + DELAY);
    assert_string_equal(calls, "a");
    assert_int_equal(called_us, 1000 + DELAY);
    assert_int_equal(waitlist_next_us(l), 1030 + DELAY);
    waitlist_run(l, 5000);
    waitlist_run(l, 9000);
    assert_string_equal(calls, "ab");
    assert_int_equal(waitlist_next_us(l), UINT64_MAX);
}

static void who_is_added_again_waits_from_then_on(void **state)
{
    struct waitlist *l = *state;
    struct probe a;
    struct probe b;
    probe_init(&a, 'a');
    probe_init(&b, 'b');
    waitlist_add(l, &a.wait, 0);
    waitlist_add(l, &b.wait, 10);
    waitlist_add(l, &a.wait, 50);
    assert_int_equal(waitlist_next_us(l), 10 + DELAY);
    waitlist_run(l, 49 + DELAY);
    assert_string_equal(calls, "b");
    waitlist_run(l, 50 + DELAY);
    assert_string_equal(calls, "ba");
}

static void a_node_moves_from_one_list_to_another(void **state)
{
    struct waitlist *l = *state;
    struct waitlist other;
    struct probe a;
    waitlist_init(&other, 7, on_due);
    probe_init(&a, 'a');
    waitlist_add(l, &a.wait, 0);
    waitlist_add(&other, &a.wait, 20);
    assert_int_equal(waitlist_next_us(l), UINT64_MAX);
    assert_int_equal(waitlist_next_us(&other), 27);
    waitlist_run(l, 1000);
    assert_string_equal(calls, "");
    waitlist_run(&other, 27);
    assert_string_equal(calls, "a");
}

static void a_cancelled_node_is_not_called(void **state)
{
    struct waitlist *l = *state;
    struct probe a;
    probe_init(&a, 'a');
    wait_cancel(&a.wait);
    waitlist_add(l, &a.wait, 0);
    wait_cancel(&a.wait);
    wait_cancel(&a.wait);
    assert_false(wait_pending(&a.wait));
    assert_int_equal(waitlist_next_us(l), UINT64_MAX);
    waitlist_run(l, 1000);
    assert_string_equal(calls, "");
}

static void a_node_may_cancel_one_that_is_due_with_it(void **state)
{
    struct waitlist *l = *state;
    struct probe a;
    struct probe b;
    struct probe c;
    probe_init(&a, 'a');
    probe_init(&b, 'b');
    probe_init(&c, 'c');
    a.victim = &b;
    waitlist_add(l, &a.wait, 0);
    waitlist_add(l, &b.wait, 0);
    waitlist_add(l, &c.wait, 0);
    waitlist_run(l, DELAY);
    assert_string_equal(calls, "ac");
}

static void a_node_that_waits_anew_is_not_called_twice_in_a_run(void **state)
{
    struct waitlist *l = *state;
    struct probe a;
    probe_init(&a, 'a');
    a.again_in = l;
    waitlist_add(l, &a.wait, 0);
    waitlist_run(l, 50 * DELAY); /* however late the run is */
    assert_string_equal(calls, "a");
    assert_int_equal(waitlist_next_us(l), 51 * DELAY);
    waitlist_run(l, 51 * DELAY);
    assert_string_equal(calls, "aa");
    wait_cancel(&a.wait);
}

static void a_node_may_die_when_it_is_called(void **state)
{
    struct waitlist *l = *state;
    for (char name = 'a'; name <= 'e'; name++) {
        struct probe *p = malloc(sizeof(*p));
        assert_non_null(p);
        probe_init(p, name);
        p->dies = true;
        waitlist_add(l, &p->wait, 0);
    }
    waitlist_run(l, DELAY);
    assert_string_equal(calls, "abcde");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_empty_list_has_nothing_due, setup),
        cmocka_unit_test_setup(each_node_is_called_once_when_its_delay_has_passed, setup),
        cmocka_unit_test_setup(who_is_added_again_waits_from_then_on, setup),
        cmocka_unit_test_setup(a_node_moves_from_one_list_to_another, setup),
        cmocka_unit_test_setup(a_cancelled_node_is_not_called, setup),
        cmocka_unit_test_setup(a_node_may_cancel_one_that_is_due_with_it, setup),
        cmocka_unit_test_setup(a_node_that_waits_anew_is_not_called_twice_in_a_run, setup),
        cmocka_unit_test_setup(a_node_may_die_when_it_is_called, setup),
    };
    return cmocka_run_group_tests_name("base/waitlist", tests, NULL, NULL);
}
