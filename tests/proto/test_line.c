/* SPDX-License-Identifier: MIT */
#include "proto/line.h"

#include "proto/json_scan.h"

#include "tests/support/guarded.h"
#include "tests/support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct line_decoder decoder;

static int make_decoder(void **state)
{
    (void)state;
    line_decoder_init(&decoder, 12345);
    return 0;
}

static int drop_decoder(void **state)
{
    (void)state;
    line_decoder_fini(&decoder);
    return 0;
}

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* NULL and a span with ptr NULL are the same: absent. */
static void assert_text(struct span got, const cJSON *want)
{
    if (!want) {
        assert_null(got.ptr);
        return;
    }
    assert_non_null(got.ptr);
    assert_true(span_is(got, cJSON_GetStringValue(want)));
}

static void assert_number(struct num got, const char *want)
{
    struct buf b;
    buf_init(&b, 512);
    num_write(&b, got);
    if (!span_is(buf_span(&b), want))
        fail_msg("%.*s, wanted %s", (int)b.len, b.ptr, want);
    buf_fini(&b);
}

static void assert_record(const struct record *r, const cJSON *expect)
{
    const cJSON *fields = member(expect, "fields");
    for (enum record_field f = 0; f < RECORD_FIELDS; f++) {
        const cJSON *want = member(fields, record_field_name(f));
        assert_int_equal(record_was_sent(r, f), want != NULL);
        if (want)
            assert_number(r->field[f], cJSON_GetStringValue(want));
        else
            assert_int_equal(r->field[f].kind, NUM_NONE);
    }
    const cJSON *extra = member(expect, "extra");
    assert_int_equal(r->extra_count, cJSON_GetArraySize(extra));
    for (size_t i = 0; i < r->extra_count; i++) {
        const cJSON *want = cJSON_GetArrayItem(extra, (int)i);
        assert_text(r->extra[i].name, cJSON_GetArrayItem(want, 0));
        assert_number(r->extra[i].value, cJSON_GetStringValue(cJSON_GetArrayItem(want, 1)));
    }
    const cJSON *ignored = member(expect, "ignored");
    assert_int_equal(r->ignored, ignored ? ignored->valueint : 0);
}

static void assert_line(const struct line *l, const cJSON *expect)
{
    const cJSON *seq = member(expect, "seq");
    const cJSON *model_index = member(expect, "model_index");
    assert_string_equal(line_type_name(l->type), cJSON_GetStringValue(member(expect, "type")));
    assert_text(l->session_id, member(expect, "session_id"));
    assert_text(l->config, member(expect, "config"));
    assert_text(l->project, member(expect, "project"));
    assert_text(l->name, member(expect, "name"));
    assert_text(l->error, member(expect, "error"));
    assert_int_equal(l->resume, cJSON_IsTrue(member(expect, "resume")));
    assert_int_equal(l->has_seq, seq != NULL);
    assert_int_equal(l->seq, seq ? (uint64_t)seq->valuedouble : 0);
    assert_int_equal(l->has_model_index, model_index != NULL);
    assert_int_equal(l->model_index, model_index ? (uint64_t)model_index->valuedouble : 0);
    assert_int_equal(l->has_metrics, member(expect, "fields") != NULL);
    assert_record(&l->record, expect);
}

static void lines_say_what_the_vectors_expect(void **state)
{
    (void)state;
    cJSON *vectors = vectors_read("tests/vectors/lines.json");
    const cJSON *one;
    int count = 0;
    cJSON_ArrayForEach(one, member(vectors, "accepted"))
    {
        const char *text = cJSON_GetStringValue(member(one, "line"));
        struct guarded g = guarded_text(text);
        struct line line;
        struct line_error error;
        if (line_decode(&decoder, g.span, &line, &error) != OK)
            fail_msg("%s: %s at %zu: %s", text, error.code, error.at, error.why);
        assert_line(&line, member(one, "expect"));
        guarded_free(&g);
        count++;
    }
    assert_true(count > 30);
    cJSON_Delete(vectors);
}

