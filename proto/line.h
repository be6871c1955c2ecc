/* SPDX-License-Identifier: MIT */
/*
 * line: what a trainer says, one JSON object a line, and what it is answered.
 *
 * Keys may come in any order and unknown keys are passed over; of duplicate keys the last one wins
 * (of duplicate metrics, the last that is a number). null means absent everywhere. Names of metrics
 * are looked up in the spelling table; objects inside `metrics` flatten with `/`; strings other
 * than the three words NaN, Infinity, -Infinity, booleans and arrays are ignored and counted in
 * record.ignored. A blank line is LINE_BLANK and no error. One CR before the newline is white
 * space.
 */
#ifndef PROTO_LINE_H
#define PROTO_LINE_H

#include "base/buf.h"
#include "base/span.h"
#include "base/status.h"
#include "proto/record.h"

enum {
    LINE_BYTES_MAX = 65536,     /* a line, without its newline */
    LINE_NAME_BYTES_MAX = 256,  /* a metric's name after flattening; project; name */
    SESSION_ID_BYTES_MAX = 128, /* and its alphabet is A-Z a-z 0-9 . _ : - */
};

#define LINE_TABLE(X)                                                                              \
    X(LINE_START, "start")                                                                         \
    X(LINE_PROGRESS, "progress")                                                                   \
    X(LINE_EPOCH, "epoch")                                                                         \
    X(LINE_MODEL_COMPLETED, "model_completed")                                                     \
    X(LINE_COMPLETE, "complete")                                                                   \
    X(LINE_FAIL, "fail")                                                                           \
    X(LINE_ANSWER, "answer")                                                                       \
    X(LINE_REPORT, "report")                                                                       \
    X(LINE_GONE, "gone")                                                                           \
    X(LINE_PING, "ping")

enum line_type {
    LINE_BLANK,
#define LINE_ENUM(type, name) type,
    LINE_TABLE(LINE_ENUM)
#undef LINE_ENUM
};

/* Absent strings have ptr NULL. Everything borrows, from the text or from the decoder, until the
 * decoder's next line. */
struct line {
    enum line_type type;
    struct span session_id;
    struct span config; /* the raw bytes of a JSON object; may hold bare NaN words */
    struct span project;
    struct span name;
    struct span error;
    struct span outcome; /* answer: what came of the order, in one word */
    struct span message; /* answer: and in more */
    struct span report;  /* report: the raw bytes of a JSON object, as config; always there */
    bool resume;
    bool implied; /* start: who says it is not the trainer, and asks only where the run stands */
    bool has_seq;
    bool has_model_index;
    bool has_order_id; /* always so for answer */
    bool has_value;    /* answer: of a set, what was applied; a number or a truth (0, 1) */
    bool value_is_bool;
    bool has_metrics; /* always so for progress and epoch */
    uint64_t seq;     /* 0 .. 2^53 */
    uint64_t model_index;
    uint64_t order_id;
    uint64_t pid; /* gone: the process that was the trainer */
    double value;
    struct record record; /* progress, epoch: as sent, before record_complete */
};

/* Why a line was refused; static strings. */
struct line_error {
    const char
        *code; /* syntax utf8 depth too_long type session_id seq metrics field id no_memory */
    const char *why;
    size_t at; /* byte offset in the line */
};

/* Scratch for one line at a time, reused; holds no state between lines. One serves any number of
 * connections of a thread. */
struct line_decoder {
    struct extra *extra; /* owns */
    size_t extra_cap;
    size_t extra_count;
    uint16_t *index; /* owns index_cap slots; finds extras by name once there are many */
    size_t index_cap;
    uint64_t seed;
    struct buf text; /* owns names that were flattened and strings that were unescaped */
};

/* `seed`: any number a peer cannot know. Allocates nothing. */
void line_decoder_init(struct line_decoder *d, uint64_t seed);
void line_decoder_fini(struct line_decoder *d);

/*
 * Reads one line, without its newline. E_MALFORMED, E_LIMIT (longer than LINE_BYTES_MAX) and
 * E_NOMEM fill *out_error and leave *out_line untouched.
 */
MUST_CHECK enum status line_decode(struct line_decoder *d, struct span text, struct line *out_line,
                                   struct line_error *out_error);

/* Reads a bare metrics object the same way, e.g. one that came over HTTP. */
MUST_CHECK enum status line_decode_metrics(struct line_decoder *d, struct span object,
                                           struct record *out_record, struct line_error *out_error);

/* "progress" ...; "" for LINE_BLANK. Static strings. */
const char *line_type_name(enum line_type type);

/* [A-Za-z0-9._:-]{1,128} */
bool session_id_valid(struct span id);

/* What the daemon writes back; each ends in a newline. */
void line_write_started(struct buf *b, struct span session_id, uint64_t last_seq);

/* The same, with what kind of job the run is; empty: left out. */
void line_write_stands(struct buf *b, struct span session_id, uint64_t last_seq,
                       struct span operation_type);
void line_write_ack(struct buf *b, struct span session_id, uint64_t seq);
void line_write_pong(struct buf *b);

/* An order for a trainer. Empty spans are left out, and an id of 0. */
struct line_control {
    struct span session_id;
    uint64_t id; /* what an `answer` names */
    struct span command;
    struct span mode;
    struct span knob;
    struct span value; /* JSON */
    struct span reason;
};

void line_write_control(struct buf *b, const struct line_control *c);

/* `line_number` counts from 1 on this connection; 0 leaves out "line" and "at". */
void line_write_error(struct buf *b, const struct line_error *error, uint64_t line_number);

#endif
