/* SPDX-License-Identifier: MIT */
#include "streamd/http/operation_epochs.h"

#include "streamd/app.h"
#include "streamd/http/operation_reply.h"
#include "streamd/session/ask.h"
#include "streamd/transport/transfer.h"

#include <stdlib.h>

enum { LIST_BYTES_MAX = EPOCHS_BYTES_MAX * sizeof(struct epoch) };

static uint64_t first_shown(const struct epochs *e, uint64_t from)
{
    uint64_t first = epochs_first(e);
    return from > first ? from : first;
}

/* Has memory all of them, and do all of them stand? */
static bool is_at_hand(const struct session *s, uint64_t from)
{
    uint64_t offset;
    if (s->epochs.stale)
        return false;
    if (epochs_offsets(&s->epochs, from, &offset, 1) == 0 || !s->registry->keeping.keeper)
        return true;
    return series_count(s->series) > 0 && series_oldest(s->series) <= offset;
}

/* False: memory does not have it. */
static bool read_one(const struct session *s, uint64_t offset, struct epoch *out)
{
    struct series_cursor cursor;
    struct series_entry entry;
    series_cursor_init(&cursor, s->series, offset);
    bool found = series_next(&cursor, &entry) && entry.offset == offset;
    if (found)
        epoch_of_entry(&entry, out);
    series_cursor_fini(&cursor);
    return found;
}

static void read_series(const struct session *s, uint64_t from, struct buf *list)
{
    uint64_t offset;
    struct span rest = epochs_steps(&s->epochs, from, &offset);
    struct epoch epoch;
    while (epochs_next(&rest, &offset)) {
        if (read_one(s, offset, &epoch))
            buf_add(list, &epoch, sizeof(epoch));
    }
}

/* What was read, and what of it is to be shown. */
struct found {
    const struct epoch_trend *trend; /* borrows */
    const struct buf *list;          /* borrows; of struct epoch */
    uint64_t first;                  /* index of the first in the list */
    uint64_t from;                   /* and of the first to be shown */
    operation_epochs_fn *write;
};

static void write_found(struct app *app, struct session *s, const struct found *f,
                        struct reply *reply)
{
    size_t count = f->list->len / sizeof(struct epoch);
    size_t skip = f->from > f->first ? (size_t)(f->from - f->first) : 0;
    skip = skip < count ? skip : count;
    const struct epoch *list = (const struct epoch *)(const void *)f->list->ptr;
    const struct operation_epochs shown = {.trend = f->trend,
                                           .list = count > 0 ? list + skip : NULL,
                                           .count = count - skip,
                                           .first = f->first + skip};
    if (buf_status(f->list) != OK)
        operation_failed(reply, buf_status(f->list));
    else
        f->write(app, s, &shown, reply);
}

/* ---- from the archive ---- */

struct inquiry {
    struct transfer transfer;
    struct reading reading;
    struct session_handle session;
    struct app *app; /* borrows */
    operation_epochs_fn *write;
    uint64_t from;
    bool all;        /* all that are listed are read, since some may not stand any more */
    uint64_t newest; /* of the session's epochs when it was asked */
    struct buf list; /* owns; of struct epoch */
};

static void count_anew(const struct buf *list, struct epochs *out)
{
    const struct epoch *epoch = (const struct epoch *)(const void *)list->ptr;
    for (size_t i = 0; i < list->len / sizeof(*epoch); i++)
        epochs_add(out, &epoch[i]);
}

/* What stands replaces what was listed, unless more has come meanwhile: then who asks next does it.
 */
static void renew(struct session *s, const struct inquiry *q, struct epochs *standing)
{
    if (s->epochs.newest != q->newest)
        return;
    struct epochs old = s->epochs;
    s->epochs = *standing;
    *standing = old;
    s->version++;
    keeping_touch(&s->registry->keeping, s);
}

static void write_all(struct inquiry *q, struct session *s, struct reply *reply)
{
    struct epochs standing;
    epochs_init(&standing);
    count_anew(&q->list, &standing);
    const struct epoch_trend trend = standing.trend;
    renew(s, q, &standing);
    write_found(q->app, s, &(struct found){&trend, &q->list, 0, q->from, q->write}, reply);
    epochs_fini(&standing);
}

static void answer(struct inquiry *q, enum status status)
{
    struct session *s = q->session.session;
    struct reply reply;
    reply_init(&reply, REPLY_BODY_MAX);
    if (!s)
        operation_refuse(&reply, 404, "Operation not found", (struct span){NULL, 0});
    else if (status != OK)
        operation_failed(&reply, status);
    else if (q->all)
        write_all(q, s, &reply);
    else
        write_found(q->app, s,
                    &(struct found){&s->epochs.trend, &q->list, q->from, q->from, q->write},
                    &reply);
    transfer_answer(&q->transfer, &reply);
    reply_fini(&reply);
}

static void on_piece(struct reading *reading, struct refbuf *piece, bool last, enum status status)
{
    struct inquiry *q = LIST_ENTRY(reading, struct inquiry, reading);
    if (status == OK)
        buf_add_span(&q->list, refbuf_span(piece));
    if (status == OK && !last)
        reading_more(reading);
    else
        answer(q, status);
}

static void begin(struct transfer *t, const struct request *req)
{
    struct inquiry *q = LIST_ENTRY(t, struct inquiry, transfer);
    struct session *s = q->session.session;
    struct reading_request *request = s ? malloc(sizeof(*request)) : NULL;
    enum status status = E_NOMEM;
    (void)req;
    if (request) {
        ask_of_epochs(s, q->all ? 0 : q->from, request);
        status = ask_begin(&q->app->registry, &q->reading, request);
    }
    free(request);
    if (status != OK)
        answer(q, status);
}

static void gone(struct transfer *t)
{
    struct inquiry *q = LIST_ENTRY(t, struct inquiry, transfer);
    reading_cancel(&q->reading);
    session_handle_fini(&q->session);
    buf_fini(&q->list);
    free(q);
}

static const struct transfer_ops ops_inquiry = {.begin = begin, .gone = gone};

static void inquire(struct app *app, struct session *s, uint64_t from, operation_epochs_fn *write,
                    struct reply *reply)
{
    struct inquiry *q = calloc(1, sizeof(*q));
    if (!q) {
        operation_failed(reply, E_NOMEM);
        return;
    }
    q->transfer.ops = &ops_inquiry;
    q->reading.on_piece = on_piece;
    q->app = app;
    q->write = write;
    q->from = from;
    q->all = s->epochs.stale;
    q->newest = s->epochs.newest;
    buf_init(&q->list, LIST_BYTES_MAX);
    session_handle_init(&q->session);
    session_handle_set(&q->session, s);
    reply->transfer = &q->transfer;
}

void operation_epochs_answer(struct app *app, struct session *s, uint64_t from,
                             operation_epochs_fn *write, struct reply *reply)
{
    struct buf list;
    from = first_shown(&s->epochs, from);
    if (!is_at_hand(s, from)) {
        inquire(app, s, from, write, reply);
        return;
    }
    buf_init(&list, LIST_BYTES_MAX);
    read_series(s, from, &list);
    write_found(app, s, &(struct found){&s->epochs.trend, &list, from, from, write}, reply);
    buf_fini(&list);
}
