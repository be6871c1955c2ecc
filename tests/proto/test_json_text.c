/* SPDX-License-Identifier: MIT */
#include "proto/json_text.h"

#include "tests/support/guarded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void escapes_become_what_they_mean(void **state)
{
    (void)state;
    static const struct {
        const char *raw;
        const char *meaning;
    } cases[] = {
        {"", ""},
        {"plain", "plain"},
        {"\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t"},
        {"\\u0041\\u00e9\\u20AC", "A\xc3\xa9\xe2\x82\xac"},
        {"\\u007f\\u0080\\u07ff\\u0800\\uffff", "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf"},
        {"a\\ud83d\\ude00b", "a\xf0\x9f\x98\x80"
                             "b"},
        {"\\ud800\\udc00\\udbff\\udfff", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
        {"\xc3\xa9\\n", "\xc3\xa9\n"},
    };
    struct buf b;
    buf_init(&b, 256);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct guarded g = guarded_text(cases[i].raw);
        buf_reset(&b);
        json_unescape(g.span, &b);
        assert_int_equal(buf_status(&b), OK);
        assert_true(span_is(buf_span(&b), cases[i].meaning));
        guarded_free(&g);
    }
    buf_fini(&b);
}

/* What the definition says, one code point after the other. */
static size_t encode(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t len = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = len; i-- > 1; c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(lead[len] | c);
    return len;
}

static void every_code_point_is_text_but_the_surrogates(void **state)
{
    (void)state;
    for (uint32_t c = 0; c < 0x110000 + 1000; c++) {
        char bytes[4];
        struct span text = {bytes, encode(c, bytes)};
        bool valid = (c < 0xd800 || c > 0xdfff) && c < 0x110000;
        assert_int_equal(json_utf8_valid(text), valid);
        if (valid && text.len > 1)
            assert_int_equal(json_utf8_length(text.ptr, text.ptr + text.len), text.len);
    }
}

static void every_pair_of_bytes_is_text_only_when_both_are_or_they_belong_together(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 256; first++) {
        for (unsigned second = 0; second < 256; second++) {
            char bytes[2] = {(char)first, (char)second};
            bool ascii = first < 0x80 && second < 0x80;
            bool pair = first >= 0xc2 && first < 0xe0 && second >= 0x80 && second < 0xc0;
            assert_int_equal(json_utf8_valid((struct span){bytes, 2}), ascii || pair);
        }
    }
}

static void a_cut_character_is_not_text_and_not_read_past(void **state)
{
    (void)state;
    static const char *const cut[] = {"\xc3",         "\xe2\x82", "\xe2",
                                      "\xf0\x9f\x98", "\xf0\x9f", "\xf0"};
    for (size_t i = 0; i < sizeof(cut) / sizeof(cut[0]); i++) {
        struct guarded g = guarded_text(cut[i]);
        assert_false(json_utf8_valid(g.span));
        guarded_free(&g);
    }
    assert_true(json_utf8_valid((struct span){NULL, 0}));
}

static void an_escape_cut_short_is_refused_and_not_read_past(void **state)
{
    (void)state;
    static const char whole[] = "\\ud83d\\ude00";
    for (size_t len = 1; len < sizeof(whole) - 1; len++) {
        struct guarded g = guarded_copy(whole, len);
        const char *why = NULL;
        assert_int_equal(json_escape_length(g.span.ptr, g.span.ptr + len, &why), 0);
        assert_non_null(why);
        guarded_free(&g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_become_what_they_mean),
        cmocka_unit_test(every_code_point_is_text_but_the_surrogates),
        cmocka_unit_test(every_pair_of_bytes_is_text_only_when_both_are_or_they_belong_together),
        cmocka_unit_test(a_cut_character_is_not_text_and_not_read_past),
        cmocka_unit_test(an_escape_cut_short_is_refused_and_not_read_past),
    };
    return cmocka_run_group_tests_name("proto/json_text", tests, NULL, NULL);
}
