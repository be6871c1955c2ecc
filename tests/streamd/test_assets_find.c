/* SPDX-License-Identifier: MIT */
#include "streamd/http/assets_find.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

struct tree {
    char root[64];
};

static void make(const struct tree *t, const char *path, bool file)
{
    char whole[PATH_MAX];
    (void)snprintf(whole, sizeof(whole), "%s/%s", t->root, path);
    if (!file) {
        assert_int_equal(mkdir(whole, 0700), 0);
        return;
    }
    FILE *f = fopen(whole, "w");
    assert_non_null(f);
    fclose(f);
}

static int plant(void **state)
{
    struct tree *t = calloc(1, sizeof(*t));
    strcpy(t->root, "/tmp/assets_find_XXXXXX");
    assert_non_null(mkdtemp(t->root));
    *state = t;
    return 0;
}

static int fell(void **state)
{
    struct tree *t = *state;
    char command[128];
    (void)snprintf(command, sizeof(command), "rm -rf %s", t->root);
    int status = system(command); /* NOLINT(cert-env33-c): a path we made */
    free(t);
    return status;
}

static bool find(const struct tree *t, const char *exe, char *out)
{
    char whole[PATH_MAX];
    (void)snprintf(whole, sizeof(whole), "%s/%s", t->root, exe);
    return assets_find(whole, out, PATH_MAX);
}

static void a_tree_that_was_built_serves_its_own_page(void **state)
{
    char out[PATH_MAX];
    const char *const folders[] = {"build", "build/release", "web", "web/dist"};
    for (size_t i = 0; i < 4; i++)
        make(*state, folders[i], false);
    assert_false(find(*state, "build/release/streamd", out));
    make(*state, "web/dist/index.html", true);
    assert_true(find(*state, "build/release/streamd", out));
    assert_non_null(strstr(out, "build/release/../../web/dist"));
}

static void an_installed_program_serves_the_shared_page(void **state)
{
    char out[PATH_MAX];
    const char *const folders[] = {"bin", "share", "share/streamd", "share/streamd/web"};
    for (size_t i = 0; i < 4; i++)
        make(*state, folders[i], false);
    make(*state, "share/streamd/web/index.html", true);
    assert_true(find(*state, "bin/streamd", out));
    assert_non_null(strstr(out, "bin/../share/streamd/web"));
}

static void a_path_that_does_not_fit_is_not_found(void **state)
{
    char out[8];
    (void)state;
    assert_false(assets_find("streamd", out, sizeof(out)));
    assert_false(assets_find("/nowhere/at/all/streamd", out, sizeof(out)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_tree_that_was_built_serves_its_own_page, plant, fell),
        cmocka_unit_test_setup_teardown(an_installed_program_serves_the_shared_page, plant, fell),
        cmocka_unit_test(a_path_that_does_not_fit_is_not_found),
    };
    return cmocka_run_group_tests_name("streamd/http/assets_find", tests, NULL, NULL);
}
