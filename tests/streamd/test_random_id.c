/* SPDX-License-Identifier: MIT */
#include "streamd/transport/random_id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void an_id_has_the_length_asked_for_and_url_safe_characters(void **state)
{
    char id[66];
    (void)state;
    for (size_t len = 1; len <= 64; len++) {
        memset(id, '#', sizeof(id));
        random_id(id, len);
        assert_int_equal(strspn(id, alphabet), len);
        assert_int_equal(id[len], '\0');
        assert_int_equal(id[len + 1], '#');
    }
}

static void ids_differ_in_every_place(void **state)
{
    enum { IDS = 4000, LEN = 24 };
    static char ids[IDS][LEN + 1];
    static bool seen[LEN][128];
    (void)state;
    for (size_t i = 0; i < IDS; i++) {
        random_id(ids[i], LEN);
        for (size_t k = 0; k < LEN; k++)
            seen[k][(unsigned char)ids[i][k]] = true;
    }
    for (size_t i = 1; i < IDS; i++)
        assert_string_not_equal(ids[i - 1], ids[i]);
    /* No place is a counter or a constant: each has shown every one of the 64 characters. */
    for (size_t k = 0; k < LEN; k++) {
        for (size_t c = 0; c < 64; c++)
            assert_true(seen[k][(unsigned char)alphabet[c]]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_has_the_length_asked_for_and_url_safe_characters),
        cmocka_unit_test(ids_differ_in_every_place),
    };
    return cmocka_run_group_tests_name("streamd/random_id", tests, NULL, NULL);
}
