/* SPDX-License-Identifier: MIT */
#include "streamd/ingest/push.h"

#include "tests/streamd/domain.h"
#include "tests/support/oom.h"

#define NDJSON "application/x-ndjson"
#define START "{\"type\":\"start\",\"sessionId\":\"a\"}\n"
#define SEQ(n) "{\"type\":\"progress\",\"seq\":" #n ",\"metrics\":{\"loss\":1}}\n"

/* Posts the body to a fresh daemon and compares the answer. */
static void assert_answer(const char *type, const char *body, int status, const char *answer)
{
    struct domain d;
    struct reply reply;
    domain_defaults(&d);
    d.config.max_line = 1024;
    domain_open(&d);
    reply_init(&reply, 1 << 16);
    const struct request req = {
        .method = METHOD_POST,
        .content_type = span_of(type),
        .body = span_of(body),
        .now = d.now,
    };
    push_answer(&d.registry, &d.decoder, &req, &reply);
    assert_int_equal(reply.status, status);
    assert_string_equal(text_of(&reply.body), answer);
    reply_fini(&reply);
    domain_close(&d);
}

static void good_lines_are_counted_with_the_sessions_last_seq(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *answer;
    } cases[] = {
        {"", "{\"success\":true,\"accepted\":0,\"lastSeq\":0}"},
        {"\n \n", "{\"success\":true,\"accepted\":0,\"lastSeq\":0}"},
        {START SEQ(1) SEQ(2),
         "{\"success\":true,\"accepted\":3,\"sessionId\":\"a\",\"lastSeq\":2}"},
        {START SEQ(2) "\n" SEQ(1),
         "{\"success\":true,\"accepted\":3,\"sessionId\":\"a\",\"lastSeq\":2}"},
        {"\xef\xbb\xbf{\"type\":\"progress\",\"sessionId\":\"b\",\"metrics\":{}}\r\n",
         "{\"success\":true,\"accepted\":1,\"sessionId\":\"b\",\"lastSeq\":0}"},
        {"{\"type\":\"progress\",\"sessionId\":\"b\",\"seq\":4,\"metrics\":{}}",
         "{\"success\":true,\"accepted\":1,\"sessionId\":\"b\",\"lastSeq\":4}"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_answer(NDJSON, cases[i].body, 200, cases[i].answer);
}

static void the_first_bad_line_is_named_with_what_was_kept(void **state)
{
    (void)state;
    assert_answer(NDJSON, START SEQ(1) "hello\n" SEQ(2), 400,
                  "{\"success\":false,\"error\":\"line 3: a value is expected\","
                  "\"code\":\"syntax\",\"line\":3,\"at\":0,\"accepted\":2,\"sessionId\":\"a\","
                  "\"lastSeq\":1}");
    assert_answer(NDJSON, "\n" SEQ(1), 400,
                  "{\"success\":false,\"error\":\"line 2: the line has no sessionId and no start "
                  "came before it\",\"code\":\"unknown_session\",\"line\":2,\"at\":0,"
                  "\"accepted\":0,\"lastSeq\":0}");
    assert_answer(NDJSON, "{\"a\\u0000\":1}", 400,
                  "{\"success\":false,\"error\":\"line 1: \\\\u0000 is not allowed in a string\","
                  "\"code\":\"syntax\",\"line\":1,\"at\":3,\"accepted\":0,\"lastSeq\":0}");
}

static void one_object_may_be_laid_out_over_several_lines(void **state)
{
    (void)state;
    static const char body[] =
        "{\n  \"type\": \"progress\",\n  \"sessionId\": \"c\",\n  \"metrics\": {\"loss\": 1}\n}\n";
    static const char answer[] =
        "{\"success\":true,\"accepted\":1,\"sessionId\":\"c\",\"lastSeq\":0}";
    assert_answer("application/json", body, 200, answer);
    assert_answer("Application/JSON; charset=utf-8", body, 200, answer);
}

static void a_line_over_the_limit_is_refused_wherever_it_ends(void **state)
{
    (void)state;
    static char body[2048];
    memset(body, ' ', sizeof(body) - 1);
    memcpy(body, "{}", 2);
    static const char answer[] =
        "{\"success\":false,\"error\":\"line 1: the line is longer than allowed\","
        "\"code\":\"too_long\",\"line\":1,\"at\":0,\"accepted\":0,\"lastSeq\":0}";
    assert_answer(NDJSON, body, 400, answer);
    assert_answer("application/json", body, 400, answer);
    body[sizeof(body) - 2] = '\n';
    assert_answer(NDJSON, body, 400, answer);
}

static void other_types_of_content_are_refused(void **state)
{
    (void)state;
    static const char *const types[] = {"", "text/plain", "application/jsonl",
                                        "application/x-www-form-urlencoded"};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        assert_answer(types[i], START, 415,
                      "{\"success\":false,\"error\":\"Content-Type must be application/x-ndjson or "
                      "application/json\"}");
}

static void lines_that_find_no_memory_are_to_be_sent_again(void **state)
{
    (void)state;
    static const char body[] = START SEQ(1) SEQ(2) SEQ(3);
    unsigned refused = 0;
    for (size_t n = 1; oom_sweeps(n); n++) {
        struct domain d;
        struct reply reply;
        oom_fail(0);
        domain_defaults(&d);
        domain_open(&d);
        reply_init(&reply, 1 << 16);
        const struct request req = {
            .method = METHOD_POST, .content_type = SPAN(NDJSON), .body = SPAN(body), .now = d.now};
        oom_fail(n);
        push_answer(&d.registry, &d.decoder, &req, &reply);
        if (reply.status != 200) {
            assert_int_equal(reply.status, 503);
            assert_has(text_of(&reply.body), "\"code\":\"resend\"");
            refused++;
        }
        const struct session *s = registry_find(&d.registry, SPAN("a"));
        assert_true(reply.status != 200 || (s && series_count(s->series) == 3));
        reply_fini(&reply);
        domain_close(&d);
    }
    assert_true(refused > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_lines_are_counted_with_the_sessions_last_seq),
        cmocka_unit_test(the_first_bad_line_is_named_with_what_was_kept),
        cmocka_unit_test(one_object_may_be_laid_out_over_several_lines),
        cmocka_unit_test(a_line_over_the_limit_is_refused_wherever_it_ends),
        cmocka_unit_test(other_types_of_content_are_refused),
        cmocka_unit_test(lines_that_find_no_memory_are_to_be_sent_again),
    };
    return cmocka_run_group_tests_name("streamd/ingest/push", tests, NULL, NULL);
}
