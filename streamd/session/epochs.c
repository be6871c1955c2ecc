/* SPDX-License-Identifier: MIT */
#include "streamd/session/epochs.h"

#include "proto/varint.h"

void epochs_init(struct epochs *e)
{
    *e = (struct epochs){.kept = 0};
    buf_init(&e->steps, EPOCHS_BYTES_MAX);
}

void epochs_fini(struct epochs *e)
{
    buf_fini(&e->steps);
}

void epochs_reset(struct epochs *e)
{
    buf_fini(&e->steps);
    epochs_init(e);
}

static void forget_half(struct epochs *e)
{
    struct span rest = buf_span(&e->steps);
    uint64_t step;
    for (uint64_t n = e->kept / 2; n > 0 && varint_take(&rest, &step); n--) {
        e->before += step;
        e->kept--;
    }
    buf_consume(&e->steps, e->steps.len - rest.len);
}

static void list(struct epochs *e, uint64_t offset)
{
    enum { VARINT_BYTES_MAX = 10 };
    if (e->steps.len + VARINT_BYTES_MAX > EPOCHS_BYTES_MAX)
        forget_half(e);
    if (offset <= e->newest) { /* a session that went back and found no memory for its state */
        buf_reset(&e->steps);
        e->kept = 0;
    }
    if (e->kept == 0)
        e->before = 0;
    varint_put(&e->steps, offset - (e->kept > 0 ? e->newest : e->before));
    if (buf_status(&e->steps) == OK) {
        e->kept++;
        return;
    }
    /* The list ends with the newest: what cannot go on begins anew. */
    buf_reset(&e->steps);
    e->kept = 0;
}

void epochs_add(struct epochs *e, const struct epoch *epoch)
{
    epoch_trend_add(&e->trend, epoch_value(epoch, EPOCH_TRAIN_LOSS),
                    epoch_value(epoch, EPOCH_VAL_LOSS));
    list(e, epoch->offset);
    e->newest = epoch->offset;
}

uint64_t epochs_first(const struct epochs *e)
{
    return e->trend.count - e->kept;
}

bool epochs_next(struct span *steps, uint64_t *offset)
{
    uint64_t step;
    if (!varint_take(steps, &step))
        return false;
    *offset += step;
    return true;
}

struct span epochs_steps(const struct epochs *e, uint64_t from, uint64_t *out_before)
{
    struct span rest = buf_span(&e->steps);
    *out_before = e->before;
    for (uint64_t i = epochs_first(e); i < from && epochs_next(&rest, out_before); i++)
        ;
    return rest;
}

size_t epochs_offsets(const struct epochs *e, uint64_t from, uint64_t *out, size_t max)
{
    uint64_t offset;
    struct span rest = epochs_steps(e, from, &offset);
    size_t count = 0;
    while (count < max && epochs_next(&rest, &offset))
        out[count++] = offset;
    return count;
}

/* As it is kept. */
struct head {
    struct epoch_trend trend;
    uint64_t kept, before, newest, stale;
};

void epochs_write(const struct epochs *e, struct buf *out)
{
    const struct head head = {e->trend, e->kept, e->before, e->newest, e->stale};
    if (e->trend.count == 0)
        return;
    buf_add(out, &head, sizeof(head));
    buf_add_span(out, buf_span(&e->steps));
}

static bool holds(const struct epochs *e)
{
    struct span rest = buf_span(&e->steps);
    uint64_t offset = e->before;
    uint64_t count = 0;
    while (epochs_next(&rest, &offset))
        count++;
    return rest.len == 0 && count == e->kept && e->kept <= e->trend.count &&
           e->trend.newest < EPOCH_TREND_WINDOW && (count == 0 || offset == e->newest);
}

enum status epochs_read(struct epochs *e, struct span bytes)
{
    struct head head;
    epochs_reset(e);
    if (bytes.len == 0)
        return OK;
    if (!span_take(&bytes, &head, sizeof(head)))
        return E_MALFORMED;
    e->trend = head.trend;
    e->kept = head.kept;
    e->before = head.before;
    e->newest = head.newest;
    e->stale = head.stale != 0;
    buf_add_span(&e->steps, bytes);
    enum status status = buf_status(&e->steps);
    if (status == OK && !holds(e))
        status = E_MALFORMED;
    if (status != OK)
        epochs_reset(e);
    return status == E_LIMIT ? E_MALFORMED : status;
}
