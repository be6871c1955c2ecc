/* SPDX-License-Identifier: MIT */
/*
 * A line stays an entry until it is written, and is encoded again if it has to be sent again: what
 * the queue gave up was never encoded, and what waits for its acknowledgement takes no second copy.
 * In the file it is text, as it goes on the wire.
 *
 * Whatever is in the file is older than what is in memory; so lines move there from the old end,
 * and memory is sent only once the whole file has been.
 */
#include "clients/c/window.h"

#include <stdlib.h>

enum {
    CHUNK_LIMIT = SPOOL_CHUNK_BYTES + LINE_BYTES_MAX + 1,
    RELIEF_CHUNKS = 64, /* at a time, since a flood never ends */
};

void window_init(struct window *w, const struct window_params *params)
{
    *w = (struct window){.params = *params};
    spool_init(&w->spool, &params->spool);
    list_init(&w->lines);
    w->unwritten = &w->lines;
    buf_init(&w->line, LINE_BYTES_MAX);
    buf_init(&w->chunk, CHUNK_LIMIT);
}

static struct entry *entry_at(struct list *link)
{
    return LIST_ENTRY(link, struct entry, link);
}

static void forget(struct window *w, struct entry *e)
{
    if (w->unwritten == &e->link)
        w->unwritten = e->link.next;
    w->bytes -= e->bytes;
    list_remove(&e->link);
    free(e);
}

static size_t forget_all(struct window *w)
{
    size_t count = 0;
    LIST_EACH_SAFE (at, &w->lines) {
        forget(w, entry_at(at));
        count++;
    }
    return count;
}

size_t window_fini(struct window *w)
{
    size_t left = forget_all(w);
    spool_fini(&w->spool);
    buf_fini(&w->line);
    buf_fini(&w->chunk);
    return left;
}

bool window_empty(const struct window *w)
{
    return list_empty(&w->lines) && spool_lines(&w->spool) == 0;
}

size_t window_given_up(struct window *w)
{
    size_t lines = w->given_up;
    w->given_up = 0;
    return lines;
}

/* Takes the next line out of the queue and numbers it; NULL: there is none. */
static struct entry *number_next(struct window *w)
{
    struct entry *e = queue_take(w->params.queue);
    if (!e)
        return NULL;
    w->bytes += e->bytes;
    e->seq = ++w->last_seq;
    list_add_tail(&w->lines, &e->link);
    if (w->unwritten == &w->lines)
        w->unwritten = &e->link;
    return e;
}

/* ---- to the daemon ---- */

/* Makes w->line of the entry; one that cannot be a line is given up. */
static bool encode(struct window *w, struct entry *e, uint64_t bias)
{
    e->seq -= bias;
    bool usable = entry_write(e, w->params.spool.session_id, &w->line);
    e->seq += bias;
    if (usable)
        return true;
    forget(w, e);
    w->given_up++;
    return false;
}

bool window_write(struct window *w, struct buf *out, size_t max)
{
    while (out->len < max && spool_has_unsent(&w->spool))
        w->given_up += spool_next(&w->spool, out);
    while (out->len < max) {
        if (w->unwritten == &w->lines && (w->bytes >= w->params.max_bytes || !number_next(w)))
            break;
        struct entry *e = entry_at(w->unwritten);
        w->unwritten = e->link.next;
        if (!encode(w, e, 0))
            continue;
        buf_add_span(out, buf_span(&w->line));
        buf_add_char(out, '\n');
    }
    return out->len > 0;
}

void window_begin(struct window *w, uint64_t last_seq)
{
    w->last_seq += last_seq;
    LIST_EACH (at, &w->lines)
        entry_at(at)->seq += last_seq;
    spool_learn(&w->spool, last_seq);
}

void window_repeat_end(struct window *w, uint64_t last_seq)
{
    if (w->last_seq < last_seq)
        w->last_seq = last_seq;
    if (list_empty(&w->lines))
        return;
    struct entry *last = entry_at(w->lines.prev);
    if (entry_ends_run(last) && last->seq <= last_seq)
        last->seq = ++w->last_seq;
}

void window_ack(struct window *w, uint64_t seq)
{
    spool_ack(&w->spool, seq);
    LIST_EACH_SAFE (at, &w->lines) {
        if (entry_at(at)->seq > seq)
            return;
        forget(w, entry_at(at));
    }
}

