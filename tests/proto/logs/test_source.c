/* SPDX-License-Identifier: MIT */
#include "proto/logs/source.h"

#include "tests/streamd/event_bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The metrics of all records, each on a line, and what ended them: "." or "AT why". Twice, since a
 * source is read twice. */
static void expect_of(struct span file, const char *format, const char *records)
{
    static const size_t begin = sizeof("{\"type\":\"progress\",\"metrics\":") - 1;
    struct source s;
    struct source_row row;
    const struct source_ops *ops = source_find("auto", file);
    assert_non_null(ops);
    assert_string_equal(ops->name, format);
    source_init(&s, ops, file);
    source_row_init(&row);
    for (int pass = 0; pass < 2; pass++) {
        struct buf out;
        buf_init(&out, 1 << 20);
        enum status status = s.ops->open(&s);
        while (status == OK && (status = s.ops->next(&s, &row)) == OK) {
            assert_int_equal(source_row_end(&row), OK);
            buf_add(&out, row.line.ptr + begin, row.line.len - begin - 1);
            buf_add_char(&out, '\n');
        }
        if (status == E_NOT_FOUND)
            buf_add_str(&out, ".");
        else
            buf_addf(&out, "%zu %s", s.at, s.why);
        buf_add_char(&out, '\0');
        assert_string_equal(out.ptr, records);
        buf_fini(&out);
    }
    source_row_fini(&row);
    source_fini(&s);
}

static void expect(const char *file, const char *format, const char *records)
{
    expect_of(span_of(file), format, records);
}

static void a_table_is_read_by_its_names(void **state)
{
    (void)state;
    expect("step,loss\n1,0.5\n2,\n", "csv", "{\"step\":1,\"loss\":0.5}\n{\"step\":2}\n.");
    expect("\xef\xbb\xbf  step ;\"a \"\"x\"\"\";\r\n1;2;x\r\n\r\n3;inf;y", "csv",
           "{\"step\":1,\"a \\\"x\\\"\":2}\n{}\n{\"step\":3,\"a \\\"x\\\"\":\"Infinity\"}\n.");
    expect("Wall time\tStep\tValue\n1700000000\t5\t0.25\n", "csv",
           "{\"step\":5,\"Value\":0.25}\n.");
    expect("step,loss\n", "csv", ".");
}

static void rows_that_do_not_fit_the_table_are_named(void **state)
{
    (void)state;
    expect("a,b\n1,2\n3\n", "csv", "{\"a\":1,\"b\":2}\n8 fewer cells than there are names");
    expect("a,b\n1,2,3\n", "csv", "4 more cells than there are names");
    expect("a,b\n1,\"2\n", "csv", "6 a quote is not closed");
    expect("\"a,b\n", "csv", "0 a quote is not closed");
    expect("a,b\n1,\"2\"3\n", "csv", "6 text behind a closing quote");
}

static void lines_are_objects(void **state)
{
    (void)state;
    expect("{\"step\":1,\"loss\":0.5}\n\n{\"step\":2,\"x\":{\"y\":1},\"t\":\"z\",\"l\":[1]}",
           "ndjson", "{\"step\":1,\"loss\":0.5}\n{\"step\":2,\"x\":{\"y\":1}}\n.");
    expect("{\"type\":\"progress\",\"metrics\":{\"step\":1,\"a\":NaN}}\n", "ndjson",
           "{\"step\":1,\"a\":\"NaN\"}\n.");
    expect("{\"loss\":null,\"step\":1,\"nonFinite\":{\"loss\":\"NaN\"},\"offset\":3}\n", "ndjson",
           "{\"step\":1,\"loss\":\"NaN\"}\n.");
    expect("{\"step\":1,\"v\":\"-inf\"}\n{\"step\":2,}\n", "ndjson",
           "{\"step\":1,\"v\":\"-Infinity\"}\n32 a key in quotes is expected");
    expect("\xef\xbb\xbf{\"step\":1,\"x\":2}\n", "ndjson", "{\"step\":1,\"x\":2}\n.");
    expect("{\"step\":1,\"x\":2}\n{\"step\":2} 3\n", "ndjson",
           "{\"step\":1,\"x\":2}\n28 text behind the object");
    expect("{\"step\":1,\"x\":2}\n{\"step\":2,\"l\":[[1,]]}\n", "ndjson",
           "{\"step\":1,\"x\":2}\n35 a value is expected");
    expect("{\"step\":1,\"x\":2}\n[1]\n", "ndjson",
           "{\"step\":1,\"x\":2}\n17 the line is no JSON object");
}

