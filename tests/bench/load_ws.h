/* SPDX-License-Identifier: MIT */
#ifndef BENCH_LOAD_WS_H
#define BENCH_LOAD_WS_H

/*
 * The client's half of RFC 6455 on plain bytes: the upgrade request, the check of the answer, and
 * frames. No I/O; the connection in load_conn.c feeds it. Written for the bench alone and on
 * purpose apart from the daemon's own code, which it is there to measure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ws_opcode { WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

enum { WS_KEY_CHARS = 24, WS_HEADER_MAX = 14 };

struct ws_frame {
    enum ws_opcode opcode;
    bool final;
    bool compressed; /* RSV1 */
    bool masked;     /* which a server must not do */
    size_t header_bytes;
    size_t payload_bytes;
};

/* What the server's 101 agreed to. */
struct ws_answer {
    bool deflate;
    bool server_no_context_takeover;
};

/* A Sec-WebSocket-Key made of `seed`. */
void ws_key(uint64_t seed, char out[WS_KEY_CHARS + 1]);

/* Writes the upgrade request, offering that extension or (NULL) none; returns its length, 0 when
 * `capacity` is too small. */
size_t ws_request(char *out, size_t capacity, const char *host, const char *path, const char *key,
                  const char *extension);

/* Reads the response head, which ends in an empty line and a NUL. False unless it is a 101 whose
 * Sec-WebSocket-Accept belongs to `key`. */
bool ws_answer_read(const char *head, const char *key, struct ws_answer *out);

/* Reads the frame header at the start of `bytes`; false when it is not complete yet. */
bool ws_frame_peek(const uint8_t *bytes, size_t count, struct ws_frame *out);

/* Writes one masked, final, uncompressed frame of up to 65535 bytes; returns its length. `out`
 * has room for WS_HEADER_MAX bytes more than the payload. */
size_t ws_frame_write(uint8_t *out, enum ws_opcode opcode, const void *payload, size_t bytes,
                      uint32_t mask);

#endif
