/* SPDX-License-Identifier: MIT */
#include "insight/model.h"

#include "streamd/tools/model_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void the_built_in_set_asks_for_features_that_there_are(void **state)
{
    (void)state;
    assert_true(model_sound(insight_model()));
}

static void a_split_on_a_feature_that_is_not_there_is_found(void **state)
{
    (void)state;
    static const double bad[] = {-1, GAIN_FEATURES, 1e300};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct insight_model m = *insight_model();
        m.strict_trees[TREE_NUMBERS * (GAIN_TREES - 1) + TREE_SPLITS - 1] = bad[i];
        assert_false(model_sound(&m));
        m = *insight_model();
        m.gain_trees[0] = bad[i];
        assert_false(model_sound(&m));
    }
}

static void the_sets_of_the_cross_validation_are_sound(void **state)
{
    (void)state;
    for (int fold = 0; fold < 5; fold++) {
        struct insight_model m;
        const char *why = "";
        char path[64];
        (void)snprintf(path, sizeof(path), "tests/vectors/insight_fold%d.model", fold);
        if (!model_file_read(path, &m, &why))
            fail_msg("%s: %s", path, why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_built_in_set_asks_for_features_that_there_are),
        cmocka_unit_test(a_split_on_a_feature_that_is_not_there_is_found),
        cmocka_unit_test(the_sets_of_the_cross_validation_are_sound),
    };
    return cmocka_run_group_tests_name("insight/model", tests, NULL, NULL);
}
