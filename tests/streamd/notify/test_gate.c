/* SPDX-License-Identifier: MIT */
#include "streamd/notify/gate.h"

#include "tests/streamd/notify/events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define S UINT64_C(1000000)
enum { NOON = 12 * 60, MIDNIGHT = 0 };

static struct gate gate_of(struct gate_rules rules)
{
    struct gate g;
    gate_init(&g, &rules);
    return g;
}

static void an_alert_comes_again_after_its_cooldown(void **state)
{
    (void)state;
    struct gate g = gate_of((struct gate_rules){0});
    struct assessment a = {0};
    struct notify_event e = event_to_phase(&a, PHASE_PLATEAU);
    assert_true(gate_passes(&g, &e, 1 * S, NOON));
    e = event_to_phase(&a, PHASE_PLATEAU);
    assert_false(gate_passes(&g, &e, 600 * S, NOON));
    e = event_to_phase(&a, PHASE_PLATEAU);
    assert_true(gate_passes(&g, &e, 601 * S, NOON));
    assert_int_equal(g.spared, 1);
}

static void alerts_of_other_runs_and_kinds_do_not_wait_for_it(void **state)
{
    (void)state;
    struct gate g = gate_of((struct gate_rules){0});
    struct assessment a = {0};
    struct notify_event e = event_to_phase(&a, PHASE_PLATEAU);
    assert_true(gate_passes(&g, &e, S, NOON));
    e.session_id = "run-2";
    assert_true(gate_passes(&g, &e, S, NOON));
    e = event_to_phase(&a, PHASE_OVERFITTING_RISK);
    assert_true(gate_passes(&g, &e, S, NOON));
    e = event_over(NOTIFY_STOP, &a);
    assert_true(gate_passes(&g, &e, S, NOON));
}

static void divergence_and_crash_pass_everything(void **state)
{
    (void)state;
    struct gate g = gate_of((struct gate_rules){
        .threshold = SEVERITY_CRITICAL, .quiet_from = 0, .quiet_to = MINUTES_OF_DAY});
    struct assessment a = {0};
    for (int i = 0; i < 3; i++) {
        struct notify_event e = event_to_phase(&a, PHASE_DIVERGING);
        assert_true(gate_passes(&g, &e, S, NOON));
        e = event_to_phase(&a, PHASE_CRASHED);
        assert_true(gate_passes(&g, &e, S, NOON));
        e = event_of_finding(&a, FINDING_DIVERGENCE, SEVERITY_CRITICAL);
        assert_true(gate_passes(&g, &e, S, NOON));
    }
}

static void a_finding_that_grew_severe_is_another_alert(void **state)
{
    (void)state;
    struct gate g = gate_of((struct gate_rules){0});
    struct assessment a = {0};
    struct notify_event e = event_of_finding(&a, FINDING_OVERFITTING, SEVERITY_INFO);
    assert_true(gate_passes(&g, &e, S, NOON));
    e = event_of_finding(&a, FINDING_OVERFITTING, SEVERITY_INFO);
    assert_false(gate_passes(&g, &e, 2 * S, NOON));
    e = event_of_finding(&a, FINDING_OVERFITTING, SEVERITY_WARNING);
    assert_true(gate_passes(&g, &e, 3 * S, NOON));
}

static void the_same_event_never_passes_twice(void **state)
{
    (void)state;
    struct gate g = gate_of((struct gate_rules){0});
    struct assessment a = {0};
    struct notify_event e = event_to_phase(&a, PHASE_DIVERGING);
    assert_true(gate_passes(&g, &e, S, NOON));
    assert_false(gate_passes(&g, &e, S, NOON));
    assert_false(gate_passes(&g, &e, 9000 * S, NOON));
    struct notify_event spared = event_to_phase(&a, PHASE_PLATEAU);
    assert_true(gate_passes(&g, &spared, S, NOON));
    spared = event_to_phase(&a, PHASE_PLATEAU);
    assert_false(gate_passes(&g, &spared, 2 * S, NOON));
    assert_false(gate_passes(&g, &spared, 9000 * S, NOON)); /* spared is spared */
}

/* The same session id, counted from one again. */
static void a_run_that_begins_anew_is_told_of(void **state)
{
    (void)state;
    struct gate g = gate_of((struct gate_rules){0});
    struct assessment a = {.transitions = 7};
    struct notify_event e = event_to_phase(&a, PHASE_DIVERGING);
    assert_true(gate_passes(&g, &e, S, NOON));
    a = (struct assessment){0};
    e = event_to_phase(&a, PHASE_DIVERGING);
    assert_true(gate_passes(&g, &e, 2 * S, NOON));
    assert_false(gate_passes(&g, &e, 3 * S, NOON));
}

static void progress_keeps_its_distance(void **state)
{
    (void)state;
    struct gate g = gate_of((struct gate_rules){0});
    struct assessment a = {0};
    struct notify_event e = event_over(NOTIFY_PROGRESS, &a);
    assert_true(gate_passes(&g, &e, S, NOON));
    assert_false(gate_passes(&g, &e, 300 * S, NOON));
    assert_true(gate_passes(&g, &e, 301 * S, NOON));
}

