/* SPDX-License-Identifier: MIT */
#include "proto/json_write.h"

#include "proto/json_scan.h"

#include "tests/support/guarded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int make_buf(void **state)
{
    static struct buf b;
    buf_init(&b, 4096);
    *state = &b;
    return 0;
}

static int drop_buf(void **state)
{
    buf_fini(*state);
    return 0;
}

static void assert_written(struct buf *b, const char *want)
{
    assert_int_equal(buf_status(b), OK);
    if (!span_is(buf_span(b), want))
        fail_msg("written %.*s, wanted %s", (int)b->len, b->ptr, want);
    buf_reset(b);
}

static void strings_escape_what_they_must_and_nothing_else(void **state)
{
    struct buf *b = *state;
    static const struct {
        const char *text;
        const char *written;
    } cases[] = {
        {"", "\"\""},
        {"plain", "\"plain\""},
        {"a\"b\\c/", "\"a\\\"b\\\\c/\""},
        {"\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""},
        {"\x01\x1f\x7f", "\"\\u0001\\u001f\x7f\""},
        {"\xc3\xa9\xe2\x80\xa8\xf0\x9f\x98\x80", "\"\xc3\xa9\xe2\x80\xa8\xf0\x9f\x98\x80\""},
        {"</script>", "\"</script>\""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct guarded g = guarded_text(cases[i].text);
        json_write_string(b, g.span);
        assert_written(b, cases[i].written);
        guarded_free(&g);
    }
    json_write_string(b, (struct span){"a\0b", 3});
    assert_written(b, "\"a\\u0000b\"");
}

static void every_byte_below_space_is_written_so_that_the_scanner_accepts_it(void **state)
{
    struct buf *b = *state;
    for (int c = 1; c < 0x80; c++) {
        char text[2] = {(char)c, 'x'};
        json_write_string(b, (struct span){text, 2});
        struct json_scan s;
        struct json_value v;
        struct buf meaning;
        buf_init(&meaning, 64);
        json_scan_init(&s, buf_span(b), JSON_STRICT);
        assert_int_equal(json_next(&s, &v), JSON_STRING);
        json_unescape(v.raw, &meaning);
        assert_int_equal(meaning.len, 2);
        assert_memory_equal(meaning.ptr, text, 2);
        buf_fini(&meaning);
        buf_reset(b);
    }
}

static void commas_come_between_members_and_nowhere_else(void **state)
{
    struct buf *b = *state;
    buf_add_char(b, '{');
    json_write_pair_string(b, "a", SPAN("x{"));
    json_write_pair_u64(b, "b", UINT64_MAX);
    json_write_pair_double(b, "c", 0.5);
    json_write_pair_bool(b, "d", true);
    json_write_pair_raw(b, "e", SPAN("{}"));
    json_write_key(b, SPAN("\"f"));
    buf_add_char(b, '[');
    for (int i = 0; i < 3; i++) {
        json_write_comma(b);
        json_write_bool(b, i == 1);
    }
    buf_add_str(b, "]}");
    assert_written(b, "{\"a\":\"x{\",\"b\":18446744073709551615,\"c\":0.5,\"d\":true,\"e\":{},"
                      "\"\\\"f\":[false,true,false]}");
}

static void a_comma_is_not_due_at_the_start_or_after_another(void **state)
{
    struct buf *b = *state;
    json_write_comma(b);
    assert_int_equal(b->len, 0);
    buf_add_str(b, "[1");
    json_write_comma(b);
    json_write_comma(b);
    assert_written(b, "[1,");
}

static void minifying_drops_white_space_outside_strings_only(void **state)
{
    struct buf *b = *state;
    static const struct {
        const char *text;
        const char *written;
    } cases[] = {
        {" { \"a b\" :\t[ 1 ,\r\n 2.50 ] } ", "{\"a b\":[1,2.50]}"},
        {"\"\\\" \\\\\"", "\"\\\" \\\\\""},
        {"[\"NaN \", NaN, Infinity ,-Infinity, -1]", "[\"NaN \",null,null,null,-1]"},
        {"NaN", "null"},
        {"[true, false, null]", "[true,false,null]"},
        {"{\"N\":-Infinity}", "{\"N\":null}"},
        {"1e5", "1e5"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct guarded g = guarded_text(cases[i].text);
        assert_int_equal(json_check(g.span, JSON_WORDS, NULL), OK);
        json_write_minified(b, g.span);
        assert_int_equal(json_check(buf_span(b), JSON_STRICT, NULL), OK);
        assert_written(b, cases[i].written);
        guarded_free(&g);
    }
}

static void a_full_buf_says_so_once_at_the_end(void **state)
{
    (void)state;
    struct buf small;
    buf_init(&small, 8);
    buf_add_char(&small, '{');
    json_write_pair_string(&small, "name", SPAN("too long for it"));
    buf_add_char(&small, '}');
    assert_int_equal(buf_status(&small), E_LIMIT);
    buf_fini(&small);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_buf, drop_buf)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(strings_escape_what_they_must_and_nothing_else),
        TEST(every_byte_below_space_is_written_so_that_the_scanner_accepts_it),
        TEST(commas_come_between_members_and_nowhere_else),
        TEST(a_comma_is_not_due_at_the_start_or_after_another),
        TEST(minifying_drops_white_space_outside_strings_only),
        TEST(a_full_buf_says_so_once_at_the_end),
    };
    return cmocka_run_group_tests_name("proto/json_write", tests, NULL, NULL);
}
