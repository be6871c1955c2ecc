/* SPDX-License-Identifier: MIT */
/*
 * The random test runs the map beside an array that is searched from end to end, which is too slow
 * to use and too simple to be wrong.
 */
#include "base/strmap.h"

#include "tests/support/oom.h"
#include "tests/support/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct strmap make_map(void)
{
    struct strmap m;
    strmap_init(&m, 0x1234567890abcdefULL);
    return m;
}

static void what_was_put_is_found_by_bytes_not_by_address(void **state)
{
    (void)state;
    struct strmap m = make_map();
    int one = 1;
    int two = 2;
    char key[] = "run-1";
    assert_int_equal(strmap_put(&m, span_of(key), &one), OK);
    key[4] = '2';
    assert_int_equal(strmap_put(&m, span_of(key), &two), OK);
    assert_ptr_equal(strmap_find(&m, SPAN("run-1")), &one);
    assert_ptr_equal(strmap_find(&m, SPAN("run-2")), &two);
    assert_null(strmap_find(&m, SPAN("run-3")));
    assert_null(strmap_find(&m, SPAN("run-")));
    assert_int_equal(strmap_count(&m), 2);
    strmap_fini(&m);
}

static void an_empty_map_answers_too(void **state)
{
    (void)state;
    struct strmap m = make_map();
    size_t at = 0;
    struct span key;
    void *value;
    assert_null(strmap_find(&m, SPAN("x")));
    assert_null(strmap_take(&m, SPAN("x")));
    assert_false(strmap_next(&m, &at, &key, &value));
    assert_int_equal(strmap_count(&m), 0);
    strmap_fini(&m);
}

static void keys_may_be_empty_and_may_hold_nul(void **state)
{
    (void)state;
    struct strmap m = make_map();
    int values[3];
    assert_int_equal(strmap_put(&m, (struct span){NULL, 0}, &values[0]), OK);
    assert_int_equal(strmap_put(&m, SPAN("a\0b"), &values[1]), OK);
    assert_int_equal(strmap_put(&m, SPAN("a\0c"), &values[2]), OK);
    assert_ptr_equal(strmap_find(&m, SPAN("")), &values[0]);
    assert_ptr_equal(strmap_find(&m, SPAN("a\0b")), &values[1]);
    assert_null(strmap_find(&m, SPAN("a")));
    strmap_fini(&m);
}

static void putting_again_replaces(void **state)
{
    (void)state;
    struct strmap m = make_map();
    int values[2];
    assert_int_equal(strmap_put(&m, SPAN("k"), &values[0]), OK);
    assert_int_equal(strmap_put(&m, SPAN("k"), &values[1]), OK);
    assert_int_equal(strmap_count(&m), 1);
    assert_ptr_equal(strmap_take(&m, SPAN("k")), &values[1]);
    assert_null(strmap_take(&m, SPAN("k")));
    assert_int_equal(strmap_count(&m), 0);
    strmap_fini(&m);
}

enum { KEYS = 200, ROUNDS = 20000 };

static void map_and_array_agree(const struct strmap *m, void *const *array)
{
    size_t present = 0;
    size_t walked = 0;
    size_t at = 0;
    struct span key;
    void *value;
    for (size_t i = 0; i < KEYS; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "key-%zu", i);
        assert_ptr_equal(strmap_find(m, span_of(name)), array[i]);
        present += array[i] ? 1 : 0;
    }
    assert_int_equal(strmap_count(m), present);
    while (strmap_next(m, &at, &key, &value)) {
        assert_ptr_equal(strmap_find(m, key), value);
        walked++;
    }
    assert_int_equal(walked, present);
}

static void it_agrees_with_an_array_under_random_use(void **state)
{
    (void)state;
    struct strmap m = make_map();
    struct random chance = random_seeded(1);
    void *array[KEYS] = {0};
    static char values[ROUNDS];
    for (size_t round = 0; round < ROUNDS; round++) {
        size_t i = random_below(&chance, KEYS);
        char name[32];
        (void)snprintf(name, sizeof(name), "key-%zu", i);
        if (random_below(&chance, 2) == 0) {
            assert_int_equal(strmap_put(&m, span_of(name), &values[round]), OK);
            array[i] = &values[round];
        } else {
            assert_ptr_equal(strmap_take(&m, span_of(name)), array[i]);
            array[i] = NULL;
        }
        if (round % 500 == 0)
            map_and_array_agree(&m, array);
    }
    map_and_array_agree(&m, array);
    strmap_fini(&m);
}

static void coming_and_going_keys_do_not_grow_the_table(void **state)
{
    (void)state;
    struct strmap m = make_map();
    int value;
    for (int i = 0; i < 100000; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "guest-%d", i);
        assert_int_equal(strmap_put(&m, span_of(name), &value), OK);
        assert_ptr_equal(strmap_take(&m, span_of(name)), &value);
    }
    assert_true(m.cap <= 64);
    strmap_fini(&m);
}

static void out_of_memory_leaves_the_map_as_it_was(void **state)
{
    (void)state;
    int value;
    for (size_t n = 1; oom_sweeps(n); n++) {
        struct strmap m = make_map();
        size_t in = 0;
        for (int i = 0; i < 40; i++) {
            char name[32];
            (void)snprintf(name, sizeof(name), "key-%d", i);
            enum status status = strmap_put(&m, span_of(name), &value);
            assert_true(status == OK || status == E_NOMEM);
            in += status == OK ? 1 : 0;
            assert_ptr_equal(strmap_find(&m, span_of(name)), status == OK ? &value : NULL);
            assert_int_equal(strmap_count(&m), in);
        }
        assert_true(in >= 39);
        strmap_fini(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_found_by_bytes_not_by_address),
        cmocka_unit_test(an_empty_map_answers_too),
        cmocka_unit_test(keys_may_be_empty_and_may_hold_nul),
        cmocka_unit_test(putting_again_replaces),
        cmocka_unit_test(it_agrees_with_an_array_under_random_use),
        cmocka_unit_test(coming_and_going_keys_do_not_grow_the_table),
        cmocka_unit_test(out_of_memory_leaves_the_map_as_it_was),
    };
    return cmocka_run_group_tests_name("base/strmap", tests, NULL, NULL);
}
