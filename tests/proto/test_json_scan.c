/* SPDX-License-Identifier: MIT */
/*
 * The two lists follow the cases of RFC 8259 as test suites know them: each text stands before a
 * guard page, so that a scanner that looks one byte too far is caught by the hardware.
 */
#include "proto/json_scan.h"

#include "proto/json_write.h"

#include "tests/support/guarded.h"
#include "tests/support/random.h"
#include "tests/support/vectors.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(literal)                                                                             \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }

static const struct span accepted[] = {
    BYTES("0"),
    BYTES("-0"),
    BYTES("-0.0e-0"),
    BYTES("123.456E+7"),
    BYTES("123456789012345678901234567890"),
    BYTES(" \t\r\n null \t\r\n "),
    BYTES("true"),
    BYTES("false"),
    BYTES("\"\""),
    BYTES("[]"),
    BYTES("[ ]"),
    BYTES("{}"),
    BYTES("{ }"),
    BYTES("[1,[2,[3,{}]],{\"a\":[]}]"),
    BYTES("{\"a\":1,\"a\":2}"),
    BYTES("{\"\":0}"),
    BYTES("{ \"a\" : [ 1 , 2 ] , \"b\" : null }"),
    BYTES("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u20aC\""),
    BYTES("\"\\ud83d\\ude00\""),
    BYTES("\"\x7f\""),
    BYTES("\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\""),
    BYTES("\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\""),
    BYTES("\"\xe2\x80\xa8\xe2\x80\xa9 </script> \xf0\x9f\x98\x80\""),
    BYTES("[\"longer than eight bytes\",\"12345678\",\"1234567\",\"123456789\"]"),
};

static const struct {
    struct span text;
    const char *code;
    size_t at;
} refused[] = {
    {BYTES(""), "syntax", 0},
    {BYTES(" "), "syntax", 1},
    {BYTES("hello"), "syntax", 0},
    {BYTES("nul"), "syntax", 0},
    {BYTES("nullx"), "syntax", 4},
    {BYTES("True"), "syntax", 0},
    {BYTES("NaN"), "syntax", 0},
    {BYTES("[Infinity]"), "syntax", 1},
    {BYTES("-Infinity"), "syntax", 0},
    {BYTES("01"), "syntax", 0},
    {BYTES("-01"), "syntax", 0},
    {BYTES("[1.]"), "syntax", 1},
    {BYTES("[2.e3]"), "syntax", 1},
    {BYTES("[.5]"), "syntax", 1},
    {BYTES("[+1]"), "syntax", 1},
    {BYTES("[1e]"), "syntax", 1},
    {BYTES("[-]"), "syntax", 1},
    {BYTES("[0x1]"), "syntax", 2},
    {BYTES("1 2"), "syntax", 2},
    {BYTES("[1] x"), "syntax", 4},
    {BYTES("{\"a\":1}{\"b\":2}"), "syntax", 7},
    {BYTES("{\"a\":1}\0"), "syntax", 7},
    {BYTES("["), "syntax", 1},
    {BYTES("]"), "syntax", 0},
    {BYTES("[1"), "syntax", 2},
    {BYTES("[1,"), "syntax", 3},
    {BYTES("[1,]"), "syntax", 3},
    {BYTES("[,1]"), "syntax", 1},
    {BYTES("[1 2]"), "syntax", 3},
    {BYTES("[1}"), "syntax", 2},
    {BYTES("{\"a\":1]"), "syntax", 6},
    {BYTES("{"), "syntax", 1},
    {BYTES("{,}"), "syntax", 1},
    {BYTES("{\"a\"}"), "syntax", 4},
    {BYTES("{\"a\":}"), "syntax", 5},
    {BYTES("{\"a\":1,}"), "syntax", 7},
    {BYTES("{\"a\" 1}"), "syntax", 5},
    {BYTES("{a:1}"), "syntax", 1},
    {BYTES("{1:1}"), "syntax", 1},
    {BYTES("{'a':1}"), "syntax", 1},
    {BYTES("[1]// comment"), "syntax", 3},
    {BYTES("\xef\xbb\xbf{}"), "syntax", 0},
    {BYTES("\v1"), "syntax", 0},
    {BYTES("\""), "syntax", 1},
    {BYTES("\"abc"), "syntax", 4},
    {BYTES("\"abcdefghijk"), "syntax", 12},
    {BYTES("\"\\"), "syntax", 1},
    {BYTES("\"\\x\""), "syntax", 1},
    {BYTES("\"\\\0\""), "syntax", 1},
    {BYTES("\"\\u12"), "syntax", 1},
    {BYTES("\"\\u12g4\""), "syntax", 1},
    {BYTES("\"\\u0000\""), "syntax", 1},
    {BYTES("{\"\\u0000\":1}"), "syntax", 2},
    {BYTES("\"\\ud800\""), "syntax", 1},
    {BYTES("\"\\ud800x\""), "syntax", 1},
    {BYTES("\"\\ud800\\n\""), "syntax", 1},
    {BYTES("\"\\ud800\\ud800\""), "syntax", 1},
    {BYTES("\"\\ud800\\u0041\""), "syntax", 1},
    {BYTES("\"\\udc00\""), "syntax", 1},
    {BYTES("\"a\nb\""), "syntax", 2},
    {BYTES("\"a\tb\""), "syntax", 2},
    {BYTES("\"12345678\x01\""), "syntax", 9},
    {BYTES("\"a\0b\""), "syntax", 2},
    {BYTES("\"\xff\""), "utf8", 1},
    {BYTES("\"\x80\""), "utf8", 1},
    {BYTES("\"\xc0\xaf\""), "utf8", 1},
    {BYTES("\"\xc1\xbf\""), "utf8", 1},
    {BYTES("\"\xe0\x9f\xbf\""), "utf8", 1},
    {BYTES("\"\xed\xa0\x80\""), "utf8", 1},
    {BYTES("\"\xf0\x8f\xbf\xbf\""), "utf8", 1},
    {BYTES("\"\xf4\x90\x80\x80\""), "utf8", 1},
    {BYTES("\"\xf5\x80\x80\x80\""), "utf8", 1},
    {BYTES("\"\xe2\x82\""), "utf8", 1},
    {BYTES("\"\xe2\x82"), "utf8", 1},
    {BYTES("\"\xe2"), "utf8", 1},
    {BYTES("{\"\xff\":1}"), "utf8", 2},
};

