/* SPDX-License-Identifier: MIT */
/*
 * trainers: an app that may start trainers. Each is a process that sleeps and never connects; the
 * teardown waits for all of them.
 */
#ifndef TESTS_STREAMD_TRAINERS_H
#define TESTS_STREAMD_TRAINERS_H

#include "tests/support/http_world.h"

#include <sys/wait.h>

static inline int setup_trainers(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    world_config(w);
    w->config.trainer_command = "exec sleep 60";
    w->config.socket_path = "/run/test/streamd.sock";
    world_open(w);
    w->req.content_type = SPAN("application/json");
    *state = w;
    return 0;
}

static inline int teardown_trainers(void **state)
{
    int result = world_teardown(state);
    while (waitpid(-1, NULL, 0) > 0)
        ;
    return result;
}

#endif
