/* SPDX-License-Identifier: MIT */
/*
 * trainer_command: starts the trainer that --trainer-command names, for the legacy start routes.
 *
 * The command runs under /bin/sh -c in its own process group with STREAMD_SOCKET,
 * STREAMD_SESSION_ID and STREAMD_CONFIG (JSON) set, no signal blocked or ignored, nothing of ours
 * open but stdout and stderr. It stays in the foreground, connects and sends `start` with that id.
 * Its end is reaped; a session that it leaves without `complete` or `fail` fails a moment later.
 */
#ifndef STREAMD_HTTP_TRAINER_COMMAND_H
#define STREAMD_HTTP_TRAINER_COMMAND_H

#include "base/span.h"
#include "base/status.h"
#include "streamd/clock.h"
#include "streamd/config.h"

#include <stdbool.h>

enum {
    TRAINER_COMMANDS_MAX = 16,       /* trainers at a time */
    TRAINER_CONFIG_BYTES_MAX = 65536 /* of config_json: what a `start` line could carry */
};

struct registry;
struct trainer_command;

/* NULL when out of memory; config->trainer_command must be set. Borrows both. */
struct trainer_command *trainer_command_create(const struct config *config,
                                               struct registry *registry);

/* Sends SIGTERM to what still runs and forgets it. NULL is allowed. */
void trainer_command_destroy(struct trainer_command *t);

/* Could one be started for this id, which may be empty? E_STATE: one of ours runs for it already;
 * E_LIMIT: as many as may run at once do. */
MUST_CHECK enum status trainer_command_may_start(struct trainer_command *t, struct span session_id);

/*
 * As trainer_command_may_start; also E_LIMIT when the config is too long, E_NOMEM, E_IO when it
 * cannot be spawned (logged).
 */
MUST_CHECK enum status trainer_command_start(struct trainer_command *t, struct span session_id,
                                             struct span config_json);

/* Does one of ours run for this session? */
bool trainer_command_runs(const struct trainer_command *t, struct span session_id);

/* SIGTERM to the process group of this session's trainer; false when none of ours runs for it. */
bool trainer_command_stop(struct trainer_command *t, struct span session_id);

/* Whether the trainer of this session was told to pause: the legacy views show it. Sessions whose
 * trainer we did not start are never paused. */
void trainer_command_set_paused(struct trainer_command *t, struct span session_id, bool paused);
bool trainer_command_paused(const struct trainer_command *t, struct span session_id);

/*
 * SIGCHLD came: reap, and a second later fail the sessions whose trainer ended without saying so.
 * The second is for its last lines, which may still stand in the socket.
 */
void trainer_command_reap(struct trainer_command *t, struct now now);

#endif
