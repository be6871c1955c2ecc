/* SPDX-License-Identifier: MIT */
#include "proto/spelling.h"

#include "tests/support/guarded.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void every_name_of_the_table_finds_its_own_row(void **state)
{
    (void)state;
    size_t rows = 0;
    for (const struct spelling *s; (s = spelling_at(rows)) != NULL; rows++) {
        struct guarded g = guarded_copy(s->name.ptr, s->name.len);
        assert_ptr_equal(spelling_find(g.span), s);
        guarded_free(&g);
    }
    assert_true(rows > 30);
}

static void the_table_stands_in_the_order_of_length(void **state)
{
    (void)state;
    for (size_t i = 1; spelling_at(i); i++)
        assert_true(spelling_at(i - 1)->name.len <= spelling_at(i)->name.len);
}

static void other_names_are_not_found(void **state)
{
    (void)state;
    static const char *const names[] = {
        "",
        "l",
        "x",
        "Loss",
        "LOSS",
        "los",
        "losss",
        "stepp",
        "train_loss",
        "val_loss",
        "learning_rate",
        "estimatedTimeRemainings",
        "estimated_time_remaining_s",
        "acc",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct guarded g = guarded_text(names[i]);
        assert_null(spelling_find(g.span));
        guarded_free(&g);
    }
}

/* modelParams -> model_params */
static struct span snake(const char *camel, char out[64])
{
    size_t n = 0;
    for (; *camel; camel++) {
        if (isupper((unsigned char)*camel))
            out[n++] = '_';
        out[n++] = (char)tolower((unsigned char)*camel);
    }
    return (struct span){out, n};
}

static void every_field_is_found_by_its_wire_name_and_its_snake_case_twin(void **state)
{
    (void)state;
    for (enum record_field f = 0; f < RECORD_FIELDS; f++) {
        char twin[64];
        const char *name = record_field_name(f);
        const struct spelling *wire = spelling_find(span_of(name));
        const struct spelling *other = spelling_find(snake(name, twin));
        assert_non_null(wire);
        assert_non_null(other);
        assert_true(wire->kind == SPELL_FIELD && wire->field == f);
        assert_true(other->kind == SPELL_FIELD && other->field == f);
    }
}

static void a_renamed_extra_keeps_a_name_that_is_no_spelling_itself(void **state)
{
    (void)state;
    assert_true(span_is(spelling_find(SPAN("lr"))->rename, "learning_rate"));
    for (size_t i = 0; spelling_at(i); i++) {
        if (spelling_at(i)->kind == SPELL_RENAME)
            assert_null(spelling_find(spelling_at(i)->rename));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_of_the_table_finds_its_own_row),
        cmocka_unit_test(the_table_stands_in_the_order_of_length),
        cmocka_unit_test(other_names_are_not_found),
        cmocka_unit_test(every_field_is_found_by_its_wire_name_and_its_snake_case_twin),
        cmocka_unit_test(a_renamed_extra_keeps_a_name_that_is_no_spelling_itself),
    };
    return cmocka_run_group_tests_name("proto/spelling", tests, NULL, NULL);
}
