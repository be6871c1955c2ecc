/* SPDX-License-Identifier: MIT */
#include "streamd/transport/tls.h"

#include "streamd/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_farewell_is_told_from_what_else_a_client_sends(void **state)
{
    static const struct {
        unsigned char head[5];
        size_t len;
        bool farewell;
    } cases[] = {
        {{21, 3, 3, 0, 26}, 5, true},  /* TLS 1.2 */
        {{23, 3, 3, 0, 19}, 5, true},  /* TLS 1.3 */
        {{23, 3, 3, 0, 20}, 5, false}, /* data */
        {{23, 3, 3, 1, 19}, 5, false},
        {{22, 3, 3, 0, 19}, 5, false}, /* a handshake */
        {{21, 3, 3, 0, 26}, 4, false}, /* not all there */
        {{0}, 0, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct span record = {(const char *)cases[i].head, cases[i].len};
        if (tls_is_farewell(record) != cases[i].farewell)
            fail_msg("case %zu", i);
    }
}

static void a_file_that_cannot_be_used_is_named_with_the_reason(void **state)
{
    char why[TLS_WHY_MAX];
    struct config config;
    (void)state;
    options_defaults(&config);
    config.tls_cert = "/no/such/cert.pem";
    config.tls_key = "/no/such/key.pem";
    assert_false(tls_check(&config, why));
    assert_int_equal(strncmp(why, "\"/no/such/cert.pem\": ", 21), 0);
    assert_true(strlen(why) > 21);
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    assert_non_null(ctx);
    assert_false(tls_reload(ctx, &config, why));
    SSL_CTX_free(ctx);
}

static void nothing_older_than_tls_1_2_is_spoken(void **state)
{
    (void)state;
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    assert_non_null(ctx);
    tls_harden(ctx);
    assert_int_equal(SSL_CTX_get_min_proto_version(ctx), TLS1_2_VERSION);
    assert_true(SSL_CTX_get_options(ctx) & SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_farewell_is_told_from_what_else_a_client_sends),
        cmocka_unit_test(a_file_that_cannot_be_used_is_named_with_the_reason),
        cmocka_unit_test(nothing_older_than_tls_1_2_is_spoken),
    };
    return cmocka_run_group_tests_name("streamd/tls", tests, NULL, NULL);
}
