/* SPDX-License-Identifier: MIT */
#include "clients/c/proc_tree.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void the_name_of_a_process_may_be_anything(void **state)
{
    (void)state;
    uint64_t ticks;
    uint64_t pages;
    assert_true(proc_stat_parse(
        "7 (a b) 1 (c) S 1 7 7 0 -1 4 5 0 0 0 30 12 0 0 20 0 1 0 99 5000 77 1", &ticks, &pages));
    assert_int_equal(ticks, 42);
    assert_int_equal(pages, 77);
    assert_false(proc_stat_parse("", &ticks, &pages));
    assert_false(proc_stat_parse("7 (a) S 1 2", &ticks, &pages));
}

/* A child and a grandchild, which wait until they are killed. */
static pid_t family(int *out_ready)
{
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        pid_t grandchild = fork();
        (void)!write(ready[1], &grandchild, sizeof(grandchild) * (grandchild != 0));
        for (;;)
            (void)pause();
    }
    (void)close(ready[1]);
    *out_ready = ready[0];
    return child;
}

static void a_tree_has_children_and_theirs(void **state)
{
    (void)state;
    struct proc_tree alone;
    struct proc_tree tree;
    pid_t grandchild;
    int ready;
    assert_true(proc_tree_read(getpid(), &alone));
    assert_int_equal(alone.count, 1);
    assert_true(alone.rss_bytes > 100000);
    pid_t child = family(&ready);
    assert_int_equal(read(ready, &grandchild, sizeof(grandchild)), sizeof(grandchild));
    assert_true(proc_tree_read(getpid(), &tree));
    assert_int_equal(tree.count, 3);
    assert_int_equal(tree.pids[1], child);
    assert_int_equal(tree.pids[2], grandchild);
    assert_true(tree.rss_bytes > alone.rss_bytes);
    (void)kill(grandchild, SIGKILL);
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    (void)close(ready);
}

static void a_process_that_is_gone_has_none(void **state)
{
    (void)state;
    struct proc_tree tree;
    assert_false(proc_tree_read(0x7FFFFFFF, &tree));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_name_of_a_process_may_be_anything),
        cmocka_unit_test(a_tree_has_children_and_theirs),
        cmocka_unit_test(a_process_that_is_gone_has_none),
    };
    return cmocka_run_group_tests_name("clients/c/proc_tree", tests, NULL, NULL);
}
