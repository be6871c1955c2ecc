/* SPDX-License-Identifier: MIT */
#include "proto/record.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct record_memory memory;

static int make_memory(void **state)
{
    (void)state;
    record_memory_init(&memory);
    return 0;
}

/* A record with up to three fields sent; F_TIMESTAMP stands for none. */
static struct record sent(enum record_field a, double x, enum record_field b, double y,
                          enum record_field c, double z)
{
    struct record r;
    record_init(&r);
    const enum record_field fields[] = {a, b, c};
    const double values[] = {x, y, z};
    for (int i = 0; i < 3; i++) {
        if (fields[i] != F_TIMESTAMP)
            record_set(&r, fields[i], num_float(values[i]));
    }
    return r;
}

static struct record sent_one(enum record_field field, double value)
{
    return sent(field, value, F_TIMESTAMP, 0, F_TIMESTAMP, 0);
}

static struct record empty(void)
{
    return sent_one(F_TIMESTAMP, 0);
}

static double completed(struct record r, enum record_field field)
{
    record_complete(&r, &memory, 10, 1000);
    return num_double(r.field[field]);
}

static bool is_none(struct record r, enum record_field field)
{
    record_complete(&r, &memory, 10, 1000);
    return r.field[field].kind == NUM_NONE;
}

static void the_table_names_the_twelve_in_the_order_of_the_contract(void **state)
{
    (void)state;
    assert_int_equal(RECORD_FIELDS, 12);
    assert_string_equal(record_field_name(F_LOSS), "loss");
    assert_string_equal(record_field_name(F_TIMESTAMP), "timestamp");
    assert_int_equal(record_field_decimals(F_PERPLEXITY), 4);
    assert_int_equal(record_field_decimals(F_CURRENT_STEP), RECORD_INTEGER);
}

static void a_whole_float_sent_for_a_count_becomes_an_integer(void **state)
{
    (void)state;
    struct record r = sent(F_CURRENT_STEP, 50, F_MODEL_PARAMS, 7e9, F_LOSS, 2);
    assert_int_equal(r.field[F_CURRENT_STEP].kind, NUM_INT);
    assert_int_equal(r.field[F_MODEL_PARAMS].i, 7000000000);
    assert_int_equal(r.field[F_LOSS].kind, NUM_FLOAT);
    static const double kept[] = {1.5, 0x1p63, -0x1p63, HUGE_VAL};
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        record_set(&r, F_TOTAL_STEPS, num_float(kept[i]));
        assert_true(r.field[F_TOTAL_STEPS].kind == NUM_FLOAT &&
                    r.field[F_TOTAL_STEPS].f == kept[i]);
    }
}

static void what_was_sent_is_told_from_what_was_derived(void **state)
{
    (void)state;
    struct record r = sent_one(F_LOSS, 1);
    record_complete(&r, &memory, 10, 1000);
    assert_true(record_was_sent(&r, F_LOSS));
    assert_false(record_was_sent(&r, F_PERPLEXITY));
    assert_int_equal(r.field[F_PERPLEXITY].kind, NUM_FLOAT);
}

static void perplexity_and_grok_progress_follow_the_loss(void **state)
{
    (void)state;
    static const struct {
        double loss, perplexity, grok;
    } cases[] = {
        {0, 1, 100},
        {1, 2.718281828459045, 50},
        {2, 7.38905609893065, 0},
        {11, 22026.465794806718, 0},
        {-1, 0.36787944117144233, 100},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(fabs(completed(sent_one(F_LOSS, cases[i].loss), F_PERPLEXITY) -
                         cases[i].perplexity) < 1e-11);
        assert_true(completed(sent_one(F_LOSS, cases[i].loss), F_GROK_PROGRESS) == cases[i].grok);
    }
}

static void nothing_is_derived_from_a_loss_that_is_not_finite(void **state)
{
    (void)state;
    static const double losses[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++) {
        assert_true(is_none(sent_one(F_LOSS, losses[i]), F_PERPLEXITY));
        assert_true(is_none(sent_one(F_LOSS, losses[i]), F_GROK_PROGRESS));
    }
    assert_true(is_none(sent_one(F_TRAINING_TIME, INFINITY), F_ESTIMATED_TIME_REMAINING) == false);
    assert_true(is_none(sent_one(F_OVERALL_PROGRESS, NAN), F_ESTIMATED_TIME_REMAINING));
    assert_true(is_none(sent(F_OVERALL_PROGRESS, 5, F_TRAINING_TIME, INFINITY, F_TIMESTAMP, 0),
                        F_ESTIMATED_TIME_REMAINING));
}

static void a_loss_never_sent_is_none_and_a_last_one_is_carried(void **state)
{
    (void)state;
    assert_true(is_none(empty(), F_LOSS));
    assert_true(completed(sent_one(F_LOSS, 3), F_LOSS) == 3);
    assert_true(completed(empty(), F_LOSS) == 3);
    assert_true(completed(sent_one(F_LOSS, 0), F_LOSS) == 0);
    assert_true(completed(empty(), F_LOSS) == 0);
}

