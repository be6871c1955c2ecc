/* SPDX-License-Identifier: MIT */
#include "base/timers.h"

#include "base/list.h"
#include "tests/support/oom.h"
#include "tests/support/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* A timer that writes down when it was called, and may re-arm itself. */
struct probe {
    struct timer timer;
    struct timers *in;
    char name;
    uint64_t again_us;    /* re-arm for this when called; 0: no */
    struct probe *victim; /* disarm this one when called */
};

static char calls[256];

static void on_due(struct timer *timer, uint64_t now_us)
{
    struct probe *p = LIST_ENTRY(timer, struct probe, timer);
    assert_false(timer_armed(timer));
    assert_true(timer->due_us <= now_us);
    size_t len = strlen(calls);
    assert_true(len + 1 < sizeof(calls));
    calls[len] = p->name;
    calls[len + 1] = '\0';
    if (p->victim)
        timers_disarm(p->in, &p->victim->timer);
    if (p->again_us > 0)
        assert_int_equal(timers_arm(p->in, timer, p->again_us), OK);
}

static void probe_init(struct probe *p, struct timers *in, char name)
{
    *p = (struct probe){.in = in, .name = name};
    timer_init(&p->timer, on_due);
    calls[0] = '\0';
}

static void timers_are_called_in_the_order_of_their_deadlines(void **state)
{
    (void)state;
    struct timers t;
    struct probe a;
    struct probe b;
    struct probe c;
    timers_init(&t);
    probe_init(&a, &t, 'a');
    probe_init(&b, &t, 'b');
    probe_init(&c, &t, 'c');
    assert_int_equal(timers_next_us(&t), UINT64_MAX);
    assert_int_equal(timers_arm(&t, &b.timer, 20), OK);
    assert_int_equal(timers_arm(&t, &c.timer, 30), OK);
    assert_int_equal(timers_arm(&t, &a.timer, 10), OK);
    assert_int_equal(timers_next_us(&t), 10);
    timers_run(&t, 9);
    assert_string_equal(calls, "");
    timers_run(&t, 20);
    assert_string_equal(calls, "ab");
    assert_true(timer_armed(&c.timer));
    assert_int_equal(timers_next_us(&t), 30);
    timers_fini(&t);
    assert_false(timer_armed(&c.timer));
}

static void arming_again_moves_the_deadline(void **state)
{
    (void)state;
    struct timers t;
    struct probe a;
    timers_init(&t);
    probe_init(&a, &t, 'a');
    assert_int_equal(timers_arm(&t, &a.timer, 10), OK);
    assert_int_equal(timers_arm(&t, &a.timer, 50), OK);
    assert_int_equal(t.count, 1);
    timers_run(&t, 49);
    assert_string_equal(calls, "");
    timers_disarm(&t, &a.timer);
    timers_disarm(&t, &a.timer);
    timers_run(&t, 1000);
    assert_string_equal(calls, "");
    timers_fini(&t);
}

static void a_timer_that_re_arms_itself_for_now_waits_for_the_next_run(void **state)
{
    (void)state;
    struct timers t;
    struct probe a;
    struct probe b;
    struct probe c;
    timers_init(&t);
    probe_init(&a, &t, 'a');
    probe_init(&b, &t, 'b');
    probe_init(&c, &t, 'c');
    a.again_us = 1; /* in the past, before b and c */
    assert_int_equal(timers_arm(&t, &a.timer, 1), OK);
    assert_int_equal(timers_arm(&t, &b.timer, 2), OK);
    assert_int_equal(timers_arm(&t, &c.timer, 1000000), OK);
    timers_run(&t, 5);
    assert_string_equal(calls, "ab");
    timers_run(&t, 6);
    assert_string_equal(calls, "aba");
    timers_fini(&t);
}

static void a_timer_can_disarm_another_that_is_due(void **state)
{
    (void)state;
    struct timers t;
    struct probe a;
    struct probe b;
    struct probe c;
    timers_init(&t);
    probe_init(&a, &t, 'a');
    probe_init(&b, &t, 'b');
    probe_init(&c, &t, 'c');
    a.victim = &b;
    assert_int_equal(timers_arm(&t, &a.timer, 1), OK);
    assert_int_equal(timers_arm(&t, &b.timer, 2), OK);
    assert_int_equal(timers_arm(&t, &c.timer, 3), OK);
    timers_run(&t, 5);
    assert_string_equal(calls, "ac");
    timers_fini(&t);
}

enum { MANY = 300, ROUNDS = 20000 };

static uint64_t earliest(const struct probe *probes)
{
    uint64_t due = UINT64_MAX;
    for (size_t i = 0; i < MANY; i++) {
        if (timer_armed(&probes[i].timer) && probes[i].timer.due_us < due)
            due = probes[i].timer.due_us;
    }
    return due;
}

static void the_next_deadline_is_right_under_random_use(void **state)
{
    (void)state;
    struct timers t;
    static struct probe probes[MANY];
    struct random chance = random_seeded(2);
    uint64_t now_us = 0;
    timers_init(&t);
    for (size_t i = 0; i < MANY; i++)
        probe_init(&probes[i], &t, 'x');
    for (int round = 0; round < ROUNDS; round++) {
        struct timer *timer = &probes[random_below(&chance, MANY)].timer;
        if (random_below(&chance, 4) == 0)
            timers_disarm(&t, timer);
        else
            assert_int_equal(timers_arm(&t, timer, now_us + random_below(&chance, 1000)), OK);
        if (random_below(&chance, 10) == 0) {
            now_us += random_below(&chance, 20);
            calls[0] = '\0';
            timers_run(&t, now_us);
            assert_true(timers_next_us(&t) > now_us);
        }
        assert_int_equal(timers_next_us(&t), earliest(probes));
    }
    timers_fini(&t);
}

static void out_of_memory_leaves_a_timer_unarmed(void **state)
{
    (void)state;
    struct timers t;
    struct probe a;
    timers_init(&t);
    probe_init(&a, &t, 'a');
    oom_fail(1);
    assert_int_equal(timers_arm(&t, &a.timer, 10), E_NOMEM);
    assert_true(oom_failed());
    assert_false(timer_armed(&a.timer));
    assert_int_equal(timers_next_us(&t), UINT64_MAX);
    assert_int_equal(timers_arm(&t, &a.timer, 10), OK);
    timers_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_are_called_in_the_order_of_their_deadlines),
        cmocka_unit_test(arming_again_moves_the_deadline),
        cmocka_unit_test(a_timer_that_re_arms_itself_for_now_waits_for_the_next_run),
        cmocka_unit_test(a_timer_can_disarm_another_that_is_due),
        cmocka_unit_test(the_next_deadline_is_right_under_random_use),
        cmocka_unit_test(out_of_memory_leaves_a_timer_unarmed),
    };
    return cmocka_run_group_tests_name("base/timers", tests, NULL, NULL);
}
