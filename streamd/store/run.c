/* SPDX-License-Identifier: MIT */
/*
 * A run, little-endian:
 *
 *     u32  CRC-32 of all that follows
 *     u8   version
 *     6 x  kind (u8) and, unless it is none, 8 bytes: loss, model_params, step, total_steps,
 *          current_model, total_models as they were before the first record
 *     u64  models_completed
 *     then for each record: wall_ms, elapsed_ms, axis (8 bytes each), length (u32), the line
 *
 * Lines and not decoded values: what the journal keeps is what the trainer said, keeping it costs
 * one copy, and a segment replaces it soon. The checksum covers the version too, so a newer form
 * and a damaged one are refused alike.
 */
#include "streamd/store/run.h"

#include <string.h>

#include <zlib.h>

enum {
    RUN_VERSION = 1,
    CHECKSUM_BYTES = 4,
    MARK_BYTES = 3 * 8 + 4,
    BYTE_BITS = 8,
};

static void put_uint(struct buf *b, uint64_t value, unsigned bytes)
{
    unsigned char out[sizeof(value)];
    for (unsigned i = 0; i < bytes; i++)
        out[i] = (unsigned char)(value >> (i * BYTE_BITS));
    buf_add(b, out, bytes);
}

/* False at the end of the bytes; *out untouched. */
static bool take_uint(struct span *rest, unsigned bytes, uint64_t *out)
{
    uint64_t value = 0;
    if (rest->len < bytes)
        return false;
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)(unsigned char)rest->ptr[i] << (i * BYTE_BITS);
    *rest = (struct span){rest->ptr + bytes, rest->len - bytes};
    *out = value;
    return true;
}

static void put_num(struct buf *b, struct num n)
{
    uint64_t bits;
    memcpy(&bits, &n.i, sizeof(bits));
    put_uint(b, n.kind, 1);
    if (n.kind != NUM_NONE)
        put_uint(b, bits, sizeof(bits));
}

static bool take_num(struct span *rest, struct num *out)
{
    uint64_t kind;
    uint64_t bits = 0;
    if (!take_uint(rest, 1, &kind) || kind > NUM_FLOAT)
        return false;
    if (kind != NUM_NONE && !take_uint(rest, sizeof(bits), &bits))
        return false;
    *out = (struct num){.kind = (enum num_kind)kind};
    memcpy(&out->i, &bits, sizeof(bits));
    return true;
}

/* The numbers of a memory in the order in which they are kept. */
static struct num *memory_at(struct record_memory *m, unsigned i)
{
    struct num *const all[] = {&m->loss,        &m->model_params,  &m->step,
                               &m->total_steps, &m->current_model, &m->total_models};
    return i < sizeof(all) / sizeof(all[0]) ? all[i] : NULL;
}

static bool take_memory(struct span *rest, struct record_memory *out)
{
    struct num *n;
    record_memory_init(out);
    for (unsigned i = 0; (n = memory_at(out, i)) != NULL; i++) {
        if (!take_num(rest, n))
            return false;
    }
    return take_uint(rest, sizeof(out->models_completed), &out->models_completed);
}

static uint32_t checksum(struct span bytes)
{
    return (uint32_t)crc32_z(0, (const unsigned char *)bytes.ptr, bytes.len);
}

void run_begin(struct buf *run, const struct record_memory *before)
{
    struct record_memory memory = *before;
    const struct num *n;
    put_uint(run, 0, CHECKSUM_BYTES);
    put_uint(run, RUN_VERSION, 1);
    for (unsigned i = 0; (n = memory_at(&memory, i)) != NULL; i++)
        put_num(run, *n);
    put_uint(run, memory.models_completed, sizeof(memory.models_completed));
}

void run_add(struct buf *run, struct run_mark mark, struct span line)
{
    if (buf_reserve(run, MARK_BYTES + line.len) != OK)
        return;
    put_uint(run, (uint64_t)mark.wall_ms, sizeof(mark.wall_ms));
    put_uint(run, mark.elapsed_ms, sizeof(mark.elapsed_ms));
    put_uint(run, mark.axis, sizeof(mark.axis));
    put_uint(run, line.len, sizeof(uint32_t));
    buf_add_span(run, line);
}

void run_end(struct buf *run)
{
    if (buf_status(run) != OK)
        return;
    uint32_t sum = checksum((struct span){run->ptr + CHECKSUM_BYTES, run->len - CHECKSUM_BYTES});
    for (unsigned i = 0; i < CHECKSUM_BYTES; i++)
        run->ptr[i] = (char)(unsigned char)(sum >> (i * BYTE_BITS));
}

void run_complete(struct record *r, struct record_memory *memory, struct run_mark mark)
{
    record_complete(r, memory, (double)mark.elapsed_ms / 1000.0, (double)mark.wall_ms / 1000.0);
}

enum status run_open(struct run_reader *r, struct span run, uint64_t first,
                     struct line_decoder *decoder)
{
    struct run_reader open = {.rest = run, .offset = first, .decoder = decoder};
    uint64_t sum;
    uint64_t version;
    if (!take_uint(&open.rest, CHECKSUM_BYTES, &sum) || sum != checksum(open.rest))
        return E_MALFORMED;
    if (!take_uint(&open.rest, 1, &version) || version != RUN_VERSION)
        return E_MALFORMED;
    if (!take_memory(&open.rest, &open.memory))
        return E_MALFORMED;
    *r = open;
    return OK;
}

static bool take_mark(struct span *rest, struct run_mark *out, struct span *out_line)
{
    uint64_t wall_ms;
    uint64_t len;
    if (!take_uint(rest, sizeof(wall_ms), &wall_ms) ||
        !take_uint(rest, sizeof(out->elapsed_ms), &out->elapsed_ms) ||
        !take_uint(rest, sizeof(out->axis), &out->axis) ||
        !take_uint(rest, sizeof(uint32_t), &len) || len > rest->len)
        return false;
    out->wall_ms = (int64_t)wall_ms;
    *out_line = (struct span){rest->ptr, (size_t)len};
    *rest = (struct span){rest->ptr + len, rest->len - (size_t)len};
    return true;
}

enum status run_next(struct run_reader *r, struct series_entry *out)
{
    struct span rest = r->rest;
    struct run_mark mark;
    struct span text;
    struct line line;
    struct line_error error;
    if (rest.len == 0)
        return E_NOT_FOUND;
    if (!take_mark(&rest, &mark, &text))
        return E_MALFORMED;
    enum status status = line_decode(r->decoder, text, &line, &error);
    if (status != OK)
        return status == E_NOMEM ? E_NOMEM : E_MALFORMED;
    if (line.type != LINE_PROGRESS && line.type != LINE_EPOCH)
        return E_MALFORMED;
    run_complete(&line.record, &r->memory, mark);
    r->rest = rest;
    *out = (struct series_entry){.offset = r->offset++,
                                 .server_time_s = (double)mark.wall_ms / 1000.0,
                                 .axis = mark.axis,
                                 .record = line.record};
    return OK;
}
