/* SPDX-License-Identifier: MIT */
/*
 * Runs are moved in, since they are large and already stand in a buf of their own; rows are small
 * and copied into one buf, after which their spans are pointed at it.
 */
#include "streamd/store/batch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP = 16, ROW_BYTES_MAX = 8 << 20 };

struct batch *batch_create(uint64_t number)
{
    struct batch *b = calloc(1, sizeof(*b));
    if (!b)
        return NULL;
    b->letter.kind = LETTER_BATCH;
    b->number = number;
    list_init(&b->letter.link);
    list_init(&b->kept);
    return b;
}

void batch_destroy(struct batch *b)
{
    if (!b)
        return;
    assert(list_empty(&b->kept));
    for (size_t i = 0; i < b->count; i++)
        buf_fini(&b->items[i].bytes);
    free(b->items);
    free(b);
}

/* One more item at the end; NULL when out of memory. It counts only once b->count is raised. */
static struct batch_item *next_item(struct batch *b)
{
    if (b->count == b->cap) {
        size_t cap = b->cap ? b->cap * 2 : FIRST_CAP;
        struct batch_item *items = realloc(b->items, cap * sizeof(*items));
        if (!items)
            return NULL;
        b->items = items;
        b->cap = cap;
    }
    struct batch_item *item = &b->items[b->count];
    memset(item, 0, sizeof(*item));
    buf_init(&item->bytes, ROW_BYTES_MAX);
    return item;
}

static void add(struct batch *b, const struct batch_item *item)
{
    b->bytes += sizeof(*item) + item->bytes.len;
    b->count++;
}

/* The span's copy in `bytes`, as far as it is there. */
static struct span place(const struct buf *bytes, size_t *at, struct span text)
{
    if (!text.ptr)
        return text;
    struct span copy = {bytes->ptr + *at, text.len};
    *at += text.len;
    return copy;
}

enum status batch_add_session(struct batch *b, const struct store_session *row)
{
    struct batch_item *item = next_item(b);
    if (!item)
        return E_NOMEM;
    const struct span texts[] = {row->id,     row->project, row->name,
                                 row->config, row->status,  row->state};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        buf_add_span(&item->bytes, texts[i]);
    buf_add_char(&item->bytes, '\0'); /* so that an empty text has a place, too */
    if (buf_status(&item->bytes) != OK) {
        buf_fini(&item->bytes);
        return E_NOMEM;
    }
    size_t at = 0;
    item->kind = BATCH_SESSION;
    item->session = row->key;
    item->row = *row;
    item->row.id = place(&item->bytes, &at, row->id);
    item->row.project = place(&item->bytes, &at, row->project);
    item->row.name = place(&item->bytes, &at, row->name);
    item->row.config = place(&item->bytes, &at, row->config);
    item->row.status = place(&item->bytes, &at, row->status);
    item->row.state = place(&item->bytes, &at, row->state);
    add(b, item);
    return OK;
}

enum status batch_add_run(struct batch *b, uint64_t session, uint64_t first, uint64_t count,
                          struct buf *run)
{
    struct batch_item *item = next_item(b);
    if (!item)
        return E_NOMEM;
    size_t limit = run->limit;
    item->kind = BATCH_RUN;
    item->session = session;
    item->first = first;
    item->count = count;
    item->bytes = *run;
    buf_init(run, limit);
    b->records += count;
    add(b, item);
    return OK;
}

enum status batch_add(struct batch *b, enum batch_kind kind, uint64_t session)
{
    struct batch_item *item = next_item(b);
    if (!item)
        return E_NOMEM;
    item->kind = kind;
    item->session = session;
    add(b, item);
    return OK;
}

static enum status add_first(struct batch *b, enum batch_kind kind, uint64_t session,
                             uint64_t first)
{
    enum status status = batch_add(b, kind, session);
    if (status == OK)
        b->items[b->count - 1].first = first;
    return status;
}

enum status batch_add_trim(struct batch *b, uint64_t session, uint64_t first)
{
    return add_first(b, BATCH_TRIM, session, first);
}

enum status batch_add_drop(struct batch *b, uint64_t order)
{
    return add_first(b, BATCH_DROP, 0, order);
}

enum status batch_add_audit(struct batch *b, const struct store_audit *row)
{
    struct batch_item *item = next_item(b);
    if (!item)
        return E_NOMEM;
    buf_add_span(&item->bytes, row->entry);
    if (buf_status(&item->bytes) != OK) {
        buf_fini(&item->bytes);
        return E_NOMEM;
    }
    item->kind = BATCH_AUDIT;
    item->session = row->session;
    item->first = row->id;
    add(b, item);
    return OK;
}

enum status batch_add_meta(struct batch *b, const char *name, struct span value)
{
    struct batch_item *item = next_item(b);
    if (!item)
        return E_NOMEM;
    assert(strlen(name) < sizeof(item->name));
    memcpy(item->name, name, strlen(name));
    buf_add_span(&item->bytes, value);
    if (buf_status(&item->bytes) != OK) {
        buf_fini(&item->bytes);
        return E_NOMEM;
    }
    item->kind = BATCH_META;
    add(b, item);
    return OK;
}
