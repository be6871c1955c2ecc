/* SPDX-License-Identifier: MIT */
#include "tests/support/oom.h"

/* The names are those that the linker's --wrap asks for. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *ptr, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t max);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *ptr, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t max);

static size_t until_failure; /* 0: none is to fail */
static bool failed;

static bool fails_now(void)
{
    if (until_failure == 0 || --until_failure > 0)
        return false;
    failed = true;
    return true;
}

void oom_fail(size_t nth)
{
    until_failure = nth;
    failed = false;
}

bool oom_failed(void)
{
    until_failure = 0;
    return failed;
}

bool oom_sweeps(size_t nth)
{
    bool goes_on = nth == 1 || oom_failed();
    oom_fail(goes_on ? nth : 0);
    return goes_on;
}

void *__wrap_malloc(size_t size)
{
    return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *ptr, size_t size)
{
    return fails_now() ? NULL : __real_realloc(ptr, size);
}

char *__wrap_strdup(const char *text)
{
    return fails_now() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t max)
{
    return fails_now() ? NULL : __real_strndup(text, max);
}
