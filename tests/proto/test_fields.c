/* SPDX-License-Identifier: MIT */
#include "proto/fields.h"

#include "tests/support/guarded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

static struct fields *parse(const char *json)
{
    struct guarded g = guarded_text(json);
    struct fields *f = NULL;
    assert_int_equal(fields_parse(g.span, &f, NULL), OK);
    guarded_free(&g);
    return f;
}

static void members_are_read_by_name_and_type(void **state)
{
    (void)state;
    struct fields *f =
        parse("{\"s\":\"a\\n\\u00e9\",\"n\":-1.5,\"b\":true,\"z\":null,\"o\":{\"x\":1}}");
    struct span text;
    double number = 0;
    bool flag = false;
    assert_true(fields_is_object(f));
    assert_true(fields_string(f, "s", &text));
    assert_true(span_is(text, "a\n\xc3\xa9"));
    assert_true(fields_number(f, "n", &number));
    assert_true(number == -1.5);
    assert_true(fields_bool(f, "b", &flag));
    assert_true(flag);
    assert_true(fields_has(f, "z") && fields_is_null(f, "z"));
    assert_false(fields_is_null(f, "s"));
    assert_true(fields_number(fields_object(f, "o"), "x", &number));
    assert_true(number == 1);
    fields_destroy(f);
}

static void arrays_and_members_are_walked_in_order(void **state)
{
    (void)state;
    struct fields *f = parse("{\"a\":[1,\"two\",true,null,[],{}],\"b\":{\"x\":1,\"y\":2,\"x\":3}}");
    static const enum fields_type types[] = {FIELDS_NUMBER, FIELDS_STRING, FIELDS_BOOL,
                                             FIELDS_NULL,   FIELDS_ARRAY,  FIELDS_OBJECT};
    const struct fields *array = fields_array(f, "a");
    const struct fields *item = fields_first(array);
    double number = 0;
    bool flag = false;
    struct span text;
    assert_int_equal(fields_count(array), 6);
    for (size_t i = 0; i < 6; i++, item = fields_next(item)) {
        assert_int_equal(fields_type(item), types[i]);
        assert_int_equal(fields_as_number(item, &number), i == 0);
        assert_int_equal(fields_as_string(item, &text), i == 1);
        assert_int_equal(fields_as_bool(item, &flag), i == 2);
        assert_null(fields_name(item));
    }
    assert_null(item);
    assert_true(number == 1 && flag && span_is(text, "two"));
    const struct fields *members = fields_any(f, "b");
    assert_string_equal(fields_name(fields_first(members)), "x");
    assert_int_equal(fields_count(members), 3);
    assert_null(fields_array(f, "b"));
    assert_null(fields_any(f, "c"));
    assert_null(fields_first(fields_first(array)));
    fields_destroy(f);
}

static void equal_values_are_told_from_others(void **state)
{
    (void)state;
    struct fields *f = parse("{\"a\":[1,{\"x\":1,\"y\":2}],\"b\":[1,{\"y\":2,\"x\":1}],\"c\":[1]}");
    assert_true(fields_equal(fields_any(f, "a"), fields_any(f, "b")));
    assert_false(fields_equal(fields_any(f, "a"), fields_any(f, "c")));
    fields_destroy(f);
}

static void a_member_that_is_absent_or_of_another_type_leaves_the_result_alone(void **state)
{
    (void)state;
    struct fields *f = parse("{\"s\":1,\"n\":\"1\",\"b\":0,\"o\":[]}");
    struct span text = SPAN("kept");
    double number = 7;
    bool flag = true;
    assert_false(fields_string(f, "s", &text));
    assert_false(fields_string(f, "absent", &text));
    assert_false(fields_number(f, "n", &number));
    assert_false(fields_bool(f, "b", &flag));
    assert_null(fields_object(f, "o"));
    assert_false(fields_is_null(f, "absent"));
    assert_null(fields_object(f, "absent"));
    assert_false(fields_has(f, "absent"));
    assert_true(span_is(text, "kept") && number == 7 && flag);
    fields_destroy(f);
}

