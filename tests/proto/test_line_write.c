/* SPDX-License-Identifier: MIT */
#include "proto/line.h"

#include "proto/json_scan.h"

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

/* One line of JSON, ended by its newline. */
static void assert_line(struct buf *b, const char *want)
{
    assert_int_equal(buf_status(b), OK);
    assert_true(span_is(buf_span(b), want));
    assert_int_equal(json_check(buf_span(b), JSON_STRICT, NULL), OK);
    assert_ptr_equal(memchr(b->ptr, '\n', b->len), b->ptr + b->len - 1);
    buf_reset(b);
}

static void each_answer_is_one_line_of_the_contract(void **state)
{
    struct buf *b = *state;
    line_write_started(b, SPAN("run-1"), 0);
    assert_line(b, "{\"type\":\"started\",\"sessionId\":\"run-1\",\"lastSeq\":0}\n");
    line_write_stands(b, SPAN("run-1"), 3, SPAN("data_load"));
    assert_line(b, "{\"type\":\"started\",\"sessionId\":\"run-1\",\"lastSeq\":3,"
                   "\"operationType\":\"data_load\"}\n");
    line_write_ack(b, SPAN("run-1"), 9007199254740992);
    assert_line(b, "{\"type\":\"ack\",\"sessionId\":\"run-1\",\"seq\":9007199254740992}\n");
    line_write_pong(b);
    assert_line(b, "{\"type\":\"pong\"}\n");
    line_write_control(b, &(struct line_control){.session_id = SPAN("a"),
                                                 .command = SPAN("stop"),
                                                 .reason = SPAN("the \"loss\"\nis NaN")});
    assert_line(b, "{\"type\":\"control\",\"sessionId\":\"a\",\"command\":\"stop\","
                   "\"reason\":\"the \\\"loss\\\"\\nis NaN\"}\n");
    line_write_control(b,
                       &(struct line_control){.session_id = SPAN("a"), .command = SPAN("pause")});
    assert_line(b, "{\"type\":\"control\",\"sessionId\":\"a\",\"command\":\"pause\"}\n");
    line_write_control(b, &(struct line_control){.session_id = SPAN("a"),
                                                 .id = 7,
                                                 .command = SPAN("set"),
                                                 .knob = SPAN("lr"),
                                                 .value = SPAN("0.01")});
    assert_line(b, "{\"type\":\"control\",\"sessionId\":\"a\",\"id\":7,\"command\":\"set\","
                   "\"knob\":\"lr\",\"value\":0.01}\n");
}

static void an_error_names_line_and_byte_where_there_is_a_line(void **state)
{
    struct buf *b = *state;
    struct line_error error = {"syntax", "a value is expected", 5};
    line_write_error(b, &error, 17);
    assert_line(b, "{\"type\":\"error\",\"code\":\"syntax\",\"message\":\"a value is expected\","
                   "\"line\":17,\"at\":5}\n");
    line_write_error(b, &error, 0);
    assert_line(b,
                "{\"type\":\"error\",\"code\":\"syntax\",\"message\":\"a value is expected\"}\n");
}

static void answers_follow_each_other_in_one_buf(void **state)
{
    struct buf *b = *state;
    line_write_pong(b);
    line_write_pong(b);
    assert_true(span_is(buf_span(b), "{\"type\":\"pong\"}\n{\"type\":\"pong\"}\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_buf, drop_buf)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_answer_is_one_line_of_the_contract),
        TEST(an_error_names_line_and_byte_where_there_is_a_line),
        TEST(answers_follow_each_other_in_one_buf),
    };
    return cmocka_run_group_tests_name("proto/line_write", tests, NULL, NULL);
}
