/* SPDX-License-Identifier: MIT */
#include "proto/jsonrpc.h"

#include "tests/support/guarded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void requests_notifications_and_answers_are_told_apart(void **state)
{
    static const struct {
        const char *text;
        enum jsonrpc_kind kind;
        const char *id;
        const char *method;
        const char *params;
    } cases[] = {
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}", JSONRPC_REQUEST, "1", "ping", ""},
        {" {\"method\":\"a\\/b\", \"params\" : {\"x\":[1]} ,\"id\":\"7\",\"jsonrpc\":\"2.0\"}\n",
         JSONRPC_REQUEST, "\"7\"", "a/b", "{\"x\":[1]}"},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"note\",\"other\":null}", JSONRPC_NOTIFICATION, "",
         "note", ""},
        {"{\"jsonrpc\":\"2.0\",\"id\":-1.5e3,\"result\":{}}", JSONRPC_RESPONSE, "-1.5e3", "", ""},
        {"{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":1}}", JSONRPC_RESPONSE, "2", "", ""},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"x\"}", JSONRPC_REQUEST, "2", "x", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct guarded g = guarded_text(cases[i].text);
        struct jsonrpc_message m;
        struct jsonrpc_fault fault;
        assert_int_equal(jsonrpc_read(g.span, &m, &fault), OK);
        assert_int_equal(m.kind, cases[i].kind);
        assert_true(span_is(m.id, cases[i].id));
        assert_string_equal(m.method, cases[i].method);
        assert_true(span_is(m.params, cases[i].params));
        guarded_free(&g);
    }
}

static void what_is_no_message_is_refused_with_its_code_and_its_id(void **state)
{
    static const struct {
        const char *text;
        int code;
        const char *id;
    } cases[] = {
        {"", -32700, ""},
        {"{", -32700, ""},
        {"{\"jsonrpc\":\"2.0\"} x", -32700, ""},
        {"{\"jsonrpc\":\"2.0\",\"id\":01,\"method\":\"x\"}", -32700, ""},
        {"\"x\"", -32600, ""},
        {"[]", -32600, ""},
        {"[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]", -32600, ""},
        {"{}", -32600, ""},
        {"{\"id\":1,\"method\":\"x\"}", -32600, "1"},
        {"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"x\"}", -32600, "1"},
        {"{\"jsonrpc\":2.0,\"id\":1,\"method\":\"x\"}", -32600, "1"},
        {"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"x\"}", -32600, ""},
        {"{\"jsonrpc\":\"2.0\",\"id\":true,\"method\":\"x\"}", -32600, ""},
        {"{\"jsonrpc\":\"2.0\",\"id\":false,\"method\":\"x\"}", -32600, ""},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",\"params\":true}", -32600, "1"},
        {"{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"x\"}", -32600, ""},
        {"{\"jsonrpc\":\"2.0\",\"id\":1}", -32600, "1"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":1}", -32600, "1"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",\"params\":[]}", -32600, "1"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",\"result\":{}}", -32600, "1"},
        {"{\"jsonrpc\":\"2.0\",\"result\":{}}", -32600, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct guarded g = guarded_text(cases[i].text);
        struct jsonrpc_message m;
        struct jsonrpc_fault fault = {0, NULL};
        if (jsonrpc_read(g.span, &m, &fault) == OK || fault.code != cases[i].code ||
            !span_is(m.id, cases[i].id) || !fault.why)
            fail_msg("%s: %d", cases[i].text, fault.code);
        guarded_free(&g);
    }
}

static void an_id_that_is_too_long_is_not_kept(void **state)
{
    char text[400];
    char digits[JSONRPC_ID_MAX + 2] = "";
    struct jsonrpc_message m;
    struct jsonrpc_fault fault;
    (void)state;
    memset(digits, '1', JSONRPC_ID_MAX);
    (void)snprintf(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"x\"}", digits);
    assert_int_equal(jsonrpc_read(span_of(text), &m, &fault), OK);
    digits[JSONRPC_ID_MAX] = '1';
    (void)snprintf(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"x\"}", digits);
    assert_int_equal(jsonrpc_read(span_of(text), &m, &fault), E_MALFORMED);
    assert_int_equal(m.id.len, 0);
}

static void a_long_method_is_cut_off(void **state)
{
    char text[300];
    char method[200] = "";
    struct jsonrpc_message m;
    struct jsonrpc_fault fault;
    (void)state;
    memset(method, 'm', sizeof(method) - 1);
    (void)snprintf(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"method\":\"%s\"}", method);
    assert_int_equal(jsonrpc_read(span_of(text), &m, &fault), OK);
    assert_int_equal(strlen(m.method), JSONRPC_METHOD_MAX);
}

static void messages_are_written_whole(void **state)
{
    struct buf out;
    (void)state;
    buf_init(&out, 1024);
    jsonrpc_write_result(&out, SPAN("\"a\""), SPAN("{\"x\":1}"));
    buf_add_char(&out, '\n');
    jsonrpc_write_error(&out, (struct span){0}, -32700, SPAN("say \"what\""), SPAN("{\"at\":3}"));
    buf_add_char(&out, '\n');
    jsonrpc_write_error(&out, SPAN("1"), -32601, SPAN("no"), (struct span){0});
    buf_add_char(&out, '\n');
    jsonrpc_write_notification(&out, "n/m", SPAN("{}"));
    jsonrpc_write_notification(&out, "n", (struct span){0});
    assert_true(span_is(
        buf_span(&out),
        "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":{\"x\":1}}\n"
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,\"message\":\"say "
        "\\\"what\\\"\",\"data\":{\"at\":3}}}\n"
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32601,\"message\":\"no\"}}\n"
        "{\"jsonrpc\":\"2.0\",\"method\":\"n/m\",\"params\":{}}{\"jsonrpc\":\"2.0\",\"method\":"
        "\"n\"}"));
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_notifications_and_answers_are_told_apart),
        cmocka_unit_test(what_is_no_message_is_refused_with_its_code_and_its_id),
        cmocka_unit_test(an_id_that_is_too_long_is_not_kept),
        cmocka_unit_test(a_long_method_is_cut_off),
        cmocka_unit_test(messages_are_written_whole),
    };
    return cmocka_run_group_tests_name("proto/jsonrpc", tests, NULL, NULL);
}
