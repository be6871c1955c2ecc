/* SPDX-License-Identifier: MIT */
/*
 * A batch is all or nothing here as well: while a row cannot be made for want of memory nothing is
 * handed over, and the timer tries again. So "batch N is on disk" is true of everything that was
 * said before N was handed over, and an ack needs no more than a number.
 *
 * What a session's trainer may be acked travels with the batch (struct kept), since by the time it
 * is on disk the session may have gone on, or be gone.
 */
#include "streamd/session/keeping.h"

#include "streamd/log.h"
#include "streamd/session/session.h"
#include "streamd/session/session_state.h"

#include <stdlib.h>

enum {
    BATCH_RECORDS = 1000,
    /* A batch goes before a run gets as long, unless flushing fails; then this is the bound. Whole
     * runs of it make a segment. */
    RUN_RECORDS = 1024,
    RUN_BYTES = 1 << 20,
    STATE_LIMIT = 1 << 20,
    RETRY_US = 100 * 1000,
};

/* A session's seq that is on disk with the batch. */
struct kept {
    struct list link; /* in batch.kept */
    struct session_handle session;
    uint64_t seq;
};

static void drop_kept(struct batch *b)
{
    struct list *first;
    while ((first = list_first(&b->kept)) != NULL) {
        struct kept *kept = LIST_ENTRY(first, struct kept, link);
        list_remove(first);
        session_handle_fini(&kept->session);
        free(kept);
    }
}

static void tell_waits(struct keeping *k, uint64_t upto)
{
    struct list *first;
    while ((first = list_first(&k->waits)) != NULL) {
        struct keeping_wait *w = LIST_ENTRY(first, struct keeping_wait, link);
        if (w->number > upto)
            return;
        list_remove(first);
        w->done(w, true);
    }
}

static void on_done(void *context, struct batch *b, bool committed)
{
    struct keeping *k = context;
    if (committed) {
        k->committed = b->number;
        k->stats->batches_committed++;
        LIST_EACH (at, &b->kept) {
            struct kept *kept = LIST_ENTRY(at, struct kept, link);
            struct session *s = kept->session.session;
            if (s && b->number >= s->begun_in && kept->seq > s->durable_seq)
                s->durable_seq = kept->seq;
        }
    }
    drop_kept(b);
    batch_destroy(b);
    tell_waits(k, k->committed);
}

static void on_flush(struct timer *timer, uint64_t now_us)
{
    (void)now_us;
    keeping_flush(LIST_ENTRY(timer, struct keeping, flush));
}

enum status keeping_init(struct keeping *k, const struct keeping_params *params)
{
    *k = (struct keeping){
        .timers = params->timers,
        .stats = params->stats,
        .number = 1,
        .interval_us = params->config->commit_interval_ms * 1000,
        .max_bytes = params->config->max_unkept_bytes,
        .inline_work = params->inline_work,
    };
    list_init(&k->unkept);
    list_init(&k->waits);
    timer_init(&k->flush, on_flush);
    buf_init(&k->state, STATE_LIMIT);
    if (!params->store)
        return OK;
    k->keeper = keeper_create(&(struct keeper_params){
        .store = params->store,
        .wake = params->wake,
        .wake_context = params->wake_context,
        .done = on_done,
        .context = k,
        .inline_work = params->inline_work,
    });
    return k->keeper ? OK : E_NOMEM;
}

void keeping_fini(struct keeping *k)
{
    keeper_destroy(k->keeper);
    k->keeper = NULL;
    if (k->open) {
        drop_kept(k->open);
        batch_destroy(k->open);
        k->open = NULL;
    }
    if (k->timers)
        timers_disarm(k->timers, &k->flush);
    buf_fini(&k->state);
}

static void arm(struct keeping *k, uint64_t delay_us)
{
    if (timer_armed(&k->flush))
        return;
    if (delay_us == 0) {
        k->urgent = true;
        return;
    }
    if (timers_arm(k->timers, &k->flush, k->seen_us + delay_us) != OK)
        k->urgent = true;
}

