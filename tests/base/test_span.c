/* SPDX-License-Identifier: MIT */
#include "base/span.h"

#include "tests/support/guarded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void spans_come_from_literals_and_c_strings(void **state)
{
    (void)state;
    assert_int_equal(SPAN("abc").len, 3);
    assert_int_equal(SPAN("").len, 0);
    assert_int_equal(span_of("abcd").len, 4);
    assert_int_equal(span_of(NULL).len, 0);
    assert_null(span_of(NULL).ptr);
}

static void equality_is_of_bytes_and_null_is_just_empty(void **state)
{
    (void)state;
    struct span none = {NULL, 0};
    assert_true(span_eq(SPAN("a\0b"), SPAN("a\0b")));
    assert_false(span_eq(SPAN("a\0b"), SPAN("a\0c")));
    assert_false(span_eq(SPAN("ab"), SPAN("abc")));
    assert_true(span_eq(none, SPAN("")));
    assert_true(span_is(none, ""));
    assert_true(span_is(SPAN("event"), "event"));
    assert_false(span_is(SPAN("event"), "events"));
    assert_false(span_is(SPAN("events"), "event"));
}

static void header_values_compare_without_case(void **state)
{
    (void)state;
    assert_true(span_is_nocase(SPAN("WebSocket"), "websocket"));
    assert_false(span_is_nocase(SPAN("WebSocket"), "websockets"));
    assert_true(span_is_nocase((struct span){NULL, 0}, ""));
}

static void a_prefix_may_be_empty_or_the_whole(void **state)
{
    (void)state;
    assert_true(span_starts(SPAN("/api/x"), SPAN("/api")));
    assert_true(span_starts(SPAN("/api"), SPAN("/api")));
    assert_true(span_starts(SPAN("/api"), (struct span){NULL, 0}));
    assert_false(span_starts(SPAN("/ap"), SPAN("/api")));
    assert_false(span_starts((struct span){NULL, 0}, SPAN("/")));
}

static void white_space_is_trimmed_at_both_ends_only(void **state)
{
    (void)state;
    assert_true(span_is(span_trim(SPAN(" \t a b\r\n")), "a b"));
    assert_true(span_is(span_trim(SPAN("  ")), ""));
    assert_true(span_is(span_trim((struct span){NULL, 0}), ""));
    assert_true(span_is(span_trim(SPAN("\v")), "\v"));
}

static void cutting_walks_the_parts_and_ends_with_null(void **state)
{
    (void)state;
    struct span rest = SPAN("a,,b,");
    assert_true(span_is(span_cut(&rest, ','), "a"));
    assert_true(span_is(span_cut(&rest, ','), ""));
    assert_true(span_is(span_cut(&rest, ','), "b"));
    assert_non_null(rest.ptr); /* an empty part follows the last separator */
    assert_true(span_is(span_cut(&rest, ','), ""));
    assert_null(rest.ptr);
}

static void digits_are_read_up_to_the_largest_number(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
        uint64_t value;
    } cases[] = {
        {"0", true, 0},
        {"007", true, 7},
        {"18446744073709551615", true, UINT64_MAX},
        {"18446744073709551616", false, 0},
        {"99999999999999999999999", false, 0},
        {"", false, 0},
        {"-1", false, 0},
        {"+1", false, 0},
        {"1 ", false, 0},
        {"0x1", false, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct guarded g = guarded_text(cases[i].text);
        uint64_t value = 12345;
        assert_int_equal(span_u64(g.span, &value), cases[i].good);
        assert_int_equal(value, cases[i].good ? cases[i].value : 12345);
        guarded_free(&g);
    }
}

static void a_part_is_found_in_any_case(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *part;
        bool has;
    } cases[] = {
        {"", "", true},
        {"a", "", true},
        {"", "a", false},
        {"abc", "BC", true},
        {"ABC", "abc", true},
        {"aabc", "abc", true},
        {"ab", "abc", false},
        {"ab", "ba", false},
        {"a[b", "A{b", false},
        {"x\xc3\xa4y", "\xc3\xa4", true},
        {"\xc3\x84", "\xc3\xa4", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct guarded g = guarded_text(cases[i].text);
        struct guarded part = guarded_text(cases[i].part);
        if (span_has_nocase(g.span, part.span) != cases[i].has)
            fail_msg("case %zu", i);
        guarded_free(&part);
        guarded_free(&g);
    }
}

static void taking_needs_all_it_asks_for(void **state)
{
    (void)state;
    char out[3] = "??";
    struct span rest = SPAN("abc");
    assert_true(span_take(&rest, out, 2));
    assert_string_equal(out, "ab");
    assert_false(span_take(&rest, out, 2));
    assert_string_equal(out, "ab");
    assert_true(span_is(rest, "c"));
    assert_true(span_take(&rest, out, 0));
    assert_true(span_take(&rest, out, 1));
    assert_int_equal(rest.len, 0);
}

static void a_head_ends_with_a_whole_character(void **state)
{
    static const struct {
        const char *text;
        size_t max;
        const char *head;
    } cases[] = {
        {"", 3, ""},
        {"abc", 3, "abc"},
        {"abcd", 3, "abc"},
        {"ab\xe2\x82\xac", 5, "ab\xe2\x82\xac"},
        {"ab\xe2\x82\xac", 4, "ab"},
        {"ab\xe2\x82\xac", 3, "ab"},
        {"\xf0\x9f\x98\x80", 3, ""},
        {"\x80\x80\x80", 2, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct guarded g = guarded_text(cases[i].text);
        if (!span_is(span_head(g.span, cases[i].max), cases[i].head))
            fail_msg("case %zu", i);
        guarded_free(&g);
    }
}

static void nothing_reads_past_the_end(void **state)
{
    (void)state;
    struct guarded g = guarded_text("12,ab ");
    struct span rest = g.span;
    assert_true(span_is(span_cut(&rest, ','), "12"));
    assert_true(span_is(span_trim(rest), "ab"));
    assert_false(span_starts(rest, SPAN("ab c")));
    assert_false(span_is_nocase(rest, "AB  "));
    guarded_free(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_come_from_literals_and_c_strings),
        cmocka_unit_test(equality_is_of_bytes_and_null_is_just_empty),
        cmocka_unit_test(header_values_compare_without_case),
        cmocka_unit_test(a_prefix_may_be_empty_or_the_whole),
        cmocka_unit_test(white_space_is_trimmed_at_both_ends_only),
        cmocka_unit_test(cutting_walks_the_parts_and_ends_with_null),
        cmocka_unit_test(digits_are_read_up_to_the_largest_number),
        cmocka_unit_test(a_part_is_found_in_any_case),
        cmocka_unit_test(taking_needs_all_it_asks_for),
        cmocka_unit_test(a_head_ends_with_a_whole_character),
        cmocka_unit_test(nothing_reads_past_the_end),
    };
    return cmocka_run_group_tests_name("base/span", tests, NULL, NULL);
}