static void every_text_of_the_grammar_is_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++) {
        struct guarded g = guarded_copy(accepted[i].ptr, accepted[i].len);
        struct json_error error = {.code = "none"};
        if (json_check(g.span, JSON_STRICT, &error) != OK)
            fail_msg("%s: %s at %zu", accepted[i].ptr, error.why, error.at);
        guarded_free(&g);
    }
}

static void what_is_outside_the_grammar_is_refused_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct guarded g = guarded_copy(refused[i].text.ptr, refused[i].text.len);
        struct json_error error = {.code = "accepted"};
        enum status status = json_check(g.span, JSON_STRICT, &error);
        assert_int_equal(status, E_MALFORMED);
        if (strcmp(error.code, refused[i].code) != 0 || error.at != refused[i].at)
            fail_msg("%s: %s at %zu", refused[i].text.ptr, error.code, error.at);
        assert_int_equal(json_check(g.span, JSON_STRICT, NULL), E_MALFORMED);
        guarded_free(&g);
    }
}

static void every_beginning_of_a_text_is_refused(void **state)
{
    (void)state;
    static const char text[] =
        "{\"k\\u00e9y\":[1.5e-3,true,null,{\"\xc3\xa9\":\"\\ud83d\\ude00 \xf0\x9f\x98\x80\"}]}";
    for (size_t len = 0; len < sizeof(text) - 1; len++) {
        struct guarded g = guarded_copy(text, len);
        assert_int_equal(json_check(g.span, JSON_STRICT, NULL), E_MALFORMED);
        guarded_free(&g);
    }
    assert_int_equal(json_check(SPAN(text), JSON_STRICT, NULL), OK);
}