static void train_loss_stands_in_and_is_carried_too(void **state)
{
    (void)state;
    struct extra extra = {SPAN("train_loss"), num_float(0.75)};
    struct record r = empty();
    r.extra = &extra;
    r.extra_count = 1;
    assert_true(completed(r, F_LOSS) == 0.75);
    assert_true(completed(empty(), F_LOSS) == 0.75);
    record_set(&r, F_LOSS, num_float(2));
    assert_true(completed(r, F_LOSS) == 2);
    assert_true(completed(empty(), F_LOSS) == 2);
}

static void derived_numbers_are_not_remembered(void **state)
{
    (void)state;
    assert_true(completed(empty(), F_TOTAL_MODELS) == 1);
    assert_int_equal(memory.total_models.kind, NUM_NONE);
    assert_int_equal(memory.current_model.kind, NUM_NONE);
}

static void models_are_counted_up_to_their_number(void **state)
{
    (void)state;
    record_memory_seed(&memory, SPAN("{\"model_count\":2}"));
    assert_true(completed(empty(), F_CURRENT_MODEL) == 1);
    record_memory_model_completed(&memory, 0);
    assert_true(completed(empty(), F_CURRENT_MODEL) == 2);
    record_memory_model_completed(&memory, 0);
    assert_int_equal(memory.models_completed, 1);
    record_memory_model_completed(&memory, 1);
    assert_true(completed(empty(), F_CURRENT_MODEL) == 2);
}

static void a_model_that_was_named_is_carried_until_it_is_completed(void **state)
{
    (void)state;
    struct record r = sent(F_CURRENT_MODEL, 2, F_TOTAL_MODELS, 3, F_CURRENT_STEP, 7);
    assert_true(completed(r, F_CURRENT_MODEL) == 2);
    assert_true(completed(empty(), F_CURRENT_MODEL) == 2);
    assert_true(completed(empty(), F_CURRENT_STEP) == 7);
    record_memory_model_completed(&memory, 1);
    assert_true(completed(empty(), F_CURRENT_MODEL) == 3);
    assert_true(is_none(empty(), F_CURRENT_STEP));
}

static void progress_is_of_models_and_of_the_step_in_one(void **state)
{
    (void)state;
    record_memory_seed(&memory, SPAN("{\"model_count\":3,\"total_steps\":100}"));
    assert_true(completed(sent_one(F_CURRENT_STEP, 50), F_OVERALL_PROGRESS) == 50.0 / 3);
    record_memory_model_completed(&memory, 0);
    assert_true(completed(sent_one(F_CURRENT_STEP, 0), F_OVERALL_PROGRESS) == 100.0 / 3);
    assert_true(completed(sent_one(F_CURRENT_STEP, 1000), F_OVERALL_PROGRESS) == 100);
    assert_true(completed(sent_one(F_CURRENT_STEP, -1000), F_OVERALL_PROGRESS) == 0);
    assert_true(completed(sent_one(F_OVERALL_PROGRESS, 120), F_OVERALL_PROGRESS) == 120);
}

static void an_unknown_number_of_steps_counts_as_none_done(void **state)
{
    (void)state;
    assert_true(completed(sent_one(F_CURRENT_STEP, 50), F_OVERALL_PROGRESS) == 0);
    assert_true(completed(sent(F_CURRENT_STEP, 50, F_TOTAL_STEPS, 0, F_TIMESTAMP, 0),
                          F_OVERALL_PROGRESS) == 0);
    assert_true(is_none(sent_one(F_TOTAL_MODELS, 0), F_OVERALL_PROGRESS));
}

static void time_left_is_what_the_pace_so_far_says(void **state)
{
    (void)state;
    assert_true(completed(sent_one(F_OVERALL_PROGRESS, 25), F_ESTIMATED_TIME_REMAINING) == 30);
    assert_true(completed(sent_one(F_OVERALL_PROGRESS, 0), F_ESTIMATED_TIME_REMAINING) == 0);
    assert_true(completed(sent_one(F_OVERALL_PROGRESS, 200), F_ESTIMATED_TIME_REMAINING) == 0);
    assert_true(completed(sent(F_OVERALL_PROGRESS, 50, F_TRAINING_TIME, 8, F_TIMESTAMP, 0),
                          F_ESTIMATED_TIME_REMAINING) == 8);
    assert_true(completed(empty(), F_TRAINING_TIME) == 10);
    assert_true(completed(empty(), F_TIMESTAMP) == 1000);
}

static void a_config_seeds_only_what_it_may_know(void **state)
{
    (void)state;
    record_memory_seed(&memory, SPAN("{\"x\":{\"model_count\":9},\"total_models\":4,\"loss\":1,"
                                     "\"step\":5,\"max_steps\":1e3,\"num_params\":7000000000,"
                                     "\"modelIndex\":2,\"a\":[1,2],\"s\":\"t\"}"));
    assert_int_equal(memory.total_models.i, 4);
    assert_int_equal(memory.total_steps.i, 1000);
    assert_int_equal(memory.model_params.i, 7000000000);
    assert_int_equal(memory.loss.kind, NUM_NONE);
    assert_int_equal(memory.step.kind, NUM_NONE);
    assert_int_equal(memory.current_model.kind, NUM_NONE);
}

