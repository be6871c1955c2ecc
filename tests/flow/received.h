/* SPDX-License-Identifier: MIT */
/*
 * received: the server's bytes as a client reads them.
 *
 * WebSocket frames (permessage-deflate inflated with zlib itself, not with the code under test),
 * HTTP answers and Server-Sent Events, each taken off the front of what has come. What no client
 * would accept ends the test.
 */
#ifndef TESTS_FLOW_RECEIVED_H
#define TESTS_FLOW_RECEIVED_H

#include "base/buf.h"
#include "proto/wsframe.h"

#include <stdbool.h>

struct z_stream_s;

struct frame {
    enum ws_opcode op;
    bool compressed;
    struct buf payload; /* owns; inflated */
};

/* False when no whole frame has come. `inflater`: the connection's own, which is kept from message
 * to message; NULL: no frame may be compressed. The caller ends it with buf_fini(&payload). */
bool frame_take(struct buf *wire, struct z_stream_s *inflater, struct frame *out);

struct http_answer {
    int status;
    bool has_length;
    struct buf head; /* owns; the empty line included */
    struct buf body; /* owns; empty when the answer is a stream */
};

/* False when no whole answer has come. The caller ends it with http_answer_fini. */
bool http_answer_take(struct buf *wire, bool body_left_out, struct http_answer *out);
void http_answer_fini(struct http_answer *a);

/* The value of a header, NULL pointer when absent; borrows from the answer. */
struct span http_answer_header(const struct http_answer *a, const char *name);

struct sse_block {
    struct buf text;   /* owns; what the spans borrow from */
    struct span event; /* empty for a comment */
    struct span data;
    uint64_t id; /* 0: none */
};

/* False when no whole block has come. The caller ends it with buf_fini(&text). */
bool sse_block_take(struct buf *wire, struct sse_block *out);

#endif
