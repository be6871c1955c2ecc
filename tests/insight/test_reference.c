/* SPDX-License-Identifier: MIT */
/*
 * Real runs, against what the published reference of the algorithm says of them with its own
 * constants (scripts/insight-vectors): the same advice at every evaluation, numbers to 1e-6.
 */
#include "insight/insight.h"
#include "streamd/tools/replay_line.h"

#include "tests/support/vectors.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { EXPECT_STOP = 1, EXPECT_DIVERGING, EXPECT_OVERFITTING, EXPECT_NUMBERS };

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static void read_model(const cJSON *from, struct insight_model *out)
{
    double *numbers;
    size_t count;
    const char *name;
    for (size_t n = 0; (name = model_field(out, n, &numbers, &count)); n++) {
        const cJSON *values = member(from, name);
        assert_int_equal(cJSON_GetArraySize(values), count);
        for (size_t i = 0; i < count; i++)
            numbers[i] = cJSON_GetArrayItem(values, (int)i)->valuedouble;
    }
}

/* The numbers in the order of the file's "numbers". */
static void numbers_of(const struct assessment *a, double out[8])
{
    double numbers[] = {a->p_gain,      a->best.x, a->forecast.value, a->forecast.lo,
                        a->forecast.hi, a->eta.s,  a->eta.lo,         a->eta.hi};
    memcpy(out, numbers, sizeof(numbers));
}

static void check(const struct assessment *a, const cJSON *expected, const char *run)
{
    double numbers[8];
    numbers_of(a, numbers);
    int line = cJSON_GetArrayItem(expected, 0)->valueint;
    const cJSON *overfitting = cJSON_GetArrayItem(expected, EXPECT_OVERFITTING);
    if (a->stop.recommend != cJSON_IsTrue(cJSON_GetArrayItem(expected, EXPECT_STOP)) ||
        a->diverging != cJSON_IsTrue(cJSON_GetArrayItem(expected, EXPECT_DIVERGING)) ||
        (cJSON_IsBool(overfitting) && a->overfitting != cJSON_IsTrue(overfitting)))
        fail_msg("run %s, point %d: another verdict", run, line);
    for (int i = 0; i < 8; i++) {
        const cJSON *number = cJSON_GetArrayItem(expected, EXPECT_NUMBERS + i);
        if (cJSON_IsNull(number))
            continue;
        double error = fabs(numbers[i] - number->valuedouble);
        if (!(error <= 1e-6 * fmax(1, fabs(number->valuedouble))))
            fail_msg("run %s, point %d, number %d: %.9g and not %.9g", run, line, i, numbers[i],
                     number->valuedouble);
    }
}

static int play(const cJSON *run, const cJSON *lines, const struct insight_model *model)
{
    static struct insight engine;
    struct insight_config config = {.model = model};
    const cJSON *line;
    const cJSON *expected = member(run, "expect")->child;
    int at = 0;
    int checked = 0;
    assert_int_equal(replay_read_header(span_of(member(run, "header")->valuestring), &config), OK);
    insight_init(&engine, &config);
    cJSON_ArrayForEach(line, lines)
    {
        struct point p;
        assert_int_equal(replay_read_point(span_of(line->valuestring), &p), OK);
        (void)insight_point(&engine, &p);
        if (expected && cJSON_GetArrayItem(expected, 0)->valueint == at) {
            check(insight_now(&engine), expected, member(run, "run")->valuestring);
            expected = expected->next;
            checked++;
        }
        at++;
    }
    assert_null(expected);
    return checked;
}

static void the_engine_says_what_the_reference_says(void **state)
{
    (void)state;
    cJSON *file = vectors_read("tests/vectors/insight_reference.json");
    struct insight_model model;
    const cJSON *run;
    const cJSON *lines = NULL;
    int checked = 0;
    read_model(member(file, "model"), &model);
    cJSON_ArrayForEach(run, member(file, "runs"))
    {
        lines = member(run, "lines") ? member(run, "lines") : lines; /* played a second time */
        checked += play(run, lines, &model);
    }
    assert_true(checked > 500);
    cJSON_Delete(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_engine_says_what_the_reference_says),
    };
    return cmocka_run_group_tests_name("insight/reference", tests, NULL, NULL);
}
