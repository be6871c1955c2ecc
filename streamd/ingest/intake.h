/* SPDX-License-Identifier: MIT */
/*
 * intake: what a trainer's line does, whatever road it came by.
 *
 * One source (a Unix connection, one POST) has one intake: it remembers the session its last
 * `start` named. Answers are appended to the source's own buf; the source sends them.
 *
 * `progress` and `epoch` for a valid sessionId that nobody started start it, as if `start` with
 * resume had come first; it becomes the source's session if that has none. Lines for an expired
 * session take it up again. What comes after the end of a finished session is refused, except a
 * second end, which is dropped as a repeat.
 */
#ifndef STREAMD_INGEST_INTAKE_H
#define STREAMD_INGEST_INTAKE_H

#include "base/buf.h"
#include "proto/line.h"
#include "streamd/session/registry.h"

struct intake {
    struct registry *registry;     /* borrows */
    struct line_decoder *decoder;  /* borrows; one per loop thread */
    struct buf *answers;           /* borrows */
    struct session_handle started; /* of the last start: meant by lines without sessionId */
    struct session_handle last;    /* of the last line taken that had a session */
    uint64_t unacked_seq;          /* of `last`, highest not yet owed an ack; 0: none */
    struct list debts;             /* of debt.link: acks owed once their batch is on disk */
    bool starved;       /* an ack found no memory and is not owed: who waits is to resume */
    size_t answers_max; /* while more wait than this, acks that are due wait, too */
    /* Answers were appended outside of intake_line. May be NULL; may end the source. */
    void (*answered)(struct intake *in);
    uint64_t line_number; /* lines seen, blank ones too */
    uint64_t taken;       /* lines that were not blank and not refused */
};

void intake_init(struct intake *in, struct registry *registry, struct line_decoder *decoder,
                 struct buf *answers);
void intake_fini(struct intake *in);

/*
 * Takes one line without its newline. OK: taken (or dropped as a repeat). Otherwise the line did
 * nothing, an error answer was appended and *out_error says what and where.
 */
enum status intake_line(struct intake *in, struct span line, struct now now,
                        struct line_error *out_error);

/* A line was too long to be read: counts and answers it as intake_line does a bad one. */
void intake_refuse(struct intake *in, const struct line_error *error);

/* Owes the ack for everything taken since the last one; it comes when all of that is on disk. Call
 * at the end of each read. */
void intake_ack(struct intake *in);

/* Pays the acks that were due and waited for room among the answers. Answers whether it wrote any.
 */
bool intake_pay(struct intake *in);

/* Is any ack still to come? */
bool intake_owes(const struct intake *in);

#endif