static void rules_and_reports_have_their_own_measure(void **state)
{
    (void)state;
    struct gate g = gate_of((struct gate_rules){0});
    struct assessment a = {0};
    struct notify_event e = event_over(NOTIFY_RULE, &a);
    e.number = 1;
    e.rule = "loss-high";
    assert_true(gate_passes(&g, &e, S, NOON));
    assert_false(gate_passes(&g, &e, 2 * S, NOON)); /* the same time that it became true */
    e.rule = "loss-low";
    assert_true(gate_passes(&g, &e, 2 * S, NOON));
    e.rule = "loss-high";
    e.number = 2;
    assert_true(gate_passes(&g, &e, 3 * S, NOON)); /* it has a cooldown of its own */
    e = event_over(NOTIFY_REPORT, &a);
    assert_true(gate_passes(&g, &e, S, NOON) && gate_passes(&g, &e, 2 * S, NOON));
}

static void below_the_threshold_nothing_is_told(void **state)
{
    (void)state;
    struct gate g = gate_of((struct gate_rules){.threshold = SEVERITY_WARNING});
    struct assessment a = {0};
    struct notify_event e = event_to_phase(&a, PHASE_LEARNING_FAST);
    assert_false(gate_passes(&g, &e, S, NOON));
    e = event_of_finding(&a, FINDING_MEMORY_LEAK, SEVERITY_INFO);
    assert_false(gate_passes(&g, &e, S, NOON));
    e = event_to_phase(&a, PHASE_PLATEAU);
    assert_true(gate_passes(&g, &e, S, NOON));
}

static void at_night_only_what_is_critical_is_told(void **state)
{
    (void)state;
    struct gate_rules rules = {0};
    assert_true(gate_parse_quiet("22:00-07:30", &rules));
    struct gate g = gate_of(rules);
    struct assessment a = {0};
    static const struct {
        unsigned minute;
        bool told;
    } cases[] = {{22 * 60 - 1, true},
                 {22 * 60, false},
                 {MIDNIGHT, false},
                 {7 * 60 + 29, false},
                 {7 * 60 + 30, true}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct notify_event e = event_to_phase(&a, PHASE_PLATEAU);
        assert_int_equal(gate_passes(&g, &e, (i + 1) * 1000 * S, cases[i].minute), cases[i].told);
    }
    struct notify_event e = event_of_finding(&a, FINDING_MEMORY_SHORT, SEVERITY_CRITICAL);
    assert_true(gate_passes(&g, &e, 1 * S, MIDNIGHT));
}

static void quiet_hours_are_two_times_of_day(void **state)
{
    (void)state;
    static const char *const bad[] = {"",          "22",          "22:00", "24:00-01:00",
                                      "1:60-2:00", "22:00-07:00x"};
    struct gate_rules rules = {.quiet_from = 1, .quiet_to = 2};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(gate_parse_quiet(bad[i], &rules));
    assert_int_equal(rules.quiet_from, 1);
    assert_true(gate_parse_quiet("9:05-17:00", &rules));
    assert_int_equal(rules.quiet_from, 545);
    assert_int_equal(rules.quiet_to, 1020);
}

static void the_oldest_alert_is_forgotten_first(void **state)
{
    (void)state;
    struct gate g = gate_of((struct gate_rules){0});
    struct assessment a = {0};
    char id[16];
    for (unsigned i = 0; i <= GATE_ALERTS; i++) {
        struct notify_event e = event_over(NOTIFY_STOP, &a);
        (void)snprintf(id, sizeof(id), "run-%u", i);
        e.session_id = id;
        assert_true(gate_passes(&g, &e, (i + 1) * S, NOON));
    }
    struct notify_event e = event_over(NOTIFY_STOP, &a);
    e.session_id = "run-1";
    assert_false(gate_passes(&g, &e, 300 * S, NOON));
    e.session_id = "run-0";
    assert_true(gate_passes(&g, &e, 300 * S, NOON));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_alert_comes_again_after_its_cooldown),
        cmocka_unit_test(alerts_of_other_runs_and_kinds_do_not_wait_for_it),
        cmocka_unit_test(divergence_and_crash_pass_everything),
        cmocka_unit_test(a_finding_that_grew_severe_is_another_alert),
        cmocka_unit_test(the_same_event_never_passes_twice),
        cmocka_unit_test(a_run_that_begins_anew_is_told_of),
        cmocka_unit_test(progress_keeps_its_distance),
        cmocka_unit_test(rules_and_reports_have_their_own_measure),
        cmocka_unit_test(below_the_threshold_nothing_is_told),
        cmocka_unit_test(at_night_only_what_is_critical_is_told),
        cmocka_unit_test(quiet_hours_are_two_times_of_day),
        cmocka_unit_test(the_oldest_alert_is_forgotten_first),
    };
    return cmocka_run_group_tests_name("notify/gate", tests, NULL, NULL);
}