void window_rewind(struct window *w)
{
    spool_rewind(&w->spool);
    w->unwritten = w->lines.next;
}

/* ---- to the disk ---- */

/* The oldest lines as text, about a chunk of them, all sent or all unsent; answers how many. */
static size_t fill_chunk(struct window *w, uint64_t bias, uint64_t room, uint64_t *out_last_seq)
{
    size_t count = 0;
    buf_reset(&w->chunk);
    bool sent = w->unwritten != w->lines.next;
    LIST_EACH_SAFE (at, &w->lines) {
        if ((sent && at == w->unwritten) || w->chunk.len >= SPOOL_CHUNK_BYTES)
            break;
        uint64_t seq = entry_at(at)->seq;
        if (!encode(w, entry_at(at), bias))
            continue;
        if (w->chunk.len + w->line.len + 1 > room)
            break;
        buf_add_span(&w->chunk, buf_span(&w->line));
        buf_add_char(&w->chunk, '\n');
        *out_last_seq = seq;
        count++;
    }
    return buf_status(&w->chunk) == OK ? count : 0;
}

/* Moves a chunk of the oldest lines to the file; false when it takes none. */
static bool spill(struct window *w, uint64_t now_us)
{
    struct spool_chunk chunk = {0};
    uint64_t bias = spool_bias(&w->spool, now_us);
    uint64_t room = spool_room(&w->spool, now_us);
    bool sent = w->unwritten != w->lines.next;
    size_t count = room > 0 ? fill_chunk(w, bias, room, &chunk.last_seq) : 0;
    chunk.lines = (uint32_t)count;
    if (count == 0 || !spool_append(&w->spool, buf_span(&w->chunk), &chunk, sent, now_us))
        return false;
    LIST_EACH_SAFE (at, &w->lines) {
        if (count-- == 0)
            break;
        forget(w, entry_at(at));
    }
    return true;
}

/* Numbers a chunk's worth of what waits in the queue. */
static void take_some(struct window *w)
{
    size_t before = w->bytes;
    while (w->bytes - before < SPOOL_CHUNK_BYTES && number_next(w) != NULL)
        continue;
}

void window_relieve(struct window *w, uint64_t now_us)
{
    if (!queue_crowded(w->params.queue))
        return;
    for (int i = 0; i < RELIEF_CHUNKS; i++) {
        if (list_empty(&w->lines) && spool_room(&w->spool, now_us) >= SPOOL_CHUNK_BYTES)
            take_some(w);
        if (list_empty(&w->lines) || !spill(w, now_us))
            return;
    }
}

/* Gives up the oldest lines of one kind until `excess` bytes of text are saved. */
static uint64_t give_up(struct window *w, bool values, uint64_t excess)
{
    LIST_EACH_SAFE (at, &w->lines) {
        struct entry *e = entry_at(at);
        bool goes = values ? e->type == LINE_PROGRESS : !entry_ends_run(e);
        if (excess == 0 || !goes || !encode(w, e, 0))
            continue;
        excess -= w->line.len + 1 < excess ? w->line.len + 1 : excess;
        forget(w, e);
        w->given_up++;
    }
    return excess;
}

/* Bytes of all lines in memory as text. */
static uint64_t text_bytes(struct window *w)
{
    uint64_t bytes = 0;
    LIST_EACH_SAFE (at, &w->lines) {
        if (encode(w, entry_at(at), 0))
            bytes += w->line.len + 1;
    }
    return bytes;
}

/* Moves what fits to the file. */
static void move_all(struct window *w, uint64_t now_us)
{
    (void)spool_bias(&w->spool, now_us);
    uint64_t room = spool_room(&w->spool, now_us);
    uint64_t bytes = text_bytes(w);
    if (bytes > room)
        (void)give_up(w, false, give_up(w, true, bytes - room));
    while (!list_empty(&w->lines) && spill(w, now_us))
        continue;
}

void window_keep(struct window *w, uint64_t now_us)
{
    window_rewind(w);
    spool_last_words(&w->spool);
    while (number_next(w) != NULL)
        continue;
    if (!list_empty(&w->lines) && spool_room(&w->spool, now_us) > 0)
        move_all(w, now_us);
    spool_close(&w->spool);
}
