/* SPDX-License-Identifier: MIT */
/*
 * fault_vfs: SQLite's own file system, of which one call fails.
 *
 *     fault_vfs_register();
 *     fault_fail(kind, n);
 *     ... do it all with the file system "fault" ...
 *     if (!fault_failed())
 *         ... there are fewer than n such calls ...
 */
#ifndef TESTS_SUPPORT_FAULT_VFS_H
#define TESTS_SUPPORT_FAULT_VFS_H

#include <stdbool.h>
#include <stddef.h>

enum fault_op {
    FAULT_OPEN = 1,
    FAULT_READ = 2,
    FAULT_WRITE = 4,
    FAULT_SYNC = 8,
    FAULT_TRUNCATE = 16,
    FAULT_DELETE = 32,
};

struct fault_kind {
    const char *name;
    unsigned ops;  /* of fault_op: the calls that are counted */
    int code;      /* what SQLite is told; 0: the one that fits the call */
    bool partly;   /* half of a write goes in first */
    bool from_now; /* every call from the nth on fails, not only that one */
};

/* As "fault", once; not as the default. */
void fault_vfs_register(void);

/* The nth such call from now (from 1) fails. */
void fault_fail(const struct fault_kind *kind, size_t nth);

/* Stops failing. True when a call failed since fault_fail. */
bool fault_failed(void);

/* Did one, without stopping? */
bool fault_happened(void);

/* For calls of other kinds that a test counts along: is it this one that fails? */
bool fault_now(unsigned op);

#endif
