/* SPDX-License-Identifier: MIT */
#include "load_swarm.h"

/*
 * A message counts as delivered when it carries the trainer's stamp, so greetings, statuses and
 * pings never flatter a server. Where only a sample of the connections inflates, the others count
 * compressed frames that are longer than a compressed Engine.IO ping; how many of those are updates
 * is known from the sample.
 */

#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPAQUE_PING_MAX = 8 };

static void count_progress(struct conn *conn, struct swarm *swarm, uint64_t stamp)
{
    const struct load_options *options = swarm->options;
    bool ordered = options->rooms == 1 || options->stagger || options->spread;

    swarm->tally.updates++;
    if (ordered && stamp <= conn->last_stamp)
        swarm->tally.repeated++;
    conn->last_stamp = stamp;
    tally_latency(&swarm->tally, trainer_age_us(swarm->trainer, stamp, swarm->now_us));
}

/* Behind `since` every update has to come, and once; after a first joining, every one that follows.
 */
static void follow(struct conn *conn, struct swarm *swarm, const char *text, size_t bytes)
{
    static const char key[] = "\"offset\":";
    const char *found = memmem(text, bytes, key, sizeof(key) - 1);

    if (!found)
        return;
    uint64_t before = conn->offset;
    uint64_t target = swarm->target[conn->id % swarm->options->rooms];
    conn->offset = strtoull(found + sizeof(key) - 1, NULL, 10);
    if (before > 0 && conn->offset > before + 1)
        swarm->tally.gaps++;
    if (conn->offset <= before)
        swarm->tally.repeated++;
    if (before < target && conn->offset >= target) {
        swarm->caught_up++;
        tally_latency(&swarm->tally, swarm->now_us - swarm->since_us);
    }
}

static void take_other(struct swarm *swarm, const char *text, size_t bytes)
{
    static const char event[] = "\"model_completed\"";

    if (memmem(text, bytes, event, sizeof(event) - 1))
        swarm->tally.events++;
}

/* What is played from a file is sent as it stands there, since a stamp would be bytes of ours. */
static void count_unstamped(struct swarm *swarm, const char *text, size_t bytes)
{
    static const char event[] = "\"progress_update\"";

    if (!memmem(text, bytes, event, sizeof(event) - 1))
        return;
    swarm->tally.updates++;
}

static void subscribe(struct conn *conn, struct swarm *swarm, unsigned room)
{
    char since[32] = "";
    char text[128];

    if (conn->offset > 0)
        snprintf(since, sizeof(since), ",\"since\":%" PRIu64, conn->offset);
    int n = snprintf(text, sizeof(text), "42%u[\"subscribe_session\",{\"sessionId\":\"s%02u\"%s}]",
                     room, room, since);
    conn->acks_due++;
    conn_send_text(conn, swarm, text, (size_t)n);
}

static void subscribe_all(struct conn *conn, struct swarm *swarm)
{
    conn->state = CONN_SUBSCRIBING;
    for (unsigned room = 0; room < swarm->options->rooms; room++) {
        if (conn_is_in(conn, swarm->options, room))
            subscribe(conn, swarm, room);
    }
    if (conn->acks_due == 0)
        conn_ready(conn, swarm);
}

/* The Engine.IO and Socket.IO packets that are not events; false when it is an event. */
static bool take_protocol_packet(struct conn *conn, struct swarm *swarm, const char *text,
                                 size_t bytes)
{
    if (text[0] == '2') {
        conn_send_text(conn, swarm, "3", 1);
    } else if (text[0] == '0' && conn->state == CONN_OPENING) {
        conn_send_text(conn, swarm, "40", 2);
    } else if (bytes >= 2 && memcmp(text, "40", 2) == 0 && conn->state == CONN_OPENING) {
        subscribe_all(conn, swarm);
    } else if (bytes >= 2 && memcmp(text, "43", 2) == 0 && conn->state == CONN_SUBSCRIBING) {
        if (--conn->acks_due == 0)
            conn_ready(conn, swarm);
    } else if (bytes >= 2 && (memcmp(text, "41", 2) == 0 || memcmp(text, "44", 2) == 0)) {
        conn_fail(conn, swarm, "refused by the Socket.IO server");
    } else {
        return false;
    }
    return true;
}

void message_text(struct conn *conn, struct swarm *swarm, const char *text, size_t bytes)
{
    static const char key[] = "\"sent_us\":";

    if (bytes == 0)
        return;
    if (swarm->options->dialect == DIALECT_SOCKETIO &&
        take_protocol_packet(conn, swarm, text, bytes))
        return;
    if (swarm->options->metrics && conn->state == CONN_READY) {
        count_unstamped(swarm, text, bytes);
        return;
    }
    const char *stamp = memmem(text, bytes, key, sizeof(key) - 1);
    if (stamp && swarm->target)
        follow(conn, swarm, text, bytes);
    else if (!stamp && conn->state == CONN_READY)
        take_other(swarm, text, bytes);
    else if (conn->state == CONN_READY)
        count_progress(conn, swarm, strtoull(stamp + sizeof(key) - 1, NULL, 10));
}

void message_opaque(struct conn *conn, struct swarm *swarm, size_t bytes)
{
    if (bytes > OPAQUE_PING_MAX)
        swarm->tally.unread++;
    else if (swarm->options->dialect == DIALECT_SOCKETIO)
        conn_send_text(conn, swarm, "3", 1);
}
