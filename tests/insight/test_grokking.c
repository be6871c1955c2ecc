/* SPDX-License-Identifier: MIT */
/*
 * A run that overfits at first and generalises late (the demo's modular addition, seed 3): its
 * validation loss rises from 4 to 14, and comes below its first value after a fifth of the plan.
 */
#include "insight/insight.h"
#include "tests/support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static double number(const cJSON *series, int i)
{
    return cJSON_GetNumberValue(cJSON_GetArrayItem(series, i));
}

/* What was said of it, as bits of 1 << phase, and whether to stop. */
struct told {
    unsigned phases_before, phases_after; /* its best has come below its first value */
    bool advised;
    double best;
};

static struct told play(const cJSON *run, double total)
{
    static struct insight s;
    struct told told = {0};
    const cJSON *steps = cJSON_GetObjectItem(run, "step");
    const cJSON *losses = cJSON_GetObjectItem(run, "loss");
    const cJSON *vals = cJSON_GetObjectItem(run, "val_loss");
    double first = number(vals, 0);
    insight_init(&s, &(struct insight_config){.total = total});
    for (int i = 0; i < cJSON_GetArraySize(steps); i++) {
        struct point p = {0};
        point_set(&p, POINT_STEP, number(steps, i));
        point_set(&p, POINT_TIME_S, number(steps, i) * 0.014);
        point_set(&p, POINT_TRAIN_LOSS, number(losses, i));
        point_set(&p, POINT_VAL_LOSS, number(vals, i));
        const struct assessment *a = insight_point(&s, &p);
        bool after = a->best.value < 0.5 * first;
        *(after ? &told.phases_after : &told.phases_before) |= 1U << a->phase;
        told.advised |= !after && a->stop.recommend;
        told.best = a->best.value;
    }
    return told;
}

static void a_run_that_generalises_late_is_told_as_it_happens(void **state)
{
    (void)state;
    cJSON *run = vectors_read("tests/vectors/grokking.json");
    struct told told = play(run, 10000);
    assert_true(told.phases_before >> PHASE_OVERFITTING_RISK & 1U);
    assert_true(told.phases_after >> PHASE_LEARNING_FAST & 1U);
    assert_false(told.phases_after >> PHASE_OVERFITTING_RISK & 1U);
    assert_true(told.best < 0.02);
    cJSON_Delete(run);
}

static void nobody_is_advised_to_stop_it_before(void **state)
{
    (void)state;
    cJSON *run = vectors_read("tests/vectors/grokking.json");
    assert_false(play(run, 10000).advised);
    assert_false(play(run, 3000).advised);
    cJSON_Delete(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_that_generalises_late_is_told_as_it_happens),
        cmocka_unit_test(nobody_is_advised_to_stop_it_before),
    };
    return cmocka_run_group_tests_name("insight/grokking", tests, NULL, NULL);
}
