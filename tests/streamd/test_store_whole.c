/* SPDX-License-Identifier: MIT */
#include "streamd/store/store_whole.h"

#include "streamd/store/store_memory.h"
#include "tests/streamd/store_rows.h"
#include "tests/support/oom.h"

static struct store *whole_over(struct store **out_inner)
{
    *out_inner = store_memory_create();
    assert_non_null(*out_inner);
    struct store *s = store_whole_create(*out_inner);
    assert_non_null(s);
    return s;
}

static bool has_session(struct store *s)
{
    struct store_session row;
    return s->ops->next_session(s, 0, &row) == OK;
}

static void without_memory_the_store_that_it_took_is_gone_with_it(void **state)
{
    (void)state;
    struct store *inner = store_memory_create();
    assert_non_null(inner);
    oom_fail(1);
    assert_null(store_whole_create(inner)); /* and nothing leaks */
    assert_true(oom_failed());
}

static void outside_it_is_the_store_it_was_made_of(void **state)
{
    (void)state;
    struct store *inner;
    struct store *s = whole_over(&inner);
    begin(s);
    must(put_session(s, 1, "x"));
    s->ops->rollback(s);
    assert_false(has_session(s));
    begin(s);
    must(put_session(s, 1, "x"));
    commit(s);
    assert_true(has_session(inner));
    s->ops->destroy(s);
}

static void what_is_committed_in_between_is_kept_with_the_whole(void **state)
{
    (void)state;
    struct store *inner;
    struct store *s = whole_over(&inner);
    must(store_whole_begin(s));
    for (uint64_t first = 1; first < 4; first++) {
        begin(s);
        must(put_session(s, 1, "x"));
        must(put_run(s, 1, first, 1, "line"));
        commit(s);
    }
    inner->ops->rollback(inner); /* as a crash would */
    assert_false(has_session(s));
    s->ops->destroy(s);

    s = whole_over(&inner);
    must(store_whole_begin(s));
    begin(s);
    must(put_session(s, 1, "x"));
    commit(s);
    assert_true(has_session(s));
    must(store_whole_commit(s));
    inner->ops->rollback(inner);
    assert_true(has_session(s));
    s->ops->destroy(s);
}

static void a_part_that_fails_takes_the_whole_with_it(void **state)
{
    (void)state;
    struct store *inner;
    struct store *s = whole_over(&inner);
    must(store_whole_begin(s));
    begin(s);
    must(put_session(s, 1, "x"));
    commit(s);
    begin(s);
    s->ops->rollback(s);
    assert_int_equal(s->ops->begin(s), E_IO);
    assert_int_equal(store_whole_commit(s), E_IO);
    assert_false(has_session(inner));
    assert_int_equal(s->ops->begin(s), E_IO);
    assert_int_equal(store_whole_begin(s), E_IO);
    s->ops->destroy(s);
}

static void a_disk_that_fails_at_the_end_keeps_nothing(void **state)
{
    (void)state;
    struct store *inner;
    struct store *s = whole_over(&inner);
    must(store_whole_begin(s));
    begin(s);
    must(put_session(s, 1, "x"));
    commit(s);
    store_memory_fail(inner, 1);
    assert_int_equal(store_whole_commit(s), E_IO);
    store_memory_fail(inner, 0);
    assert_false(has_session(inner));
    assert_int_equal(s->ops->begin(s), E_IO);
    s->ops->destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_memory_the_store_that_it_took_is_gone_with_it),
        cmocka_unit_test(outside_it_is_the_store_it_was_made_of),
        cmocka_unit_test(what_is_committed_in_between_is_kept_with_the_whole),
        cmocka_unit_test(a_part_that_fails_takes_the_whole_with_it),
        cmocka_unit_test(a_disk_that_fails_at_the_end_keeps_nothing),
    };
    return cmocka_run_group_tests_name("store/store_whole", tests, NULL, NULL);
}
