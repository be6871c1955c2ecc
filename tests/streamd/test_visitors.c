/* SPDX-License-Identifier: MIT */
#include "streamd/transport/visitors.h"

#include "streamd/options.h"
#include "tests/support/oom.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define S UINT64_C(1000000)

struct fixture {
    struct config config;
    struct visitors all;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    options_defaults(&f->config);
    f->config.max_address_connections = 2;
    f->config.max_address_requests = 10;
    f->config.max_address_bytes = 1024;
    visitors_init(&f->all, &f->config, 7);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    visitors_fini(&f->all);
    free(f);
    return 0;
}

static struct sockaddr_storage address(const char *text)
{
    struct sockaddr_storage at = {.ss_family = AF_UNSPEC};
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
        memcpy(&at, &v4, sizeof(v4));
    } else {
        assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
        memcpy(&at, &v6, sizeof(v6));
    }
    return at;
}

static enum visitor_entry enter(struct fixture *f, const char *from, struct visitor **out)
{
    struct sockaddr_storage at = address(from);
    return visitors_enter(&f->all, &at, S, out);
}

static void an_address_has_so_many_connections_and_no_more(void **state)
{
    struct fixture *f = *state;
    struct visitor *v[4];
    assert_int_equal(enter(f, "192.0.2.1", &v[0]), VISITOR_COUNTED);
    assert_int_equal(enter(f, "::ffff:192.0.2.1", &v[1]), VISITOR_COUNTED);
    assert_ptr_equal(v[0], v[1]);
    assert_int_equal(enter(f, "192.0.2.1", &v[2]), VISITOR_REFUSED);
    assert_null(v[2]);
    assert_int_equal(enter(f, "192.0.2.2", &v[2]), VISITOR_COUNTED);
    visitors_leave(&f->all, v[0]);
    assert_int_equal(enter(f, "192.0.2.1", &v[3]), VISITOR_COUNTED);
}

static void a_host_of_ipv6_has_all_of_its_64_bits(void **state)
{
    struct fixture *f = *state;
    struct visitor *v[3];
    assert_int_equal(enter(f, "2001:db8:0:1::1", &v[0]), VISITOR_COUNTED);
    assert_int_equal(enter(f, "2001:db8:0:1:ffff::2", &v[1]), VISITOR_COUNTED);
    assert_ptr_equal(v[0], v[1]);
    assert_int_equal(enter(f, "2001:db8:0:2::1", &v[2]), VISITOR_COUNTED);
    assert_ptr_not_equal(v[0], v[2]);
}

static void loopback_is_free_unless_it_is_to_be_limited(void **state)
{
    struct fixture *f = *state;
    struct visitor *v;
    for (int i = 0; i < 5; i++)
        assert_int_equal(enter(f, i % 2 ? "::1" : "127.0.0.1", &v), VISITOR_FREE);
    assert_true(visitor_asks(&f->all, NULL, S));
    assert_true(visitor_sends(&f->all, NULL, SIZE_MAX, S));
    visitors_leave(&f->all, NULL);
    f->config.limit_loopback = true;
    assert_int_equal(enter(f, "127.0.0.1", &v), VISITOR_COUNTED);
}

static void who_has_no_address_is_free_and_who_finds_no_memory_is_refused(void **state)
{
    struct fixture *f = *state;
    struct visitor *v;
    const struct sockaddr_storage local = {.ss_family = AF_UNIX};
    assert_int_equal(visitors_enter(&f->all, &local, S, &v), VISITOR_FREE);
    for (size_t n = 1; oom_sweeps(n); n++) {
        enum visitor_entry entry = enter(f, "192.0.2.1", &v);
        assert_int_equal(entry, oom_failed() ? VISITOR_REFUSED : VISITOR_COUNTED);
    }
}

static void two_seconds_worth_may_come_at_once_then_so_many_a_second(void **state)
{
    struct fixture *f = *state;
    struct visitor *v;
    assert_int_equal(enter(f, "192.0.2.1", &v), VISITOR_COUNTED);
    for (int i = 0; i < 20; i++)
        assert_true(visitor_asks(&f->all, v, S));
    assert_false(visitor_asks(&f->all, v, S));
    for (int i = 0; i < 10; i++)
        assert_true(visitor_asks(&f->all, v, 2 * S));
    assert_false(visitor_asks(&f->all, v, 2 * S));
    for (int i = 0; i < 20; i++)
        assert_true(visitor_asks(&f->all, v, 3600 * S));
    assert_false(visitor_asks(&f->all, v, 3600 * S));
}

static void more_bytes_than_there_is_room_for_are_paid_for_later(void **state)
{
    struct fixture *f = *state;
    struct visitor *v;
    assert_int_equal(enter(f, "192.0.2.1", &v), VISITOR_COUNTED);
    assert_true(visitor_sends(&f->all, v, 5 * 1024, S));
    assert_false(visitor_sends(&f->all, v, 1, S));
    assert_false(visitor_sends(&f->all, v, 1, 3 * S));
    assert_true(visitor_sends(&f->all, v, 1, 5 * S));
}

static void leaving_and_coming_back_gives_nothing_new(void **state)
{
    struct fixture *f = *state;
    struct visitor *v;
    struct visitor *again;
    assert_int_equal(enter(f, "192.0.2.1", &v), VISITOR_COUNTED);
    for (int i = 0; i < 20; i++)
        assert_true(visitor_asks(&f->all, v, S));
    visitors_leave(&f->all, v);
    assert_int_equal(enter(f, "192.0.2.1", &again), VISITOR_COUNTED);
    assert_false(visitor_asks(&f->all, again, S));
}

static void whoever_left_is_forgotten_when_many_have_left_since(void **state)
{
    struct fixture *f = *state;
    struct visitor *v;
    for (unsigned i = 0; i < 20000; i++) {
        char text[32];
        (void)snprintf(text, sizeof(text), "10.%u.%u.1", i / 256, i % 256);
        assert_int_equal(enter(f, text, &v), VISITOR_COUNTED);
        visitors_leave(&f->all, v);
    }
    assert_int_equal(f->all.idle_count, 4096);
    assert_int_equal(strmap_count(&f->all.by_address), 4096);
}

#define VISITORS_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        VISITORS_TEST(an_address_has_so_many_connections_and_no_more),
        VISITORS_TEST(a_host_of_ipv6_has_all_of_its_64_bits),
        VISITORS_TEST(loopback_is_free_unless_it_is_to_be_limited),
        VISITORS_TEST(who_has_no_address_is_free_and_who_finds_no_memory_is_refused),
        VISITORS_TEST(two_seconds_worth_may_come_at_once_then_so_many_a_second),
        VISITORS_TEST(more_bytes_than_there_is_room_for_are_paid_for_later),
        VISITORS_TEST(leaving_and_coming_back_gives_nothing_new),
        VISITORS_TEST(whoever_left_is_forgotten_when_many_have_left_since),
    };
    return cmocka_run_group_tests_name("streamd/visitors", tests, NULL, NULL);
}
