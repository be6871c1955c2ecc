/* SPDX-License-Identifier: MIT */
#include "streamd/http/cors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct config default_config(void)
{
    return (struct config){.listen = {"127.0.0.1:5001"}, .listen_count = 1};
}

struct origin_case {
    const char *origin;
    const char *host;
    bool allowed;
};

static void check_origins(const struct config *config, const struct origin_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool allowed = cors_allowed(config, span_of(cases[i].origin), span_of(cases[i].host));
        if (allowed != cases[i].allowed)
            fail_msg("origin \"%s\" host \"%s\" allowed=%d", cases[i].origin, cases[i].host,
                     allowed);
    }
}

#define CHECK_ORIGINS(config, cases) check_origins(config, cases, sizeof(cases) / sizeof(*(cases)))

static void localhost_is_allowed_on_any_port(void **state)
{
    static const struct origin_case cases[] = {
        {"http://localhost", "h", true},       {"http://localhost:3000", "h", true},
        {"https://localhost:3000", "h", true}, {"HTTP://LocalHost:3000", "h", true},
        {"http://127.0.0.1:8080", "h", true},  {"http://[::1]:8080", "h", true},
    };
    struct config config = default_config();
    (void)state;
    CHECK_ORIGINS(&config, cases);
}

static void look_alikes_of_localhost_are_nobody(void **state)
{
    static const struct origin_case cases[] = {
        {"http://localhost.evil.example", "h", false},
        {"http://evil.localhost", "h", false},
        {"http://localhost@evil.example", "h", false},
        {"http://localhost:3000@evil.example", "h", false},
        {"http://localhost/", "h", false},
        {"http://localhost:", "h", false},
        {"http://localhost:0", "h", false},
        {"http://localhost:99999", "h", false},
        {"http://localhost:30x0", "h", false},
        {"http://localhost:3000\r\nX: y", "h", false},
        {"http://127.0.0.1.evil.example", "h", false},
        {"http://127.0.0.10", "h", false},
        {"http://[::1", "h", false},
        {"http://[::1]x", "h", false},
        {"http://::1", "h", false},
        {"http://[localhost]", "h", false},
        {"ftp://localhost", "h", false},
        {"file://", "h", false},
        {"localhost", "h", false},
        {"://localhost", "h", false},
        {"http:/localhost", "h", false},
        {"http://", "h", false},
        {"null", "h", false},
        {"*", "h", false},
    };
    struct config config = default_config();
    (void)state;
    CHECK_ORIGINS(&config, cases);
}

static void a_page_may_ask_where_it_came_from(void **state)
{
    static const struct origin_case cases[] = {
        {"http://box.lan:5001", "box.lan:5001", true},
        {"http://BOX.lan:5001", "box.LAN:5001", true},
        {"http://box.lan", "box.lan", true},
        {"http://box.lan", "box.lan:80", true},
        {"https://box.lan", "box.lan", true},
        {"https://box.lan", "box.lan:443", true},
        {"http://[fe80::1]:5001", "[fe80::1]:5001", true},
        {"http://box.lan:5002", "box.lan:5001", false},
        {"http://box.lan", "box.lan:5001", false},
        {"https://box.lan", "box.lan:80", false},
        {"http://xbox.lan:5001", "box.lan:5001", false},
        {"ftp://box.lan", "box.lan", false},
        {"http://box.lan", "", false},
        {"http://box.lan", "box.lan:x", false},
    };
    struct config config = default_config();
    (void)state;
    CHECK_ORIGINS(&config, cases);
}

static void an_added_origin_is_compared_by_scheme_host_and_port(void **state)
{
    static const struct origin_case cases[] = {
        {"https://good.example", "h", true},
        {"https://good.example:443", "h", true},
        {"https://GOOD.example", "h", true},
        {"http://good.example", "h", false},
        {"https://good.example:8443", "h", false},
        {"https://good.example.evil.example", "h", false},
        {"https://evilgood.example", "h", false},
        {"https://sub.good.example", "h", false},
        {"http://port.example:3000", "h", true},
        {"http://port.example", "h", false},
        {"vscode-webview://abc123", "h", true},
        {"vscode-webview://abc124", "h", false},
    };
    struct config config = default_config();
    (void)state;
    config.allow_origin[0] = "https://good.example";
    config.allow_origin[1] = "http://port.example:3000";
    config.allow_origin[2] = "vscode-webview://abc123";
    config.allow_origin_count = 3;
    CHECK_ORIGINS(&config, cases);
}

