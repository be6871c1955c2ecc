/* SPDX-License-Identifier: MIT */
#include "clients/c/answer.h"
#include "tests/support/guarded.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static bool decoded(const char *text, struct answer *out)
{
    struct guarded line = guarded_text(text);
    bool ok = answer_decode(line.span, out);
    guarded_free(&line);
    return ok;
}

/* Lines as proto/line.h writes them, kept while the spans are looked at. */
static void every_answer_of_the_daemon_is_understood(void **state)
{
    (void)state;
    struct answer a;
    assert_true(
        answer_decode(SPAN("{\"type\":\"started\",\"sessionId\":\"s\",\"lastSeq\":7}"), &a));
    assert_true(span_is(a.type, "started"));
    assert_true(span_is(a.session_id, "s"));
    assert_int_equal(a.last_seq, 7);
    assert_null(a.operation_type.ptr);
    assert_true(answer_decode(SPAN("{\"type\":\"started\",\"operationType\":\"data_load\"}"), &a));
    assert_true(span_is(a.operation_type, "data_load"));
    assert_true(answer_decode(SPAN("{\"type\":\"ack\",\"sessionId\":\"s\",\"seq\":12}"), &a));
    assert_true(span_is(a.type, "ack"));
    assert_int_equal(a.seq, 12);
    assert_true(answer_decode(SPAN("{\"reason\":\"a \\\"b\\\"\",\"command\":\"stop\","
                                   "\"type\":\"control\"}"),
                              &a));
    assert_true(span_is(a.command, "stop"));
    assert_true(span_is(a.reason, "a \\\"b\\\""));
    assert_null(a.session_id.ptr);
}

static void what_is_new_or_of_the_wrong_type_is_passed_over(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "{}",
        "{\"type\":5,\"seq\":\"7\",\"lastSeq\":null}",
        "{\"seq\":-1,\"lastSeq\":1.5}",
        "{\"new\":{\"type\":\"ack\",\"seq\":[1,{\"seq\":2}]},\"more\":[\"type\",true]}",
        "{\"seq\":99999999999999999999999999}",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct answer a;
        assert_true(decoded(lines[i], &a));
        assert_null(a.type.ptr);
        assert_int_equal(a.seq, 0);
        assert_int_equal(a.last_seq, 0);
    }
}

static void the_value_of_an_order_is_a_number_or_a_truth(void **state)
{
    (void)state;
    struct answer a;
    assert_true(decoded("{\"value\":true}", &a) && a.has_value && a.value_is_bool);
    assert_true(a.value == 1);
    assert_true(decoded("{\"value\":false}", &a) && a.has_value && a.value_is_bool);
    assert_true(a.value == 0);
    assert_true(decoded("{\"value\":true,\"value\":0.5}", &a) && !a.value_is_bool);
    assert_true(a.value == 0.5);
    assert_true(decoded("{\"seq\":true,\"value\":null}", &a) && !a.has_value && a.seq == 0);
}

static void what_is_no_object_is_refused(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",
        " ",
        "[]",
        "\"started\"",
        "7",
        "{",
        "{\"type\":\"ack\"",
        "{\"type\"}",
        "{\"seq\":1,}",
        "{\"seq\":1} {",
        "{\"a\":[1,}",
        "{\"type\":\"\xff\"}",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct answer a = {.seq = 77};
        assert_false(decoded(lines[i], &a));
        assert_int_equal(a.seq, 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answer_of_the_daemon_is_understood),
        cmocka_unit_test(what_is_new_or_of_the_wrong_type_is_passed_over),
        cmocka_unit_test(the_value_of_an_order_is_a_number_or_a_truth),
        cmocka_unit_test(what_is_no_object_is_refused),
    };
    return cmocka_run_group_tests_name("clients/c/answer", tests, NULL, NULL);
}