static struct batch *open_batch(struct keeping *k)
{
    if (!k->open)
        k->open = batch_create(k->number);
    arm(k, k->interval_us);
    return k->open;
}

void keeping_touch(struct keeping *k, struct session *s)
{
    if (!k->keeper || s->lost)
        return;
    if (list_empty(&s->unkept))
        list_add_tail(&k->unkept, &s->unkept);
    arm(k, k->interval_us);
}

void keeping_record(struct keeping *k, struct session *s)
{
    if (!k->keeper || s->lost)
        return;
    k->records++;
    keeping_touch(k, s);
    if (s->run_count >= RUN_RECORDS || s->run.len >= RUN_BYTES)
        (void)keeping_cut(k, s);
}

void keeping_relieve(struct keeping *k)
{
    if (k->records >= BATCH_RECORDS)
        keeping_flush(k);
}

bool keeping_cut(struct keeping *k, struct session *s)
{
    if (s->run_count == 0)
        return true;
    struct batch *b = open_batch(k);
    if (!b || !session_end_run(s))
        return false;
    if (batch_add_run(b, s->key, s->run_first, s->run_count, &s->run) != OK)
        return false;
    s->run_count = 0;
    return true;
}

void keeping_seal(struct keeping *k, struct session *s)
{
    if (!k->keeper)
        return;
    struct batch *b = keeping_cut(k, s) ? open_batch(k) : NULL;
    if (!b || batch_add(b, BATCH_SEAL, s->key) != OK)
        log_debug("keeping", "sealed later id=%s", s->id);
}

bool keeping_trim(struct keeping *k, const struct session *s, uint64_t offset)
{
    struct batch *b = open_batch(k);
    return b && batch_add_trim(b, s->key, offset) == OK;
}

void keeping_meta(struct keeping *k, const char *name, struct span value)
{
    struct batch *b = k->keeper ? open_batch(k) : NULL;
    if (k->keeper && (!b || batch_add_meta(b, name, value) != OK))
        log_error("keeping", "cannot keep name=%s reason=\"out of memory\"", name);
}

void keeping_audit(struct keeping *k, const struct store_audit *row)
{
    struct batch *b = k->keeper && !keeping_full(k) ? open_batch(k) : NULL;
    if (k->keeper && (!b || batch_add_audit(b, row) != OK))
        log_error("keeping", "cannot keep order=%llu entry=%.*s", (unsigned long long)row->id,
                  (int)row->entry.len, row->entry.ptr);
}

void keeping_drop(struct keeping *k, uint64_t order)
{
    struct batch *b = k->keeper && !keeping_full(k) ? open_batch(k) : NULL;
    if (k->keeper && (!b || batch_add_drop(b, order) != OK))
        log_error("keeping", "stays on disk order=%llu", (unsigned long long)order);
}

void keeping_forget(struct keeping *k, struct session *s)
{
    keeping_leave(s);
    if (!k->keeper)
        return;
    struct batch *b = open_batch(k);
    if (!b || batch_add(b, BATCH_DELETE, s->key) != OK)
        log_error("keeping", "stays on disk id=%s reason=\"out of memory\"", s->id);
}

void keeping_leave(struct session *s)
{
    list_remove(&s->unkept);
}

/* The session's row, and what may be acked with it, into the batch. */
static enum status add_row(struct keeping *k, struct batch *b, struct session *s)
{
    struct store_session row;
    struct kept *kept = malloc(sizeof(*kept));
    if (!kept)
        return E_NOMEM;
    buf_reset(&k->state);
    session_state_row(s, &k->state, &row);
    enum status status = buf_status(&k->state);
    if (status == OK)
        status = batch_add_session(b, &row);
    if (status != OK) {
        free(kept);
        return status;
    }
    list_init(&kept->link);
    session_handle_init(&kept->session);
    session_handle_set(&kept->session, s);
    kept->seq = s->last_seq;
    list_add_tail(&b->kept, &kept->link);
    return OK;
}

