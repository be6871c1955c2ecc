/* SPDX-License-Identifier: MIT */
/*
 * What the daemon says to a trainer. Together with line.c this is both directions of the protocol;
 * they share the header, because a client on the same core reads the one and the daemon the other.
 */
#include "proto/json_write.h"
#include "proto/line.h"

static void begin(struct buf *b, const char *type)
{
    buf_add_char(b, '{');
    json_write_pair_string(b, "type", span_of(type));
}

static void end(struct buf *b)
{
    buf_add(b, "}\n", 2);
}

void line_write_ack(struct buf *b, struct span session_id, uint64_t seq)
{
    begin(b, "ack");
    json_write_pair_string(b, "sessionId", session_id);
    json_write_pair_u64(b, "seq", seq);
    end(b);
}

void line_write_pong(struct buf *b)
{
    begin(b, "pong");
    end(b);
}

static void write_if(struct buf *b, const char *name, struct span text)
{
    if (text.len > 0)
        json_write_pair_string(b, name, text);
}

void line_write_stands(struct buf *b, struct span session_id, uint64_t last_seq,
                       struct span operation_type)
{
    begin(b, "started");
    json_write_pair_string(b, "sessionId", session_id);
    json_write_pair_u64(b, "lastSeq", last_seq);
    write_if(b, "operationType", operation_type);
    end(b);
}

void line_write_started(struct buf *b, struct span session_id, uint64_t last_seq)
{
    line_write_stands(b, session_id, last_seq, SPAN(""));
}

void line_write_control(struct buf *b, const struct line_control *c)
{
    begin(b, "control");
    json_write_pair_string(b, "sessionId", c->session_id);
    if (c->id > 0)
        json_write_pair_u64(b, "id", c->id);
    json_write_pair_string(b, "command", c->command);
    write_if(b, "mode", c->mode);
    write_if(b, "knob", c->knob);
    if (c->value.len > 0)
        json_write_pair_raw(b, "value", c->value);
    write_if(b, "reason", c->reason);
    end(b);
}

void line_write_error(struct buf *b, const struct line_error *error, uint64_t line_number)
{
    begin(b, "error");
    json_write_pair_string(b, "code", span_of(error->code));
    json_write_pair_string(b, "message", span_of(error->why));
    if (line_number > 0) {
        json_write_pair_u64(b, "line", line_number);
        json_write_pair_u64(b, "at", error->at);
    }
    end(b);
}
