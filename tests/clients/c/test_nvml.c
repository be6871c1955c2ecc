/* SPDX-License-Identifier: MIT */
#include "clients/c/nvml.h"

#include "tests/clients/c/fake_nvml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static struct gpu_sample read_with(const char *pid, const char *visible)
{
    char path[FAKE_NVML_PATH];
    pid_t ours[] = {7, 4242};
    struct gpu_sample sample;
    (void)setenv("FAKE_NVML_PID", pid, 1);
    if (visible)
        (void)setenv("CUDA_VISIBLE_DEVICES", visible, 1);
    else
        (void)unsetenv("CUDA_VISIBLE_DEVICES");
    struct nvml *n = nvml_open(fake_nvml(path));
    assert_non_null(n);
    assert_true(nvml_read(n, ours, 2, &sample));
    nvml_close(n);
    return sample;
}

static void a_process_of_ours_tells_which_device(void **state)
{
    (void)state;
    struct gpu_sample s = read_with("4242", "1");
    assert_true(s.memory_mb == 1024 && s.memory_total_mb == 16384 && s.utilisation == 40);
}

static void without_one_it_is_all_that_are_visible(void **state)
{
    (void)state;
    struct gpu_sample s = read_with("99", NULL);
    assert_true(s.memory_mb == 2048 && s.memory_total_mb == 16384 && s.utilisation == 60);
    s = read_with("99", "0");
    assert_true(s.memory_mb == 1024 && s.utilisation == 40);
    s = read_with("99", "GPU-1a2b");
    assert_true(s.memory_mb == 2048);
}

static void without_the_library_or_a_device_there_is_nothing(void **state)
{
    (void)state;
    char path[FAKE_NVML_PATH];
    assert_null(nvml_open("libnvidia-ml-that-is-not-there.so"));
    assert_null(nvml_open("libc.so.6"));
    (void)setenv("FAKE_NVML_DEVICES", "0", 1);
    assert_null(nvml_open(fake_nvml(path)));
    (void)unsetenv("FAKE_NVML_DEVICES");
    nvml_close(NULL);
}

static void visible_devices_are_a_list(void **state)
{
    (void)state;
    assert_true(nvml_is_visible(NULL, 5));
    assert_true(nvml_is_visible("", 5));
    assert_true(nvml_is_visible("0, 2,11", 11));
    assert_true(nvml_is_visible("0, 2,11", 2));
    assert_false(nvml_is_visible("0, 2,11", 1));
    assert_true(nvml_is_visible("MIG-0", 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_of_ours_tells_which_device),
        cmocka_unit_test(without_one_it_is_all_that_are_visible),
        cmocka_unit_test(without_the_library_or_a_device_there_is_nothing),
        cmocka_unit_test(visible_devices_are_a_list),
    };
    return cmocka_run_group_tests_name("clients/c/nvml", tests, NULL, NULL);
}