/* False: out of memory. */
static bool complete_batch(struct keeping *k, struct batch *b)
{
    struct list *first;
    while ((first = list_first(&k->unkept)) != NULL) {
        struct session *s = LIST_ENTRY(first, struct session, unkept);
        if (!keeping_cut(k, s) || add_row(k, b, s) != OK)
            return false;
        list_remove(first);
    }
    return true;
}

void keeping_flush(struct keeping *k)
{
    k->urgent = false;
    timers_disarm(k->timers, &k->flush);
    if (!k->keeper || (!k->open && list_empty(&k->unkept)))
        return;
    struct batch *b = open_batch(k);
    if (!b || !complete_batch(k, b)) {
        k->stats->errors++;
        arm(k, RETRY_US);
        return;
    }
    timers_disarm(k->timers, &k->flush);
    k->open = NULL;
    k->number++;
    k->records = 0;
    keeper_submit(k->keeper, b);
    k->stats->unkept_bytes = keeper_pending_bytes(k->keeper); /* a disk that hangs gives no word */
}

void keeping_goodbye(struct keeping *k)
{
    struct batch *b = k->keeper ? open_batch(k) : NULL;
    if (!b)
        return;
    /* The rows come before it in order, and it is only true with them. */
    if (!complete_batch(k, b) || batch_add_meta(b, "clean", SPAN("yes")) != OK)
        return;
    keeping_flush(k);
}

void keeping_enter(struct keeping *k, uint64_t now_us)
{
    k->seen_us = now_us;
}

void keeping_flush_if_urgent(struct keeping *k)
{
    if (k->urgent)
        keeping_flush(k);
    if (k->inline_work)
        keeping_receive(k);
}

/* The disk has got into trouble: those who would rather hear than wait are told. */
static void tell_impatient(struct keeping *k)
{
    struct list told;
    list_init(&told);
    LIST_EACH_SAFE (at, &k->waits) {
        if (LIST_ENTRY(at, struct keeping_wait, link)->patient)
            continue;
        list_remove(at);
        list_add_tail(&told, at);
    }
    struct list *first;
    while ((first = list_first(&told)) != NULL) {
        struct keeping_wait *w = LIST_ENTRY(first, struct keeping_wait, link);
        list_remove(first);
        w->done(w, false);
    }
}

void keeping_receive(struct keeping *k)
{
    if (!k->keeper)
        return;
    keeper_receive(k->keeper);
    bool troubled = keeper_trouble(k->keeper) != NULL;
    if (troubled && !k->troubled)
        tell_impatient(k);
    k->troubled = troubled;
    k->stats->store_bytes = keeper_store_bytes(k->keeper);
    k->stats->unkept_bytes = keeper_pending_bytes(k->keeper);
}

uint64_t keeping_awaited(const struct keeping *k)
{
    bool nothing_open = !k->open && list_empty(&k->unkept);
    return nothing_open ? k->number - 1 : k->number;
}

void keeping_await(struct keeping *k, struct keeping_wait *w)
{
    list_init(&w->link);
    w->number = keeping_awaited(k);
    if (!k->keeper || w->number <= k->committed)
        w->done(w, true);
    else if (k->troubled && !w->patient)
        w->done(w, false);
    else
        list_add_tail(&k->waits, &w->link);
}

void keeping_cancel(struct keeping_wait *w)
{
    if (w->link.next)
        list_remove(&w->link);
}

bool keeping_is_idle(const struct keeping *k)
{
    if (!k->keeper || k->troubled)
        return true;
    return !k->open && list_empty(&k->unkept) && keeper_pending(k->keeper) == 0;
}

bool keeping_full(const struct keeping *k)
{
    return k->keeper && keeper_pending_bytes(k->keeper) > k->max_bytes;
}
