/* SPDX-License-Identifier: MIT */
/*
 * Decoding is proto's and what a line means is the session's; between them stand three questions:
 * which session, is it a repeat, and may it still be said. The repeat comes before the last, since
 * a trainer that reconnects may send lines again that were taken before the run ended.
 *
 * Handles, not pointers, remember sessions from line to line: any line of anybody may free one.
 * What was taken of one session since the last ack is owed as one ack, for the batch in which it
 * will be kept; lines of another session, or of the next batch, begin another debt. One commit may
 * make thousands due at once: they stay debts until there is room to say them.
 */
#include "streamd/ingest/intake.h"

#include "streamd/ingest/epoch_line.h"
#include "streamd/ingest/refusal.h"
#include "streamd/ingest/report.h"

#include <stdlib.h>

static const struct line_error too_many = {
    "limit", "as many sessions are running as the daemon may have", 0};
static const struct line_error no_order = {
    "unknown_order", "no order of this session has this id, or it is kept no longer", 0};
static const struct line_error other_answer = {
    "answered", "outcome is accepted, done or refused, and may go on to done or refused only", 0};

void intake_init(struct intake *in, struct registry *registry, struct line_decoder *decoder,
                 struct buf *answers)
{
    *in = (struct intake){
        .registry = registry, .decoder = decoder, .answers = answers, .answers_max = SIZE_MAX};
    list_init(&in->debts);
    session_handle_init(&in->started);
    session_handle_init(&in->last);
}

/* One ack, owed until its batch is on disk. */
struct debt {
    struct list link; /* in intake.debts */
    struct keeping_wait wait;
    struct intake *intake; /* borrows */
    struct session_handle session;
    uint64_t seq;
    bool due; /* it is on disk */
};

static void debt_destroy(struct debt *d)
{
    keeping_cancel(&d->wait);
    list_remove(&d->link);
    session_handle_fini(&d->session);
    free(d);
}

void intake_fini(struct intake *in)
{
    struct list *first;
    while ((first = list_first(&in->debts)) != NULL)
        debt_destroy(LIST_ENTRY(first, struct debt, link));
    session_handle_fini(&in->started);
    session_handle_fini(&in->last);
}

static enum status refuse(enum status status, const struct line_error *why,
                          struct line_error *out_error)
{
    *out_error = *why;
    return status;
}

static enum status start(struct intake *in, const struct line *line, struct now now,
                         struct session **out, struct line_error *out_error)
{
    enum status status = registry_start(in->registry, line, now, out);
    if (status != OK)
        return refuse(status, status == E_LIMIT ? &too_many : &refusal_no_memory, out_error);
    return OK;
}

static enum status start_implied(struct intake *in, struct span id, struct now now,
                                 struct session **out, struct line_error *out_error)
{
    const struct line line = {.type = LINE_START, .session_id = id, .resume = true};
    enum status status = start(in, &line, now, out, out_error);
    if (status == OK && !in->started.session)
        session_handle_set(&in->started, *out);
    return status;
}

static enum status find_named(struct intake *in, const struct line *line, struct now now,
                              struct session **out, struct line_error *out_error)
{
    struct session *s = in->last.session;
    if (!s || !span_eq(line->session_id, session_id(s)))
        s = registry_find(in->registry, line->session_id);
    bool starts = line->type == LINE_PROGRESS || line->type == LINE_EPOCH ||
                  (line->type == LINE_REPORT && report_is_epoch(line->report));
    if (!s && !starts)
        return refuse(E_NOT_FOUND, &refusal_not_started, out_error);
    if (!s || s->state == SESSION_EXPIRED)
        return start_implied(in, line->session_id, now, out, out_error);
    *out = s;
    return OK;
}

static enum status find_started(struct intake *in, struct now now, struct session **out,
                                struct line_error *out_error)
{
    struct session *s = in->started.session;
    if (!s)
        return refuse(E_NOT_FOUND, &refusal_no_session, out_error);
    if (s->state == SESSION_EXPIRED)
        return start_implied(in, session_id(s), now, out, out_error);
    *out = s;
    return OK;
}

/* Does to the session what the line says. */
static enum status apply(struct session *s, struct line *line, struct span text, struct now now,
                         struct line_error *out_error)
{
    bool ends = line->type == LINE_COMPLETE || line->type == LINE_FAIL;
    if (session_finished(s) && !ends) {
        if (!s->resumed && !s->given_up)
            return refuse(E_STATE, &refusal_finished, out_error);
        session_reopen(s, now);
    }
    if (line->type == LINE_COMPLETE)
        session_complete(s, now);
    else if (line->type == LINE_FAIL)
        session_fail(s, line->error, now);
    else if (line->type == LINE_MODEL_COMPLETED)
        session_model_completed(s, line->has_model_index ? line->model_index : s->models_completed,
                                now);
    else if (session_progress(s, &line->record, text, now) != OK)
        return refuse(E_NOMEM, &refusal_no_memory, out_error);
    else if (line->type == LINE_EPOCH)
        session_epoch(s);
    return OK;
}

