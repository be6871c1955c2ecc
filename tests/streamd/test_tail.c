/* SPDX-License-Identifier: MIT */
#include "streamd/tools/tail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
    char folder[64];
    char path[96];
    struct tail tail;
    struct buf told;
};

static void on_row(void *context, struct source_row *row)
{
    struct place *p = context;
    if (row->event == SOURCE_RECORD && !source_row_is_empty(row)) {
        assert_int_equal(source_row_end(row), OK);
        struct span rest = buf_span(&row->line);
        (void)span_cut(&rest, ':');
        (void)span_cut(&rest, ':');
        buf_add(&p->told, rest.ptr, rest.len - 1);
    } else if (row->text.len > 0) {
        buf_add_span(&p->told, row->text);
    }
    buf_add_char(&p->told, ' ');
}

static int set_up(void **state)
{
    struct place *p = calloc(1, sizeof(*p));
    assert_non_null(p);
    (void)snprintf(p->folder, sizeof(p->folder), "/tmp/test_tail.XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    (void)snprintf(p->path, sizeof(p->path), "%s/log", p->folder);
    tail_init(&p->tail, p->path, "auto");
    buf_init(&p->told, 1 << 20);
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    struct place *p = *state;
    tail_fini(&p->tail);
    buf_fini(&p->told);
    (void)unlink(p->path);
    (void)rmdir(p->folder);
    free(p);
    return 0;
}

static void put(struct place *p, const char *mode, const char *text)
{
    FILE *f = fopen(p->path, mode);
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    assert_int_equal(fclose(f), 0);
}

static void expect(struct place *p, const char *told)
{
    assert_int_equal(tail_look(&p->tail, on_row, p), OK);
    buf_add_char(&p->told, '\0');
    assert_string_equal(p->told.ptr, told);
    buf_reset(&p->told);
}

static void a_file_that_is_not_there_may_come(void **state)
{
    struct place *p = *state;
    assert_int_equal(tail_look(&p->tail, on_row, p), E_NOT_FOUND);
    put(p, "w", "");
    expect(p, "");
    put(p, "a", "step: 1 loss: 0.5\n");
    expect(p, "{\"step\":1,\"loss\":0.5} ");
    assert_int_equal(tail_look(&p->tail, on_row, p), OK);
    assert_int_equal(p->told.len, 0);
}

static void only_whole_lines_are_told(void **state)
{
    struct place *p = *state;
    put(p, "w", "a banner, and nothing else\nstep: 1 loss: 0.5\nstep: 2 loss: 0.");
    expect(p, "{\"step\":1,\"loss\":0.5} ");
    put(p, "a", "25\n");
    expect(p, "{\"step\":2,\"loss\":0.25} ");
}

static void a_file_that_is_replaced_is_new(void **state)
{
    struct place *p = *state;
    put(p, "w", "step: 1 loss: 0.5\nstep: 2 loss: 0.25\n");
    expect(p, "{\"step\":1,\"loss\":0.5} {\"step\":2,\"loss\":0.25} ");
    put(p, "w", "step: 7 loss: 1\n");
    expect(p, "{\"step\":7,\"loss\":1} ");
    char other[128];
    (void)snprintf(other, sizeof(other), "%s.2", p->path);
    assert_int_equal(rename(p->path, other), 0);
    assert_int_equal(tail_look(&p->tail, on_row, p), E_NOT_FOUND);
    put(p, "w", "step: 8 loss: 1\nstep: 9 loss: 1\n");
    expect(p, "{\"step\":8,\"loss\":1} {\"step\":9,\"loss\":1} ");
    (void)unlink(other);
}

static void a_table_keeps_its_names(void **state)
{
    struct place *p = *state;
    put(p, "w", "epoch,step,train_loss\n0,10,0.5\n");
    expect(p, "{\"epoch\":0,\"step\":10,\"train_loss\":0.5} ");
    put(p, "a", "0,20,0.25\n1,3");
    expect(p, "{\"epoch\":0,\"step\":20,\"train_loss\":0.25} ");
    put(p, "a", "0,0.125\n");
    expect(p, "{\"epoch\":1,\"step\":30,\"train_loss\":0.125} ");
}

/* As Lightning does when a metric appears: all of it again, with one more column. */
static void a_table_with_new_columns_is_read_anew(void **state)
{
    struct place *p = *state;
    put(p, "w", "step,train_loss\n10,0.5\n20,0.25\n");
    expect(p, "{\"step\":10,\"train_loss\":0.5} {\"step\":20,\"train_loss\":0.25} ");
    put(p, "w", "step,train_loss,val_loss\n10,0.5,\n20,0.25,\n20,,0.75\n");
    expect(p, "{\"step\":20,\"val_loss\":0.75} ");
    put(p, "a", "30,0.125,\n");
    expect(p, "{\"step\":30,\"train_loss\":0.125} ");
}

static void a_damaged_row_is_passed_over(void **state)
{
    struct place *p = *state;
    put(p, "w", "step,loss\n1,0.5\n2\n3,0.25\n");
    expect(p, "{\"step\":1,\"loss\":0.5} {\"step\":3,\"loss\":0.25} ");
    put(p, "a", "4,0.125\n");
    expect(p, "{\"step\":4,\"loss\":0.125} ");
}

static void a_document_is_told_once(void **state)
{
    struct place *p = *state;
    put(p, "w", "{\n\"log_history\": [\n{\"step\": 1, \"loss\": 2}\n]\n}\n");
    expect(p, "{\"step\":1,\"loss\":2} ");
    expect(p, "");
    put(p, "w", "{\n\"log_history\": [\n{\"step\": 1, \"loss\": 2},\n{\"step\": 2, \"lo");
    expect(p, "");
    put(p, "w",
        "{\n\"log_history\": [\n{\"step\": 1, \"loss\": 2},\n{\"step\": 2, \"loss\": 1}\n]}");
    expect(p, "{\"step\":2,\"loss\":1} ");
}

static void a_line_without_an_end_does_not_fill_memory(void **state)
{
    struct place *p = *state;
    char *long_text = malloc((3 << 20) + 1);
    assert_non_null(long_text);
    memset(long_text, 'x', 3 << 20);
    long_text[3 << 20] = '\0';
    put(p, "w", "step: 1 loss: 0.5\n");
    put(p, "a", long_text);
    expect(p, "{\"step\":1,\"loss\":0.5} ");
    assert_true(p->tail.waiting.len <= TAIL_LINE_BYTES);
    put(p, "a", long_text);
    expect(p, "");
    put(p, "a", "\nstep: 2 loss: 1\n");
    expect(p, "{\"step\":2,\"loss\":1} ");
    assert_true(p->tail.waiting.cap <= 2 * (TAIL_LINE_BYTES + TAIL_CHUNK_BYTES));
    free(long_text);
}

static void a_crash_is_told_where_it_stands(void **state)
{
    struct place *p = *state;
    put(p, "w", "step: 1 loss: 0.5\nRuntimeError: CUDA out of memory\n");
    expect(p, "{\"step\":1,\"loss\":0.5} RuntimeError: CUDA out of memory ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_that_is_not_there_may_come),
        TEST(only_whole_lines_are_told),
        TEST(a_file_that_is_replaced_is_new),
        TEST(a_table_keeps_its_names),
        TEST(a_table_with_new_columns_is_read_anew),
        TEST(a_damaged_row_is_passed_over),
        TEST(a_document_is_told_once),
        TEST(a_line_without_an_end_does_not_fill_memory),
        TEST(a_crash_is_told_where_it_stands),
    };
    return cmocka_run_group_tests_name("tools/tail", tests, NULL, NULL);
}