static void names_are_compared_with_their_case(void **state)
{
    (void)state;
    struct fields *f = parse("{\"Step\":1,\"step\":2}");
    double number = 0;
    assert_true(fields_number(f, "step", &number));
    assert_true(number == 2);
    assert_true(fields_number(f, "Step", &number));
    assert_true(number == 1);
    assert_false(fields_number(f, "STEP", &number));
    fields_destroy(f);
}

static void of_duplicate_keys_the_last_one_counts(void **state)
{
    (void)state;
    struct fields *f = parse("{\"a\":1,\"b\":5,\"a\":2}");
    double number = 0;
    assert_true(fields_number(f, "a", &number));
    assert_true(number == 2);
    fields_destroy(f);
}

static void what_is_no_object_has_no_members(void **state)
{
    (void)state;
    static const char *const texts[] = {"[1,2]", "\"a\"", "null", "1", "[{\"a\":1}]"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct fields *f = parse(texts[i]);
        assert_false(fields_is_object(f));
        assert_false(fields_has(f, "a"));
        fields_destroy(f);
    }
    fields_destroy(NULL);
}

static void what_cjson_alone_would_accept_is_refused(void **state)
{
    (void)state;
    static const struct span texts[] = {
        {"{\"a\":1}x", 8},       {"{\"a\":01}", 8},           {"{\"a\":\"\x01\"}", 9},
        {"{\"a\":\"\xff\"}", 9}, {"{\"a\":\"\\u0000\"}", 14}, {"{\"a\":NaN}", 9},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct fields *f = NULL;
        struct json_error error = {.code = NULL};
        assert_int_equal(fields_parse(texts[i], &f, &error), E_MALFORMED);
        assert_null(f);
        assert_non_null(error.why);
        assert_int_equal(fields_parse(texts[i], &f, NULL), E_MALFORMED);
    }
}

static void a_number_too_long_for_cjson_is_refused_in_words(void **state)
{
    (void)state;
    struct fields *f = NULL;
    struct json_error error;
    char text[80] = "[0.";
    memset(text + 3, '1', 61);
    memcpy(text + 64, "]", 2);
    assert_int_equal(fields_parse(span_of(text), &f, &error), OK);
    fields_destroy(f);
    memcpy(text + 64, "1]", 3);
    assert_int_equal(fields_parse(span_of(text), &f, &error), E_MALFORMED);
    assert_int_equal(error.at, 1);
}

static int allocations_left;

static void *failing_malloc(size_t n)
{
    return allocations_left-- > 0 ? malloc(n) : NULL;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    cJSON_Hooks hooks = {failing_malloc, free};
    enum status status = E_NOMEM;
    int failures = 0;
    cJSON_InitHooks(&hooks);
    for (int n = 0; status == E_NOMEM; n++) {
        struct fields *f = NULL;
        allocations_left = n;
        status = fields_parse(SPAN("{\"a\":[\"b\",{\"c\":1}]}"), &f, NULL);
        failures += status == E_NOMEM;
        assert_true((status == OK) == (f != NULL));
        fields_destroy(f);
    }
    cJSON_InitHooks(NULL);
    assert_int_equal(status, OK);
    assert_true(failures >= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_read_by_name_and_type),
        cmocka_unit_test(arrays_and_members_are_walked_in_order),
        cmocka_unit_test(equal_values_are_told_from_others),
        cmocka_unit_test(a_member_that_is_absent_or_of_another_type_leaves_the_result_alone),
        cmocka_unit_test(names_are_compared_with_their_case),
        cmocka_unit_test(of_duplicate_keys_the_last_one_counts),
        cmocka_unit_test(what_is_no_object_has_no_members),
        cmocka_unit_test(what_cjson_alone_would_accept_is_refused),
        cmocka_unit_test(a_number_too_long_for_cjson_is_refused_in_words),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("proto/fields", tests, NULL, NULL);
}
