/* SPDX-License-Identifier: MIT */
/*
 * control: the way back, from whoever watches to the trainers of a session.
 *
 * One command at a time: stop, pause, resume or checkpoint. It is handed to the trainers' own
 * connections as a control line (P-11); what they make of it is theirs, so being told is not having
 * done it: a run is over when it says so. For POST /api/training/control, `control_session` and the
 * legacy routes alike.
 */
#ifndef STREAMD_INGEST_CONTROL_H
#define STREAMD_INGEST_CONTROL_H

#include "base/span.h"

#include <stdbool.h>

struct fields;
struct registry;
struct trainer_command;
struct unix_ingest;

/* Who can be told. */
struct control {
    struct registry *registry;        /* borrows */
    struct unix_ingest *unix_ingest;  /* owned by the loop; NULL in flow tests */
    struct trainer_command *trainers; /* owned by the app; NULL without --trainer-command */
};

/* What is to be said, all borrowed for the call. */
struct control_order {
    struct span session_id;
    struct span command;
    struct span reason; /* for people; may be empty */
};

/* Why nobody was told: the same words in every dialect. */
struct control_refusal {
    int http_status;
    const char *why; /* static */
};

/*
 * Reads {"command","reason"} (`body` NULL: nothing was sent) into *order. False, and *order is
 * untouched: *out_refusal says what is wrong with them.
 */
bool control_read(const struct fields *body, struct control_order *order,
                  const struct control_refusal **out_refusal);

/* Says it. NULL when a trainer was told, else why none was. */
const struct control_refusal *control_send(const struct control *c,
                                           const struct control_order *order);

/*
 * Says it without asking whether that makes sense, to every trainer that started the session; where
 * none is connected, a stop goes to the process that --trainer-command started, as SIGTERM. False:
 * there was nobody.
 */
bool control_tell(const struct control *c, const struct control_order *order);

#endif
