/* SPDX-License-Identifier: MIT */
#include "proto/json_schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char schema[] =
    "{\"type\":\"object\",\"properties\":{"
    "\"id\":{\"type\":\"string\",\"minLength\":2,\"maxLength\":4},"
    "\"mode\":{\"enum\":[\"a\",\"b\"]},"
    "\"n\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":500},"
    "\"ratio\":{\"type\":[\"number\",\"null\"]},"
    "\"names\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"minItems\":1,\"maxItems\":2},"
    "\"deep\":{\"type\":\"object\",\"properties\":{\"flag\":{\"type\":\"boolean\"}},"
    "\"required\":[\"flag\"]},"
    "\"map\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"number\"}}"
    "},\"required\":[\"id\"],\"additionalProperties\":false}";

static void expect(const char *value, const char *says)
{
    struct fields *rules = NULL;
    struct fields *f = NULL;
    struct buf out;
    buf_init(&out, 4096);
    assert_int_equal(fields_parse(span_of(schema), &rules, NULL), OK);
    assert_int_equal(fields_parse(span_of(value), &f, NULL), OK);
    bool right = json_schema_check(rules, f, "arguments", &out);
    if (right != !*says || !span_is(buf_span(&out), says))
        fail_msg("%s: %.*s", value, (int)out.len, out.ptr);
    fields_destroy(f);
    fields_destroy(rules);
    buf_fini(&out);
}

static void a_value_that_is_right_leaves_nothing_to_say(void **state)
{
    (void)state;
    expect("{\"id\":\"ab\"}", "");
    expect("{\"id\":\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\",\"mode\":\"b\",\"n\":500,\"ratio\":null,"
           "\"names\":[\"x\",\"y\"],\"deep\":{\"flag\":true,\"more\":1},\"map\":{\"k\":1.5}}",
           "");
    expect("{\"id\":\"ab\",\"n\":1.0,\"ratio\":0.5,\"map\":{}}", "");
}

static void what_is_wrong_is_said_with_its_place(void **state)
{
    (void)state;
    expect("[]", "arguments must be an object");
    expect("{}", "arguments.id is required");
    expect("{\"id\":1}", "arguments.id must be a string");
    expect("{\"id\":null}", "arguments.id must be a string");
    expect("{\"id\":\"a\"}", "arguments.id must have a number of characters of at least 2");
    expect("{\"id\":\"abcde\"}", "arguments.id must have a number of characters of at most 4");
    expect("{\"id\":\"ab\",\"mode\":\"c\"}", "arguments.mode must be one of a, b");
    expect("{\"id\":\"ab\",\"n\":0}", "arguments.n must be at least 1");
    expect("{\"id\":\"ab\",\"n\":501}", "arguments.n must be at most 500");
    expect("{\"id\":\"ab\",\"n\":1.5}", "arguments.n must be an integer");
    expect("{\"id\":\"ab\",\"n\":1e999}", "arguments.n must be an integer");
    expect("{\"id\":\"ab\",\"ratio\":\"x\"}", "arguments.ratio must be a number or null");
    expect("{\"id\":\"ab\",\"names\":[]}",
           "arguments.names must have a number of items of at least 1");
    expect("{\"id\":\"ab\",\"names\":[\"x\",\"y\",\"z\"]}",
           "arguments.names must have a number of items of at most 2");
    expect("{\"id\":\"ab\",\"names\":[\"x\",2]}", "arguments.names[1] must be a string");
    expect("{\"id\":\"ab\",\"deep\":{}}", "arguments.deep.flag is required");
    expect("{\"id\":\"ab\",\"deep\":{\"flag\":\"no\"}}", "arguments.deep.flag must be a boolean");
    expect("{\"id\":\"ab\",\"map\":{\"k\":\"v\"}}", "arguments.map.k must be a number");
    expect("{\"id\":\"ab\",\"other\":1}", "arguments.other is not known here");
}

static void a_name_that_is_too_long_is_not_repeated(void **state)
{
    char value[200];
    char name[100] = "";
    (void)state;
    memset(name, 'n', sizeof(name) - 1);
    (void)snprintf(value, sizeof(value), "{\"id\":\"ab\",\"%s\":1}", name);
    expect(value, "arguments.a member with a long name is not known here");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_that_is_right_leaves_nothing_to_say),
        cmocka_unit_test(what_is_wrong_is_said_with_its_place),
        cmocka_unit_test(a_name_that_is_too_long_is_not_repeated),
    };
    return cmocka_run_group_tests_name("proto/json_schema", tests, NULL, NULL);
}
