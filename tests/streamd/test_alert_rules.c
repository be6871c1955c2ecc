/* SPDX-License-Identifier: MIT */
#include "streamd/session/alert_rules.h"

#include "tests/streamd/agents.h"

static struct alert_rule rule_of(const char *metric, enum alert_op op, double value,
                                 uint64_t for_epochs)
{
    struct alert_rule rule = {
        .op = op, .value = value, .for_epochs = for_epochs, .cooldown_s = 3600};
    (void)snprintf(rule.name, sizeof(rule.name), "r");
    (void)snprintf(rule.metric, sizeof(rule.metric), "%s", metric);
    return rule;
}

static void each_condition_fires_when_it_has_held_for_long_enough(void **state)
{
    static const struct {
        const char *metric;
        enum alert_op op;
        double value;
        uint64_t for_epochs;
        const char *values[6]; /* of that metric, an epoch each */
        int fires;             /* with which of them; -1: never */
    } cases[] = {
        {"m", ALERT_LT, 1, 1, {"1", "0.9"}, 1},
        {"m", ALERT_LE, 1, 1, {"1.1", "1"}, 1},
        {"m", ALERT_GT, 1, 2, {"2", "1", "2", "3"}, 3},
        {"m", ALERT_GE, 1, 1, {"1"}, 0},
        {"m", ALERT_NONFINITE, 0, 1, {"1", "NaN"}, 1},
        {"m", ALERT_GT, 1, 1, {"NaN", "NaN"}, -1},
        {"val_loss", ALERT_NO_IMPROVEMENT, 0, 2, {"3", "2", "2.5", "2"}, 3},
        {"val_acc", ALERT_NO_IMPROVEMENT, 0, 2, {"0.1", "0.2", "0.3", "0.4"}, -1},
        {"val_loss", ALERT_NO_IMPROVEMENT, 0, 2, {"3", "NaN", "NaN"}, 2},
        {"m", ALERT_NO_IMPROVEMENT, 0.5, 3, {"3", "2.9", "2.8", "2.7"}, 3},
    };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char id[16];
        char line[256];
        const struct alert_rule *kept;
        (void)snprintf(id, sizeof(id), "run-%zu", i);
        starts(w, id, "{}");
        struct session *s = registry_find(&w->app->registry, span_of(id));
        const struct alert_rule rule =
            rule_of(cases[i].metric, cases[i].op, cases[i].value, cases[i].for_epochs);
        assert_int_equal(alert_rule_set(s, &rule, &kept), OK);
        for (int e = 0; cases[i].values[e]; e++) {
            (void)snprintf(line, sizeof(line),
                           "{\"type\":\"progress\",\"sessionId\":\"%s\",\"metrics\":{\"epoch\":%d,"
                           "\"%s\":%s}}",
                           id, e, cases[i].metric, cases[i].values[e]);
            world_line(w, line);
            bool expected = cases[i].fires >= 0 && e >= cases[i].fires;
            if (kept->times != expected || alert_rules_firing(s) != expected)
                fail_msg("case %zu, value %d", i, e);
        }
    }
}

static void records_of_one_epoch_count_as_one(void **state)
{
    struct world *w = *state;
    const struct alert_rule *kept;
    starts(w, "a", "{}");
    struct session *s = registry_find(&w->app->registry, SPAN("a"));
    const struct alert_rule rule = rule_of("m", ALERT_GT, 1, 2);
    assert_int_equal(alert_rule_set(s, &rule, &kept), OK);
    for (int i = 0; i < 5; i++)
        world_line(w, "{\"type\":\"progress\",\"sessionId\":\"a\",\"metrics\":{\"epoch\":1,"
                      "\"m\":2}}");
    assert_int_equal(kept->times, 0);
    world_line(w, "{\"type\":\"progress\",\"sessionId\":\"a\",\"metrics\":{\"epoch\":2,\"m\":2}}");
    assert_int_equal(kept->times, 1);
}

static void a_record_without_the_metric_says_nothing_of_it(void **state)
{
    struct world *w = *state;
    const struct alert_rule *kept;
    starts(w, "a", "{}");
    struct session *s = registry_find(&w->app->registry, SPAN("a"));
    const struct alert_rule rule = rule_of("m", ALERT_GT, 1, 2);
    assert_int_equal(alert_rule_set(s, &rule, &kept), OK);
    world_line(w, "{\"type\":\"progress\",\"sessionId\":\"a\",\"metrics\":{\"epoch\":1,\"m\":2}}");
    world_line(w, "{\"type\":\"progress\",\"sessionId\":\"a\",\"metrics\":{\"epoch\":2,\"n\":0}}");
    assert_int_equal(kept->times, 0);
    world_line(w, "{\"type\":\"progress\",\"sessionId\":\"a\",\"metrics\":{\"epoch\":3,\"m\":2}}");
    assert_int_equal(kept->times, 1);
}

static void a_run_has_a_bounded_number_of_them(void **state)
{
    struct world *w = *state;
    const struct alert_rule *kept;
    starts(w, "a", "{}");
    struct session *s = registry_find(&w->app->registry, SPAN("a"));
    struct alert_rule rule = rule_of("m", ALERT_GT, 1, 1);
    for (int i = 0; i < ALERT_RULES_MAX; i++) {
        (void)snprintf(rule.name, sizeof(rule.name), "r%d", i);
        assert_int_equal(alert_rule_set(s, &rule, &kept), OK);
    }
    assert_int_equal(alert_rule_set(s, &rule, &kept), OK); /* that is there already */
    (void)snprintf(rule.name, sizeof(rule.name), "one more");
    assert_int_equal(alert_rule_set(s, &rule, &kept), E_LIMIT);
    assert_true(alert_rule_remove(s, SPAN("r0")));
    assert_false(alert_rule_remove(s, SPAN("r0")));
    assert_int_equal(alert_rule_set(s, &rule, &kept), OK);
}

