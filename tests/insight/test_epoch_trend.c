/* SPDX-License-Identifier: MIT */
#include "insight/epoch_trend.h"
#include "tests/support/vectors.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static double number_or_nan(const cJSON *object, const char *name)
{
    const cJSON *at = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(at) ? at->valuedouble : (double)NAN;
}

static bool is_true(const cJSON *object, const char *name)
{
    const cJSON *at = cJSON_GetObjectItemCaseSensitive(object, name);
    assert_true(cJSON_IsBool(at));
    return cJSON_IsTrue(at);
}

static void check_case(const cJSON *one)
{
    const cJSON *expect = cJSON_GetObjectItem(one, "expect");
    const cJSON *epoch;
    struct epoch_trend t = {0};
    cJSON_ArrayForEach(epoch, cJSON_GetObjectItem(one, "input_epochs"))
        epoch_trend_add(&t, number_or_nan(epoch, "train_loss"), number_or_nan(epoch, "val_loss"));
    double best = number_or_nan(expect, "best_epoch");
    assert_int_equal(t.count, number_or_nan(expect, "total_epochs_completed"));
    assert_int_equal(epoch_trend_has_best(&t), !isnan(best));
    if (!isnan(best)) {
        assert_int_equal(t.best, best);
        assert_true(t.best_val_loss == number_or_nan(expect, "best_val_loss"));
    }
    assert_int_equal(epoch_trend_since_best(&t), number_or_nan(expect, "epochs_since_improvement"));
    assert_int_equal(epoch_trend_overfits(&t), is_true(expect, "is_overfitting"));
    assert_int_equal(epoch_trend_plateaus(&t, EPOCH_TREND_PATIENCE),
                     is_true(expect, "is_plateaued"));
}

static void the_golden_cases_are_met(void **state)
{
    (void)state;
    cJSON *all = vectors_read("tests/vectors/analysis.json");
    const cJSON *one;
    int seen = 0;
    cJSON_ArrayForEach(one, all)
    {
        print_message("  %s\n", cJSON_GetObjectItem(one, "name")->valuestring);
        check_case(one);
        seen++;
    }
    assert_int_equal(seen, 13);
    cJSON_Delete(all);
}

static void a_plateau_begins_at_its_patience(void **state)
{
    (void)state;
    struct epoch_trend t = {0};
    epoch_trend_add(&t, 1, 0.5);
    for (uint64_t since = 1; since <= 12; since++) {
        epoch_trend_add(&t, 1, 0.6);
        assert_int_equal(epoch_trend_plateaus(&t, 10), since >= 10);
        assert_int_equal(epoch_trend_plateaus(&t, 3), since >= 3);
    }
}

static void a_training_loss_that_rises_by_a_fifth_diverges(void **state)
{
    static const struct {
        double loss[6];
        unsigned count;
        bool diverges;
    } cases[] = {
        {{1, 1.05, 1.1, 1.15, 1.19}, 5, false},
        {{1, 1.05, 1.1, 1.15, 1.21}, 5, true},
        {{1, 1.1, 1.2, 1.3}, 4, false},
        {{9, 1, 1.05, 1.1, 1.15, 1.21}, 6, true},
        {{1, NAN}, 2, true},
        {{INFINITY}, 1, true},
        {{0}, 0, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct epoch_trend t = {0};
        for (unsigned n = 0; n < cases[i].count; n++)
            epoch_trend_add(&t, cases[i].loss[n], (double)NAN);
        assert_int_equal(epoch_trend_diverges(&t), cases[i].diverges);
    }
}

static void a_validation_loss_that_is_no_number_is_never_the_best(void **state)
{
    (void)state;
    struct epoch_trend t = {0};
    epoch_trend_add(&t, 1, (double)-INFINITY);
    epoch_trend_add(&t, 1, (double)NAN);
    assert_false(epoch_trend_has_best(&t));
    assert_int_equal(epoch_trend_since_best(&t), 0);
    epoch_trend_add(&t, 1, 7);
    assert_int_equal(t.best, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_golden_cases_are_met),
        cmocka_unit_test(a_plateau_begins_at_its_patience),
        cmocka_unit_test(a_training_loss_that_rises_by_a_fifth_diverges),
        cmocka_unit_test(a_validation_loss_that_is_no_number_is_never_the_best),
    };
    return cmocka_run_group_tests_name("insight/epoch_trend", tests, NULL, NULL);
}
