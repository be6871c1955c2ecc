/* SPDX-License-Identifier: MIT */
#include "clients/c/sampler.h"

#include "tests/clients/c/fake_nvml.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

/* Waits for a sample, for ten seconds at most. */
static size_t await_sample(struct sampler *s, struct streamd_metric out[SAMPLE_MAX])
{
    time_t end = time(NULL) + 10;
    size_t n = 0;
    while ((n = sampler_take(s, out)) == 0 && time(NULL) < end)
        (void)sched_yield();
    return n;
}

static void a_sample_is_taken_once(void **state)
{
    (void)state;
    struct streamd_metric sample[SAMPLE_MAX];
    struct sampler *s = sampler_create("none.so", 5);
    assert_non_null(s);
    assert_int_equal(await_sample(s, sample), 2);
    assert_string_equal(sample[0].name, "rss_mb");
    assert_in_range((uint64_t)sample[0].value, 1, 4096);
    assert_string_equal(sample[1].name, "cpu_percent");
    assert_true(sample[1].value >= 0);
    sampler_destroy(s);
    s = sampler_create("none.so", 3600 * 1000);
    assert_int_equal(sampler_take(s, sample), 0); /* nothing before a second reading */
    sampler_destroy(s);
}

static void a_gpu_is_in_it_when_there_is_one(void **state)
{
    (void)state;
    char path[FAKE_NVML_PATH];
    struct streamd_metric sample[SAMPLE_MAX];
    struct sampler *s = sampler_create(fake_nvml(path), 5);
    assert_int_equal(await_sample(s, sample), 5);
    assert_string_equal(sample[2].name, "gpu_memory_mb");
    assert_true(sample[2].value == 2048);
    assert_string_equal(sample[3].name, "gpu_memory_total_mb");
    assert_true(sample[3].value == 16384);
    assert_string_equal(sample[4].name, "gpu_util");
    assert_true(sample[4].value == 60);
    sampler_destroy(s);
}

static void without_a_sampler_there_is_no_sample(void **state)
{
    (void)state;
    struct streamd_metric sample[SAMPLE_MAX];
    assert_int_equal(sampler_take(NULL, sample), 0);
    sampler_destroy(NULL);
}

int main(void)
{
    (void)unsetenv("CUDA_VISIBLE_DEVICES");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sample_is_taken_once),
        cmocka_unit_test(a_gpu_is_in_it_when_there_is_one),
        cmocka_unit_test(without_a_sampler_there_is_no_sample),
    };
    return cmocka_run_group_tests_name("clients/c/sampler", tests, NULL, NULL);
}
