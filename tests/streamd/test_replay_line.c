/* SPDX-License-Identifier: MIT */
#include "streamd/tools/replay_line.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void a_header_says_what_to_watch_and_for_how_long(void **state)
{
    (void)state;
    struct insight_config c = {0};
    assert_int_equal(
        replay_read_header(SPAN("{\"source\":{\"repo\":\"a/b\",\"total\":7},\"total\":100,"
                                "\"horizon\":null,\"monitor\":\"val_metric\","
                                "\"monitor_mode\":\"max\"}"),
                           &c),
        OK);
    assert_true(c.total == 100 && isnan(c.horizon));
    assert_int_equal(c.monitor, MONITOR_VAL_METRIC);
    assert_int_equal(c.goal, GOAL_HIGHEST);
}

static void a_number_may_be_a_word(void **state)
{
    (void)state;
    struct point p;
    assert_int_equal(replay_read_point(SPAN("{\"step\":3,\"train_loss\":\"nan\",\"val_loss\":"
                                            "\"-inf\",\"lr\":null,\"val_metric\":\"good\","
                                            "\"other\":[1,{}]}"),
                                       &p),
                     OK);
    assert_true(p.value[POINT_STEP] == 3 && isnan(p.value[POINT_TRAIN_LOSS]));
    assert_true(isinf(p.value[POINT_VAL_LOSS]));
    assert_false(point_has(&p, POINT_LR) || point_has(&p, POINT_VAL_METRIC));
}

static void what_is_no_object_is_refused(void **state)
{
    (void)state;
    static const char *const lines[] = {"", "[]", "3", "{\"step\":1", "{\"step\":1} x", "{step:1}"};
    struct insight_config c = {0};
    struct point p;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        assert_int_equal(replay_read_point(span_of(lines[i]), &p), E_MALFORMED);
        assert_int_equal(replay_read_header(span_of(lines[i]), &c), E_MALFORMED);
    }
}

static void what_is_not_known_is_null(void **state)
{
    (void)state;
    static struct insight run;
    struct point nothing = {0};
    struct buf b;
    buf_init(&b, 4096);
    insight_init(&run, &(struct insight_config){0});
    replay_write(&b, insight_point(&run, &nothing));
    assert_true(span_is(buf_span(&b),
                        "{\"phase\":\"INITIALIZING\",\"stop\":false,\"eta_s\":null,\"eta_lo\":null,"
                        "\"eta_hi\":null,\"best_step\":null,\"forecast\":null,\"forecast_lo\":null,"
                        "\"forecast_hi\":null,\"p_gain\":null,\"overfitting\":false,"
                        "\"diverging\":false,\"findings\":{}}\n"));
    buf_fini(&b);
}

static void what_is_found_has_its_severity(void **state)
{
    (void)state;
    static const struct assessment a = {
        .findings = {{.kind = FINDING_OVERFITTING, .severity = SEVERITY_INFO},
                     {.kind = FINDING_STALL, .severity = SEVERITY_WARNING}},
        .finding_count = 2,
    };
    struct buf b;
    buf_init(&b, 4096);
    replay_write(&b, &a);
    buf_add_char(&b, '\0');
    assert_int_equal(buf_status(&b), OK);
    assert_non_null(
        strstr(b.ptr, "\"findings\":{\"overfitting\":\"info\",\"stall\":\"warning\"}}\n"));
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_says_what_to_watch_and_for_how_long),
        cmocka_unit_test(a_number_may_be_a_word),
        cmocka_unit_test(what_is_no_object_is_refused),
        cmocka_unit_test(what_is_not_known_is_null),
        cmocka_unit_test(what_is_found_has_its_severity),
    };
    return cmocka_run_group_tests_name("streamd/tools/replay_line", tests, NULL, NULL);
}