static void operators_are_found_by_name(void **state)
{
    (void)state;
    assert_int_equal(alert_op_find(SPAN("no_improvement")), ALERT_NO_IMPROVEMENT);
    assert_int_equal(alert_op_find(SPAN("eq")), ALERT_OPS);
}

/* ---- as a row has them ---- */

enum { AGE_BASE_US = 1000000 };

static void assert_same_rule(const struct alert_rule *a, const struct alert_rule *b)
{
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->metric, b->metric);
    assert_int_equal(a->op, b->op);
    assert_true(a->value == b->value);
    assert_int_equal(a->for_epochs, b->for_epochs);
    assert_int_equal(a->cooldown_s, b->cooldown_s);
    assert_int_equal(a->holds, b->holds);
    assert_int_equal(a->firing, b->firing);
    assert_int_equal(a->seen, b->seen);
    assert_int_equal(a->count, b->count);
    assert_true(a->epoch == b->epoch || (isnan(a->epoch) && isnan(b->epoch)));
    assert_true(a->best == b->best || (isnan(a->best) && isnan(b->best)));
    assert_int_equal(a->times, b->times);
}

static void as_many_as_there_may_be_come_back_as_they_stood(void **state)
{
    struct alert_rule each[ALERT_RULES_MAX];
    struct alert_rules was = {each, ALERT_RULES_MAX};
    struct alert_rules back = {NULL, 0};
    struct buf row;
    (void)state;
    for (unsigned i = 0; i < ALERT_RULES_MAX; i++) {
        each[i] = (struct alert_rule){.op = (enum alert_op)(i % ALERT_OPS),
                                      .value = -1.5e-300 * i,
                                      .for_epochs = i + 1,
                                      .cooldown_s = 1000000000 * (uint64_t)(i % 2),
                                      .holds = i % 2,
                                      .firing = i % 3 == 1,
                                      .seen = i % 5 != 0,
                                      .count = i * (uint64_t)1000,
                                      .epoch = i % 2 ? i : (double)NAN,
                                      .best = i % 4 ? 0.1 * i : (double)NAN,
                                      .times = i,
                                      .silent_us = i * (uint64_t)AGE_BASE_US};
        /* Each byte may take six as JSON. */
        memset(each[i].name, i % 2 ? 1 : '"', ALERT_NAME_MAX - 1);
        memset(each[i].metric, 2, METRIC_NAME_MAX - 1);
    }
    buf_init(&row, ALERT_RULES_BYTES_MAX);
    alert_rules_write(&was, AGE_BASE_US, &row);
    assert_int_equal(buf_status(&row), OK);
    /* Five seconds later on the store's clock, and newly booted: its clock is ahead of ours by
     * more. */
    assert_int_equal(alert_rules_read(&back, 6 * AGE_BASE_US, buf_span(&row)), OK);
    assert_int_equal(back.count, ALERT_RULES_MAX);
    for (unsigned i = 0; i < ALERT_RULES_MAX; i++) {
        assert_same_rule(&back.rules[i], &each[i]);
        assert_int_equal(back.rules[i].silent_us, i > 5 ? (i - 5) * (uint64_t)AGE_BASE_US : 0);
    }
    alert_rules_fini(&back);
    buf_fini(&row);
}

static void what_makes_no_sense_is_no_rule(void **state)
{
    static const char *const rows[] = {
        "",
        "[]",
        "{}",
        "7",
        "[",
        "[7,null,[]]",
        "[{}]",
        "[{\"name\":\"n\",\"metric\":\"m\"}]",
        "[{\"name\":\"n\",\"metric\":\"m\",\"op\":\"eq\"}]",
        "[{\"name\":\"\",\"metric\":\"m\",\"op\":\"lt\"}]",
        "[{\"name\":\"n\",\"metric\":"
        "\"mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm\",\"op\":\"lt\"}]",
    };
    struct alert_rules a = {NULL, 0};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(alert_rules_read(&a, 0, span_of(rows[i])), OK);
        if (a.count != 0 || a.rules)
            fail_msg("%s", rows[i]);
    }
    assert_int_equal(alert_rules_read(&a, 0,
                                      SPAN("[7,{\"name\":\"n\",\"metric\":\"m\",\"op\":\"lt\","
                                           "\"count\":-1,\"times\":1e300,\"silent_us\":-5}]")),
                     OK);
    assert_int_equal(a.count, 1);
    assert_int_equal(a.rules[0].count + a.rules[0].times + a.rules[0].silent_us, 0);
    alert_rules_fini(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        AGENT_TEST(each_condition_fires_when_it_has_held_for_long_enough),
        AGENT_TEST(records_of_one_epoch_count_as_one),
        AGENT_TEST(a_record_without_the_metric_says_nothing_of_it),
        AGENT_TEST(a_run_has_a_bounded_number_of_them),
        AGENT_TEST(operators_are_found_by_name),
        cmocka_unit_test(as_many_as_there_may_be_come_back_as_they_stood),
        cmocka_unit_test(what_makes_no_sense_is_no_rule),
    };
    return cmocka_run_group_tests_name("session/alert_rules", tests, NULL, NULL);
}
