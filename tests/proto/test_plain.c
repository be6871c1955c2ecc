/* SPDX-License-Identifier: MIT */
#include "proto/plain.h"

#include "tests/support/guarded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Decodes a copy that ends where memory ends, and answers with spans of `text` itself. */
static enum status decode(const char *text, struct plain_message *out, struct json_error *error)
{
    size_t len = strlen(text);
    struct guarded g = guarded_copy(text, len);
    enum status status = plain_decode(g.span, out, error);
    struct span *spans[] = {&out->event, &out->data, &out->id};
    for (size_t i = 0; status == OK && i < 3; i++) {
        if (spans[i]->ptr)
            spans[i]->ptr = text + (spans[i]->ptr - g.span.ptr);
    }
    guarded_free(&g);
    return status;
}

static void a_message_has_an_event_and_perhaps_data_and_an_id(void **state)
{
    static const struct {
        const char *text;
        const char *event;
        const char *data;
        const char *id;
    } cases[] = {
        {"{\"event\":\"e\"}", "e", "", ""},
        {"{\"event\":\"e\",\"data\":{\"sessionId\":\"a\"}}", "e", "{\"sessionId\":\"a\"}", ""},
        {"{\"event\":\"e\",\"data\":[1, {\"b\":[]}],\"id\":7}", "e", "[1, {\"b\":[]}]", "7"},
        {"{\"id\":\"x-1\",\"data\":null,\"event\":\"e\"}", "e", "null", "\"x-1\""},
        {" { \"data\" : \"text\" , \"event\" : \"e\" , \"id\" : -1.5e3 } ", "e", "\"text\"",
         "-1.5e3"},
        {"{\"event\":\"a\",\"event\":\"b\",\"data\":1,\"data\":2}", "b", "2", ""},
        {"{\"other\":{\"event\":\"no\"},\"event\":\"e\",\"more\":[]}", "e", "", ""},
        {"{\"event\":\"caf\xc3\xa9 \\u00e9\"}", "caf\xc3\xa9 \\u00e9", "", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct plain_message m;
        struct json_error error;
        if (decode(cases[i].text, &m, &error) != OK)
            fail_msg("%s: %s", cases[i].text, error.why);
        assert_true(span_is(m.event, cases[i].event));
        assert_true(span_is(m.data, cases[i].data));
        assert_true(span_is(m.id, cases[i].id));
    }
}

static void what_is_refused_is_named_with_its_place(void **state)
{
    static const struct {
        const char *text;
        const char *code;
        size_t at;
    } cases[] = {
        {"", "syntax", 0},
        {"7", "syntax", 0},
        {"[\"event\"]", "syntax", 0},
        {"{}", "syntax", 2},
        {"{\"data\":1}", "syntax", 10},
        {"{\"event\":\"\"}", "syntax", 12},
        {"{\"event\":7}", "syntax", 9},
        {"{\"event\":null}", "syntax", 9},
        {"{\"event\":{\"a\":1}}", "syntax", 9},
        {"{\"event\":\"e\",\"id\":{}}", "syntax", 18},
        {"{\"event\":\"e\",\"id\":[1]}", "syntax", 18},
        {"{\"event\":\"e\",\"id\":null}", "syntax", 18},
        {"{\"event\":\"e\",\"id\":true}", "syntax", 18},
        {"{\"event\":\"e\"} x", "syntax", 14},
        {"{\"event\":\"e\"}{}", "syntax", 13},
        {"{\"event\":\"e\",\"data\":NaN}", "syntax", 20},
        {"{\"event\":\"e\",\"data\":01}", "syntax", 20},
        {"{\"event\":\"\xff\"}", "utf8", 10},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct plain_message m = {.event = SPAN("untouched")};
        struct json_error error = {0};
        assert_int_equal(decode(cases[i].text, &m, &error), E_MALFORMED);
        assert_true(span_is(m.event, "untouched"));
        assert_non_null(error.why);
        if (strcmp(error.code, cases[i].code) != 0 || error.at != cases[i].at)
            fail_msg("%s: %s at %zu", cases[i].text, error.code, error.at);
    }
}

static void no_beginning_of_a_message_is_a_message(void **state)
{
    static const char text[] =
        "{\"event\":\"subscribe_session\",\"data\":{\"sessionId\":\"a\",\"since\":3},\"id\":\"q\"}";
    (void)state;
    for (size_t len = 0; len < sizeof(text) - 1; len++) {
        char start[sizeof(text)] = "";
        struct plain_message m;
        struct json_error error;
        memcpy(start, text, len);
        assert_int_equal(decode(start, &m, &error), E_MALFORMED);
        assert_true(error.at <= len);
    }
}

static void an_id_is_at_most_64_bytes(void **state)
{
    (void)state;
    for (size_t len = 62; len <= 63; len++) { /* between its quotes */
        char text[128];
        struct plain_message m;
        struct json_error error;
        (void)snprintf(text, sizeof(text), "{\"event\":\"e\",\"id\":\"%0*d\"}", (int)len, 0);
        assert_int_equal(decode(text, &m, &error), len == 62 ? OK : E_MALFORMED);
    }
}

static void depth_is_bounded(void **state)
{
    char text[256] = "{\"event\":\"e\",\"data\":";
    size_t at = strlen(text);
    struct plain_message m;
    struct json_error error;
    (void)state;
    memset(text + at, '[', JSON_DEPTH_MAX);
    text[at + JSON_DEPTH_MAX] = '\0';
    assert_int_equal(decode(text, &m, &error), E_MALFORMED);
    assert_string_equal(error.code, "depth");
}

static void an_ack_repeats_the_id_as_it_was_written(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 256);
    plain_write_ack(&b, SPAN("\"q-1\""), SPAN("{\"success\":true}"));
    assert_true(
        span_is(buf_span(&b), "{\"event\":\"ack\",\"id\":\"q-1\",\"data\":{\"success\":true}}"));
    buf_reset(&b);
    plain_write_ack(&b, SPAN("1e2"), SPAN("[]"));
    assert_true(span_is(buf_span(&b), "{\"event\":\"ack\",\"id\":1e2,\"data\":[]}"));
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_has_an_event_and_perhaps_data_and_an_id),
        cmocka_unit_test(what_is_refused_is_named_with_its_place),
        cmocka_unit_test(no_beginning_of_a_message_is_a_message),
        cmocka_unit_test(an_id_is_at_most_64_bytes),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(an_ack_repeats_the_id_as_it_was_written),
    };
    return cmocka_run_group_tests_name("proto/plain", tests, NULL, NULL);
}
