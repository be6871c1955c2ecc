/* SPDX-License-Identifier: MIT */
/*
 * What the fuzzers have found worth keeping, and what once broke something, without a fuzzer: each
 * harness gets every file of its corpus. The Makefile calls each harness by the name of its file.
 */
#include "base/span.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define HARNESSES(X)                                                                               \
    X(eio)                                                                                         \
    X(events)                                                                                      \
    X(framer)                                                                                      \
    X(inflate)                                                                                     \
    X(json_scan)                                                                                   \
    X(jsonrpc)                                                                                     \
    X(line)                                                                                        \
    X(log)                                                                                         \
    X(plain)                                                                                       \
    X(query)                                                                                       \
    X(replay)                                                                                      \
    X(request)                                                                                     \
    X(segment)                                                                                     \
    X(session)                                                                                     \
    X(sio)                                                                                         \
    X(source)                                                                                      \
    X(ws_client)

#define DECLARE(name) int fuzz_##name(const unsigned char *data, size_t size);
HARNESSES(DECLARE)

static const struct harness {
    const char *name;
    int (*feed)(const unsigned char *data, size_t size);
} harnesses[] = {
#define ROW(name) {#name, fuzz_##name},
    HARNESSES(ROW)};

/* The bytes end where their allocation ends. */
static void feed(const struct harness *h, const char *path)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    size_t size = (size_t)ftell(f);
    rewind(f);
    unsigned char *bytes = malloc(size ? size : 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, size, f), size);
    (void)fclose(f);
    (void)h->feed(bytes, size);
    free(bytes);
}

static void feed_all(const struct harness *h)
{
    char folder[64];
    struct dirent **entries;
    int fed = 0;
    (void)snprintf(folder, sizeof(folder), "tests/fuzz/corpus/%s", h->name);
    int count = scandir(folder, &entries, NULL, alphasort);
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        char path[sizeof(folder) + sizeof(entries[i]->d_name)];
        (void)snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.') {
            feed(h, path);
            fed++;
        }
        free(entries[i]);
    }
    free(entries);
    if (fed == 0)
        fail_msg("%s is empty", folder);
}

static void what_was_kept_breaks_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(harnesses) / sizeof(harnesses[0]); i++)
        feed_all(&harnesses[i]);
}

/* A harness or a corpus that the table lacks would look like one that passed. */
static void every_corpus_has_its_harness(void **state)
{
    struct dirent **entries;
    size_t folders = 0;
    (void)state;
    int count = scandir("tests/fuzz/corpus", &entries, NULL, alphasort);
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        folders += entries[i]->d_name[0] != '.';
        free(entries[i]);
    }
    free(entries);
    assert_int_equal(folders, sizeof(harnesses) / sizeof(harnesses[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_kept_breaks_nothing),
        cmocka_unit_test(every_corpus_has_its_harness),
    };
    return cmocka_run_group_tests_name("fuzz/kept_inputs", tests, NULL, NULL);
}
