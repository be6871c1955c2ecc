/* SPDX-License-Identifier: MIT */
/*
 * control: the way from whoever watches to the trainers of a session.
 *
 * An order (session/order.h) is held against what its run declared, handed to the trainers' own
 * connections as a control line (P-11), and kept with what came of it; what they make of it is
 * theirs, so being told is not having done it. One function behind every dialect: POST
 * /api/training/control, `control_session`, DELETE /api/v1/operations, the legacy routes, MCP.
 *
 *     struct order_ask ask = {.session_id = id, .command = ORDER_STOP, .reason = SPAN("flat"),
 *                             .who = {.via = SPAN("mcp")}};
 *     struct control_result result;
 *     if (!control_send(&app->control, &ask, app->now, &result))
 *         say(result.http_status, result.why);
 */
#ifndef STREAMD_INGEST_CONTROL_H
#define STREAMD_INGEST_CONTROL_H

#include "base/span.h"
#include "streamd/clock.h"
#include "streamd/session/order.h"

#include <stdbool.h>

struct buf;
struct fields;
struct registry;
struct request;
struct trainer_command;
struct unix_ingest;

/* Who can be told. */
struct control {
    struct registry *registry;        /* borrows */
    struct unix_ingest *unix_ingest;  /* owned by the loop; NULL in flow tests */
    struct trainer_command *trainers; /* owned by the app; NULL without --trainer-command */
};

/* What became of it: the same words in every dialect. */
struct control_result {
    int http_status;           /* 200: a trainer was told, or, of a dry run, would be */
    char why[KNOB_WHY_MAX];    /* why none was; "" with a 200 */
    const struct order *order; /* borrows until the session's next order; NULL: none was made,
                                  because the request was malformed or there is no session */
};

/* Who sent a request, which it borrows. */
struct order_who control_who(const struct request *req, struct span via);

/*
 * Reads {"command","reason","mode","knob","value","dry_run","client"} (`body` NULL: nothing was
 * sent) into *ask, whose other members stay. False, and *ask is untouched: *out says what is wrong.
 */
bool control_read(const struct fields *body, struct order_ask *ask, struct control_result *out);

/*
 * Says it to every trainer that started the session; where none is connected, a stop goes to the
 * process that --trainer-command started, as SIGTERM. A dry run only looks whether it would be. In
 * either case the order is kept, also when it is refused. False: nobody was told, or would be.
 */
bool control_send(const struct control *c, const struct order_ask *ask, struct now now,
                  struct control_result *out);

/* Appends the members "sessionId", "command" and "order" of an answer to one that was told. */
void control_write_told(const struct control_result *result, struct buf *out);

#endif
