/* SPDX-License-Identifier: MIT */
/*
 * Each allocation of reading a log fails in turn. Whoever reads is told so, or reads the same as
 * ever; no record is left out or cut short for it in silence.
 */
#include "proto/logs/source.h"

#include "tests/support/oom.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { READ_MAX = 256 * 1024 };

/* What was read, in memory that cannot run out. */
struct told {
    size_t len;
    char text[READ_MAX];
};

static void note(struct told *t, struct span text)
{
    assert_true(t->len + text.len < READ_MAX);
    if (text.len > 0)
        memcpy(t->text + t->len, text.ptr, text.len);
    t->len += text.len;
}

/* All records and the run's config. E_NOT_FOUND: to the end. */
static enum status read_all(struct span file, struct told *out)
{
    struct source s;
    struct source_row row;
    out->len = 0;
    source_init(&s, source_find("auto", file), file);
    source_row_init(&row);
    enum status status = s.ops->open(&s);
    if (status == OK)
        status = buf_status(&s.config);
    note(out, buf_span(&s.config));
    while (status == OK && (status = s.ops->next(&s, &row)) == OK) {
        status = source_row_end(&row);
        if (status == OK)
            note(out, buf_span(&row.line));
    }
    source_row_fini(&row);
    source_fini(&s);
    return status;
}

static size_t sweep(const char *name, struct span file)
{
    static struct told whole;
    static struct told told;
    size_t n = 1;
    assert_int_equal(read_all(file, &whole), E_NOT_FOUND);
    for (; oom_sweeps(n); n++) {
        enum status status = read_all(file, &told);
        if (status == E_NOT_FOUND && told.len == whole.len)
            assert_memory_equal(told.text, whole.text, whole.len);
        else if (status != E_NOMEM)
            fail_msg("%s: allocation %zu: status %d, %zu of %zu bytes", name, n, (int)status,
                     told.len, whole.len);
    }
    return n - 1;
}

static size_t sweep_file(const char *name)
{
    static char text[16 * 1024];
    char path[128];
    (void)snprintf(path, sizeof(path), "tests/vectors/logs/%s", name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    struct span file = {text, fread(text, 1, sizeof(text), f)};
    assert_true(feof(f) || file.len < sizeof(text));
    (void)fclose(f);
    return sweep(name, file);
}

static void reading_a_log_says_when_memory_is_out(void **state)
{
    static const char *const logs[] = {
        "bars.log",     "detr.jsonl",  "huggingface.log", "keras.csv",          "lightning.csv",
        "mmengine.log", "nanogpt.log", "text.log",        "trainer_state.json", "ultralytics.csv"};
    size_t swept = 0;
    (void)state;
    for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++)
        swept += sweep_file(logs[i]);
    swept += sweep("escaped names", SPAN("{\"step\":1,\"x\":1}\n{\"step\":2,\"a\\\"b\":2,\"y\":3}"
                                         "\n{\"step\":3,\"coco_eval_x\":[0.5]}"));
    print_message("allocations: %zu\n", swept);
    assert_true(swept > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reading_a_log_says_when_memory_is_out)};
    return cmocka_run_group_tests_name("proto/logs/out_of_memory", tests, NULL, NULL);
}
