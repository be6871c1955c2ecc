/* SPDX-License-Identifier: MIT */
#include "streamd/session/config_diff.h"

#include "base/refbuf.h"
#include "streamd/session/session.h"
#include "tests/support/oom.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct pair {
    struct session runs[2]; /* nothing of them but the config */
    struct config_diff diff;
};

static struct pair *pair_of(const char *first, const char *second)
{
    struct pair *p = calloc(1, sizeof(*p));
    assert_non_null(p);
    p->runs[0].config = refbuf_create(span_of(first));
    p->runs[1].config = refbuf_create(span_of(second));
    return p;
}

static void compare(struct pair *p)
{
    const struct session *const runs[] = {&p->runs[0], &p->runs[1]};
    config_diff_find(runs, 2, &p->diff);
}

static void pair_destroy(struct pair *p)
{
    refbuf_unref(p->runs[0].config);
    refbuf_unref(p->runs[1].config);
    free(p);
}

static void no_more_leaves_are_told_than_may_be(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 4096);
    buf_add_char(&b, '{');
    for (int i = 0; i < CONFIG_DIFF_MAX + 3; i++)
        buf_addf(&b, "%s\"k%d\":%d", i ? "," : "", i, i);
    buf_add(&b, "}", 2);
    struct pair *p = pair_of("{}", b.ptr);
    compare(p);
    assert_int_equal(p->diff.count, CONFIG_DIFF_MAX);
    assert_string_equal(p->diff.at[CONFIG_DIFF_MAX - 1].path, "k63");
    pair_destroy(p);
    buf_fini(&b);
}

static void without_memory_for_one_of_them_nothing_is_told(void **state)
{
    (void)state;
    struct pair *p = pair_of("{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1},\"c\":2}");
    for (size_t n = 1; oom_sweeps(n); n++) {
        compare(p);
        assert_int_equal(p->diff.count, oom_failed() ? 0 : 1);
    }
    pair_destroy(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_more_leaves_are_told_than_may_be),
        cmocka_unit_test(without_memory_for_one_of_them_nothing_is_told),
    };
    return cmocka_run_group_tests_name("session/config_diff", tests, NULL, NULL);
}
