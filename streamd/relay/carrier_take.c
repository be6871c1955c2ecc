/* SPDX-License-Identifier: MIT */
/*
 * What is said of a run here, before the hub hears it: which number it goes on with, and whether it
 * may be said at all. Refused is what the hub would refuse, in the same words, so that a trainer
 * learns of it at once and not after an outage.
 */
#include "proto/json_write.h"
#include "streamd/ingest/refusal.h"
#include "streamd/relay/caller.h"
#include "streamd/relay/carrier.h"
#include "streamd/relay/relay.h"
#include "streamd/relay/relay_line.h"

#include <assert.h>

enum { NUMBER_BYTES = 32 }; /* of `,"seq":N` */

static const struct line_error seq_late = {
    "seq", "lines without seq came before, and the hub has not said yet where it stands", 0};
static const struct line_error too_long = {"too_long", "with its sessionId it is too long", 0};

static bool is_of_the_run(enum line_type type)
{
    return type == LINE_PROGRESS || type == LINE_EPOCH || type == LINE_MODEL_COMPLETED ||
           type == LINE_COMPLETE || type == LINE_FAIL || type == LINE_REPORT;
}

/* The number it goes on with, 0 for none; OK, or why it cannot. *out_repeat: it was here before. */
static enum status choose_number(struct carrier *c, const struct line *line, uint64_t *out_seq,
                                 bool *out_repeat, struct line_error *out_error)
{
    *out_repeat = false;
    *out_seq = 0;
    if (!is_of_the_run(line->type))
        return OK; /* what a trainer answers has no number */
    if (line->has_seq && (line->seq == 0 || (c->numbers == NUMBERS_OURS && !c->placed))) {
        *out_error = line->seq == 0 ? refusal_seq_zero : seq_late;
        return E_MALFORMED;
    }
    if (line->has_seq) {
        *out_seq = line->seq;
        *out_repeat = line->seq <= c->backlog.last_seq;
    } else if (c->numbers != NUMBERS_TRAINER) {
        *out_seq = c->backlog.last_seq + 1;
    }
    return OK;
}

static void note_numbers(struct carrier *c, const struct line *line, uint64_t seq)
{
    if (line->has_seq && seq > 0) {
        c->numbers = NUMBERS_TRAINER;
        c->backlog.spool.known = true; /* they need no base */
    } else if (seq > 0) {
        c->numbers = NUMBERS_OURS;
    }
}

enum status carrier_take(struct carrier *c, const struct line *line, struct span text,
                         struct line_error *out_error)
{
    struct relay *r = c->relay;
    uint64_t seq;
    bool repeat;
    bool ends = line->type == LINE_COMPLETE || line->type == LINE_FAIL;
    enum status status = choose_number(c, line, &seq, &repeat, out_error);
    if (status != OK)
        return status;
    if (c->ended && is_of_the_run(line->type) && !repeat && !ends) {
        *out_error = refusal_finished;
        return E_STATE;
    }
    if (repeat || (c->ended && ends)) {
        r->params.stats->lines_repeated++;
        return OK;
    }
    buf_reset(&r->head);
    buf_reset(&r->tail);
    relay_line_head(&r->head, line->type, carrier_id(c));
    relay_line_tail(&r->tail, line->type, text);
    if (r->head.len + r->tail.len + NUMBER_BYTES > LINE_BYTES_MAX) {
        *out_error = too_long;
        return E_LIMIT;
    }
    if (buf_status(&r->head) != OK || buf_status(&r->tail) != OK ||
        backlog_add(&c->backlog, buf_span(&r->head), buf_span(&r->tail), seq) != OK) {
        *out_error = refusal_no_memory;
        return E_NOMEM;
    }
    note_numbers(c, line, seq);
    c->ended = c->ended || ends;
    return OK;
}

enum status carrier_gone(struct carrier *c, int pid)
{
    struct relay *r = c->relay;
    buf_reset(&r->head);
    buf_reset(&r->tail);
    relay_line_head(&r->head, LINE_GONE, carrier_id(c));
    buf_addf(&r->tail, ",\"pid\":%d}", pid);
    if (buf_status(&r->head) != OK || buf_status(&r->tail) != OK)
        return E_NOMEM;
    return backlog_add(&c->backlog, buf_span(&r->head), buf_span(&r->tail), c->backlog.last_seq);
}

static const char *set_start(struct carrier *c, struct span start)
{
    buf_reset(&c->start);
    buf_add_span(&c->start, start);
    c->backlog.spool.params.start = buf_span(&c->start);
    return buf_status(&c->start) == OK ? NULL : "out of memory";
}

static const char *begin_anew(struct carrier *c, struct span start)
{
    assert(backlog_empty(&c->backlog));
    carrier_hang_up(c);
    c->backlog.last_seq = c->backlog.acked = c->backlog.kept = 0;
    c->backlog.spool.acked = 0;
    c->backlog.spool.known = c->backlog.spool.params.anew = true;
    c->anew = c->placed = true;
    c->introduced = c->ended = c->implied = false;
    c->job = JOB_NOT_KNOWN;
    c->numbers = NUMBERS_NONE;
    LIST_EACH (at, &c->attachments) {
        struct attachment *a = LIST_ENTRY(at, struct attachment, of_carrier);
        a->said = a->acked = 0;
    }
    return set_start(c, start); /* its next turn connects */
}

/* The hub hears it first of all, on a connection of its own. */
static const char *introduce(struct carrier *c, struct span start)
{
    carrier_hang_up(c);
    c->introduced = c->implied = false;
    return set_start(c, start);
}

/*
 * It goes along in its place, so that what follows an end, or goes back, is understood. One that
 * the hub has not heard yet still comes first: it may have the config. An implied one has nothing,
 * and makes place.
 */
static const char *go_on(struct carrier *c, struct span start)
{
    struct relay *r = c->relay;
    bool waits = !backlog_empty(&c->backlog) || c->state != CARRIER_AWAY || !c->introduced;
    c->ended = false;
    if (!waits || c->implied)
        return introduce(c, start);
    /* Its number follows its type and session, as in every line. */
    buf_reset(&r->head);
    relay_line_head(&r->head, LINE_START, carrier_id(c));
    buf_reset(&r->tail);
    buf_add(&r->tail, start.ptr + r->head.len, start.len - r->head.len);
    buf_add_str(&r->tail, ",\"resume\":true}");
    if (buf_status(&r->tail) != OK ||
        backlog_add(&c->backlog, buf_span(&r->head), buf_span(&r->tail), c->backlog.last_seq) != OK)
        return "out of memory";
    return c->introduced ? set_start(c, start) : NULL;
}

const char *carrier_start(struct carrier *c, struct span start, bool resume)
{
    return resume ? go_on(c, start) : begin_anew(c, start);
}