static void lines_are_refused_with_the_code_the_vectors_name(void **state)
{
    (void)state;
    cJSON *vectors = vectors_read("tests/vectors/lines.json");
    const cJSON *one;
    int count = 0;
    cJSON_ArrayForEach(one, member(vectors, "refused"))
    {
        const char *text = cJSON_GetStringValue(member(one, "line"));
        struct guarded g = guarded_text(text);
        struct line line = {.seq = 77};
        struct line_error error = {.code = "accepted"};
        enum status status = line_decode(&decoder, g.span, &line, &error);
        if (status != E_MALFORMED || strcmp(error.code, member(one, "error")->valuestring) != 0)
            fail_msg("%s: %s", text, error.code);
        assert_non_null(error.why);
        assert_true(error.at <= g.span.len);
        assert_int_equal(line.seq, 77);
        guarded_free(&g);
        count++;
    }
    assert_true(count > 40);
    cJSON_Delete(vectors);
}

static void every_beginning_of_a_line_is_refused(void **state)
{
    (void)state;
    static const char text[] = "{\"type\":\"progress\",\"sessionId\":\"a\",\"seq\":7,\"metrics\":"
                               "{\"lo\\u0073s\":NaN,\"a\":{\"b\":[1,\"x\"],\"c\":-1.5e3}}}";
    struct line line;
    struct line_error error;
    for (size_t len = 1; len < sizeof(text) - 1; len++) {
        struct guarded g = guarded_copy(text, len);
        assert_int_equal(line_decode(&decoder, g.span, &line, &error), E_MALFORMED);
        assert_string_equal(error.code, "syntax");
        guarded_free(&g);
    }
    assert_int_equal(line_decode(&decoder, SPAN(text), &line, &error), OK);
}

static void an_error_names_the_place_of_the_value(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t at;
    } cases[] = {
        {"{\"type\":\"ping\",\"seq\":-1}", 21},
        {"{\"seq\":[-1]}", 7},
        {"{\"type\":\"none\"}", 9},
        {"{\"type\":\"progress\",\"metrics\":{\"a\":1,\"\":2}}", 37},
        {"{\"type\":\"progress\",\"metrics\":{\"a\":1,\"\xff\":2}}", 37},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct line line;
        struct line_error error;
        assert_int_equal(line_decode(&decoder, span_of(cases[i].text), &line, &error), E_MALFORMED);
        assert_int_equal(error.at, cases[i].at);
    }
}

static void invalid_utf8_has_its_own_code(void **state)
{
    (void)state;
    struct line line;
    struct line_error error;
    struct span text = SPAN("{\"type\":\"ping\",\"x\":\"\xc0\xaf\"}");
    assert_int_equal(line_decode(&decoder, text, &line, &error), E_MALFORMED);
    assert_string_equal(error.code, "utf8");
}

static void nesting_past_the_limit_has_its_own_code(void **state)
{
    (void)state;
    char text[600] = "{\"type\":\"progress\",\"metrics\":";
    struct line line;
    struct line_error error;
    size_t n = strlen(text);
    for (int depth = 2; depth <= JSON_DEPTH_MAX; depth++, n += 5)
        memcpy(text + n, "{\"a\":", 5);
    memcpy(text + n, "1", 1);
    memset(text + n + 1, '}', JSON_DEPTH_MAX);
    struct span whole = {text, n + 1 + JSON_DEPTH_MAX};
    assert_int_equal(line_decode(&decoder, whole, &line, &error), OK);
    assert_int_equal(line.record.extra[0].name.len, 2 * (JSON_DEPTH_MAX - 1) - 1);
    memcpy(text + n, "[1]", 3);
    memset(text + n + 3, '}', JSON_DEPTH_MAX);
    whole.len += 2;
    assert_int_equal(line_decode(&decoder, whole, &line, &error), E_MALFORMED);
    assert_string_equal(error.code, "depth");
}

