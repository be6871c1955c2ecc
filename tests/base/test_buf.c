/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include "tests/support/oom.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void assert_holds(const struct buf *b, const char *text)
{
    assert_int_equal(b->len, strlen(text));
    if (b->len > 0)
        assert_memory_equal(b->ptr, text, b->len);
}

static void nothing_is_allocated_before_the_first_append(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 10);
    assert_null(b.ptr);
    assert_int_equal(buf_span(&b).len, 0);
    assert_int_equal(buf_status(&b), OK);
    buf_fini(&b);
}

static void appends_of_every_kind_stand_in_order(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    buf_add(&b, "a\0b", 3);
    buf_add_span(&b, SPAN("-span-"));
    buf_add_str(&b, "str");
    buf_add_char(&b, '|');
    buf_addf(&b, "%d/%s", 7, "x");
    assert_int_equal(buf_status(&b), OK);
    assert_int_equal(b.len, 3 + 6 + 3 + 1 + 3);
    assert_memory_equal(b.ptr, "a\0b-span-str|7/x", b.len);
    buf_fini(&b);
}

static void integers_are_written_to_their_ends(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {7, "7"},
        {-1, "-1"},
        {INT64_MAX, "9223372036854775807"},
        {INT64_MIN, "-9223372036854775808"},
    };
    struct buf b;
    buf_init(&b, 100);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        buf_reset(&b);
        buf_add_i64(&b, cases[i].value);
        assert_holds(&b, cases[i].text);
    }
    buf_reset(&b);
    buf_add_u64(&b, UINT64_MAX);
    assert_holds(&b, "18446744073709551615");
    buf_fini(&b);
}

static void exactly_the_limit_goes_in_and_one_more_does_not(void **state)
{
    (void)state;
    static const size_t limits[] = {1, 2, 255, 256, 257, 511, 512, 513, 1000};
    char bytes[1001];
    memset(bytes, 'x', sizeof(bytes));
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct buf b;
        buf_init(&b, limits[i]);
        buf_add(&b, bytes, limits[i]);
        assert_int_equal(buf_status(&b), OK);
        buf_add_char(&b, 'y');
        assert_int_equal(buf_status(&b), E_LIMIT);
        assert_int_equal(b.len, limits[i]);
        buf_fini(&b);
    }
}

static void formatted_text_may_fill_the_limit_too(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 5);
    buf_addf(&b, "%s", "12345");
    assert_int_equal(buf_status(&b), OK);
    assert_holds(&b, "12345");
    buf_fini(&b);

    buf_init(&b, 512);
    for (int i = 0; i < 512; i++)
        buf_addf(&b, "%c", 'z');
    assert_int_equal(buf_status(&b), OK);
    buf_addf(&b, "%c", 'z');
    assert_int_equal(buf_status(&b), E_LIMIT);
    assert_int_equal(b.len, 512);
    buf_fini(&b);
}

static void a_refused_append_leaves_the_contents_and_refuses_the_next(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 4);
    buf_add_str(&b, "abc");
    buf_add_str(&b, "de");
    assert_int_equal(buf_status(&b), E_LIMIT);
    buf_add_char(&b, 'd');
    assert_holds(&b, "abc");
    assert_int_equal(buf_status(&b), E_LIMIT);

    buf_reset(&b);
    buf_add_str(&b, "abcd");
    assert_int_equal(buf_status(&b), OK);
    assert_holds(&b, "abcd");
    buf_fini(&b);
}

static void a_huge_append_does_not_overflow_the_sum(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, SIZE_MAX - 1);
    buf_add_char(&b, 'x');
    assert_int_equal(buf_reserve(&b, SIZE_MAX - 1), E_LIMIT);
    assert_holds(&b, "x");
    buf_fini(&b);
}

static void room_that_was_reserved_is_there(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 5000);
    assert_int_equal(buf_reserve(&b, 3000), OK);
    const char *before = b.ptr;
    for (int i = 0; i < 3000; i++)
        buf_add_char(&b, 'r');
    assert_ptr_equal(b.ptr, before);
    assert_int_equal(b.len, 3000);
    buf_fini(&b);
}

static void memory_stays_over_a_reset_and_goes_at_the_end(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    buf_add_str(&b, "something");
    const char *before = b.ptr;
    buf_reset(&b);
    buf_add_str(&b, "else");
    assert_ptr_equal(b.ptr, before);
    buf_fini(&b);
    assert_null(b.ptr);
    buf_add_str(&b, "again");
    assert_holds(&b, "again");
    buf_fini(&b);
}

static void bytes_are_consumed_from_the_front(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    buf_consume(&b, 0);
    buf_add_str(&b, "headtail");
    buf_consume(&b, 4);
    assert_holds(&b, "tail");
    buf_consume(&b, 0);
    assert_holds(&b, "tail");
    buf_consume(&b, 4);
    assert_int_equal(b.len, 0);
    buf_fini(&b);
}

static void out_of_memory_is_a_refused_append(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    buf_add_str(&b, "kept");
    oom_fail(1);
    for (int i = 0; i < 300; i++)
        buf_add_char(&b, '.');
    assert_true(oom_failed());
    assert_int_equal(buf_status(&b), E_NOMEM);
    assert_memory_equal(b.ptr, "kept", 4);
    assert_int_equal(b.len, 256);
    buf_reset(&b);
    buf_addf(&b, "%0300d", 0);
    assert_int_equal(buf_status(&b), OK);
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_allocated_before_the_first_append),
        cmocka_unit_test(appends_of_every_kind_stand_in_order),
        cmocka_unit_test(integers_are_written_to_their_ends),
        cmocka_unit_test(exactly_the_limit_goes_in_and_one_more_does_not),
        cmocka_unit_test(formatted_text_may_fill_the_limit_too),
        cmocka_unit_test(a_refused_append_leaves_the_contents_and_refuses_the_next),
        cmocka_unit_test(a_huge_append_does_not_overflow_the_sum),
        cmocka_unit_test(room_that_was_reserved_is_there),
        cmocka_unit_test(memory_stays_over_a_reset_and_goes_at_the_end),
        cmocka_unit_test(bytes_are_consumed_from_the_front),
        cmocka_unit_test(out_of_memory_is_a_refused_append),
    };
    return cmocka_run_group_tests_name("base/buf", tests, NULL, NULL);
}
