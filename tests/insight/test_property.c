/* SPDX-License-Identifier: MIT */
/*
 * Random runs of every kind, hostile ones among them: whatever comes in, what comes out is finite
 * or absent, and the same run twice is the same to the byte.
 */
#include "insight/insight.h"
#include "streamd/tools/replay_line.h"

#include "tests/insight/runs.h"
#include "tests/support/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { RUNS = 300, POINTS = 400, ANSWER_MAX = 4096 };

static double any_number(struct random *chance)
{
    static const double odd[] = {0,      -0.0,   1,    -1,     1e308,    -1e308,
                                 5e-324, 1e-200, 1e99, -1e101, INFINITY, -INFINITY};
    switch (random_below(chance, 8)) {
    case 0:
        return NAN;
    case 1:
    case 2:
        return odd[random_below(chance, sizeof(odd) / sizeof(odd[0]))];
    default:
        return ((double)random_below(chance, 20001) - 10000) / 1000;
    }
}

/* Mostly a run that learns, with `odd` of 100 numbers odd. */
static struct point next_point(struct random *chance, unsigned odd, int i)
{
    double sane[POINT_FIELDS] = {[POINT_TIME_S] = 3.0 * i,
                                 [POINT_STEP] = 10.0 * i,
                                 [POINT_EPOCH] = i / 7,
                                 [POINT_TRAIN_LOSS] = 3 / (1 + 0.1 * i),
                                 [POINT_VAL_LOSS] = 3 / (1 + 0.08 * i),
                                 [POINT_VAL_METRIC] = 1 - 1 / (1 + 0.1 * i),
                                 [POINT_LR] = 1e-3 / (1 + i),
                                 [POINT_GRAD_NORM] = 1,
                                 [POINT_ACCURACY] = 0.5,
                                 [POINT_GPU_MEMORY_MB] = 5000 + 20 * i,
                                 [POINT_MODEL] = i / 300};
    struct point p = {0};
    for (int f = 0; f < POINT_FIELDS; f++) {
        if (random_below(chance, 3) == 0)
            continue;
        bool strange = random_below(chance, 100) < odd;
        double noise = 1 + 0.01 * (double)random_below(chance, 10);
        point_set(&p, (enum point_field)f, strange ? any_number(chance) : sane[f] * noise);
    }
    return p;
}

static void check_finite(double v)
{
    assert_true(isnan(v) || isfinite(v));
}

static void check(const struct assessment *a)
{
    check_finite(a->eta.s);
    check_finite(a->eta.lo);
    check_finite(a->eta.hi);
    check_finite(a->forecast.value);
    check_finite(a->best.value);
    check_finite(a->velocity);
    assert_true(isnan(a->eta.s) || (a->eta.lo <= a->eta.s && a->eta.s <= a->eta.hi));
    assert_true(isnan(a->p_gain) || (a->p_gain >= 0 && a->p_gain <= 1));
    if (!isnan(a->p_gain))
        assert_int_equal(a->gain_class, a->p_gain < 0.2   ? GRADE_LOW
                                        : a->p_gain < 0.6 ? GRADE_MEDIUM
                                                          : GRADE_HIGH);
    assert_true(a->finding_count <= FINDINGS);
    assert_true(a->phase < PHASES && strlen(a->reason) > 0);
    assert_true(strlen(a->reason) < ASSESSMENT_REASON_MAX);
}

static void play(uint64_t seed, struct insight *run, struct buf *out)
{
    struct random chance = random_seeded(seed);
    unsigned odd = (unsigned)random_below(&chance, 3) * 10;
    struct insight_config config = {
        .total = random_below(&chance, 2) ? 2000 : 0,
        .monitor = (enum insight_monitor)random_below(&chance, 5),
        .goal = (enum insight_goal)random_below(&chance, 3),
        .strict = random_below(&chance, 2),
    };
    insight_init(run, &config);
    for (int i = 0; i < POINTS; i++) {
        struct point p = next_point(&chance, odd, i);
        (void)insight_point(run, &p);
        const struct assessment *a = insight_now(run);
        check(a);
        buf_reset(out);
        replay_write(out, a);
        assert_int_equal(buf_status(out), OK);
    }
    check(insight_event(run, INSIGHT_INTERRUPTED, NULL));
}

static void whatever_comes_in_what_comes_out_is_sound_and_the_same(void **state)
{
    (void)state;
    static struct insight once;
    static struct insight again;
    struct buf out;
    buf_init(&out, ANSWER_MAX);
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        memset(&once, 0x55, sizeof(once));
        memset(&again, 0xaa, sizeof(again));
        play(seed, &once, &out);
        play(seed, &again, &out);
        assert_memory_equal(&once, &again, sizeof(once));
    }
    buf_fini(&out);
}

/* Scale-free: a run in other units gets the same verdicts. */
static void a_run_in_other_units_is_the_same_run(void **state)
{
    (void)state;
    static struct insight plain;
    static struct insight scaled;
    struct random chance = random_seeded(7);
    insight_init(&plain, &(struct insight_config){.total = 400});
    insight_init(&scaled, &(struct insight_config){.total = 400});
    for (int i = 0; i < POINTS; i++) {
        double loss = 1 + 2 / (1 + 0.1 * i) + 0.001 * (double)random_below(&chance, 100);
        const struct assessment *a = epoch_of(&plain, i, loss, loss * 1.1);
        const struct assessment *b = epoch_of(&scaled, i, loss * 1024, loss * 1.1 * 1024);
        assert_int_equal(a->phase, b->phase);
        assert_int_equal(a->stop.recommend, b->stop.recommend);
        assert_true(isnan(a->p_gain) || fabs(a->p_gain - b->p_gain) < 1e-9);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_comes_in_what_comes_out_is_sound_and_the_same),
        cmocka_unit_test(a_run_in_other_units_is_the_same_run),
    };
    return cmocka_run_group_tests_name("insight/property", tests, NULL, NULL);
}
