/* SPDX-License-Identifier: MIT */
#include "streamd/ingest/unix_peer.h"

#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

/* No user and no group of a test has these. */
enum { STRANGER = 0x7ffffff1, NO_SUCH_GROUP = 0x7ffffff2 };

static void the_other_end_is_who_the_kernel_says(void **state)
{
    int fds[2];
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    struct ucred who = unix_peer(fds[0]);
    assert_int_equal(who.uid, geteuid());
    assert_int_equal(who.pid, getpid());
    assert_true(unix_peer_may(fds[0], &who, (gid_t)NO_GROUP));
    close(fds[0]);
    close(fds[1]);
    who = unix_peer(fds[0]);
    assert_int_equal(who.uid, (uid_t)-1);
    assert_false(unix_peer_may(fds[0], &who, (gid_t)NO_GROUP));
}

static void another_user_must_be_of_the_group(void **state)
{
    int fds[2];
    gid_t groups[64];
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    struct ucred who = {.uid = STRANGER, .gid = getegid()};
    assert_false(unix_peer_may(fds[0], &who, (gid_t)NO_GROUP));
    assert_false(unix_peer_may(fds[0], &who, NO_SUCH_GROUP));
    assert_true(unix_peer_may(fds[0], &who, getegid()));
    int n = getgroups(64, groups);
    who.gid = NO_SUCH_GROUP + 1;
    for (int i = 0; i < n; i++)
        assert_true(unix_peer_may(fds[0], &who, groups[i]));
    assert_true(unix_peer_may(fds[0], &(struct ucred){.uid = 0, .gid = 0}, (gid_t)NO_GROUP));
    close(fds[0]);
    close(fds[1]);
}

/* What SO_PEERCRED does not tell. Only root may give itself groups. */
static void a_second_group_of_another_user_counts_too(void **state)
{
    static const gid_t groups[] = {NO_SUCH_GROUP + 2, NO_SUCH_GROUP + 3};
    gid_t before[64];
    int fds[2];
    int n = getgroups(64, before);
    (void)state;
    if (n < 0 || setgroups(2, groups) != 0)
        skip();
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    assert_int_equal(setgroups((size_t)n, before), 0);
    const struct ucred who = {.uid = STRANGER, .gid = NO_SUCH_GROUP};
    assert_true(unix_peer_may(fds[0], &who, NO_SUCH_GROUP + 3));
    assert_false(unix_peer_may(fds[0], &who, NO_SUCH_GROUP + 4));
    close(fds[0]);
    close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_other_end_is_who_the_kernel_says),
        cmocka_unit_test(another_user_must_be_of_the_group),
        cmocka_unit_test(a_second_group_of_another_user_counts_too),
    };
    return cmocka_run_group_tests_name("streamd/unix_peer", tests, NULL, NULL);
}
