/* SPDX-License-Identifier: MIT */
/* Files of text: a table, lines, a document or a log. Read twice, it must be the same; what
 * is refused is named within the file; and each record is a line that a scanner takes. */
#include "proto/line.h"
#include "proto/logs/source.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

/* In a name that is none, the line's decoder finds what is wrong. */
static bool is_text(struct span file)
{
    return json_utf8_valid(file) && (file.len == 0 || !memchr(file.ptr, 0, file.len));
}

/* Reads all of it; the lines in *out. */
static enum status read_all(struct source *s, struct buf *out)
{
    struct source_row row;
    source_row_init(&row);
    enum status status = s->ops->open(s);
    while (status == OK && (status = s->ops->next(s, &row)) == OK) {
        CHECK(s->at <= s->file.len);
        if (source_row_end(&row) != OK)
            continue;
        CHECK(!is_text(s->file) || json_check(buf_span(&row.line), JSON_WORDS, NULL) == OK);
        buf_add_span(out, buf_span(&row.line));
    }
    source_row_fini(&row);
    CHECK(status != OK && s->at <= s->file.len);
    CHECK(status == E_NOT_FOUND || s->why);
    return status;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static const struct source_ops *const formats[] = {
        &source_csv,         &source_ndjson,  &source_json, &source_mmengine,
        &source_huggingface, &source_nanogpt, &source_text};
    struct span rest = {(const char *)data, size};
    const struct source_ops *ops = formats[take_byte(&rest) % 7];
    struct span file = copy_of(rest);
    struct source s;
    struct buf first;
    struct buf again;
    buf_init(&first, 1 << 24);
    buf_init(&again, 1 << 24);
    source_init(&s, ops, file);
    (void)ops->fits(file);
    CHECK(read_all(&s, &first) == read_all(&s, &again));
    CHECK(span_eq(buf_span(&first), buf_span(&again)));
    source_fini(&s);
    buf_fini(&first);
    buf_fini(&again);
    free((char *)(size_t)file.ptr);
    return 0;
}
