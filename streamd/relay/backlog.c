/* SPDX-License-Identifier: MIT */
/*
 * Whatever is in the file is older than what is in memory, but for lines without a number: they
 * wait in memory until the file is through, since a file could not say whether one was sent.
 *
 * How much is under way is known from marks, a batch each, because the file's lines are not looked
 * at one by one.
 */
#include "streamd/relay/backlog.h"

#include "proto/line.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK_LIMIT = BACKLOG_BATCH + LINE_BYTES_MAX + 64 };

struct held {
    struct list link;
    uint64_t seq; /* 0: none */
    uint32_t head;
    uint32_t len;
    bool starts; /* seq is the one of the line before */
    char text[]; /* head, then tail */
};

void backlog_init(struct backlog *b, const struct spool_params *params)
{
    *b = (struct backlog){.lost = 0};
    spool_init(&b->spool, params);
    list_init(&b->lines);
    b->unwritten = &b->lines;
    buf_init(&b->chunk, CHUNK_LIMIT);
}

static struct held *held_at(struct list *link)
{
    return LIST_ENTRY(link, struct held, link);
}

static size_t bytes_of(const struct held *h)
{
    return sizeof(*h) + h->len;
}

static void forget(struct backlog *b, struct held *h)
{
    if (b->unwritten == &h->link)
        b->unwritten = h->link.next;
    b->bytes -= bytes_of(h);
    b->count--;
    list_remove(&h->link);
    free(h);
}

void backlog_fini(struct backlog *b)
{
    LIST_EACH_SAFE (at, &b->lines) {
        forget(b, held_at(at));
    }
    spool_fini(&b->spool);
    buf_fini(&b->chunk);
}

bool backlog_reopen(struct backlog *b, struct leftover *from)
{
    if (!spool_reopen(&b->spool, from))
        return false;
    b->last_seq = b->kept = spool_last_seq(&b->spool);
    return true;
}

enum status backlog_add(struct backlog *b, struct span head, struct span tail, uint64_t seq)
{
    struct held *h = malloc(sizeof(*h) + head.len + tail.len);
    if (!h)
        return E_NOMEM;
    *h = (struct held){.seq = seq, .head = (uint32_t)head.len};
    h->len = (uint32_t)(head.len + tail.len);
    h->starts = seq != 0 && seq == b->last_seq;
    memcpy(h->text, head.ptr, head.len);
    memcpy(h->text + head.len, tail.ptr, tail.len);
    list_add_tail(&b->lines, &h->link);
    if (b->unwritten == &b->lines)
        b->unwritten = &h->link;
    b->bytes += bytes_of(h);
    b->count++;
    b->last_seq = seq > b->last_seq ? seq : b->last_seq;
    return OK;
}

bool backlog_take_back(struct backlog *b, uint64_t last_seq)
{
    struct list *last = list_empty(&b->lines) ? NULL : b->lines.prev;
    if (!last || b->unwritten == &b->lines || held_at(last)->seq <= last_seq)
        return false;
    forget(b, held_at(last));
    b->last_seq = last_seq;
    return true;
}

static void write_line(const struct held *h, uint64_t bias, struct buf *out)
{
    buf_add(out, h->text, h->head);
    if (h->seq > 0) {
        buf_add_str(out, ",\"seq\":");
        buf_add_u64(out, h->seq - bias);
    }
    buf_add(out, h->text + h->head, h->len - h->head);
    buf_add_char(out, '\n');
}

/* ---- to the hub ---- */

static void mark(struct backlog *b, uint64_t last_seq, size_t bytes)
{
    b->marks[(b->oldest + b->marked) % BACKLOG_MARKS] = (struct backlog_mark){last_seq, bytes};
    b->marked++;
    b->under_way += bytes;
}

/* The next chunk of the file, or a batch of memory; answers the last number in it, 0 for none. */
static uint64_t give_out(struct backlog *b, struct buf *out)
{
    uint64_t last = 0;
    if (spool_has_unsent(&b->spool)) {
        last = b->spool.chunks[b->spool.unsent].last_seq;
        b->lost += spool_next(&b->spool, out);
        return last;
    }
    size_t before = out->len;
    while (b->unwritten != &b->lines && out->len - before < BACKLOG_BATCH) {
        struct held *h = held_at(b->unwritten);
        b->unwritten = h->link.next;
        last = h->seq > 0 ? h->seq : last;
        write_line(h, 0, out);
        if (h->seq == 0)
            forget(b, h);
    }
    return last;
}