static void a_star_or_null_in_the_list_lets_nobody_in(void **state)
{
    static const struct origin_case cases[] = {
        {"https://any.example", "h", false},
        {"null", "h", false},
        {"*", "h", false},
    };
    struct config config = default_config();
    (void)state;
    config.allow_origin[0] = "*";
    config.allow_origin[1] = "null";
    config.allow_origin_count = 2;
    CHECK_ORIGINS(&config, cases);
}

static void a_request_without_origin_is_allowed(void **state)
{
    struct config config = default_config();
    (void)state;
    assert_true(cors_allowed(&config, (struct span){NULL, 0}, (struct span){NULL, 0}));
}

static void check_hosts(const struct config *config, const char *const *hosts, bool allowed)
{
    for (; *hosts; hosts++) {
        if (host_allowed(config, span_of(*hosts)) != allowed)
            fail_msg("host \"%s\" allowed=%d", *hosts, !allowed);
    }
}

static void on_loopback_only_addresses_and_localhost_are_our_names(void **state)
{
    static const char *const ours[] = {"127.0.0.1",     "127.0.0.1:5001",     "localhost:5001",
                                       "LOCALHOST",     "[::1]:5001",         "192.168.1.7:5001",
                                       "proxy.example", "proxy.example:5001", NULL};
    static const char *const foreign[] = {"evil.example",
                                          "evil.example:5001",
                                          "127.0.0.1.nip.io",
                                          "localhost.evil.example",
                                          "2130706433",
                                          "127.1",
                                          "1.2.3.4.5",
                                          "[::zz]",
                                          "[127.0.0.1]",
                                          "a-name-longer-than-any-address-can-be-of-46.example",
                                          NULL};
    struct config config = default_config();
    (void)state;
    config.listen[1] = "[::1]:5001";
    config.listen[2] = "localhost:5002";
    config.listen_count = 3;
    config.allow_origin[0] = "https://proxy.example";
    config.allow_origin_count = 1;
    check_hosts(&config, ours, true);
    check_hosts(&config, foreign, false);
}

static void beyond_loopback_every_name_is_ours(void **state)
{
    static const char *const ours[] = {"myhost:5001", "evil.example", "10.0.0.1", NULL};
    struct config config = default_config();
    (void)state;
    config.listen[1] = "0.0.0.0:5001";
    config.listen_count = 2;
    check_hosts(&config, ours, true);
}

static void a_malformed_host_is_nobodys(void **state)
{
    static const char *const odd[] = {"",       ":5001", "a b",      "a/b",    "a,b",  "a:b:c",
                                      "a:",     "a:-1",  "a:70000",  "user@a", "[::1", "a\x7f",
                                      "a\r\nb", "a\"b",  "\xc3\xa9", NULL};
    struct config config = default_config();
    (void)state;
    config.listen[0] = "0.0.0.0:5001";
    check_hosts(&config, odd, false);
    for (const char *const *host = odd; *host; host++)
        assert_false(host_valid(span_of(*host)));
    assert_true(host_valid(span_of("a-b_c.example:1")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(localhost_is_allowed_on_any_port),
        cmocka_unit_test(look_alikes_of_localhost_are_nobody),
        cmocka_unit_test(a_page_may_ask_where_it_came_from),
        cmocka_unit_test(an_added_origin_is_compared_by_scheme_host_and_port),
        cmocka_unit_test(a_star_or_null_in_the_list_lets_nobody_in),
        cmocka_unit_test(a_request_without_origin_is_allowed),
        cmocka_unit_test(on_loopback_only_addresses_and_localhost_are_our_names),
        cmocka_unit_test(beyond_loopback_every_name_is_ours),
        cmocka_unit_test(a_malformed_host_is_nobodys),
    };
    return cmocka_run_group_tests_name("http/cors", tests, NULL, NULL);
}
