/* SPDX-License-Identifier: MIT */
/*
 * Two mailboxes and a thread between them. What is sent goes there and comes back: a batch when it
 * is committed, a reading's ticket with each piece. So everything has one owner at any time, and
 * nothing is locked but the boxes.
 *
 * Commits come first, all batches that wait as one transaction; then a step of one reading; then,
 * or when too much has come together, a segment is sealed. While commits fail, readings go on.
 */
#include "streamd/store/keeper.h"

#include "streamd/log.h"
#include "streamd/store/archive.h"

#include <assert.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum {
    RETRY_FIRST_US = 50 * 1000,
    RETRY_LAST_US = 1000 * 1000,
    LAST_TRY_US = 1000 * 1000,              /* for what is not committed when the keeper must end */
    BACKLOG_RECORDS = 4 * SEGMENT_ROWS_MAX, /* due and not sealed, while there are commits */
    NEWS_TEXT_MAX = 256,
};

struct reading_ticket {
    struct letter letter;
    struct reading *reading; /* borrows; the loop's alone, NULL once cancelled */
    bool home;               /* the loop's alone: not with the keeper's thread */
    struct reading_job *job; /* owns */
    struct refbuf *piece;    /* owns a reference, on its way to the loop */
    bool last;
    enum status status;
    atomic_bool cancelled;
};

/* How the store is; there is one, sent when something changed and sent back. */
struct news {
    struct letter letter;
    bool trouble; /* nothing is committed at present */
    char why[NEWS_TEXT_MAX];
    uint64_t store_bytes;
};

struct keeper {
    struct keeper_params params;
    struct mailbox in;  /* to the keeper's thread */
    struct mailbox out; /* to the loop */
    pthread_t thread;
    bool running;
    struct letter stop;

    /* The loop's. */
    struct list readings; /* of reading.link */
    uint64_t pending;
    uint64_t pending_bytes;
    struct news told; /* a copy of the newest */

    /* The keeper's thread's. */
    struct archive archive;
    struct list waiting; /* of batch.letter.link: to be committed, oldest first */
    struct list tickets; /* of reading_ticket.letter.link: to be stepped, in turn */
    struct news news;
    struct news next_news; /* what the next one says */
    bool news_is_home;
    bool news_is_due;
    bool stopping;
    uint64_t retry_at_us;
    uint64_t retry_us;
    uint64_t give_up_at_us; /* when stopping */
};

static uint64_t monotonic_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static struct batch *batch_at(struct list *link)
{
    return LIST_ENTRY(link, struct batch, letter.link);
}

static struct reading_ticket *ticket_at(struct list *link)
{
    return LIST_ENTRY(link, struct reading_ticket, letter.link);
}

/* ---- on the keeper's thread ---- */

static void send_news(struct keeper *k)
{
    if (!k->news_is_due || !k->news_is_home)
        return;
    k->news_is_due = false;
    k->news_is_home = false;
    k->next_news.letter = k->news.letter;
    k->news = k->next_news;
    mailbox_post(&k->out, &k->news.letter);
}

static void note_trouble(struct keeper *k, const char *why)
{
    if (!k->next_news.trouble)
        log_error("keeper", "cannot commit reason=\"%s\": retrying, live delivery goes on", why);
    k->news_is_due = k->news_is_due || !k->next_news.trouble || strcmp(why, k->next_news.why) != 0;
    k->next_news.trouble = true;
    memset(k->next_news.why, 0, sizeof(k->next_news.why));
    memcpy(k->next_news.why, why, strnlen(why, sizeof(k->next_news.why) - 1));
}

static void note_success(struct keeper *k)
{
    uint64_t bytes = k->params.store->ops->bytes(k->params.store);
    if (k->next_news.trouble)
        log_info("keeper", "commits again");
    k->news_is_due = k->news_is_due || k->next_news.trouble || bytes != k->next_news.store_bytes;
    k->next_news.trouble = false;
    k->next_news.store_bytes = bytes;
}

static void retry_later(struct keeper *k)
{
    k->retry_us = k->retry_us ? k->retry_us * 2 : RETRY_FIRST_US;
    k->retry_us = k->retry_us < RETRY_LAST_US ? k->retry_us : RETRY_LAST_US;
    k->retry_at_us = k->params.inline_work ? UINT64_MAX : monotonic_us() + k->retry_us;
}

/* False when there is nothing to commit for now. */
static bool commit(struct keeper *k)
{
    if (list_empty(&k->waiting) || (k->retry_at_us && monotonic_us() < k->retry_at_us))
        return false;
    if (archive_commit(&k->archive, &k->waiting) != OK) {
        note_trouble(k, k->params.store->ops->why(k->params.store));
        retry_later(k);
        return true;
    }
    k->retry_at_us = 0;
    k->retry_us = 0;
    note_success(k);
    struct list *first;
    while ((first = list_first(&k->waiting)) != NULL) {
        list_remove(first);
        mailbox_post(&k->out, &batch_at(first)->letter);
    }
    return true;
}

