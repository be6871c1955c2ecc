/* SPDX-License-Identifier: MIT */
/* Knobs as their trainer declares them, and what may be set: docs/protocol.md P-76. */
#include "streamd/session/knobs.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect_written(const struct knobs *k, const char *expected)
{
    struct buf b;
    buf_init(&b, KNOBS_BYTES_MAX);
    knobs_write(k, &b);
    buf_add_char(&b, '\0');
    assert_int_equal(buf_status(&b), OK);
    assert_string_equal(b.ptr, expected);
    buf_fini(&b);
}

static void what_makes_no_sense_is_no_knob(void **state)
{
    static const struct {
        const char *config, *written;
    } cases[] = {
        {"", "{}"},
        {"{}", "{}"},
        {"{\"knobs\":7}", "{}"},
        {"{\"knobs\":[1]}", "{}"},
        {"{\"knobs\":{\"a\":1,\"\":{},\"b c\":{},\"d\":{\"type\":\"text\"}}}", "{}"},
        {"{\"knobs\":{\"a\":{\"min\":2,\"max\":1}}}", "{}"},
        {"{\"knobs\":{\"a\":{}}}", "{\"a\":{\"type\":\"float\",\"value\":null}}"},
        {"{\"knobs\":{\"a\":{\"type\":\"int\",\"value\":1.5}}}",
         "{\"a\":{\"type\":\"int\",\"value\":null}}"},
        {"{\"lr\":NaN,\"knobs\":{\"a\":{\"type\":\"bool\",\"value\":true},"
         "\"b\":{\"min\":0,\"max\":1,\"value\":0.5},\"a\":{\"type\":\"bool\",\"value\":false}}}",
         "{\"a\":{\"type\":\"bool\",\"value\":false},"
         "\"b\":{\"type\":\"float\",\"min\":0,\"max\":1,\"value\":0.5}}"},
    };
    struct knobs k = {0};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(knobs_declare(&k, span_of(cases[i].config)), OK);
        expect_written(&k, cases[i].written);
    }
    knobs_fini(&k);
}

static void as_many_as_are_allowed_are_known_and_come_back_from_what_was_written(void **state)
{
    struct knobs k = {0};
    struct knobs again = {0};
    struct buf b;
    (void)state;
    buf_init(&b, 1 << 16);
    buf_add_str(&b, "{\"knobs\":{");
    for (int i = 0; i < KNOBS_MAX + 5; i++)
        buf_addf(&b, "%s\"%0*d\":{\"min\":-1.2345678901234567e-300,\"max\":1.2345678901234567e300}",
                 i ? "," : "", KNOB_NAME_BYTES_MAX, i);
    buf_add_str(&b, "}}");
    assert_int_equal(knobs_declare(&k, buf_span(&b)), OK);
    assert_int_equal(k.count, KNOBS_MAX);
    buf_reset(&b);
    knobs_write(&k, &b);
    assert_true(b.len <= KNOBS_BYTES_MAX);
    assert_int_equal(knobs_read(&again, buf_span(&b)), OK);
    assert_int_equal(again.count, KNOBS_MAX);
    assert_string_equal(again.each[KNOBS_MAX - 1].name, k.each[KNOBS_MAX - 1].name);
    assert_true(again.each[0].max == k.each[0].max);
    buf_fini(&b);
    knobs_fini(&k);
    knobs_fini(&again);
}

static void a_set_is_refused_with_what_would_be_right(void **state)
{
    static const struct {
        const char *name;
        struct knob_value value;
        const char *why; /* "": allowed */
    } cases[] = {
        {"lr", {false, 1e-6}, ""},
        {"lr", {false, 1}, ""},
        {"lr", {false, 1.5}, "lr must be a number from 1e-06 to 1, not 1.5"},
        {"lr", {false, -INFINITY}, "lr must be a number from 1e-06 to 1, not -inf"},
        {"lr", {true, 1}, "lr must be a number from 1e-06 to 1"},
        {"n", {false, 3}, ""},
        {"n", {false, 3.5}, "n must be a whole number of at least 1"},
        {"n", {false, 0}, "n must be a whole number of at least 1, not 0"},
        {"on", {true, 1}, ""},
        {"on", {false, 1}, "on must be true or false"},
        {"LR", {false, 1}, "The run has no such knob; it has lr, n, on"},
    };
    struct knobs k = {0};
    char why[KNOB_WHY_MAX];
    (void)state;
    assert_false(knobs_allow(&k, SPAN("lr"), (struct knob_value){false, 1}, why));
    assert_string_equal(why, "The run has declared no knobs");
    assert_int_equal(
        knobs_declare(&k,
                      SPAN("{\"knobs\":{\"lr\":{\"min\":1e-6,\"max\":1},\"n\":{\"type\":\"int\","
                           "\"min\":1},\"on\":{\"type\":\"bool\"}}}")),
        OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool allowed = knobs_allow(&k, span_of(cases[i].name), cases[i].value, why);
        assert_string_equal(why, cases[i].why);
        assert_int_equal(allowed, cases[i].why[0] == '\0');
    }
    knobs_fini(&k);
}

static void a_refusal_that_would_be_too_long_is_cut(void **state)
{
    struct knobs k = {0};
    char why[KNOB_WHY_MAX];
    struct buf b;
    (void)state;
    buf_init(&b, 4096);
    buf_add_str(&b, "{\"knobs\":{");
    for (int i = 0; i < KNOBS_MAX; i++)
        buf_addf(&b, "%s\"%0*d\":{}", i ? "," : "", KNOB_NAME_BYTES_MAX / 2, i);
    buf_add_str(&b, "}}");
    assert_int_equal(knobs_declare(&k, buf_span(&b)), OK);
    assert_false(knobs_allow(&k, SPAN("lr"), (struct knob_value){false, 1}, why));
    assert_int_equal(strlen(why), KNOB_WHY_MAX - 1);
    buf_fini(&b);
    knobs_fini(&k);
}

static void what_was_applied_is_the_value(void **state)
{
    struct knobs k = {0};
    (void)state;
    assert_int_equal(knobs_declare(&k, SPAN("{\"knobs\":{\"n\":{\"type\":\"int\",\"value\":1}}}")),
                     OK);
    knobs_apply(&k, SPAN("n"), (struct knob_value){false, 2});
    knobs_apply(&k, SPAN("n"), (struct knob_value){true, 1});
    knobs_apply(&k, SPAN("m"), (struct knob_value){false, 3});
    expect_written(&k, "{\"n\":{\"type\":\"int\",\"value\":2}}");
    knobs_fini(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_makes_no_sense_is_no_knob),
        cmocka_unit_test(as_many_as_are_allowed_are_known_and_come_back_from_what_was_written),
        cmocka_unit_test(a_set_is_refused_with_what_would_be_right),
        cmocka_unit_test(a_refusal_that_would_be_too_long_is_cut),
        cmocka_unit_test(what_was_applied_is_the_value),
    };
    return cmocka_run_group_tests_name("streamd/knobs", tests, NULL, NULL);
}
