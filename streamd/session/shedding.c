/* SPDX-License-Identifier: MIT */
/*
 * A session that is lost cannot simply be kept again from some record on, since its acks mean
 * "everything up to here". Hence it goes back to where it was when the loss began, and its trainer,
 * which still has all that was not acknowledged, sends it again.
 */
#include "streamd/session/shedding.h"

#include "streamd/log.h"
#include "streamd/session/interpreter.h"
#include "streamd/session/recount.h"
#include "streamd/session/session_life.h"
#include "streamd/session/session_state.h"

enum status shedding_takes(struct session *s, bool *out_lost)
{
    struct keeping *k = &s->registry->keeping;
    *out_lost = s->lost;
    if (s->lost || !k->troubled || !keeping_full(k))
        return OK;
    keeping_flush(k); /* what it has said before is kept, whenever that will be */
    struct store_session row;
    buf_reset(&s->before_loss);
    session_state_row(s, &s->before_loss, &row);
    if (buf_status(&s->before_loss) != OK || !list_empty(&s->unkept)) {
        buf_fini(&s->before_loss);
        return E_NOMEM;
    }
    log_error("shedding", "live only from now on id=%s lastSeq=%llu", s->id,
              (unsigned long long)s->last_seq);
    s->lost = true;
    k->shedding = true;
    *out_lost = true;
    return OK;
}

static void go_back(struct registry *r, struct session *s)
{
    uint64_t told = series_newest(s->series);
    if (session_state_return(s, buf_span(&s->before_loss), &r->decoder) != OK)
        log_error("shedding", "cannot go back id=%s", s->id);
    buf_fini(&s->before_loss);
    interpreter_forget(s); /* it has heard what is sent again; the archive has the rest */
    r->stats->records_shed += told - series_newest(s->series);
    s->lost = false;
    s->resend = true;
    keeping_touch(&r->keeping, s); /* of what happened to it meanwhile some is not taken back */
    recount_cancel(s);
    if (s->summary_stale)
        recount_mark(s);
}

bool shedding_ends(struct registry *r)
{
    struct keeping *k = &r->keeping;
    if (!k->shedding || k->troubled || keeping_full(k))
        return false;
    k->shedding = false;
    LIST_EACH (at, &r->sessions) {
        struct session *s = LIST_ENTRY(at, struct session, link);
        if (s->lost)
            go_back(r, s);
    }
    registry_begin_epoch(r);
    LIST_EACH (at, &r->sessions) {
        struct session *s = LIST_ENTRY(at, struct session, link);
        if (s->resend)
            session_renew_room(s);
    }
    return true;
}

void shedding_told(struct registry *r)
{
    LIST_EACH (at, &r->sessions)
        LIST_ENTRY(at, struct session, link)->resend = false;
}
