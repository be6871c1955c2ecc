/* SPDX-License-Identifier: MIT */
/*
 * buf is compiled into this test a second time, under a realloc that can be told to fail: the
 * linker then takes this one and leaves the library's alone.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

static bool memory_is_out;

static void *failing_realloc(void *old, size_t n)
{
    return memory_is_out ? NULL : realloc(old, n);
}

#define realloc failing_realloc
#include "base/buf.c"
#undef realloc

#include "proto/line_metrics.h"

#include "tests/support/guarded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct line_decoder decoder;
static struct record record;
static struct line_error error;

static int make_decoder(void **state)
{
    (void)state;
    line_decoder_init(&decoder, 99);
    memory_is_out = false;
    return 0;
}

static int drop_decoder(void **state)
{
    (void)state;
    line_decoder_fini(&decoder);
    return 0;
}

static enum status decode(struct span text)
{
    struct guarded g = guarded_copy(text.ptr, text.len);
    enum status status = line_decode_metrics(&decoder, g.span, &record, &error);
    guarded_free(&g);
    return status;
}

static void a_name_of_the_limit_is_taken_and_one_byte_more_is_not(void **state)
{
    (void)state;
    char text[400];
    for (int len = 256; len <= 257; len++) {
        int n = snprintf(text, sizeof(text), "{\"%0*d\":1}", len, 0);
        assert_int_equal(decode((struct span){text, (size_t)n}), len == 256 ? OK : E_MALFORMED);
    }
    assert_string_equal(error.code, "metrics");
    assert_int_equal(error.at, 2);
}

static void the_limit_counts_the_whole_flattened_name(void **state)
{
    (void)state;
    char text[400];
    for (int len = 251; len <= 252; len++) {
        int n = snprintf(text, sizeof(text), "{\"%0*d\":{\"x\":{\"yz\":1}}}", len, 0);
        assert_int_equal(decode((struct span){text, (size_t)n}), len == 251 ? OK : E_MALFORMED);
    }
    assert_string_equal(error.code, "metrics");
    int n = snprintf(text, sizeof(text), "{\"%0*d\":{}}", 256, 0);
    assert_int_equal(decode((struct span){text, (size_t)n}), E_MALFORMED);
}

static void an_escaped_name_is_measured_by_what_it_means(void **state)
{
    (void)state;
    char text[6 * 256 + 16] = "{\"";
    size_t n = 2;
    for (int i = 0; i < 256; i++, n += 6)
        memcpy(text + n, "\\u0041", 6);
    memcpy(text + n, "\":1}", 4);
    assert_int_equal(decode((struct span){text, n + 4}), OK);
    assert_int_equal(record.extra[0].name.len, 256);
}

static void names_keep_their_bytes_while_the_text_fills(void **state)
{
    (void)state;
    static char text[LINE_BYTES_MAX];
    size_t n = 0;
    text[n++] = '{';
    for (int i = 0; i < 2000; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s\"g\":{\"m%d\":%d}", i ? "," : "", i,
                              i);
    text[n++] = '}';
    assert_int_equal(decode((struct span){text, n}), OK);
    assert_int_equal(record.extra_count, 2000);
    for (int i = 0; i < 2000; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "g/m%d", i);
        assert_true(span_is(record.extra[i].name, name));
        assert_int_equal(record.extra[i].value.i, i);
    }
}

static void flattened_names_are_bounded_together(void **state)
{
    (void)state;
    static char text[LINE_BYTES_MAX];
    size_t n = (size_t)snprintf(text, sizeof(text), "{\"%0*d\":{", 240, 0);
    for (int i = 0; i < 2000; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s\"m%d\":1", i ? "," : "", i);
    memcpy(text + n, "}}", 2);
    assert_int_equal(decode((struct span){text, n + 2}), E_LIMIT);
    assert_string_equal(error.code, "metrics");
    assert_int_equal(decode(SPAN("{\"a\":{\"b\":1}}")), OK);
    assert_true(span_is(record.extra[0].name, "a/b"));
}

static void a_wide_value_of_an_index_is_still_one_more(void **state)
{
    (void)state;
    assert_int_equal(decode(SPAN("{\"modelIndex\":9223372036854775807}")), OK);
    assert_true(num_double(record.field[F_CURRENT_MODEL]) == 0x1p63);
    assert_int_equal(decode(SPAN("{\"modelIndex\":1.5}")), OK);
    assert_true(record.field[F_CURRENT_MODEL].f == 2.5);
    assert_int_equal(decode(SPAN("{\"modelIndex\":NaN}")), OK);
    assert_string_equal(num_word(record.field[F_CURRENT_MODEL]), "NaN");
}

static void a_field_inside_an_object_is_a_number_of_its_own(void **state)
{
    (void)state;
    assert_int_equal(decode(SPAN("{\"loss\":{\"loss\":1,\"offset\":2},\"x\":{\"lr\":\"high\"}}")),
                     OK);
    assert_int_equal(record.sent, 0);
    assert_int_equal(record.wrong, 0);
    assert_int_equal(record.ignored, 1);
    assert_int_equal(record.extra_count, 2);
    assert_true(span_is(record.extra[0].name, "loss/loss"));
    assert_true(span_is(record.extra[1].name, "loss/offset"));
}

static void a_name_that_meets_no_memory_refuses_the_line_and_not_the_next(void **state)
{
    (void)state;
    static const struct span texts[] = {
        {"{\"a\\u0041\":1}", 13},
        {"{\"a\":{\"b\":1}}", 13},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        line_decoder_fini(&decoder);
        memory_is_out = true;
        assert_int_equal(decode(texts[i]), E_NOMEM);
        assert_string_equal(error.code, "no_memory");
        memory_is_out = false;
        assert_int_equal(decode(texts[i]), OK);
        memory_is_out = true;
        assert_int_equal(decode(texts[i]), OK);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_decoder, drop_decoder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_name_of_the_limit_is_taken_and_one_byte_more_is_not),
        TEST(the_limit_counts_the_whole_flattened_name),
        TEST(an_escaped_name_is_measured_by_what_it_means),
        TEST(names_keep_their_bytes_while_the_text_fills),
        TEST(flattened_names_are_bounded_together),
        TEST(a_wide_value_of_an_index_is_still_one_more),
        TEST(a_field_inside_an_object_is_a_number_of_its_own),
        TEST(a_name_that_meets_no_memory_refuses_the_line_and_not_the_next),
    };
    return cmocka_run_group_tests_name("proto/line_metrics", tests, NULL, NULL);
}
