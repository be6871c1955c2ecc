/* SPDX-License-Identifier: MIT */
/*
 * intake: what a trainer's line does, whatever road it came by.
 *
 * One source (a Unix connection, one POST) has one intake: it remembers the session its last
 * `start` named. Answers are appended to the source's own buf; the source sends them.
 */
#ifndef STREAMD_INGEST_INTAKE_H
#define STREAMD_INGEST_INTAKE_H

#include "base/buf.h"
#include "proto/line.h"
#include "streamd/session/registry.h"

struct intake {
    struct registry *registry;    /* borrows */
    struct line_decoder *decoder; /* borrows; one per loop thread */
    struct session *session;      /* borrows; NULL before a start. Cleared by intake_forget */
    struct buf *answers;          /* borrows */
    uint64_t acked_seq;           /* highest seq not yet answered with an ack; 0: none */
};

void intake_init(struct intake *in, struct registry *registry, struct line_decoder *decoder,
                 struct buf *answers);

/*
 * Takes one line without its newline. OK: taken (or dropped as a repeat). Otherwise the line did
 * nothing, an error answer was appended and *out_error says what and where.
 */
enum status intake_line(struct intake *in, struct span line, struct now now,
                        struct line_error *out_error);

/* Appends the ack for everything taken since the last one. Call at the end of each read. */
void intake_ack(struct intake *in);

#endif
