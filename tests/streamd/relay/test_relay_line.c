/* SPDX-License-Identifier: MIT */
#include "streamd/relay/relay_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What becomes of a line when it has this number, 0 for none. */
static char *forwarded(const char *text, uint64_t seq)
{
    static struct buf out;
    struct line_decoder decoder;
    struct line line;
    struct line_error error;
    line_decoder_init(&decoder, 1);
    buf_fini(&out);
    buf_init(&out, 4096);
    assert_int_equal(line_decode(&decoder, span_of(text), &line, &error), OK);
    relay_line_head(&out, line.type, SPAN("run"));
    if (seq > 0)
        buf_addf(&out, ",\"seq\":%d", (int)seq);
    relay_line_tail(&out, line.type, span_of(text));
    buf_add_char(&out, '\0');
    line_decoder_fini(&decoder);
    return out.ptr;
}

static void type_session_and_number_come_first_and_the_rest_stays_as_it_was(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{\"metrics\":{\"loss\": NaN, \"a\\u00e9\":[1]},\"type\":\"progress\",\"x\":null}",
         "{\"type\":\"progress\",\"sessionId\":\"run\",\"seq\":7,"
         "\"metrics\":{\"loss\": NaN, \"a\\u00e9\":[1]},\"x\":null}"},
        {" { \"seq\" : 3 , \"type\" : \"complete\" , \"sessionId\" : \"run\" } ",
         "{\"type\":\"complete\",\"sessionId\":\"run\",\"seq\":7}"},
        {"{\"type\":\"fail\",\"error\":\"a \\\"b\\\"\\n\"}",
         "{\"type\":\"fail\",\"sessionId\":\"run\",\"seq\":7,\"error\":\"a \\\"b\\\"\\n\"}"},
        {"{\"type\":\"complete\",\"s\\u0065q\":9}",
         "{\"type\":\"complete\",\"sessionId\":\"run\",\"seq\":7}"},
        {"{\"type\":\"pro\\u0067ress\",\"metrics\":{}}",
         "{\"type\":\"progress\",\"sessionId\":\"run\",\"seq\":7,\"metrics\":{}}"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(forwarded(cases[i][0], 7), cases[i][1]);
    assert_string_equal(forwarded("{\"type\":\"complete\"}", 0),
                        "{\"type\":\"complete\",\"sessionId\":\"run\"}");
}

static void a_start_lacks_what_each_hop_says_for_itself(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 4096);
    relay_line_start(&out, SPAN("run"),
                     SPAN("{\"resume\":true,\"type\":\"start\",\"spoolTo\":\"x\",\"seqBase\":\"1\","
                          "\"config\":{\"resume\":1},\"name\":\"n\"}"));
    buf_add_char(&out, '\0');
    assert_string_equal(out.ptr,
                        "{\"type\":\"start\",\"sessionId\":\"run\",\"config\":{\"resume\":1},"
                        "\"name\":\"n\"");
    buf_fini(&out);
}

static void an_implied_start_is_known_from_one_that_was_said(void **state)
{
    (void)state;
    struct buf out;
    struct span start;
    bool anew;
    buf_init(&out, 4096);
    relay_line_implied(&out, SPAN("run"));
    assert_true(relay_line_is_implied(buf_span(&out)));
    buf_add_str(&out, ",\"resume\":true,\"spoolTo\":\"http://h\"}\n");
    assert_true(relay_line_restore(buf_span(&out), &start, &anew));
    assert_true(relay_line_is_implied(start));
    buf_reset(&out);
    relay_line_start(&out, SPAN("run"), SPAN("{\"type\":\"start\",\"implied\":true}"));
    assert_true(span_is(buf_span(&out), "{\"type\":\"start\",\"sessionId\":\"run\""));
    assert_false(relay_line_is_implied(buf_span(&out)));
    buf_fini(&out);
}

static void a_files_first_line_gives_its_start_back(void **state)
{
    (void)state;
#define START "{\"type\":\"start\",\"sessionId\":\"r\",\"config\":{\"a\":1,\"resume\":true}"
    struct span start;
    bool anew;
    assert_true(relay_line_restore(SPAN(START ",\"resume\":true,\"spoolTo\":\"http://h\"}\n"),
                                   &start, &anew));
    assert_true(span_is(start, START));
    assert_false(anew);
    assert_true(relay_line_restore(SPAN(START ",\"resume\":false}\n"), &start, &anew));
    assert_true(span_is(start, START));
    assert_true(anew);
    assert_true(relay_line_restore(SPAN(START ",\"resume\":true }\n"), &start, &anew));
    assert_false(anew);
    assert_false(relay_line_restore(SPAN("{\"type\":\"start\"}\n"), &start, &anew));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(type_session_and_number_come_first_and_the_rest_stays_as_it_was),
        cmocka_unit_test(a_start_lacks_what_each_hop_says_for_itself),
        cmocka_unit_test(an_implied_start_is_known_from_one_that_was_said),
        cmocka_unit_test(a_files_first_line_gives_its_start_back),
    };
    return cmocka_run_group_tests_name("streamd/relay/relay_line", tests, NULL, NULL);
}