/* A step of the reading whose turn it is; false when there is none. */
static bool read_some(struct keeper *k)
{
    struct list *first = list_first(&k->tickets);
    if (!first)
        return false;
    struct reading_ticket *t = ticket_at(first);
    list_remove(first);
    t->status =
        atomic_load(&t->cancelled) ? E_STATE : reading_job_step(t->job, &t->piece, &t->last);
    if (t->status == E_STATE && !atomic_load(&t->cancelled))
        list_add_tail(&k->tickets, first); /* more is to be done before there is a piece */
    else
        mailbox_post(&k->out, &t->letter);
    return true;
}

/* Seals a segment, or lets the store become smaller; false when there is no need. */
static bool tidy(struct keeper *k)
{
    if (k->next_news.trouble || k->stopping)
        return false;
    enum status status = archive_tidy(&k->archive);
    if (status == E_NOT_FOUND)
        status = k->params.store->ops->shrink(k->params.store);
    if (status == OK)
        note_success(k);
    return status == OK;
}

static void open_letter(struct keeper *k, struct letter *letter)
{
    switch (letter->kind) {
    case LETTER_BATCH:
        list_add_tail(&k->waiting, &letter->link);
        break;
    case LETTER_TICKET:
        list_add_tail(&k->tickets, &letter->link);
        break;
    case LETTER_NEWS:
        k->news_is_home = true;
        break;
    case LETTER_STOP:
        k->stopping = true;
        k->retry_at_us = 0;
        k->give_up_at_us = monotonic_us() + LAST_TRY_US;
        break;
    }
}

/* Some work; false when there is none for now. */
static bool work(struct keeper *k)
{
    struct list letters;
    mailbox_take(&k->in, &letters);
    LIST_EACH_SAFE (at, &letters) {
        list_remove(at);
        open_letter(k, LIST_ENTRY(at, struct letter, link));
    }
    bool committed = commit(k);
    bool read = read_some(k);
    bool worked = committed || read || tidy(k);
    /* Who writes without a pause must not outrun what is sealed: the journal would grow. */
    while (archive_backlog(&k->archive) > BACKLOG_RECORDS && tidy(k))
        continue;
    send_news(k);
    return worked;
}

/* Until the next attempt to commit; UINT64_MAX: until a letter comes. */
static uint64_t patience_us(const struct keeper *k)
{
    if (list_empty(&k->waiting))
        return UINT64_MAX;
    uint64_t now_us = monotonic_us();
    return k->retry_at_us > now_us ? k->retry_at_us - now_us : 0;
}

static bool is_over(const struct keeper *k)
{
    return k->stopping && list_empty(&k->tickets) &&
           (list_empty(&k->waiting) || monotonic_us() >= k->give_up_at_us);
}

static void *keeper_main(void *keeper)
{
    struct keeper *k = keeper;
    while (!is_over(k)) {
        if (!work(k))
            mailbox_wait(&k->in, k->stopping ? 1000 : patience_us(k));
    }
    return NULL;
}

/* ---- on the loop's thread ---- */

static bool start_thread(struct keeper *k)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    k->running = pthread_create(&k->thread, NULL, keeper_main, k) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return k->running;
}

struct keeper *keeper_create(const struct keeper_params *params)
{
    uint64_t seed = 0;
    struct keeper *k = calloc(1, sizeof(*k));
    if (!k || getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed)) {
        params->store->ops->destroy(params->store);
        free(k);
        return NULL;
    }
    k->params = *params;
    mailbox_init(&k->in, params->inline_work ? params->wake : NULL, params->wake_context);
    mailbox_init(&k->out, params->wake, params->wake_context);
    list_init(&k->readings);
    list_init(&k->waiting);
    list_init(&k->tickets);
    k->news.letter.kind = LETTER_NEWS;
    k->news_is_home = true;
    if (archive_init(&k->archive, params->store, seed) == OK &&
        (params->inline_work || start_thread(k)))
        return k;
    keeper_destroy(k);
    return NULL;
}

static void ticket_destroy(struct reading_ticket *t)
{
    reading_job_destroy(t->job);
    refbuf_unref(t->piece);
    free(t);
}