/* A ping whose unknown member makes it `len` bytes long. */
static struct span ping_of(char *text, size_t len)
{
    static const char head[] = "{\"type\":\"ping\",\"x\":\"";
    memset(text, 'x', len);
    memcpy(text, head, sizeof(head) - 1);
    memcpy(text + len - 2, "\"}", 2);
    return (struct span){text, len};
}

static void a_line_of_the_limit_is_read_and_one_byte_more_is_not(void **state)
{
    (void)state;
    static char text[LINE_BYTES_MAX + 1];
    struct line line;
    struct line_error error;
    assert_int_equal(line_decode(&decoder, ping_of(text, LINE_BYTES_MAX), &line, &error), OK);
    assert_int_equal(line_decode(&decoder, ping_of(text, LINE_BYTES_MAX + 1), &line, &error),
                     E_LIMIT);
    assert_string_equal(error.code, "too_long");
}

static void project_and_name_have_a_limit_and_an_error_text_has_not(void **state)
{
    (void)state;
    char text[1200];
    struct line line;
    struct line_error error;
    for (int len = 256; len <= 257; len++) {
        int n = snprintf(text, sizeof(text), "{\"type\":\"start\",\"project\":\"%0*d\"}", len, 0);
        enum status want = len == 256 ? OK : E_MALFORMED;
        assert_int_equal(line_decode(&decoder, (struct span){text, (size_t)n}, &line, &error),
                         want);
    }
    int n = snprintf(text, sizeof(text), "{\"type\":\"fail\",\"error\":\"%01000d\"}", 0);
    assert_int_equal(line_decode(&decoder, (struct span){text, (size_t)n}, &line, &error), OK);
    assert_int_equal(line.error.len, 1000);
}

static void a_decoder_forgets_one_line_before_the_next(void **state)
{
    (void)state;
    struct line line;
    struct line_error error;
    struct span first = SPAN("{\"type\":\"progress\",\"seq\":1,\"metrics\":{\"loss\":1,\"a\":2}}");
    struct span second = SPAN("{\"type\":\"progress\",\"metrics\":{\"b\":3}}");
    assert_int_equal(line_decode(&decoder, first, &line, &error), OK);
    assert_int_equal(line_decode(&decoder, second, &line, &error), OK);
    assert_false(line.has_seq);
    assert_int_equal(line.record.sent, 0);
    assert_int_equal(line.record.extra_count, 1);
    assert_true(span_is(line.record.extra[0].name, "b"));
}

static void a_wrong_type_is_remembered_by_field(void **state)
{
    (void)state;
    struct record r;
    struct line_error error;
    struct span text = SPAN("{\"loss\":\"x\",\"step\":[1],\"model_index\":false,\"lr\":\"y\"}");
    assert_int_equal(line_decode_metrics(&decoder, text, &r, &error), OK);
    assert_int_equal(r.wrong, 1 << F_LOSS | 1 << F_CURRENT_STEP | 1 << F_CURRENT_MODEL);
    assert_int_equal(r.sent, 0);
    assert_int_equal(r.ignored, 4);
}

static void bare_metrics_are_held_to_the_same_rules(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *code;
    } cases[] = {
        {"[]", "metrics"},      {"{\"a\":1} x", "syntax"},
        {"{\"a\":1", "syntax"}, {"{\"\":1}", "metrics"},
        {"", "syntax"},         {"3", "metrics"},
    };
    struct record r;
    struct line_error error;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct guarded g = guarded_text(cases[i].text);
        assert_int_equal(line_decode_metrics(&decoder, g.span, &r, &error), E_MALFORMED);
        assert_string_equal(error.code, cases[i].code);
        guarded_free(&g);
    }
    static char text[LINE_BYTES_MAX + 1];
    memset(text, ' ', sizeof(text));
    assert_int_equal(line_decode_metrics(&decoder, (struct span){text, sizeof(text)}, &r, &error),
                     E_LIMIT);
    assert_int_equal(line_decode_metrics(&decoder, SPAN(" {\"a\":1,\"loss\":2} "), &r, &error), OK);
    assert_int_equal(r.extra_count, 1);
    assert_true(record_was_sent(&r, F_LOSS));
}

