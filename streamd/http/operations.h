/* SPDX-License-Identifier: MIT */
/*
 * operations: what the rows of routes_operations.c answer with. For that file, for host_metrics.c,
 * and for the tools that agents know under the same names (mcp/operation_tools.c).
 */
#ifndef STREAMD_HTTP_OPERATIONS_H
#define STREAMD_HTTP_OPERATIONS_H

#include "streamd/http/operation_epochs.h"
#include "streamd/http/router.h"

struct session;

/* operations.c: those that look */
route_fn operations_list;
route_fn operation_show;
route_fn operation_metrics;
route_fn operation_results;

/* Writes what operation_metrics answers; with the cursor that the next call may name. */
void operation_answer_metrics(struct session *s, const struct operation_epochs *epochs,
                              bool with_cursor, struct reply *reply);

/* operation_take.c: those that add */
route_fn operation_create;
route_fn operation_add_metrics;

/* What an operation has told of itself. Borrows. */
struct operation_told {
    struct span id;
    struct span metrics; /* a JSON object that passed json_check */
};

#define OPERATION_BAD_METRICS "Invalid metrics payload: "

/* Adds it to the session, or begins a training with it where that is NULL. False: the reply says
 * why not. */
bool operation_take(struct app *app, const struct request *req, struct session *s,
                    const struct operation_told *told, struct reply *reply);

/* What answers one who has added metrics. */
void operation_write_added(struct span id, struct buf *out);

/* operation_steer.c: those that change its course */
route_fn operation_stop;
route_fn operation_set_status;
route_fn operation_send_on; /* the same, at a relay */

#endif
