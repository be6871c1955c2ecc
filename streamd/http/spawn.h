/* SPDX-License-Identifier: MIT */
/*
 * spawn: a shell command as a child process that has nothing of ours but stdout and stderr.
 */
#ifndef STREAMD_HTTP_SPAWN_H
#define STREAMD_HTTP_SPAWN_H

#include "base/span.h"
#include "base/status.h"

#include <sys/types.h>

enum { SPAWN_VARIABLES = 3 };

struct spawn_variable {
    const char *name;  /* static */
    struct span value; /* without NUL */
};

/*
 * Runs `command` under /bin/sh -c: in a process group of its own, stdin from /dev/null, no signal
 * blocked or ignored, our environment with these variables set. The caller reaps *out_pid, which is
 * also the group's. E_NOMEM; E_IO after logging why.
 */
MUST_CHECK enum status spawn_shell(const char *command,
                                   const struct spawn_variable variables[SPAWN_VARIABLES],
                                   pid_t *out_pid);

#endif