static void the_bare_words_are_numbers_only_where_they_are_allowed(void **state)
{
    (void)state;
    struct guarded g = guarded_text("[NaN,Infinity,-Infinity]");
    struct json_scan s;
    struct json_value v;
    assert_int_equal(json_check(g.span, JSON_STRICT, NULL), E_MALFORMED);
    json_scan_init(&s, g.span, JSON_WORDS);
    assert_int_equal(json_next(&s, &v), JSON_ARRAY_BEGIN);
    assert_int_equal(json_next(&s, &v), JSON_NUMBER);
    assert_true(isnan(v.num.f));
    assert_int_equal(json_next(&s, &v), JSON_NUMBER);
    assert_true(v.num.f == (double)INFINITY);
    assert_int_equal(json_next(&s, &v), JSON_NUMBER);
    assert_true(v.num.f == -(double)INFINITY);
    assert_true(span_is(v.raw, "-Infinity"));
    assert_int_equal(json_next(&s, &v), JSON_ARRAY_END);
    assert_int_equal(json_next(&s, &v), JSON_END);
    guarded_free(&g);
    assert_int_equal(json_check(SPAN("NaNx"), JSON_WORDS, NULL), E_MALFORMED);
    assert_int_equal(json_check(SPAN("-Inf"), JSON_WORDS, NULL), E_MALFORMED);
}

static void nest(struct buf *b, size_t depth, char open, char close)
{
    for (size_t i = 0; i < depth; i++)
        buf_add_str(b, open == '{' ? "{\"a\":" : "[");
    buf_add_str(b, "1");
    for (size_t i = 0; i < depth; i++)
        buf_add_char(b, close);
}

static void depth_is_accepted_to_the_limit_and_not_one_further(void **state)
{
    (void)state;
    struct json_error error;
    struct buf b;
    buf_init(&b, 4096);
    for (int object = 0; object < 2; object++) {
        buf_reset(&b);
        nest(&b, JSON_DEPTH_MAX, object ? '{' : '[', object ? '}' : ']');
        assert_int_equal(json_check(buf_span(&b), JSON_STRICT, NULL), OK);
        buf_reset(&b);
        nest(&b, JSON_DEPTH_MAX + 1, object ? '{' : '[', object ? '}' : ']');
        assert_int_equal(json_check(buf_span(&b), JSON_STRICT, &error), E_MALFORMED);
        assert_string_equal(error.code, "depth");
    }
    buf_fini(&b);
}

static void a_million_brackets_cost_no_stack(void **state)
{
    (void)state;
    struct json_error error;
    struct buf b;
    buf_init(&b, 1 << 20);
    for (int i = 0; i < 1 << 20; i++)
        buf_add_char(&b, '[');
    assert_int_equal(json_check(buf_span(&b), JSON_STRICT, &error), E_MALFORMED);
    assert_string_equal(error.code, "depth");
    assert_int_equal(error.at, JSON_DEPTH_MAX);
    buf_fini(&b);
}

static void tokens_come_in_order_with_their_bytes(void **state)
{
    (void)state;
    struct json_scan s;
    struct json_value v;
    json_scan_init(&s, SPAN(" {\"a\\n\" : [ -1.5 , \"x\" ] , \"b\":false}"), JSON_STRICT);
    assert_int_equal(json_next(&s, &v), JSON_OBJECT_BEGIN);
    assert_int_equal(json_next(&s, &v), JSON_KEY);
    assert_true(span_is(v.raw, "a\\n"));
    assert_true(v.escaped);
    assert_int_equal(json_next(&s, &v), JSON_ARRAY_BEGIN);
    assert_int_equal(json_next(&s, &v), JSON_NUMBER);
    assert_true(span_is(v.raw, "-1.5"));
    assert_true(v.num.f == -1.5);
    assert_int_equal(json_next(&s, &v), JSON_STRING);
    assert_true(span_is(v.raw, "x"));
    assert_false(v.escaped);
    assert_int_equal(json_next(&s, &v), JSON_ARRAY_END);
    assert_int_equal(json_next(&s, &v), JSON_KEY);
    assert_int_equal(json_next(&s, &v), JSON_FALSE);
    assert_true(span_is(v.raw, "false"));
    assert_int_equal(json_next(&s, &v), JSON_OBJECT_END);
    assert_int_equal(json_next(&s, &v), JSON_END);
    assert_int_equal(json_next(&s, &v), JSON_END);
}

