/* SPDX-License-Identifier: MIT */
/*
 * oom: makes one allocation fail.
 *
 * Tests are linked with --wrap for malloc, calloc, realloc, strdup and strndup, so the objects of
 * the project (not the libraries) allocate through here. A sweep fails each allocation in turn:
 *
 *     for (size_t n = 1; oom_sweeps(n); n++)
 *         ... do it all; what failed must say so, and nothing may leak ...
 */
#ifndef TESTS_SUPPORT_OOM_H
#define TESTS_SUPPORT_OOM_H

#include <stdbool.h>
#include <stddef.h>

/* The nth allocation from now (from 1) fails, the ones after it succeed. */
void oom_fail(size_t nth);

/* Stops failing. True when an allocation failed since oom_fail. */
bool oom_failed(void);

/* For a sweep: false once a whole round went without a failure, else as oom_fail. */
bool oom_sweeps(size_t nth);

#endif
