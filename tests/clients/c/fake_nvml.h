/* SPDX-License-Identifier: MIT */
/* Where the fake library is: beside the test. */
#ifndef TESTS_CLIENTS_C_FAKE_NVML_H
#define TESTS_CLIENTS_C_FAKE_NVML_H

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FAKE_NVML_PATH = 512 };

static inline const char *fake_nvml(char out[FAKE_NVML_PATH])
{
    static const char name[] = "fake_nvml.so";
    ssize_t n = readlink("/proc/self/exe", out, FAKE_NVML_PATH - sizeof(name));
    out[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(out, '/');
    memcpy(slash ? slash + 1 : out, name, sizeof(name));
    return out;
}

#endif
