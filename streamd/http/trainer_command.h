/* SPDX-License-Identifier: MIT */
/*
 * trainer_command: starts the trainer that --trainer-command names, for the legacy start routes.
 *
 * The command runs under /bin/sh -c in its own process group with STREAMD_SOCKET,
 * STREAMD_SESSION_ID and STREAMD_CONFIG (JSON) set; it is expected to connect and send `start` with
 * that id. Its end is reaped; an exit before `complete` fails the session.
 */
#ifndef STREAMD_HTTP_TRAINER_COMMAND_H
#define STREAMD_HTTP_TRAINER_COMMAND_H

#include "base/span.h"
#include "base/status.h"
#include "streamd/clock.h"
#include "streamd/config.h"

struct registry;
struct trainer_command;

/* NULL when out of memory; config->trainer_command must be set. Borrows both. */
struct trainer_command *trainer_command_create(const struct config *config,
                                               struct registry *registry);

/* Sends SIGTERM to what still runs and forgets it. */
void trainer_command_destroy(struct trainer_command *t);

/* E_LIMIT when too many run at once, E_IO when it cannot be spawned. */
MUST_CHECK enum status trainer_command_start(struct trainer_command *t, struct span session_id,
                                             struct span config_json);

/* SIGCHLD came: reap, and fail the sessions whose trainer ended without `complete`. */
void trainer_command_reap(struct trainer_command *t, struct now now);

#endif