static void an_error_is_final(void **state)
{
    (void)state;
    struct json_scan s;
    struct json_value v;
    struct span raw = SPAN("untouched");
    json_scan_init(&s, SPAN("[1 2]"), JSON_STRICT);
    assert_int_equal(json_next(&s, &v), JSON_ARRAY_BEGIN);
    assert_int_equal(json_next(&s, &v), JSON_NUMBER);
    assert_int_equal(json_next(&s, &v), JSON_ERROR);
    assert_int_equal(json_next(&s, &v), JSON_ERROR);
    assert_int_equal(json_leave(&s), E_MALFORMED);
    assert_int_equal(json_skip(&s, &raw), E_MALFORMED);
    assert_true(span_is(raw, "untouched"));
}

static void skipping_answers_the_whole_value(void **state)
{
    (void)state;
    static const char *const values[] = {
        "1.5", "\"a\\\"b\"", "{\"x\":[1,{\"y\":2}]}", "[ 1 , [ ] ]", "null", "true",
    };
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        char text[80];
        struct json_scan s;
        struct json_value v;
        struct span raw;
        int len = snprintf(text, sizeof(text), "{\"a\" : %s , \"b\":2}", values[i]);
        struct guarded g = guarded_copy(text, (size_t)len);
        json_scan_init(&s, g.span, JSON_STRICT);
        assert_int_equal(json_next(&s, &v), JSON_OBJECT_BEGIN);
        assert_int_equal(json_next(&s, &v), JSON_KEY);
        assert_int_equal(json_skip(&s, &raw), OK);
        assert_true(span_is(raw, values[i]));
        assert_int_equal(json_next(&s, &v), JSON_KEY);
        assert_true(span_is(v.raw, "b"));
        guarded_free(&g);
    }
}

static void leaving_ends_the_innermost_container(void **state)
{
    (void)state;
    struct json_scan s;
    struct json_value v;
    json_scan_init(&s, SPAN("[[1,[2,3]],4]"), JSON_STRICT);
    for (int i = 0; i < 3; i++)
        (void)json_next(&s, &v);
    assert_int_equal(json_leave(&s), OK);
    assert_int_equal(json_next(&s, &v), JSON_NUMBER);
    assert_true(span_is(v.raw, "4"));
    json_scan_init(&s, SPAN("[[1,"), JSON_STRICT);
    (void)json_next(&s, &v);
    assert_int_equal(json_leave(&s), E_MALFORMED);
}

static void an_array_is_split_into_its_items(void **state)
{
    (void)state;
    struct span items[3];
    size_t n = 77;
    assert_int_equal(json_array_split(SPAN(" [ \"e\" , {\"a\":[1,2]} , 3 ] "), items, 3, &n), OK);
    assert_int_equal(n, 3);
    assert_true(span_is(items[0], "\"e\""));
    assert_true(span_is(items[1], "{\"a\":[1,2]}"));
    assert_true(span_is(items[2], "3"));
    assert_int_equal(json_array_split(SPAN("[]"), items, 0, &n), OK);
    assert_int_equal(n, 0);
    n = 77;
    assert_int_equal(json_array_split(SPAN("[1,2,3,4]"), items, 3, &n), E_LIMIT);
    assert_int_equal(json_array_split(SPAN("{}"), items, 3, &n), E_MALFORMED);
    assert_int_equal(json_array_split(SPAN("[1"), items, 3, &n), E_MALFORMED);
    assert_int_equal(json_array_split(SPAN("[1]]"), items, 3, &n), E_MALFORMED);
    assert_int_equal(json_array_split(SPAN("[1,]"), items, 3, &n), E_MALFORMED);
    assert_int_equal(json_array_split(SPAN(""), items, 3, &n), E_MALFORMED);
    assert_int_equal(n, 77);
}

