/* SPDX-License-Identifier: MIT */
#ifndef BENCH_LOAD_SWARM_H
#define BENCH_LOAD_SWARM_H

/*
 * Many subscribers on one thread and one epoll. load_swarm.c opens and polls them, load_conn.c
 * turns one connection's bytes into messages, load_message.c knows what a message means.
 *
 * The swarm owns its connections and one receive buffer for all of them; a connection keeps
 * memory of its own only while a frame is cut, or while it inflates.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

#include "load_options.h"
#include "load_tally.h"
#include "load_trainer.h"

enum conn_state {
    CONN_CONNECTING,  /* TCP */
    CONN_UPGRADING,   /* request sent, 101 awaited */
    CONN_OPENING,     /* Socket.IO only: until the namespace is joined */
    CONN_SUBSCRIBING, /* Socket.IO only: until every subscribe_session is acknowledged */
    CONN_READY,
    CONN_FAILED
};

struct conn {
    int fd;
    enum conn_state state;
    unsigned id;
    unsigned acks_due;
    bool one_shot_inflate; /* the server resets its compressor after each message */
    z_stream *inflater;    /* owned; NULL when this connection's frames are only counted */
    uint8_t *held;         /* owned; the start of a frame whose end has not come */
    size_t held_bytes;
    uint64_t last_stamp;
    uint64_t offset; /* storm: of the newest update; asked for again from there */
};

enum { SWARM_RX_BYTES = 1 << 18, SWARM_TEXT_BYTES = 1 << 16 };

struct swarm {
    const struct load_options *options; /* borrowed */
    const struct trainer *trainer;      /* borrowed; whose stamps the messages carry */
    struct tally tally;
    struct conn *conns; /* owned; options->subscribers of them */
    int epoll;
    unsigned opened;
    unsigned ready;
    unsigned failed;
    unsigned churned;
    const uint64_t *target; /* storm: borrowed; by room, the offset up to which all is to come */
    uint64_t since_us;      /* since when that is waited for */
    unsigned caught_up;     /* subscribers that have it */
    uint64_t now_us;        /* when the bytes in hand were received */
    uint8_t rx[SWARM_RX_BYTES];
    uint8_t text[SWARM_TEXT_BYTES]; /* one inflated message */
};

/* Makes an empty swarm of the caller's zeroed memory. */
void swarm_init(struct swarm *swarm, const struct load_options *options,
                const struct trainer *trainer);

/* Connects and subscribes until `count` are ready, a bounded number at a time; ends the program
 * when one is refused or it takes longer than two minutes. */
void swarm_grow(struct swarm *swarm, unsigned count);
void swarm_close(struct swarm *swarm);

/* The next `count` subscribers go, and come back as new ones. */
void swarm_churn(struct swarm *swarm, unsigned count);

/* All subscribers are cut off; swarm_open_some brings them back. */
void swarm_cut(struct swarm *swarm);

/* Starts connecting the next ones of `count`, as many as may be under way at a time. */
void swarm_open_some(struct swarm *swarm, unsigned count);

/* Receives what has come; waits for the first bytes at most until `until_us`. */
void swarm_poll(struct swarm *swarm, uint64_t until_us);

/* TCP segments with data received so far, over all connections: on loopback the number of
 * writes the server made, whatever our recv() calls found already joined. */
uint64_t swarm_segments(const struct swarm *swarm);

/* conn: starts connecting; then takes each readiness event of the socket. */
void conn_open(struct conn *conn, struct swarm *swarm, unsigned id);
void conn_event(struct conn *conn, struct swarm *swarm, bool writable);
void conn_close(struct conn *conn);
void conn_fail(struct conn *conn, struct swarm *swarm, const char *why);
void conn_send_text(struct conn *conn, struct swarm *swarm, const char *text, size_t bytes);
void conn_ready(struct conn *conn, struct swarm *swarm);
bool conn_is_in(const struct conn *conn, const struct load_options *options, unsigned room);

/* message: one whole text message, readable or (compressed, on a connection that does not
 * inflate) only countable. */
void message_text(struct conn *conn, struct swarm *swarm, const char *text, size_t bytes);
void message_opaque(struct conn *conn, struct swarm *swarm, size_t bytes);

#endif
