/* SPDX-License-Identifier: MIT */
/* A real detection run of 19 epochs, and the phases that people agreed it went through. */
#include "insight/insight.h"

#include "tests/support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { EPOCHS = 19 };

static struct insight run;
static const char *phase_after[EPOCHS + 1];

static double at(const cJSON *row, int i)
{
    return cJSON_GetArrayItem(row, i)->valuedouble;
}

static void push_train(const cJSON *row)
{
    struct point p = {0};
    point_set(&p, POINT_EPOCH, at(row, 0));
    point_set(&p, POINT_STEP, at(row, 1));
    point_set(&p, POINT_TRAIN_LOSS, at(row, 2));
    point_set(&p, POINT_LR, at(row, 3));
    (void)insight_point(&run, &p);
}

static void push_val(const cJSON *row)
{
    struct point p = {0};
    point_set(&p, POINT_EPOCH, at(row, 0));
    point_set(&p, POINT_STEP, at(row, 1));
    point_set(&p, POINT_VAL_METRIC, at(row, 2));
    (void)insight_point(&run, &p);
}

/* The phase that an epoch ended in shows with the first line of the next, or with the log's end. */
static void play(const cJSON *file)
{
    const cJSON *row;
    const cJSON *val = cJSON_GetObjectItemCaseSensitive(file, "val")->child;
    int epoch = 1;
    cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(file, "train"))
    {
        int next = (int)at(row, 0);
        if (val && next > (int)at(val, 0)) {
            push_val(val);
            val = val->next;
        }
        push_train(row);
        if (next != epoch)
            phase_after[epoch] = phase_words(insight_now(&run)->phase)->name;
        epoch = next;
    }
    phase_after[epoch] = phase_words(insight_event(&run, INSIGHT_INTERRUPTED, NULL)->phase)->name;
}

static void the_phases_are_those_of_its_epochs(void **state)
{
    (void)state;
    cJSON *file = vectors_read("tests/vectors/insight_mmengine.json");
    const cJSON *phase;
    insight_init(&run, &(struct insight_config){.total_epochs = 24});
    play(file);
    cJSON_ArrayForEach(phase, cJSON_GetObjectItemCaseSensitive(file, "phases"))
    {
        for (int e = (int)at(phase, 0); e <= (int)at(phase, 1); e++)
            assert_string_equal(phase_after[e], cJSON_GetArrayItem(phase, 2)->valuestring);
    }
    const struct assessment *a = insight_now(&run);
    assert_string_equal(a->transition.reason,
                        "Learning velocity dropped to 0.7% improvement per epoch");
    assert_true(a->transition.snapshot.val_metric == 0.256);
    assert_true(a->best.value == 0.256 && a->best.epoch == 16);
    cJSON_Delete(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_phases_are_those_of_its_epochs),
    };
    return cmocka_run_group_tests_name("insight/mmengine", tests, NULL, NULL);
}