/* A piece has come: the reading is told, and may go on, be cancelled or begun anew in that. */
static void deliver(struct reading_ticket *t)
{
    struct reading *r = t->reading;
    struct refbuf *piece = t->piece;
    if (!r) {
        ticket_destroy(t);
        return;
    }
    t->piece = NULL;
    bool over = t->last || t->status != OK;
    enum status status = t->status;
    bool last = t->last;
    if (over) {
        r->ticket = NULL;
        r->keeper = NULL;
        list_remove(&r->link);
        ticket_destroy(t);
    } else {
        t->home = true;
    }
    r->on_piece(r, piece, last, status);
    refbuf_unref(piece);
}

static void receive(struct keeper *k, struct letter *letter)
{
    struct batch *batch;
    switch (letter->kind) {
    case LETTER_BATCH:
        batch = batch_at(&letter->link);
        k->pending--;
        k->pending_bytes -= batch->bytes;
        k->params.done(k->params.context, batch, true);
        break;
    case LETTER_TICKET:
        deliver(ticket_at(&letter->link));
        break;
    case LETTER_NEWS:
        k->told = LIST_ENTRY(letter, struct news, letter)[0];
        mailbox_post(&k->in, letter);
        break;
    case LETTER_STOP:
        assert(false); /* it goes one way only */
    }
}

/* All there is to do; what could not be committed is tried again, once. */
static void work_inline(struct keeper *k)
{
    k->retry_at_us = 0;
    while (work(k))
        continue;
}

void keeper_receive(struct keeper *k)
{
    struct list letters;
    if (k->params.inline_work)
        work_inline(k);
    mailbox_take(&k->out, &letters);
    struct list *first;
    while ((first = list_first(&letters)) != NULL) {
        list_remove(first);
        receive(k, LIST_ENTRY(first, struct letter, link));
    }
}

void keeper_submit(struct keeper *k, struct batch *batch)
{
    k->pending++;
    k->pending_bytes += batch->bytes;
    mailbox_post(&k->in, &batch->letter);
}

uint64_t keeper_pending(const struct keeper *k)
{
    return k->pending;
}

uint64_t keeper_pending_bytes(const struct keeper *k)
{
    return k->pending_bytes;
}

const char *keeper_trouble(const struct keeper *k)
{
    return k->told.trouble ? k->told.why : NULL;
}

uint64_t keeper_store_bytes(const struct keeper *k)
{
    return k->told.store_bytes;
}

enum status reading_start(struct reading *r, struct keeper *k,
                          const struct reading_request *request)
{
    assert(!r->ticket);
    struct reading_ticket *t = calloc(1, sizeof(*t));
    if (!t)
        return E_NOMEM;
    t->job = reading_job_create(k->params.store, &k->archive.decoder, request);
    if (!t->job) {
        free(t);
        return E_NOMEM;
    }
    t->letter.kind = LETTER_TICKET;
    t->reading = r;
    r->ticket = t;
    r->keeper = k;
    list_init(&r->link);
    list_add_tail(&k->readings, &r->link);
    mailbox_post(&k->in, &t->letter);
    return OK;
}

void reading_more(struct reading *r)
{
    assert(r->ticket && r->ticket->home);
    r->ticket->home = false;
    mailbox_post(&r->keeper->in, &r->ticket->letter);
}

void reading_cancel(struct reading *r)
{
    struct reading_ticket *t = r->ticket;
    if (!t)
        return;
    r->ticket = NULL;
    r->keeper = NULL;
    list_remove(&r->link);
    t->reading = NULL;
    if (t->home)
        ticket_destroy(t);
    else
        atomic_store(&t->cancelled, true);
}

/* What is still under way when the thread has ended. */
static void give_up(struct keeper *k, struct list *letters)
{
    struct list *first;
    while ((first = list_first(letters)) != NULL) {
        list_remove(first);
        switch (LIST_ENTRY(first, struct letter, link)->kind) {
        case LETTER_BATCH:
            k->params.done(k->params.context, batch_at(first), false);
            break;
        case LETTER_TICKET:
            ticket_destroy(ticket_at(first));
            break;
        default:
            break;
        }
    }
}

void keeper_destroy(struct keeper *k)
{
    if (!k)
        return;
    struct list *reading;
    while ((reading = list_first(&k->readings)) != NULL)
        reading_cancel(LIST_ENTRY(reading, struct reading, link));
    k->stop.kind = LETTER_STOP;
    if (k->running) {
        mailbox_post(&k->in, &k->stop);
        (void)pthread_join(k->thread, NULL);
    }
    keeper_receive(k);
    struct list letters;
    mailbox_take(&k->in, &letters);
    give_up(k, &letters);
    give_up(k, &k->waiting);
    give_up(k, &k->tickets);
    mailbox_fini(&k->in);
    mailbox_fini(&k->out);
    archive_fini(&k->archive);
    k->params.store->ops->destroy(k->params.store);
    free(k);
}
