/* SPDX-License-Identifier: MIT */
#include "proto/query.h"

#include "base/buf.h"
#include "tests/support/guarded.h"
#include "tests/support/random.h"
#include "tests/support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static const char *text_of(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(member(object, name));
}

static void escapes_are_decoded_as_the_vectors_say(void **state)
{
    (void)state;
    cJSON *file = vectors_read("tests/vectors/query.json");
    const cJSON *one;
    int count = 0;
    cJSON_ArrayForEach(one, member(file, "decode"))
    {
        struct guarded raw = guarded_text(text_of(one, "raw"));
        const char *text = text_of(one, "text");
        char out[100];
        size_t len = 12345;
        assert_int_equal(url_decode(raw.span, out, sizeof(out), &len), text != NULL);
        if (text)
            assert_true(span_is((struct span){out, len}, text));
        else
            assert_int_equal(len, 12345);
        guarded_free(&raw);
        count++;
    }
    assert_int_equal(count, 27);
    cJSON_Delete(file);
}

static void values_are_found_as_the_vectors_say(void **state)
{
    (void)state;
    cJSON *file = vectors_read("tests/vectors/query.json");
    const cJSON *one;
    int count = 0;
    cJSON_ArrayForEach(one, member(file, "find"))
    {
        struct guarded raw = guarded_text(text_of(one, "raw"));
        struct query q;
        struct query_value value;
        const cJSON *expected;
        query_init(&q, raw.span);
        cJSON_ArrayForEach(expected, member(one, "values"))
        {
            assert_true(query_next(&q, text_of(one, "name"), &value));
            assert_string_equal(value.text, expected->valuestring);
            assert_true(span_is(query_span(&value), expected->valuestring));
        }
        assert_false(query_next(&q, text_of(one, "name"), &value));
        assert_false(query_next(&q, text_of(one, "name"), &value));
        guarded_free(&raw);
        count++;
    }
    assert_int_equal(count, 20);
    cJSON_Delete(file);
}

static void the_first_readable_value_is_found(void **state)
{
    (void)state;
    struct query_value value;
    assert_true(query_find(SPAN("sid=%zz&sid=one&sid=two"), "sid", &value));
    assert_string_equal(value.text, "one");
    assert_false(query_find((struct span){NULL, 0}, "sid", &value));
    assert_string_equal(value.text, "one"); /* untouched */
}

static void decoding_stops_at_the_room_it_is_given(void **state)
{
    (void)state;
    char out[4] = "....";
    size_t len = 0;
    assert_true(url_decode(SPAN("%41bc"), out, 3, &len));
    assert_int_equal(len, 3);
    assert_int_equal(out[3], '.');
    assert_false(url_decode(SPAN("%41bcd"), out, 3, &len));
    assert_int_equal(out[3], '.');
    assert_true(url_decode(SPAN(""), out, 0, &len));
    assert_int_equal(len, 0);
}

static void a_value_may_be_of_the_maximum_and_not_more(void **state)
{
    (void)state;
    struct buf raw;
    struct query_value value;
    buf_init(&raw, 10000);
    for (int escaped = 0; escaped < 2; escaped++) {
        for (size_t len = QUERY_VALUE_MAX; len <= QUERY_VALUE_MAX + 1; len++) {
            buf_reset(&raw);
            buf_add_str(&raw, "v=");
            for (size_t i = 0; i < len; i++)
                buf_add_str(&raw, escaped ? "%41" : "A");
            struct guarded g = guarded_copy(raw.ptr, raw.len);
            assert_int_equal(query_find(g.span, "v", &value), len == QUERY_VALUE_MAX);
            guarded_free(&g);
        }
        assert_int_equal(value.len, QUERY_VALUE_MAX);
        assert_int_equal(strlen(value.text), QUERY_VALUE_MAX);
    }
    buf_fini(&raw);
}

static void pairs_past_the_maximum_are_not_looked_at(void **state)
{
    (void)state;
    char raw[2 * QUERY_PAIRS_MAX + 10] = "";
    struct query_value value;
    for (int i = 0; i < QUERY_PAIRS_MAX - 1; i++)
        strcat(raw, "x&");
    strcat(raw, "a=1&");
    assert_true(query_find(span_of(raw), "a", &value));
    memmove(raw + 2, raw, strlen(raw) + 1);
    assert_false(query_find(span_of(raw), "a", &value));
}

/* What encodeURIComponent makes of any text is that text again. */
static void what_was_escaped_comes_back(void **state)
{
    (void)state;
    static const char *const texts[] = {"plain", "a b&c=d", "100 %", "r\xc3\xb6mer/7",
                                        "\xf0\x9f\x99\x82+"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char raw[200] = "n=";
        for (const char *c = texts[i]; *c; c++)
            (void)snprintf(raw + strlen(raw), 4, "%%%02X", (unsigned char)*c);
        struct query_value value;
        assert_true(query_find(span_of(raw), "n", &value));
        assert_string_equal(value.text, texts[i]);
    }
}

static void random_bytes_are_read_within_their_bounds(void **state)
{
    (void)state;
    static const char alphabet[] = "ab=&%%%04f+\x7f\xc3\xa9\0;";
    struct random chance = random_seeded(12);
    struct query_value value;
    for (int i = 0; i < 20000; i++) {
        char raw[40];
        size_t len = random_below(&chance, sizeof(raw));
        for (size_t j = 0; j < len; j++)
            raw[j] = alphabet[random_below(&chance, sizeof(alphabet) - 1)];
        struct guarded g = guarded_copy(raw, len);
        if (query_find(g.span, "a", &value)) {
            assert_int_equal(strlen(value.text), value.len);
            for (size_t j = 0; j < value.len; j++)
                assert_true((unsigned char)value.text[j] >= 0x20 && value.text[j] != 0x7f);
        }
        guarded_free(&g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_are_decoded_as_the_vectors_say),
        cmocka_unit_test(values_are_found_as_the_vectors_say),
        cmocka_unit_test(the_first_readable_value_is_found),
        cmocka_unit_test(decoding_stops_at_the_room_it_is_given),
        cmocka_unit_test(a_value_may_be_of_the_maximum_and_not_more),
        cmocka_unit_test(pairs_past_the_maximum_are_not_looked_at),
        cmocka_unit_test(what_was_escaped_comes_back),
        cmocka_unit_test(random_bytes_are_read_within_their_bounds),
    };
    return cmocka_run_group_tests_name("proto/query", tests, NULL, NULL);
}
