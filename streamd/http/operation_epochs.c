/* SPDX-License-Identifier: MIT */
#include "streamd/http/operation_epochs.h"

#include "streamd/app.h"
#include "streamd/http/inquiry.h"
#include "streamd/http/operation_reply.h"
#include "streamd/session/ask.h"

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

struct epochs_inquiry {
    struct inquiry inquiry;
    operation_epochs_fn *write;
    uint64_t from;
    bool all;        /* all that are listed are read, since some may not stand any more */
    uint64_t newest; /* of the session's epochs when it was asked */
    struct buf list; /* owns; of struct epoch */
};

static struct epochs_inquiry *of(struct inquiry *q)
{
    return LIST_ENTRY(q, struct epochs_inquiry, inquiry);
}

static void count_anew(const struct buf *list, struct epochs *out)
{
    const struct epoch *epoch = (const struct epoch *)(const void *)list->ptr;
    for (size_t i = 0; i < list->len / sizeof(*epoch); i++)
        epochs_add(out, &epoch[i]);
}

/* What stands replaces what was listed, unless more has come meanwhile: then who asks next does it.
 */
static void renew(struct session *s, const struct epochs_inquiry *q, struct epochs *standing)
{
    if (s->epochs.newest != q->newest)
        return;
    struct epochs old = s->epochs;
    s->epochs = *standing;
    *standing = old;
    s->version++;
    keeping_touch(&s->registry->keeping, s);
}

static void write_all(struct epochs_inquiry *q, struct session *s, struct reply *reply)
{
    struct epochs standing;
    epochs_init(&standing);
    count_anew(&q->list, &standing);
    const struct epoch_trend trend = standing.trend;
    renew(s, q, &standing);
    write_found(q->inquiry.app, s, &(struct found){&trend, &q->list, 0, q->from, q->write}, reply);
    epochs_fini(&standing);
}

static void write_answer(struct inquiry *q, enum status status, struct reply *reply)
{
    struct epochs_inquiry *e = of(q);
    struct session *s = inquiry_session(q, 0);
    if (status == E_NOT_FOUND)
        operation_refuse(reply, 404, "Operation not found", (struct span){NULL, 0});
    else if (status != OK)
        operation_failed(reply, status);
    else if (e->all)
        write_all(e, s, reply);
    else
        write_found(q->app, s,
                    &(struct found){&s->epochs.trend, &e->list, e->from, e->from, e->write}, reply);
}

static void ask(struct inquiry *q, const struct session *s, struct reading_request *out)
{
    ask_of_epochs(s, of(q)->all ? 0 : of(q)->from, out);
}

static enum status take(struct inquiry *q, struct span piece)
{
    buf_add_span(&of(q)->list, piece);
    return OK; /* write_found asks the list */
}

static void destroy(struct inquiry *q)
{
    buf_fini(&of(q)->list);
    free(of(q));
}

static const struct inquiry_ops ops_epochs = {
    .ask = ask, .take = take, .write = write_answer, .destroy = destroy};

static void inquire(struct app *app, struct session *s, uint64_t from, operation_epochs_fn *write,
                    struct reply *reply)
{
    struct epochs_inquiry *e = malloc(sizeof(*e));
    if (!e) {
        operation_failed(reply, E_NOMEM);
        return;
    }
    inquiry_init(&e->inquiry, &ops_epochs, app);
    inquiry_add(&e->inquiry, s);
    e->write = write;
    e->from = from;
    e->all = s->epochs.stale;
    e->newest = s->epochs.newest;
    buf_init(&e->list, LIST_BYTES_MAX);
    inquiry_leave(&e->inquiry, reply);
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