static void a_config_that_says_nothing_usable_seeds_nothing(void **state)
{
    (void)state;
    static const char *const configs[] = {
        "{}",
        "[]",
        "",
        "{\"model_count\":NaN}",
        "{\"model_count\":\"3\"}",
        "{\"a\":[1,",
        "{\"model_count\":null}",
        "{\"a\":{\"model_count\":3}}",
    };
    for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
        record_memory_seed(&memory, span_of(configs[i]));
        assert_int_equal(memory.total_models.kind, NUM_NONE);
    }
}

static void the_memory_keeps_no_borrowed_digits(void **state)
{
    (void)state;
    char digits[] = "18446744073709551616";
    struct record r = empty();
    record_set(&r, F_MODEL_PARAMS,
               (struct num){.kind = NUM_TEXT, .len = sizeof(digits) - 1, .text = digits});
    record_complete(&r, &memory, 10, 1000);
    assert_int_equal(r.field[F_MODEL_PARAMS].kind, NUM_TEXT);
    memset(digits, 'x', sizeof(digits));
    assert_true(completed(empty(), F_MODEL_PARAMS) == 0x1p64);
}

static void only_what_was_sent_makes_a_record_nonfinite(void **state)
{
    (void)state;
    struct extra extra = {SPAN("acc"), num_float(1)};
    struct record r = sent_one(F_LOSS, NAN);
    assert_true(record_has_nonfinite(&r));
    record_complete(&r, &memory, 10, 1000);
    r = empty();
    record_complete(&r, &memory, 10, 1000);
    assert_true(isnan(r.field[F_LOSS].f));
    assert_false(record_has_nonfinite(&r));
    r.extra = &extra;
    r.extra_count = 1;
    assert_false(record_has_nonfinite(&r));
    extra.value = num_float(INFINITY);
    assert_true(record_has_nonfinite(&r));
}

static void an_extra_is_found_by_its_whole_name(void **state)
{
    (void)state;
    const struct extra extra[] = {{SPAN("acc"), num_int(1)}, {SPAN("accuracy"), num_int(2)}};
    struct record r = empty();
    r.extra = extra;
    r.extra_count = 2;
    assert_int_equal(record_extra(&r, SPAN("accuracy"))->i, 2);
    assert_int_equal(record_extra(&r, SPAN("acc"))->i, 1);
    assert_null(record_extra(&r, SPAN("ac")));
}

#define TEST(name) cmocka_unit_test_setup(name, make_memory)

static const enum record_field with_formula[] = {F_PERPLEXITY, F_GROK_PROGRESS, F_OVERALL_PROGRESS,
                                                 F_ESTIMATED_TIME_REMAINING};

static void a_formula_asked_for_alone_gives_what_completing_gave(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++) {
        struct record r =
            sent(F_LOSS, i * 0.07 - 1, F_CURRENT_STEP, i * 3, F_TOTAL_STEPS, i % 7 * 100);
        record_complete(&r, &memory, i * 0.25, 1000);
        for (size_t f = 0; f < 4; f++) {
            struct num n = record_formula(&r, with_formula[f]);
            assert_int_equal(n.kind, NUM_FLOAT);
            assert_memory_equal(&n.f, &r.field[with_formula[f]].f, sizeof(n.f));
        }
        assert_int_equal(record_formula(&r, F_LOSS).kind, NUM_NONE);
    }
}

static void a_formula_over_what_is_not_finite_gives_none(void **state)
{
    (void)state;
    struct record r = sent_one(F_LOSS, NAN);
    for (size_t f = 0; f < 4; f++)
        assert_int_equal(record_formula(&r, with_formula[f]).kind, NUM_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_table_names_the_twelve_in_the_order_of_the_contract),
        TEST(a_whole_float_sent_for_a_count_becomes_an_integer),
        TEST(what_was_sent_is_told_from_what_was_derived),
        TEST(perplexity_and_grok_progress_follow_the_loss),
        TEST(nothing_is_derived_from_a_loss_that_is_not_finite),
        TEST(a_loss_never_sent_is_none_and_a_last_one_is_carried),
        TEST(train_loss_stands_in_and_is_carried_too),
        TEST(derived_numbers_are_not_remembered),
        TEST(models_are_counted_up_to_their_number),
        TEST(a_model_that_was_named_is_carried_until_it_is_completed),
        TEST(progress_is_of_models_and_of_the_step_in_one),
        TEST(an_unknown_number_of_steps_counts_as_none_done),
        TEST(time_left_is_what_the_pace_so_far_says),
        TEST(a_config_seeds_only_what_it_may_know),
        TEST(a_config_that_says_nothing_usable_seeds_nothing),
        TEST(the_memory_keeps_no_borrowed_digits),
        TEST(only_what_was_sent_makes_a_record_nonfinite),
        TEST(an_extra_is_found_by_its_whole_name),
        TEST(a_formula_asked_for_alone_gives_what_completing_gave),
        TEST(a_formula_over_what_is_not_finite_gives_none),
    };
    return cmocka_run_group_tests_name("proto/record", tests, NULL, NULL);
}