bool backlog_next(struct backlog *b, struct buf *out)
{
    bool any = spool_has_unsent(&b->spool) || b->unwritten != &b->lines;
    if (!any || b->under_way >= BACKLOG_UNDER_WAY_MAX || b->marked == BACKLOG_MARKS)
        return false;
    size_t before = out->len;
    uint64_t last_seq = give_out(b, out);
    if (last_seq > b->acked)
        mark(b, last_seq, out->len - before);
    return true;
}

void backlog_ack(struct backlog *b, uint64_t seq)
{
    b->acked = seq > b->acked ? seq : b->acked;
    b->last_seq = seq > b->last_seq ? seq : b->last_seq;
    spool_ack(&b->spool, seq);
    LIST_EACH_SAFE (at, &b->lines) {
        struct held *h = held_at(at);
        bool pending = at == b->unwritten && (h->seq == 0 || h->starts);
        if (h->seq > seq || pending)
            break;
        forget(b, h);
    }
    while (b->marked > 0 && b->marks[b->oldest].last_seq <= seq) {
        b->under_way -= b->marks[b->oldest].bytes;
        b->oldest = (b->oldest + 1) % BACKLOG_MARKS;
        b->marked--;
    }
}

void backlog_learn(struct backlog *b, uint64_t base)
{
    b->last_seq += base;
    b->kept += b->kept > 0 ? base : 0;
    LIST_EACH (at, &b->lines)
        held_at(at)->seq += held_at(at)->seq > 0 ? base : 0;
    spool_learn(&b->spool, base);
}

static void forget_marks(struct backlog *b)
{
    b->oldest = b->marked = b->under_way = 0;
}

void backlog_rewind(struct backlog *b)
{
    spool_rewind(&b->spool);
    b->unwritten = b->lines.next;
    forget_marks(b);
}

/* ---- to the disk ---- */

/* The first numbered line; NULL: none. */
static struct held *first_numbered(struct backlog *b)
{
    LIST_EACH (at, &b->lines) {
        if (held_at(at)->seq > 0)
            return held_at(at);
    }
    return NULL;
}

/* Fills b->chunk from the oldest numbered lines, all written or all unwritten. */
static void fill_chunk(struct backlog *b, uint64_t bias, bool sent, struct spool_chunk *chunk)
{
    buf_reset(&b->chunk);
    LIST_EACH (at, &b->lines) {
        struct held *h = held_at(at);
        if ((sent && at == b->unwritten) || b->chunk.len >= BACKLOG_BATCH)
            break;
        if (h->seq == 0)
            continue;
        write_line(h, bias, &b->chunk);
        chunk->last_seq = h->seq;
        chunk->lines++;
    }
}

/* Moves one chunk; false when the file takes none. */
static bool spill(struct backlog *b, uint64_t now_us)
{
    struct spool_chunk chunk = {.lines = 0};
    uint64_t bias = spool_bias(&b->spool, now_us);
    bool sent = b->unwritten != b->lines.next;
    fill_chunk(b, bias, sent, &chunk);
    if (buf_status(&b->chunk) != OK || b->chunk.len > spool_room(&b->spool, now_us) ||
        !spool_append(&b->spool, buf_span(&b->chunk), &chunk, sent, now_us))
        return false;
    uint32_t left = chunk.lines;
    LIST_EACH_SAFE (at, &b->lines) {
        if (left == 0)
            break;
        if (held_at(at)->seq == 0)
            continue;
        forget(b, held_at(at));
        left--;
    }
    return true;
}

bool backlog_keep(struct backlog *b, uint64_t now_us)
{
    bool good = true;
    while (good && first_numbered(b))
        good = spill(b, now_us);
    if (!spool_sync(&b->spool, now_us))
        return false;
    uint64_t last = spool_last_seq(&b->spool);
    b->kept = last > b->kept ? last : b->kept;
    return good;
}

size_t backlog_give_up(struct backlog *b)
{
    size_t before = backlog_lines(b);
    uint64_t last =
        b->marked > 0 ? b->marks[(b->oldest + b->marked - 1) % BACKLOG_MARKS].last_seq : b->acked;
    backlog_ack(b, last);
    return before - backlog_lines(b);
}

uint64_t backlog_durable(const struct backlog *b)
{
    return b->kept > b->acked ? b->kept : b->acked;
}

bool backlog_empty(const struct backlog *b)
{
    return b->count == 0 && b->spool.first == b->spool.count;
}

size_t backlog_lines(const struct backlog *b)
{
    return b->count + spool_lines(&b->spool);
}

size_t backlog_take_lost(struct backlog *b)
{
    size_t lost = b->lost;
    b->lost = 0;
    return lost;
}
