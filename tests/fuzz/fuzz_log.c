/* SPDX-License-Identifier: MIT */
/* Logs of lines that grow: fed line by line, they say what they say when they are read whole. */
#include "proto/logs/source.h"
#include "tests/fuzz/fuzz.h"

#include <math.h>

static void tell_rows(struct source *s, struct buf *out)
{
    struct source_row row;
    source_row_init(&row);
    while (s->ops->next(s, &row) == OK) {
        CHECK(row.text.len <= SOURCE_TEXT_MAX && json_utf8_valid(row.text));
        buf_add_u64(out, row.event);
        buf_add_char(out, isnan(row.wall_s) ? '-' : '@');
        buf_add_span(out, row.text);
        if (source_row_end(&row) == OK)
            buf_add_span(out, buf_span(&row.line));
        buf_add_char(out, '\n');
    }
    source_row_fini(&row);
}

static void read_whole(const struct source_ops *ops, struct span file, struct buf *out)
{
    struct source s;
    source_init(&s, ops, file);
    CHECK(ops->open(&s) == OK);
    tell_rows(&s, out);
    source_fini(&s);
}

static void read_growing(const struct source_ops *ops, struct span file, struct buf *out)
{
    struct source s;
    struct span first = copy_of(span_cut(&file, '\n'));
    source_init(&s, ops, first);
    CHECK(ops->open(&s) == OK);
    tell_rows(&s, out);
    while (file.len > 0) {
        struct span line = copy_of(span_cut(&file, '\n'));
        source_feed(&s, line);
        tell_rows(&s, out);
        free((char *)(size_t)line.ptr);
    }
    source_fini(&s);
    free((char *)(size_t)first.ptr);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static const struct source_ops *const formats[] = {&source_mmengine, &source_huggingface,
                                                       &source_nanogpt, &source_text};
    struct span rest = {(const char *)data, size};
    const struct source_ops *ops = formats[take_byte(&rest) % 4];
    struct span file = copy_of(rest);
    struct buf whole;
    struct buf growing;
    buf_init(&whole, 1 << 24);
    buf_init(&growing, 1 << 24);
    read_whole(ops, file, &whole);
    read_growing(ops, file, &growing);
    CHECK(span_eq(buf_span(&whole), buf_span(&growing)));
    buf_fini(&whole);
    buf_fini(&growing);
    free((char *)(size_t)file.ptr);
    return 0;
}
