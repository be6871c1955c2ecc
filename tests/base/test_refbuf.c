/* SPDX-License-Identifier: MIT */
#include "base/refbuf.h"

#include "tests/support/oom.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void bytes_are_copied(void **state)
{
    (void)state;
    char text[] = "shared";
    struct refbuf *r = refbuf_create(span_of(text));
    assert_non_null(r);
    text[0] = 'X';
    assert_true(span_is(refbuf_span(r), "shared"));
    refbuf_unref(r);
}

static void head_and_tail_are_laid_end_to_end(void **state)
{
    (void)state;
    struct span none = {NULL, 0};
    static const struct {
        struct span head;
        struct span tail;
        const char *whole;
    } cases[] = {
        {{"\x81\x02", 2}, {"hi", 2}, "\x81\x02hi"},
        {{NULL, 0}, {"hi", 2}, "hi"},
        {{"hi", 2}, {NULL, 0}, "hi"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct refbuf *r = refbuf_create2(cases[i].head, cases[i].tail);
        assert_true(span_is(refbuf_span(r), cases[i].whole));
        refbuf_unref(r);
    }
    struct refbuf *empty = refbuf_create(none);
    assert_int_equal(refbuf_span(empty).len, 0);
    refbuf_unref(empty);
}

static void the_last_reference_frees(void **state)
{
    (void)state;
    struct refbuf *r = refbuf_create(SPAN("counted"));
    assert_int_equal(r->refs, 1);
    assert_ptr_equal(refbuf_ref(r), r);
    assert_int_equal(r->refs, 2);
    refbuf_unref(r);
    assert_int_equal(r->refs, 1);
    assert_true(span_is(refbuf_span(r), "counted"));
    refbuf_unref(r);
    refbuf_unref(NULL);
}

static void out_of_memory_gives_null(void **state)
{
    (void)state;
    oom_fail(1);
    assert_null(refbuf_create(SPAN("x")));
    assert_true(oom_failed());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_copied),
        cmocka_unit_test(head_and_tail_are_laid_end_to_end),
        cmocka_unit_test(the_last_reference_frees),
        cmocka_unit_test(out_of_memory_gives_null),
    };
    return cmocka_run_group_tests_name("base/refbuf", tests, NULL, NULL);
}
