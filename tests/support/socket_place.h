/* SPDX-License-Identifier: MIT */
/*
 * socket_place: a folder of the test's own, and the path of a Unix socket in it.
 */
#ifndef TESTS_SUPPORT_SOCKET_PLACE_H
#define TESTS_SUPPORT_SOCKET_PLACE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

struct socket_place {
    char directory[32];
    char path[48];
};

static inline void socket_place_make(struct socket_place *p)
{
    *p = (struct socket_place){.directory = "/tmp/streamd-test-XXXXXX"};
    assert_non_null(mkdtemp(p->directory));
    (void)snprintf(p->path, sizeof(p->path), "%s/socket", p->directory);
}

/* The socket itself is gone. */
static inline void socket_place_remove(const struct socket_place *p)
{
    (void)rmdir(p->directory);
}

#endif
