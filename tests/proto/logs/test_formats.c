/* SPDX-License-Identifier: MIT */
/*
 * Each format has a small file in tests/vectors/logs, in the shape its writer gives it. Whatever is
 * read whole is read the same when the file comes line by line, as it does while it is watched.
 */
#include "proto/logs/source.h"
#include "proto/logs/words.h"
#include "tests/support/guarded.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TOLD_MAX = 1 << 20 };

static char *read_file(const char *path, size_t *out_len)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = fopen(path, "r");
    ssize_t n = f ? getdelim(&text, &size, '\0', f) : -1;
    if (f)
        (void)fclose(f);
    *out_len = n > 0 ? (size_t)n : 0;
    return text;
}

/* What the row is, on a line of its own: the event, "@" and the time, the metrics. */
static void tell(struct source_row *row, struct buf *out)
{
    static const char *const events[] = {
        [SOURCE_NAME] = "name ", [SOURCE_CHECKPOINT] = "checkpoint ", [SOURCE_CRASH] = "crash "};
    if (row->event != SOURCE_RECORD && row->event != SOURCE_OVER) {
        buf_add_str(out, events[row->event]);
        buf_add_span(out, row->text);
        buf_add_char(out, '\n');
        return;
    }
    if (source_row_is_empty(row))
        return;
    assert_int_equal(source_row_end(row), OK);
    struct span rest = buf_span(&row->line);
    struct span head = SPAN("{\"type\":\"progress\",\"metrics\":");
    assert_true(span_starts(rest, head));
    if (row->event == SOURCE_OVER)
        buf_add_str(out, "over ");
    if (!isnan(row->wall_s))
        buf_addf(out, "@%.0f ", row->wall_s);
    buf_add(out, rest.ptr + head.len, rest.len - head.len - 1);
    buf_add_char(out, '\n');
}

static void tell_all(struct source *s, struct buf *out)
{
    struct source_row row;
    enum status status;
    source_row_init(&row);
    while ((status = s->ops->next(s, &row)) == OK)
        tell(&row, out);
    assert_int_equal(status, E_NOT_FOUND);
    source_row_fini(&row);
}

static void tell_whole(const struct source_ops *ops, struct span file, struct buf *out)
{
    struct source s;
    source_init(&s, ops, file);
    assert_int_equal(ops->open(&s), OK);
    tell_all(&s, out);
    source_fini(&s);
}

/* Each line alone, in memory that ends with it and goes when the next one comes. */
static void tell_growing(const struct source_ops *ops, struct span file, struct buf *out)
{
    struct source s;
    struct guarded first = {0};
    for (struct span rest = file; rest.len > 0;) {
        struct span line = span_cut(&rest, '\n');
        struct guarded g = guarded_copy(line.ptr, line.len + 1);
        if (!first.mapping) {
            first = g;
            source_init(&s, ops, g.span);
            assert_int_equal(ops->open(&s), OK);
        } else {
            source_feed(&s, g.span);
        }
        tell_all(&s, out);
        if (g.mapping != first.mapping)
            guarded_free(&g);
    }
    source_fini(&s);
    guarded_free(&first);
}

static void expect_told(const char *path, struct buf *out)
{
    size_t len;
    char *told = read_file(path, &len);
    assert_non_null(told);
    buf_add_char(out, '\0');
    assert_string_equal(out->ptr, told);
    buf_reset(out);
    free(told);
}

static void expect(const char *name, const char *format)
{
    char path[128];
    size_t len;
    struct buf out;
    (void)snprintf(path, sizeof(path), "tests/vectors/logs/%s", name);
    char *text = read_file(path, &len);
    assert_non_null(text);
    (void)snprintf(path, sizeof(path), "tests/vectors/logs/%s.told", name);
    struct span file = {text, len};
    const struct source_ops *ops = source_find("auto", file);
    assert_non_null(ops);
    assert_string_equal(ops->name, format);
    buf_init(&out, TOLD_MAX);
    tell_whole(ops, file, &out);
    expect_told(path, &out);
    if (!ops->whole) {
        tell_growing(ops, file, &out);
        expect_told(path, &out);
    }
    buf_fini(&out);
    free(text);
}

static void mmengine(void **state)
{
    (void)state;
    expect("mmengine.log", "mmengine");
}

static void hugging_face_prints_dicts_and_bars(void **state)
{
    (void)state;
    expect("huggingface.log", "huggingface");
}

static void hugging_face_keeps_a_document(void **state)
{
    (void)state;
    expect("trainer_state.json", "json");
}

static void lightning_leaves_cells_empty(void **state)
{
    (void)state;
    expect("lightning.csv", "csv");
}

static void ultralytics_gets_the_sum_of_its_losses(void **state)
{
    (void)state;
    expect("ultralytics.csv", "csv");
}

static void keras(void **state)
{
    (void)state;
    expect("keras.csv", "csv");
}

static void detr_lists_its_precisions(void **state)
{
    (void)state;
    expect("detr.jsonl", "ndjson");
}

static void nanogpt(void **state)
{
    (void)state;
    expect("nanogpt.log", "nanogpt");
}

static void anybody_prints_keys_and_values(void **state)
{
    (void)state;
    expect("text.log", "text");
}

static void epochs_stand_above_and_bars_are_drawn_over(void **state)
{
    (void)state;
    expect("bars.log", "text");
}

/* The real log, where it is at hand. */
static void a_whole_detection_run_is_read(void **state)
{
    (void)state;
    size_t len;
    struct source s;
    struct source_row row;
    char maps[128] = "";
    size_t trained = 0;
    size_t kept = 0;
    char *text = read_file("../shared/data/mmengine/20260203_104304.log", &len);
    if (!text)
        skip();
    source_init(&s, source_find("auto", (struct span){text, len}), (struct span){text, len});
    source_row_init(&row);
    assert_int_equal(s.ops->open(&s), OK);
    while (s.ops->next(&s, &row) == OK) {
        struct span map;
        assert_int_not_equal(row.event, SOURCE_CRASH);
        kept += row.event == SOURCE_CHECKPOINT;
        assert_int_equal(source_row_end(&row), OK);
        trained += span_has_nocase(buf_span(&row.line), SPAN("\"loss_mask\":"));
        if (words_behind(buf_span(&row.line), "\"val/bbox_mAP\":", &map))
            (void)strncat(maps, map.ptr, 6);
    }
    assert_int_equal(trained, 442);
    assert_int_equal(kept, 18);
    assert_string_equal(maps, "0.138,0.221,0.24,\"0.256,");
    assert_int_equal(s.place.epochs, 24);
    source_row_fini(&row);
    source_fini(&s);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mmengine),
        cmocka_unit_test(hugging_face_prints_dicts_and_bars),
        cmocka_unit_test(hugging_face_keeps_a_document),
        cmocka_unit_test(lightning_leaves_cells_empty),
        cmocka_unit_test(ultralytics_gets_the_sum_of_its_losses),
        cmocka_unit_test(keras),
        cmocka_unit_test(detr_lists_its_precisions),
        cmocka_unit_test(nanogpt),
        cmocka_unit_test(anybody_prints_keys_and_values),
        cmocka_unit_test(epochs_stand_above_and_bars_are_drawn_over),
        cmocka_unit_test(a_whole_detection_run_is_read),
    };
    return cmocka_run_group_tests_name("proto/logs/formats", tests, NULL, NULL);
}
