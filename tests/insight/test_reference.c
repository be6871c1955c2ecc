/* SPDX-License-Identifier: MIT */
/*
 * Real runs, against what the published reference of the algorithm says of them
 * (scripts/insight-vectors): where the engine measures what the reference measures it is exact. The
 * same waits, patience, divergence and best at every evaluation; the time by the speed over the
 * later half and the reference's features of a curve to 1e-6. What is made of these is our own.
 */
#include "insight/gain.h"
#include "insight/insight.h"
#include "streamd/tools/replay_line.h"

#include "tests/support/vectors.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum {
    EXPECT_STOP = 1,
    EXPECT_DIVERGING,
    EXPECT_NUMBERS,
    NUMBERS = 2,
    EXPECT_FEATURES = EXPECT_NUMBERS + NUMBERS,
};

/* Ours of the features that the reference has too: its first without a plan, its others with. */
enum { FEATURES_AT = 2, FEATURES_BASE = 12, FEATURES_PLANNED = 17 };

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static void check_number(const cJSON *expected, double is, const char *run, int line, int number)
{
    if (cJSON_IsNull(expected))
        return;
    double error = fabs(is - expected->valuedouble);
    if (!(error <= 1e-6 * fmax(1, fabs(expected->valuedouble))))
        fail_msg("run %s, point %d, number %d: %.9g and not %.9g", run, line, number, is,
                 expected->valuedouble);
}

/* The reference's ETA: one of the three speeds that ours is the median of. */
static double time_left(const struct insight *s)
{
    double end = isnan(s->config.horizon) ? s->total : s->config.horizon;
    return s->eta.count > 0 ? eta_speed(&s->eta, 0.5) * fmax(end - s->eta.newest_x, 0) : NAN;
}

static void check(const struct insight *engine, const cJSON *expected, const char *run)
{
    const struct assessment *a = &engine->now;
    double numbers[NUMBERS] = {a->best.x, time_left(engine)};
    double features[GAIN_FEATURES];
    int line = cJSON_GetArrayItem(expected, 0)->valueint;
    int count = cJSON_GetArraySize(expected) - EXPECT_FEATURES;
    if (a->stop.recommend != cJSON_IsTrue(cJSON_GetArrayItem(expected, EXPECT_STOP)) ||
        a->diverging != cJSON_IsTrue(cJSON_GetArrayItem(expected, EXPECT_DIVERGING)))
        fail_msg("run %s, point %d: another verdict", run, line);
    for (int i = 0; i < (a->diverging ? 1 : NUMBERS); i++) /* it foretells the time even then */
        check_number(cJSON_GetArrayItem(expected, EXPECT_NUMBERS + i), numbers[i], run, line, i);
    if (count == 0)
        return;
    assert_true(count == FEATURES_BASE || count == FEATURES_PLANNED);
    assert_true(gain_features(engine, features));
    for (int i = 0; i < count; i++)
        check_number(cJSON_GetArrayItem(expected, EXPECT_FEATURES + i), features[FEATURES_AT + i],
                     run, line, NUMBERS + i);
}

static int play(const cJSON *run, const cJSON *lines)
{
    static struct insight engine;
    struct insight_config config = {.tau = 1, .caution = 1};
    const cJSON *line;
    const cJSON *expected = member(run, "expect")->child;
    int at = 0;
    int checked = 0;
    assert_int_equal(replay_read_header(span_of(member(run, "header")->valuestring), &config), OK);
    if (config.monitor == MONITOR_AUTO)
        config.monitor = MONITOR_NONE; /* the reference looks for none by itself */
    insight_init(&engine, &config);
    cJSON_ArrayForEach(line, lines)
    {
        struct point p;
        assert_int_equal(replay_read_point(span_of(line->valuestring), &p), OK);
        (void)insight_point(&engine, &p);
        if (expected && cJSON_GetArrayItem(expected, 0)->valueint == at) {
            check(&engine, expected, member(run, "run")->valuestring);
            expected = expected->next;
            checked++;
        }
        at++;
    }
    assert_null(expected);
    return checked;
}

static void the_engine_measures_what_the_reference_measures(void **state)
{
    (void)state;
    cJSON *file = vectors_read("tests/vectors/insight_reference.json");
    const cJSON *run;
    const cJSON *lines = NULL;
    int checked = 0;
    cJSON_ArrayForEach(run, member(file, "runs"))
    {
        lines = member(run, "lines") ? member(run, "lines") : lines; /* played a second time */
        checked += play(run, lines);
    }
    assert_true(checked > 400);
    cJSON_Delete(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_engine_measures_what_the_reference_measures),
    };
    return cmocka_run_group_tests_name("insight/reference", tests, NULL, NULL);
}
