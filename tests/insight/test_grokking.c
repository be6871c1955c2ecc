/* SPDX-License-Identifier: MIT */
/*
 * Runs that overfit at first and generalise late (the demo's modular addition, five seeds, two
 * models): the validation loss rises from 4 to 14 or 24 while the training loss falls, and comes
 * below its first value after 2,200 to 5,000 steps. Played once for each plan a trainer may have.
 */
#include "insight/insight.h"
#include "tests/support/vectors.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { REPORT_EVERY = 4, RUNS = 10, PLANS = 7 };

static const double plans[PLANS] = {0 /* none */, 2500, 3000, 5000, 10000, 20000, 40000};

/* What was said of a run, phases as bits of 1 << phase. */
struct told {
    unsigned phases_before, phases_after; /* its best has come below half of its first value */
    bool plateau, overfitting;            /* found before that */
    bool generalised;                     /* within the plan */
    bool advised;                         /* to stop, before that, although it did */
    double chance;                        /* of a gain, when that was said */
    double best;
};

static void hear(struct told *told, const struct assessment *a, double first)
{
    told->generalised = a->best.value < 0.5 * first;
    *(told->generalised ? &told->phases_after : &told->phases_before) |= 1U << a->phase;
    told->best = a->best.value;
    if (told->generalised)
        return;
    told->plateau |= a->plateau;
    told->overfitting |= a->overfitting;
    if (a->stop.recommend && !told->advised)
        told->chance = a->p_gain;
    told->advised |= a->stop.recommend;
}

static struct told play(const cJSON *run, double plan)
{
    static struct insight s;
    struct told told = {0};
    double step = 1;
    const cJSON *loss = cJSON_GetObjectItem(run, "loss")->child;
    const cJSON *val = cJSON_GetObjectItem(run, "val_loss")->child;
    double first = val->valuedouble;
    insight_init(&s, &(struct insight_config){.total = plan});
    for (; loss && !(step > plan && plan > 0); loss = loss->next, val = val->next) {
        struct point p = {0};
        point_set(&p, POINT_STEP, step);
        point_set(&p, POINT_TIME_S, step * 0.014);
        point_set(&p, POINT_TRAIN_LOSS, loss->valuedouble);
        point_set(&p, POINT_VAL_LOSS, val->valuedouble);
        hear(&told, insight_point(&s, &p), first);
        step += step == 1 ? REPORT_EVERY - 1 : REPORT_EVERY;
    }
    told.advised &= told.generalised;
    return told;
}

static void each_run_is_told_as_it_happens(void **state)
{
    (void)state;
    cJSON *file = vectors_read("tests/vectors/grokking.json");
    const cJSON *run;
    int runs = 0;
    cJSON_ArrayForEach(run, cJSON_GetObjectItem(file, "runs"))
    {
        struct told told = play(run, 10000);
        assert_true(told.generalised && told.plateau && told.overfitting);
        assert_true(told.phases_before >> PHASE_OVERFITTING_RISK & 1U);
        assert_false(told.phases_after >> PHASE_OVERFITTING_RISK & 1U);
        assert_true(told.phases_after &
                    (1U << PHASE_LEARNING_FAST | 1U << PHASE_STABLE_CONVERGENCE));
        assert_true(told.best < 0.2);
        runs++;
    }
    assert_int_equal(runs, RUNS);
    cJSON_Delete(file);
}

/* The chance of a gain that comes with the advice to stop is kept: of all runs that generalise
 * within their plan, no more are advised to stop before than it says. */
static void no_more_are_advised_to_stop_than_the_chance_of_a_gain_says(void **state)
{
    (void)state;
    cJSON *file = vectors_read("tests/vectors/grokking.json");
    const cJSON *run;
    int generalised = 0;
    int advised = 0;
    double chance = 1;
    for (int i = 0; i < PLANS; i++) {
        cJSON_ArrayForEach(run, cJSON_GetObjectItem(file, "runs"))
        {
            struct told told = play(run, plans[i]);
            generalised += told.generalised;
            advised += told.advised;
            chance = told.advised ? fmin(chance, told.chance) : chance;
        }
    }
    print_message("%d of %d runs that generalise were advised to stop before\n", advised,
                  generalised);
    assert_true(generalised > RUNS * PLANS / 2);
    assert_true(advised <= chance * generalised);
    cJSON_Delete(file);
}

/* As long as the demo plans it to be, none is. */
static void nobody_is_advised_to_stop_the_demo_before(void **state)
{
    (void)state;
    cJSON *file = vectors_read("tests/vectors/grokking.json");
    const cJSON *run;
    cJSON_ArrayForEach(run, cJSON_GetObjectItem(file, "runs"))
    {
        assert_false(play(run, 10000).advised);
    }
    cJSON_Delete(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_run_is_told_as_it_happens),
        cmocka_unit_test(no_more_are_advised_to_stop_than_the_chance_of_a_gain_says),
        cmocka_unit_test(nobody_is_advised_to_stop_the_demo_before),
    };
    return cmocka_run_group_tests_name("insight/grokking", tests, NULL, NULL);
}