static void what_a_relay_says_is_read_and_elsewhere_passed_over(void **state)
{
    (void)state;
    struct line line;
    struct line_error error;
    struct span report = SPAN("{\"report\":{\"loss\": \"x\",\"\":[NaN]},\"type\":\"report\"}");
    assert_int_equal(line_decode(&decoder, report, &line, &error), OK);
    assert_int_equal(line.type, LINE_REPORT);
    assert_true(span_is(line.report, "{\"loss\": \"x\",\"\":[NaN]}"));
    assert_int_equal(line.record.ignored, 0); /* it is nobody's metrics */
    struct span asks = SPAN("{\"type\":\"start\",\"sessionId\":\"a\",\"implied\":true}");
    assert_int_equal(line_decode(&decoder, asks, &line, &error), OK);
    assert_true(line.implied);
    struct span gone = SPAN("{\"type\":\"gone\",\"sessionId\":\"a\",\"seq\":7,\"pid\":12}");
    assert_int_equal(line_decode(&decoder, gone, &line, &error), OK);
    assert_int_equal(line.pid, 12);
    static const char *const other[] = {
        "{\"type\":\"ping\",\"report\":[1],\"implied\":{\"a\":1},\"pid\":\"x\"}",
        "{\"type\":\"ping\",\"report\":7,\"implied\":1,\"pid\":-1}",
    };
    for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
        assert_int_equal(line_decode(&decoder, span_of(other[i]), &line, &error), OK);
        assert_null(line.report.ptr);
        assert_false(line.implied);
        assert_int_equal(line.pid, 0);
    }
    struct span empty = SPAN("{\"type\":\"report\",\"sessionId\":\"a\",\"report\":null}");
    assert_int_equal(line_decode(&decoder, empty, &line, &error), E_MALFORMED);
    assert_string_equal(error.code, "field");
}

static void session_ids_follow_their_grammar(void **state)
{
    (void)state;
    char longest[SESSION_ID_BYTES_MAX + 1];
    memset(longest, 'z', sizeof(longest));
    assert_true(session_id_valid(SPAN("AZaz09._:-")));
    assert_true(session_id_valid((struct span){longest, SESSION_ID_BYTES_MAX}));
    assert_false(session_id_valid((struct span){longest, SESSION_ID_BYTES_MAX + 1}));
    assert_false(session_id_valid((struct span){NULL, 0}));
    for (int c = 0; c < 256; c++) {
        static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789._:-";
        bool allowed = c != 0 && strchr(alphabet, c) != NULL;
        assert_int_equal(session_id_valid((struct span){(char[]){(char)c}, 1}), allowed);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_decoder, drop_decoder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lines_say_what_the_vectors_expect),
        TEST(lines_are_refused_with_the_code_the_vectors_name),
        TEST(every_beginning_of_a_line_is_refused),
        TEST(an_error_names_the_place_of_the_value),
        TEST(invalid_utf8_has_its_own_code),
        TEST(nesting_past_the_limit_has_its_own_code),
        TEST(a_line_of_the_limit_is_read_and_one_byte_more_is_not),
        TEST(project_and_name_have_a_limit_and_an_error_text_has_not),
        TEST(a_decoder_forgets_one_line_before_the_next),
        TEST(a_wrong_type_is_remembered_by_field),
        TEST(bare_metrics_are_held_to_the_same_rules),
        TEST(what_a_relay_says_is_read_and_elsewhere_passed_over),
        TEST(session_ids_follow_their_grammar),
    };
    return cmocka_run_group_tests_name("proto/line", tests, NULL, NULL);
}