/* Overwrites, drops or doubles a few bytes. */
static size_t mutate(char *text, size_t len, struct random *random)
{
    static const char alphabet[] = "{}[]:,\"\\ 01.e-+truefalsn\n\x01\xc3\xa9\xff/u";
    for (uint64_t left = random_below(random, 4); left > 0 && len > 0; left--) {
        size_t at = random_below(random, len);
        if (random_below(random, 3) == 0) {
            memmove(text + at, text + at + 1, len - at - 1);
            len--;
        } else {
            text[at] = alphabet[random_below(random, sizeof(alphabet) - 1)];
        }
    }
    return len;
}

/* Ours is the stricter: cJSON must read what we accept, and read the same without white space. */
static void assert_read_alike(struct span text, struct buf *minified)
{
    cJSON *whole = cJSON_ParseWithLength(text.ptr, text.len);
    json_write_minified(minified, text);
    cJSON *small = cJSON_ParseWithLength(minified->ptr, minified->len);
    char *whole_text = cJSON_PrintUnformatted(whole);
    char *small_text = cJSON_PrintUnformatted(small);
    bool alike = whole_text && small_text && strcmp(whole_text, small_text) == 0;
    cJSON_free(whole_text);
    cJSON_free(small_text);
    cJSON_Delete(whole);
    cJSON_Delete(small);
    if (!alike)
        fail_msg("accepted, but not by cJSON: %.*s", (int)text.len, text.ptr);
    buf_reset(minified);
}

static void what_is_accepted_cjson_reads_too(void **state)
{
    (void)state;
    static const char seed[] = "{ \"loss\": [1.5, -2e3, 0], \"a\\u00e9\": {\"b\": null, \"c\": "
                               "true}, \"s\": \"x\\ny\xc3\xa9\", \"n\": [], \"o\": {} }";
    enum { ROUNDS = 100000, ACCEPTED_AT_LEAST = 10000 };
    struct random random = random_seeded(7);
    struct buf minified;
    size_t kept = 0;
    buf_init(&minified, 4096);
    for (int i = 0; i < ROUNDS; i++) {
        char text[sizeof(seed)];
        memcpy(text, seed, sizeof(seed));
        size_t len = mutate(text, sizeof(seed) - 1, &random);
        if (json_check((struct span){text, len}, JSON_STRICT, NULL) != OK)
            continue;
        assert_read_alike((struct span){text, len}, &minified);
        kept++;
    }
    assert_true(kept >= ACCEPTED_AT_LEAST);
    buf_fini(&minified);
}

static void a_member_is_found_by_its_name(void **state)
{
    static const struct {
        const char *text, *found; /* NULL: not found */
    } cases[] = {
        {"{\"a\":1}", "1"},
        {"{\"b\":{\"a\":1},\"a\" : [ 2 ] }", "[ 2 ]"},
        {"{\"a\":1,\"a\":2}", "2"},
        {"{\"b\":1}", NULL},
        {"[1]", NULL},
        {"", NULL},
        {"{\"b\":nan,\"a\":1}", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct span found = SPAN("as it was");
        bool any = json_member(span_of(cases[i].text), JSON_STRICT, "a", &found);
        assert_int_equal(any, cases[i].found != NULL);
        assert_true(span_is(found, cases[i].found ? cases[i].found : "as it was"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_is_found_by_its_name),
        cmocka_unit_test(every_text_of_the_grammar_is_accepted),
        cmocka_unit_test(what_is_outside_the_grammar_is_refused_with_its_place),
        cmocka_unit_test(every_beginning_of_a_text_is_refused),
        cmocka_unit_test(the_bare_words_are_numbers_only_where_they_are_allowed),
        cmocka_unit_test(depth_is_accepted_to_the_limit_and_not_one_further),
        cmocka_unit_test(a_million_brackets_cost_no_stack),
        cmocka_unit_test(tokens_come_in_order_with_their_bytes),
        cmocka_unit_test(an_error_is_final),
        cmocka_unit_test(skipping_answers_the_whole_value),
        cmocka_unit_test(leaving_ends_the_innermost_container),
        cmocka_unit_test(an_array_is_split_into_its_items),
        cmocka_unit_test(what_is_accepted_cjson_reads_too),
    };
    return cmocka_run_group_tests_name("proto/json_scan", tests, NULL, NULL);
}