static void a_first_line_may_describe_the_run(void **state)
{
    (void)state;
    struct source s;
    struct span file = SPAN("{\"run\":\"r\",\"total\":9}\n{\"epoch\":1,\"a\":2}\n");
    expect_of(file, "ndjson", "{\"epoch\":1,\"a\":2}\n.");
    source_init(&s, &source_ndjson, file);
    assert_int_equal(s.ops->open(&s), OK);
    assert_true(span_is(buf_span(&s.config), "{\"run\":\"r\",\"total\":9}"));
    source_fini(&s);
    expect("{\"epoch\":1,\"note\":\"x\",\"a\":2}\n", "ndjson", "{\"epoch\":1,\"a\":2}\n.");
}

static void a_document_has_its_records_in_an_array(void **state)
{
    (void)state;
    struct source s;
    struct span file = SPAN("{\n \"global_step\": 2, \"log_history\": [ {\"step\":1,\"loss\":2}, "
                            "{\"step\":2,\"eval_loss\":3} ],\n \"max_steps\": 9}\n");
    expect_of(file, "json", "{\"step\":1,\"loss\":2}\n{\"step\":2,\"eval_loss\":3}\n.");
    source_init(&s, &source_json, file);
    assert_int_equal(s.ops->open(&s), OK);
    assert_true(span_is(buf_span(&s.config), "{\"global_step\":2,\"max_steps\":9}"));
    source_fini(&s);
    expect("{\"success\":true,\"data\":[{\"x\":1}],\"total\":1}", "json", "{\"x\":1}\n.");
    expect("[{\"x\":1},\n{\"x\":2}]", "json", "{\"x\":1}\n{\"x\":2}\n.");
    expect("{\n\"x\":1}", "json", "0 the document has no array log_history or data");
    expect("{\"log_history\":[1]}", "json", "0 not what a record looks like");
    expect("{\"log_history\":[{\"x\":1},", "json", "24 the text ends before the value does");
}

static void events_of_a_step_are_one_record(void **state)
{
    (void)state;
    struct buf file;
    buf_init(&file, 1 << 16);
    put_record(&file, SPAN("\x1a\x03v:2"));
    put_event(&file, 10, 1, "loss", 1);
    put_event(&file, 11, 1, "lr", 0.5F);
    put_event(&file, 12, 2, "loss", 2);
    put_event(&file, 13, 2, "loss", 3);
    expect_of(buf_span(&file), "tensorboard",
              "{\"step\":1,\"loss\":1,\"lr\":0.5}\n{\"step\":2,\"loss\":2}\n"
              "{\"step\":2,\"loss\":3}\n.");
    size_t at = file.len;
    put_event(&file, 14, 3, "loss", 4);
    file.len -= 3;
    struct source s;
    struct source_row row;
    enum status status;
    size_t records = 0;
    source_init(&s, &source_events, buf_span(&file));
    source_row_init(&row);
    assert_int_equal(s.ops->open(&s), OK);
    while ((status = s.ops->next(&s, &row)) == OK)
        records++;
    assert_int_equal(records, 3);
    assert_int_equal(status, E_MALFORMED);
    assert_int_equal(s.at, at);
    source_row_fini(&row);
    source_fini(&s);
    buf_fini(&file);
}

static void a_format_can_be_named(void **state)
{
    (void)state;
    static const char *const names[] = {"csv", "ndjson", "json", "tensorboard"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_string_equal(source_find(names[i], SPAN(""))->name, names[i]);
    assert_null(source_find("auto", SPAN("\x01\x02\n")));
    assert_null(source_find("auto", SPAN("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_is_read_by_its_names),
        cmocka_unit_test(rows_that_do_not_fit_the_table_are_named),
        cmocka_unit_test(lines_are_objects),
        cmocka_unit_test(a_first_line_may_describe_the_run),
        cmocka_unit_test(a_document_has_its_records_in_an_array),
        cmocka_unit_test(events_of_a_step_are_one_record),
        cmocka_unit_test(a_format_can_be_named),
    };
    return cmocka_run_group_tests_name("proto/logs/source", tests, NULL, NULL);
}
