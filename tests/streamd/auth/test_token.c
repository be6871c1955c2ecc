/* SPDX-License-Identifier: MIT */
#include "streamd/auth/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* FIPS 180-2, B.1 */
static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

static void a_digest_is_the_sha_256_in_hex(void **state)
{
    struct digest d;
    struct digest read;
    char text[DIGEST_HEX_LEN + 1];
    (void)state;
    token_digest(SPAN("abc"), &d);
    digest_text(&d, text);
    assert_string_equal(text, abc);
    assert_true(digest_parse(SPAN(abc), &read));
    assert_true(digest_equal(&d, &read));
    assert_true(digest_parse(
        SPAN("BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"), &read));
    assert_true(digest_equal(&d, &read));
    read.bytes[31] ^= 1;
    assert_false(digest_equal(&d, &read));
}

static void what_is_no_digest_is_refused(void **state)
{
    struct digest d;
    char text[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    (void)state;
    memset(&d, 7, sizeof(d));
    assert_false(digest_parse((struct span){text, DIGEST_HEX_LEN - 1}, &d));
    assert_false(digest_parse((struct span){NULL, 0}, &d));
    text[20] = 'g';
    assert_false(digest_parse((struct span){text, DIGEST_HEX_LEN}, &d));
    assert_int_equal(d.bytes[0], 7);
}

static void no_two_tokens_are_alike(void **state)
{
    char tokens[100][TOKEN_LEN + 1];
    (void)state;
    for (size_t i = 0; i < 100; i++) {
        token_make(tokens[i]);
        assert_int_equal(strlen(tokens[i]), TOKEN_LEN);
        assert_memory_equal(tokens[i], "st_", 3);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(tokens[i], tokens[j]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_digest_is_the_sha_256_in_hex),
        cmocka_unit_test(what_is_no_digest_is_refused),
        cmocka_unit_test(no_two_tokens_are_alike),
    };
    return cmocka_run_group_tests_name("streamd/auth/token", tests, NULL, NULL);
}
