/* SPDX-License-Identifier: MIT */
#include "proto/json_leaves.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void write_leaf(void *context, struct span path, struct span value)
{
    struct buf *out = context;
    buf_add_span(out, path);
    buf_add_char(out, '=');
    buf_add_span(out, value);
    buf_add_char(out, ';');
}

static void assert_leaves(const char *json, enum status status, const char *expected)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    assert_int_equal(json_leaves(span_of(json), write_leaf, &out), status);
    buf_add_char(&out, '\0');
    if (expected)
        assert_string_equal(out.ptr, expected);
    buf_fini(&out);
}

static void nested_objects_become_paths(void **state)
{
    (void)state;
    assert_leaves("{}", OK, "");
    assert_leaves(
        "{\"a\": 1, \"b\" : {\"c\":\"x\", \"d\":{ } , \"e\":{\"f\":null}},\"g\":[1, {\"h\":2}]}",
        OK, "a=1;b/c=\"x\";b/e/f=null;g=[1, {\"h\":2}];");
    assert_leaves("{\"a\\u0041\":NaN}", OK, "aA=NaN;");
    assert_leaves("{\"\":1}", OK, "=1;");
}

static void what_is_no_object_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "[]", "1", "{", "{\"a\":}", "{\"a\":1}}", "{\"a\":{\"b\":1}"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_leaves(bad[i], E_MALFORMED, NULL);
}

static void bounds_are_kept(void **state)
{
    (void)state;
    struct buf json;
    buf_init(&json, 1 << 20);
    buf_add_str(&json, "{\"a\":1");
    for (int i = 0; i < JSON_LEAVES_MAX; i++)
        buf_addf(&json, ",\"k%d\":1", i);
    buf_add(&json, "}", 2);
    assert_leaves(json.ptr, E_LIMIT, NULL);
    buf_reset(&json);
    buf_addf(&json, "{\"%0300d\":1}", 1);
    buf_add(&json, "", 1);
    assert_leaves(json.ptr, E_LIMIT, "");
    buf_fini(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nested_objects_become_paths),
        cmocka_unit_test(what_is_no_object_is_refused),
        cmocka_unit_test(bounds_are_kept),
    };
    return cmocka_run_group_tests_name("proto/json_leaves", tests, NULL, NULL);
}