/* A report says what a POST to the operation does: of a training an epoch, of another job keys. */
static enum status apply_report(struct intake *in, struct session *s, struct span report,
                                struct now now, struct line_error *out_error)
{
    struct epoch_line e;
    struct line epoch;
    if (operation_says_nothing(report))
        return OK;
    if (!operation_is_training(s))
        return report_merge(s, report, now, out_error);
    epoch_line_init(&e, LINE_BYTES_MAX);
    enum status status = epoch_line_read(&e, session_id(s), report);
    if (status != OK)
        *out_error = refusal_no_epoch;
    else
        status = line_decode(in->decoder, buf_span(&e.text), &epoch, out_error);
    if (status == OK)
        status = apply(s, &epoch, buf_span(&e.text), now, out_error);
    if (status == E_NOMEM)
        *out_error = refusal_no_memory;
    epoch_line_fini(&e);
    return status;
}

/* The line was of this session, whose seq may now be acknowledged. */
static void note(struct intake *in, struct session *s, bool has_seq)
{
    if (in->last.session != s) {
        intake_ack(in);
        session_handle_set(&in->last, s);
    }
    if (has_seq)
        in->unacked_seq = s->last_seq;
}

static enum status take_of_session(struct intake *in, struct line *line, struct span text,
                                   struct now now, struct line_error *out_error)
{
    struct session *s = NULL;
    enum status status = line->session_id.ptr ? find_named(in, line, now, &s, out_error)
                                              : find_started(in, now, &s, out_error);
    if (status != OK)
        return status;
    if (line->has_seq && line->seq == 0)
        return refuse(E_MALFORMED, &refusal_seq_zero, out_error);
    if (line->has_seq && line->seq <= s->last_seq) {
        in->registry->stats->lines_repeated++;
    } else {
        status = line->type == LINE_REPORT ? apply_report(in, s, line->report, now, out_error)
                                           : apply(s, line, text, now, out_error);
        if (status != OK)
            return status;
        s->last_seq = line->has_seq ? line->seq : s->last_seq;
        keeping_touch(&in->registry->keeping, s);
    }
    note(in, s, line->has_seq);
    return OK;
}

/* The session of a line that starts none. */
static enum status find_known(struct intake *in, const struct line *line, struct session **out,
                              struct line_error *out_error)
{
    struct session *s =
        line->session_id.ptr ? registry_find(in->registry, line->session_id) : in->started.session;
    if (!s)
        return refuse(E_NOT_FOUND,
                      line->session_id.ptr ? &refusal_not_started : &refusal_no_session, out_error);
    *out = s;
    return OK;
}

/* What came of an order. Whose session is over may still say it. */
static enum status take_answer(struct intake *in, const struct line *line, struct now now,
                               struct line_error *out_error)
{
    struct session *s = NULL;
    enum status status = find_known(in, line, &s, out_error);
    if (status != OK)
        return status;
    status = orders_answer(s, line, now);
    if (status != OK)
        return refuse(status, status == E_NOT_FOUND ? &no_order : &other_answer, out_error);
    return OK;
}

/*
 * A relay has seen the trainer's process go. Its number is the one of the line before, so that it
 * waits on the relay's disk like that one; the trainer counts on from there if it comes back.
 */
static enum status take_gone(struct intake *in, const struct line *line, struct now now,
                             struct line_error *out_error)
{
    struct session *s = NULL;
    enum status status = find_known(in, line, &s, out_error);
    if (status != OK)
        return status;
    orphan_give_up(s, line->pid, now);
    if (line->has_seq && line->seq > s->last_seq)
        s->last_seq = line->seq;
    note(in, s, line->has_seq);
    return OK;
}

/* Who only asks where a run stands begins none, and takes none up. */
static void tell_where(struct intake *in, struct span id)
{
    struct session *s = registry_find(in->registry, id);
    if (s)
        line_write_stands(in->answers, id, session_durable_seq(s), span_of(operation_of(s)->type));
    else
        line_write_started(in->answers, id, 0);
}

