/* SPDX-License-Identifier: MIT */
#include "streamd/transport/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* Is somebody listening on 127.0.0.1 at the port of `bound`? */
static bool answers(const char *bound)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    const char *colon = strrchr(bound, ':');
    assert_non_null(colon);
    to.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool yes = connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0;
    (void)close(fd);
    return yes;
}

static const char *listen_at(const char *where, int *fd, char bound[ADDRESS_TEXT_MAX])
{
    const char *why = address_listen(where, fd);
    if (!why)
        address_describe(*fd, bound);
    return why;
}

static void port_0_is_any_free_one_and_is_named(void **state)
{
    char bound[ADDRESS_TEXT_MAX];
    int fd = -1;
    (void)state;
    assert_null(listen_at("127.0.0.1:0", &fd, bound));
    assert_int_equal(strncmp(bound, "127.0.0.1:", 10), 0);
    assert_true(strtoul(bound + 10, NULL, 10) > 0);
    assert_true(answers(bound));
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    (void)close(fd);
    assert_false(answers(bound));
}

static void a_port_in_use_is_named_as_such(void **state)
{
    char bound[ADDRESS_TEXT_MAX];
    char other[ADDRESS_TEXT_MAX] = "untouched";
    int fd = -1;
    int second = -1;
    (void)state;
    assert_null(listen_at("127.0.0.1:0", &fd, bound));
    assert_string_equal(listen_at(bound, &second, other), strerror(EADDRINUSE));
    assert_int_equal(second, -1);
    assert_string_equal(other, "untouched");
    (void)close(fd);
    assert_null(listen_at(bound, &fd, other)); /* free again, at once */
    assert_string_equal(other, bound);
    (void)close(fd);
}

static bool has_ipv6(void)
{
    struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    bool yes = fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof(at)) == 0;
    if (fd >= 0)
        (void)close(fd);
    return yes;
}

static void an_ipv6_address_stands_in_brackets(void **state)
{
    char bound[ADDRESS_TEXT_MAX];
    int fd = -1;
    (void)state;
    if (!has_ipv6()) {
        print_message("no IPv6 on this machine\n");
        skip();
    }
    assert_null(listen_at("[::1]:0", &fd, bound));
    assert_int_equal(strncmp(bound, "[::1]:", 6), 0);
    (void)close(fd);
}

static void a_name_is_looked_up(void **state)
{
    char bound[ADDRESS_TEXT_MAX];
    int fd = -1;
    (void)state;
    assert_null(listen_at("localhost:0", &fd, bound));
    (void)close(fd);
}

static void what_is_no_address_is_said(void **state)
{
    static const char *const bad[] = {"",
                                      "5001",
                                      ":5001",
                                      "127.0.0.1",
                                      "[::1]",
                                      "[]:0",
                                      "300.1.1.1:0",
                                      "127.0.0.1:no-such-service",
                                      "127.0.0.1:65536",
                                      "127.0.0.1:99999",
                                      "127.0.0.1:-1",
                                      "127.0.0.1:"};
    char bound[ADDRESS_TEXT_MAX];
    char longest[400];
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int fd = -1;
        const char *why = listen_at(bad[i], &fd, bound);
        if (!why || fd != -1)
            fail_msg("%s was taken for %s", bad[i], bound);
    }
    int fd = -1;
    memset(longest, 'a', sizeof(longest));
    memcpy(longest + sizeof(longest) - 3, ":0", 3);
    assert_string_equal(listen_at(longest, &fd, bound), "expected ADDR:PORT");
}

static void loopback_is_told_from_all_others(void **state)
{
    static const struct {
        int family;
        const char *address;
        bool loopback;
    } cases[] = {
        {AF_INET, "127.0.0.1", true},
        {AF_INET, "127.200.3.4", true},
        {AF_INET, "128.0.0.1", false},
        {AF_INET, "0.0.0.0", false},
        {AF_INET6, "::1", true},
        {AF_INET6, "::", false},
        {AF_INET6, "::ffff:127.0.0.2", true},
        {AF_INET6, "::ffff:10.0.0.1", false},
        {AF_INET6, "fe80::1", false},
        {AF_UNIX, "", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sockaddr_storage at = {.ss_family = (sa_family_t)cases[i].family};
        struct sockaddr_in v4 = {.sin_family = AF_INET};
        struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
        if (cases[i].family == AF_INET) {
            assert_int_equal(inet_pton(AF_INET, cases[i].address, &v4.sin_addr), 1);
            memcpy(&at, &v4, sizeof(v4));
        } else if (cases[i].family == AF_INET6) {
            assert_int_equal(inet_pton(AF_INET6, cases[i].address, &v6.sin6_addr), 1);
            memcpy(&at, &v6, sizeof(v6));
        }
        if (address_is_loopback(&at) != cases[i].loopback)
            fail_msg("%s", cases[i].address);
    }
}

static void a_peer_that_is_not_known_has_no_name(void **state)
{
    char name[ADDRESS_TEXT_MAX] = "before";
    (void)state;
    address_of_peer(-1, name, sizeof(name));
    assert_string_equal(name, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loopback_is_told_from_all_others),
        cmocka_unit_test(port_0_is_any_free_one_and_is_named),
        cmocka_unit_test(a_port_in_use_is_named_as_such),
        cmocka_unit_test(an_ipv6_address_stands_in_brackets),
        cmocka_unit_test(a_name_is_looked_up),
        cmocka_unit_test(what_is_no_address_is_said),
        cmocka_unit_test(a_peer_that_is_not_known_has_no_name),
    };
    return cmocka_run_group_tests_name("streamd/address", tests, NULL, NULL);
}
