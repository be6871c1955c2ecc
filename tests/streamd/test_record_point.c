/* SPDX-License-Identifier: MIT */
#include "streamd/session/record_point.h"

#include "proto/line.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What a progress line with these metrics says to the interpreter. */
static struct point read(struct point_names *names, const char *metrics)
{
    static struct line_decoder decoder;
    static bool ready;
    struct line line;
    struct line_error error;
    struct record_memory memory;
    struct point p;
    char text[1024];
    if (!ready)
        line_decoder_init(&decoder, 1);
    ready = true;
    (void)snprintf(text, sizeof(text), "{\"type\":\"progress\",\"metrics\":{%s}}", metrics);
    assert_int_equal(line_decode(&decoder, span_of(text), &line, &error), OK);
    record_memory_init(&memory);
    record_complete(&line.record, &memory, 5, 1000);
    record_point(names, &line.record, 1000, &p);
    return p;
}

static void assert_value(const struct point *p, enum point_field field, double value)
{
    assert_true(point_has(p, field));
    assert_true(p->value[field] == value);
}

static void names_are_known_in_the_spellings_of_trainers(void **state)
{
    static const struct {
        const char *metrics;
        enum point_field field;
    } cases[] = {
        {"\"loss\":7", POINT_TRAIN_LOSS},
        {"\"train_loss\":7", POINT_TRAIN_LOSS},
        {"\"train/loss\":7", POINT_TRAIN_LOSS},
        {"\"training_loss\":7", POINT_TRAIN_LOSS},
        {"\"val_loss\":7", POINT_VAL_LOSS},
        {"\"val/loss\":7", POINT_VAL_LOSS},
        {"\"eval_loss\":7", POINT_VAL_LOSS},
        {"\"validation.loss\":7", POINT_VAL_LOSS},
        {"\"valid\":{\"loss\":7}", POINT_VAL_LOSS},
        {"\"lr\":7", POINT_LR},
        {"\"learning_rate\":7", POINT_LR},
        {"\"grad_norm\":7", POINT_GRAD_NORM},
        {"\"epoch\":7", POINT_EPOCH},
        {"\"step\":7", POINT_STEP},
        {"\"train_accuracy\":7", POINT_ACCURACY},
        {"\"gpu_memory_mb\":7", POINT_GPU_MEMORY_MB},
        {"\"gpu_memory_total_mb\":7", POINT_GPU_TOTAL_MB},
        {"\"val_accuracy\":7", POINT_VAL_METRIC},
        {"\"coco/bbox_mAP\":7", POINT_VAL_METRIC},
        {"\"metrics/mAP50-95(B)\":7", POINT_VAL_METRIC},
        {"\"timestamp\":7", POINT_TIME_S},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct point_names names = {0};
        struct point p = read(&names, cases[i].metrics);
        if (!point_has(&p, cases[i].field) || p.value[cases[i].field] != 7)
            fail_msg("%s is not the %s", cases[i].metrics, point_field_name(cases[i].field));
    }
}

static void what_has_no_meaning_is_left_out(void **state)
{
    struct point_names names = {0};
    (void)state;
    struct point p = read(&names, "\"banana\":1,\"eval_runtime\":2,\"val_examples\":3");
    assert_int_equal(p.has, 1U << POINT_TIME_S | 1U << POINT_MODEL);
    assert_string_equal(record_point_metric(&names), "");
}

static void the_clock_is_the_daemons_where_the_trainer_has_none(void **state)
{
    struct point_names names = {0};
    (void)state;
    struct point p = read(&names, "\"loss\":1");
    assert_value(&p, POINT_TIME_S, 1000);
}

static void a_name_in_another_place_still_means_the_same(void **state)
{
    struct point_names names = {0};
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct point p = read(&names, "\"val_loss\":2,\"lr\":3,\"x\":9");
        assert_value(&p, POINT_VAL_LOSS, 2);
        assert_value(&p, POINT_LR, 3);
        p = read(&names, "\"x\":9,\"lr\":4,\"val_loss\":5");
        assert_value(&p, POINT_VAL_LOSS, 5);
        assert_value(&p, POINT_LR, 4);
    }
}

static void the_first_rising_metric_is_the_one_that_is_followed(void **state)
{
    struct point_names names = {0};
    (void)state;
    struct point p = read(&names, "\"val_f1\":0.5,\"val_accuracy\":0.9");
    assert_value(&p, POINT_VAL_METRIC, 0.5);
    p = read(&names, "\"val_accuracy\":0.8");
    assert_false(point_has(&p, POINT_VAL_METRIC));
    assert_string_equal(record_point_metric(&names), "val_f1");
}

static void a_config_says_what_to_follow_and_how_long(void **state)
{
    struct point_names names;
    struct insight_config config;
    (void)state;
    record_point_config(SPAN("{\"monitor\":\"val_accuracy\",\"epochs\":12,\"total_steps\":800}"),
                        &names, &config);
    assert_int_equal(config.monitor, MONITOR_VAL_METRIC);
    assert_int_equal(config.goal, GOAL_HIGHEST);
    assert_true(config.total == 800 && config.total_epochs == 12);
    struct point p = read(&names, "\"val_f1\":0.5,\"val_accuracy\":0.9");
    assert_value(&p, POINT_VAL_METRIC, 0.9);
    record_point_config(SPAN("{\"num_gpus\":8,\"gpu_memory_total_mb\":40960}"), &names, &config);
    assert_true(config.devices == 8 && config.memory_mb == 40960);
    record_point_config(SPAN("{\"monitor\":\"eval_loss\"}"), &names, &config);
    assert_int_equal(config.monitor, MONITOR_VAL_LOSS);
    record_point_config(SPAN("{\"monitor\":\"loss\"}"), &names, &config);
    assert_int_equal(config.monitor, MONITOR_TRAIN_LOSS);
    record_point_config(SPAN("{\"monitor\":\"wer\",\"monitor_mode\":\"min\"}"), &names, &config);
    assert_int_equal(config.monitor, MONITOR_VAL_METRIC);
    assert_int_equal(config.goal, GOAL_LOWEST);
    p = read(&names, "\"wer\":0.25");
    assert_value(&p, POINT_VAL_METRIC, 0.25);
}

static void a_config_of_other_types_says_nothing(void **state)
{
    struct point_names names;
    struct insight_config config;
    (void)state;
    static const char *const configs[] = {
        "", "{}", "{\"monitor\":3,\"epochs\":\"12\",\"total_steps\":null}", "{\"monitor\":\"\"}"};
    for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
        record_point_config(span_of(configs[i]), &names, &config);
        assert_int_equal(config.monitor, MONITOR_AUTO);
        assert_int_equal(config.goal, GOAL_AUTO);
        assert_true(config.total == 0 && config.total_epochs == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_known_in_the_spellings_of_trainers),
        cmocka_unit_test(what_has_no_meaning_is_left_out),
        cmocka_unit_test(the_clock_is_the_daemons_where_the_trainer_has_none),
        cmocka_unit_test(a_name_in_another_place_still_means_the_same),
        cmocka_unit_test(the_first_rising_metric_is_the_one_that_is_followed),
        cmocka_unit_test(a_config_says_what_to_follow_and_how_long),
        cmocka_unit_test(a_config_of_other_types_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