static enum status take_start(struct intake *in, const struct line *line, struct now now,
                              struct line_error *out_error)
{
    struct session *s = NULL;
    intake_ack(in);
    if (line->implied && line->session_id.ptr) {
        tell_where(in, line->session_id);
        return OK;
    }
    /* After a start that is refused, what follows must not count for the run before it. */
    session_handle_set(&in->started, NULL);
    enum status status = start(in, line, now, &s, out_error);
    if (status != OK)
        return status;
    session_handle_set(&in->started, s);
    note(in, s, false);
    line_write_stands(in->answers, session_id(s), session_durable_seq(s),
                      operation_is_training(s) ? SPAN("") : span_of(operation_of(s)->type));
    return OK;
}

static enum status take(struct intake *in, struct line *line, struct span text, struct now now,
                        struct line_error *out_error)
{
    switch (line->type) {
    case LINE_PING:
        line_write_pong(in->answers);
        return OK;
    case LINE_START:
        return take_start(in, line, now, out_error);
    case LINE_ANSWER:
        return take_answer(in, line, now, out_error);
    case LINE_GONE:
        return take_gone(in, line, now, out_error);
    default:
        return take_of_session(in, line, text, now, out_error);
    }
}

static void answer_error(struct intake *in, const struct line_error *error)
{
    in->registry->stats->lines_rejected++;
    line_write_error(in->answers, error, in->line_number);
}

enum status intake_line(struct intake *in, struct span text, struct now now,
                        struct line_error *out_error)
{
    struct line line = {.type = LINE_BLANK};
    in->line_number++;
    enum status status = line_decode(in->decoder, text, &line, out_error);
    if (status == E_NOMEM)
        *out_error = refusal_no_memory;
    if (status == OK && line.type == LINE_BLANK)
        return OK;
    in->registry->stats->lines_received++;
    if (status == OK)
        status = take(in, &line, text, now, out_error);
    if (status != OK) {
        answer_error(in, out_error);
        return status;
    }
    in->taken++;
    keeping_relieve(&in->registry->keeping);
    registry_relieve(in->registry);
    return OK;
}

void intake_refuse(struct intake *in, const struct line_error *error)
{
    in->line_number++;
    in->registry->stats->lines_received++;
    answer_error(in, error);
}

/* Batches are done in order, so the debts that are due stand first. */
bool intake_pay(struct intake *in)
{
    struct list *first;
    bool paid = false;
    while (in->answers->len <= in->answers_max && (first = list_first(&in->debts)) != NULL) {
        struct debt *d = LIST_ENTRY(first, struct debt, link);
        if (!d->due)
            break;
        if (d->session.session)
            line_write_ack(in->answers, session_id(d->session.session), d->seq);
        debt_destroy(d);
        paid = true;
    }
    return paid;
}

static void on_kept(struct keeping_wait *w, bool kept)
{
    struct debt *d = LIST_ENTRY(w, struct debt, wait);
    struct intake *in = d->intake;
    (void)kept; /* a debt is patient: it is paid or it stays */
    d->due = true;
    (void)intake_pay(in);
    if (in->answered)
        in->answered(in);
}

/* Is there a debt for the same session and the same batch? Then it only grows. There are never more
 * than there are sessions to each batch, however often their lines alternate or are repeated. */
static bool grow_debt(struct intake *in, const struct session *s, uint64_t number)
{
    for (struct list *at = in->debts.prev; at != &in->debts; at = at->prev) {
        struct debt *d = LIST_ENTRY(at, struct debt, link);
        if (d->wait.number != number)
            return false;
        if (d->session.session != s)
            continue;
        d->seq = in->unacked_seq;
        return true;
    }
    return false;
}

static void owe(struct intake *in, struct session *s)
{
    const struct keeping *k = &in->registry->keeping;
    uint64_t number = keeping_awaited(k);
    if (number <= k->committed) {
        line_write_ack(in->answers, session_id(s), in->unacked_seq);
        return;
    }
    if (grow_debt(in, s, number))
        return;
    struct debt *d = calloc(1, sizeof(*d));
    if (!d) {
        in->registry->stats->errors++;
        in->starved = true;
        return;
    }
    *d = (struct debt){.intake = in, .seq = in->unacked_seq};
    d->wait.done = on_kept;
    d->wait.patient = true;
    session_handle_init(&d->session);
    session_handle_set(&d->session, s);
    list_add_tail(&in->debts, &d->link);
    keeping_await(&in->registry->keeping, &d->wait);
}

void intake_ack(struct intake *in)
{
    struct session *s = in->last.session;
    if (s && in->unacked_seq && in->unacked_seq <= session_durable_seq(s))
        line_write_ack(in->answers, session_id(s), in->unacked_seq);
    else if (s && in->unacked_seq && !s->lost)
        owe(in, s);
    in->unacked_seq = 0;
}

bool intake_owes(const struct intake *in)
{
    return !list_empty(&in->debts);
}
