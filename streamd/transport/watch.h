/* SPDX-License-Identifier: MIT */
/*
 * watch: what a watcher may ask for, the same in every dialect.
 *
 * subscribe_session, unsubscribe_session, get_session_history, control_session and the legacy
 * join_room: from one table, each with the events it emits and the object its acknowledgement
 * carries.
 */
#ifndef STREAMD_TRANSPORT_WATCH_H
#define STREAMD_TRANSPORT_WATCH_H

#include "base/buf.h"
#include "streamd/session/order.h"
#include "streamd/transport/peer.h"

enum { WATCH_ACK_BYTES_MAX = 4096 + ORDER_BYTES_MAX }; /* of one acknowledgement */

struct session;

/*
 * Runs one command. `data` is its JSON argument (empty when absent). Appends the acknowledgement, a
 * JSON object with "success", to `ack`. False when there is no such command (nothing appended).
 */
bool watch_command(struct peer *p, struct span event, struct span data, struct buf *ack);

/* From where a watcher wants to go on. */
struct watch_since {
    uint64_t offset;   /* of the last update it has; UINT64_MAX: not asked for */
    struct span epoch; /* in which it had that one; empty: this one */
};

/* subscribe_session, once the arguments are read. NULL, or why not (static). */
const char *watch_subscribe(struct peer *p, struct span session_id,
                            const struct watch_since *since);

/* What a subscription is answered with. */
void watch_send_status(struct peer *p, struct session *s, enum stream_answer answer);

/* The peer is closing: what it has asked for is not wanted any more. */
void watch_forget(struct peer *p);

#endif
