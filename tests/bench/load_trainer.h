/* SPDX-License-Identifier: MIT */
#ifndef BENCH_LOAD_TRAINER_H
#define BENCH_LOAD_TRAINER_H

/*
 * One trainer: newline-delimited JSON on the server's Unix socket. Every progress line is exactly
 * TRAINER_LINE_BYTES long (one more in rooms from s100 on), carries all twelve fields of the
 * metrics record, so that every server sends on what it was given, and a `sent_us` metric: the
 * moment it was sent, on this machine's monotonic clock. The stamp is an integer of ten digits
 * because floats are rounded to six. The socket blocks; a server that stops reading shows as
 * latency, not as lost lines.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TRAINER_LINE_BYTES = 309, TRAINER_LINE_MAX = 2048, TRAINER_STAMP_BASE = 1000000000 };

struct trainer {
    int fd;
    bool publishes;   /* each line is an HTTP request with the finished message (load_publish.c) */
    uint64_t base_us; /* what monotonic moment TRAINER_STAMP_BASE stands for */
    uint64_t step;
    uint64_t random;
    unsigned models; /* that have ended */
    char *played;    /* owned; NULL unless metrics are played from a file */
    char **lines;    /* owned; where each object begins in it */
    size_t line_count;
};

/* From now on trainer_next plays this file of metrics objects, one a line, each room from a place
 * of its own, without a stamp; ends the program when it cannot be read. */
void trainer_play(struct trainer *trainer, const char *path);

/* Writes the next progress line of session `room`, of `rooms`; returns its length. */
size_t trainer_next(struct trainer *trainer, unsigned room, unsigned rooms,
                    char out[TRAINER_LINE_MAX]);

/* Writes the line that ends a model of session `room`, another one each time; returns its length.
 */
size_t trainer_event(struct trainer *trainer, unsigned room, char out[TRAINER_LINE_MAX]);

/* Connects to the Unix socket at `path` and starts `rooms` sessions s00, s01, ...; ends the
 * program when the server is not there or does not answer. A server of published messages has no
 * sessions to be started. */
void trainer_open(struct trainer *trainer, const char *path, unsigned rooms, bool publishes);
void trainer_close(struct trainer *trainer);

/* Writes one progress line of session `room`, stamped now, to `out`; returns its length. */
size_t trainer_line(struct trainer *trainer, unsigned room, char out[TRAINER_LINE_MAX]);

/* Sends bytes in one write, waiting while the server does not read. */
void trainer_send(struct trainer *trainer, const char *lines, size_t bytes);

/* Returns when the server has taken in everything sent before: its pong to our ping. */
void trainer_sync(struct trainer *trainer);

/* publish: the HTTP request that publishes the update of this progress line, as streamd would send
 * it to a watcher by plain WebSocket, on the channel of its session; returns its length. */
size_t publish_request(const char *line, size_t bytes, uint64_t offset, char out[TRAINER_LINE_MAX]);

/* publish: takes the answers that have come, all of which must be 2xx; does not wait. */
void publish_answers(int fd);

/* The stamp of this moment. */
uint64_t trainer_stamp(const struct trainer *trainer);

/* Microseconds from the stamp to now. */
uint64_t trainer_age_us(const struct trainer *trainer, uint64_t stamp, uint64_t now_us);

#endif
