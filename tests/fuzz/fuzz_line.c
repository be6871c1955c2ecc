/* SPDX-License-Identifier: MIT */
/*
 * Trainer lines, two after each other through one decoder: what is taken is JSON, what is written
 * of it is JSON that reads back, and nothing of a line is left in the decoder for the next.
 */
#include "proto/compat.h"
#include "proto/json_scan.h"
#include "proto/line.h"
#include "proto/record_json.h"
#include "tests/fuzz/fuzz.h"

enum { WRITTEN_MAX = 1 << 22 };

static void check_json(const struct buf *b, unsigned flags)
{
    CHECK(buf_status(b) == OK);
    CHECK(json_check(buf_span(b), flags, NULL) == OK);
}

static void check_compat(const struct record *r)
{
    struct record clamped;
    struct buf b;
    buf_init(&b, WRITTEN_MAX);
    compat_transform(r, 3, &clamped);
    record_write_payload(&b, &clamped);
    check_json(&b, JSON_STRICT);
    buf_reset(&b);
    compat_write_validation(&b, r);
    check_json(&b, JSON_STRICT);
    buf_fini(&b);
}

/* The record as history keeps it, appended to *out. */
static void check_record(const struct record *sent, struct buf *out)
{
    struct record_memory memory;
    struct record record = *sent;
    struct record back;
    struct line_error error;
    struct line_decoder decoder;
    struct buf b;
    record_memory_init(&memory);
    record_complete(&record, &memory, 1, 2);
    buf_init(&b, WRITTEN_MAX);
    record_write_payload(&b, &record);
    check_json(&b, JSON_STRICT);
    buf_reset(&b);
    record_write_full(&b, &record);
    check_json(&b, JSON_STRICT);
    line_decoder_init(&decoder, 2);
    if (b.len <= LINE_BYTES_MAX)
        CHECK(line_decode_metrics(&decoder, buf_span(&b), &back, &error) == OK);
    line_decoder_fini(&decoder);
    buf_add_span(out, buf_span(&b));
    buf_fini(&b);
    check_compat(&record);
}

static void check_error(const struct line_error *error, struct span text)
{
    struct buf b;
    CHECK(error->code && error->why && error->at <= text.len);
    buf_init(&b, WRITTEN_MAX);
    line_write_error(&b, error, 1);
    check_json(&b, JSON_STRICT);
    buf_fini(&b);
}

/* What the line said, as text, in *out. */
static void decode(struct line_decoder *d, struct span text, struct buf *out)
{
    struct line line;
    struct line_error error = {0};
    if (line_decode(d, text, &line, &error) != OK) {
        check_error(&error, text);
        buf_addf(out, "%s %zu", error.code, error.at);
        return;
    }
    buf_add_str(out, line_type_name(line.type));
    CHECK(line.type == LINE_BLANK || json_check(text, JSON_WORDS, NULL) == OK);
    CHECK(!line.session_id.ptr || session_id_valid(line.session_id));
    CHECK(!line.config.ptr || json_check(line.config, JSON_WORDS, NULL) == OK);
    CHECK(!line.report.ptr || json_check(line.report, JSON_WORDS, NULL) == OK);
    CHECK(json_utf8_valid(line.project) && json_utf8_valid(line.name));
    CHECK(json_utf8_valid(line.error));
    if (line.has_metrics)
        check_record(&line.record, out);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct span rest = {(const char *)data, size};
    struct span first = copy_of(span_cut(&rest, '\n'));
    struct span second = copy_of(rest.ptr ? rest : SPAN(""));
    struct buf after;
    struct buf alone;
    struct line_decoder d;
    buf_init(&after, WRITTEN_MAX);
    buf_init(&alone, WRITTEN_MAX);
    line_decoder_init(&d, 1);
    decode(&d, first, &after);
    buf_reset(&after);
    decode(&d, second, &after);
    line_decoder_fini(&d);
    decode(&d, second, &alone);
    CHECK(span_eq(buf_span(&after), buf_span(&alone)));
    line_decoder_fini(&d);
    buf_fini(&after);
    buf_fini(&alone);
    free((char *)(size_t)first.ptr);
    free((char *)(size_t)second.ptr);
    return 0;
}
