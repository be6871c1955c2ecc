/* SPDX-License-Identifier: MIT */
/*
 * vectors: the cases that C, Python and TypeScript share, read from tests/vectors.
 *
 * Tests run from the root of the repository. A file that is missing or is no JSON ends the test
 * binary with a message: a vector that is not read must not look like one that passed.
 */
#ifndef TESTS_SUPPORT_VECTORS_H
#define TESTS_SUPPORT_VECTORS_H

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

static inline void vectors_give_up(const char *path, const char *why)
{
    (void)fprintf(stderr, "%s: %s (run from the root of the repository)\n", path, why);
    exit(99);
}

/* The caller owns the tree and gives it to cJSON_Delete. */
static inline cJSON *vectors_read(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        vectors_give_up(path, "cannot be read");
    long size = ftell(file);
    char *text = malloc((size_t)size);
    rewind(file);
    if (!text || fread(text, 1, (size_t)size, file) != (size_t)size)
        vectors_give_up(path, "cannot be read");
    (void)fclose(file);
    cJSON *tree = cJSON_ParseWithLength(text, (size_t)size);
    free(text);
    if (!tree)
        vectors_give_up(path, "is not JSON");
    return tree;
}

#endif
