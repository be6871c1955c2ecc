/* SPDX-License-Identifier: MIT */
/*
 * plain: the messages of the plain WebSocket dialect (/ws).
 *
 * In: {"event":"subscribe_session","data":{...},"id":7}, where data and id may be left out and
 * other members are passed over. Out: {"event":..,"data":..}, and
 * {"event":"ack","id":7,"data":{...}} for a message that had an id. Pure.
 */
#ifndef PROTO_PLAIN_H
#define PROTO_PLAIN_H

#include "base/buf.h"
#include "base/span.h"
#include "base/status.h"
#include "proto/json_scan.h"

struct plain_message {
    struct span event; /* the name between its quotes; borrows */
    struct span data;  /* raw JSON; empty when absent; borrows */
    struct span id;    /* raw JSON, a number or a string; empty when absent; borrows */
};

/* E_MALFORMED: not a JSON object with a string "event", or an id that is neither number nor
 * string; *error then says where. */
MUST_CHECK enum status plain_decode(struct span text, struct plain_message *out,
                                    struct json_error *error);

/* {"event":"ack","id":..,"data":..} */
void plain_write_ack(struct buf *out, struct span id, struct span data);

#endif
