/* SPDX-License-Identifier: MIT */
#include "load_swarm.h"

/*
 * A message counts as delivered when it carries the trainer's stamp, so greetings, statuses and
 * pings never flatter a server. Where only a sample of the connections inflates, the others count
 * compressed frames that are longer than a compressed Engine.IO ping; how many of those are updates
 * is known from the sample.
 */

#include <err.h>
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

/* What is played from a file is sent as it stands there, since a stamp would be bytes of ours. */
static void count_unstamped(struct swarm *swarm, const char *text, size_t bytes)
{
    static const char event[] = "\"progress_update\"";

    if (!memmem(text, bytes, event, sizeof(event) - 1))
        return;
    swarm->tally.updates++;
}

static void subscribe_all(struct conn *conn, struct swarm *swarm)
{
    char text[128];

    conn->state = CONN_SUBSCRIBING;
    if (swarm->options->spread)
        errx(2, "--spread is for the ws dialect");
    conn->acks_due = swarm->options->rooms;
    for (unsigned room = 0; room < swarm->options->rooms; room++) {
        int n = snprintf(text, sizeof(text),
                         "42%u[\"subscribe_session\",{\"sessionId\":\"s%02u\"}]", room, room);
        conn_send_text(conn, swarm, text, (size_t)n);
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
    if (stamp && conn->state == CONN_READY)
        count_progress(conn, swarm, strtoull(stamp + sizeof(key) - 1, NULL, 10));
}

void message_opaque(struct conn *conn, struct swarm *swarm, size_t bytes)
{
    if (bytes > OPAQUE_PING_MAX)
        swarm->tally.unread++;
    else if (swarm->options->dialect == DIALECT_SOCKETIO)
        conn_send_text(conn, swarm, "3", 1);
}
