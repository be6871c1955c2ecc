/* SPDX-License-Identifier: MIT */
/* event_bytes: event files written by hand, a message and a frame at a time. */
#ifndef TESTS_STREAMD_EVENT_BYTES_H
#define TESTS_STREAMD_EVENT_BYTES_H

#include "proto/logs/tfrecord.h"
#include "proto/varint.h"

#include <string.h>

static inline void put_bytes(struct buf *b, unsigned field, struct span bytes)
{
    varint_put(b, field << 3 | 2);
    varint_put(b, bytes.len);
    buf_add_span(b, bytes);
}

static inline void put_varint(struct buf *b, unsigned field, uint64_t value)
{
    varint_put(b, field << 3);
    varint_put(b, value);
}

static inline void put_fixed32(struct buf *b, unsigned field, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    varint_put(b, field << 3 | 5);
    word_put(b, bits, 4);
}

static inline void put_fixed64(struct buf *b, unsigned field, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    varint_put(b, field << 3 | 1);
    word_put(b, bits, 8);
}

/* A frame around the data. */
static inline void put_record(struct buf *b, struct span data)
{
    size_t at = b->len;
    word_put(b, data.len, 8);
    word_put(b, tfrecord_checksum((struct span){b->ptr + at, 8}), 4);
    buf_add_span(b, data);
    word_put(b, tfrecord_checksum(data), 4);
}

/* An event of one number. */
static inline void put_event(struct buf *b, double wall_s, int64_t step, const char *tag,
                             float value)
{
    struct buf event;
    struct buf summary;
    struct buf one;
    buf_init(&event, 4096);
    buf_init(&summary, 4096);
    buf_init(&one, 4096);
    put_bytes(&one, 1, span_of(tag));
    put_fixed32(&one, 2, value);
    put_bytes(&summary, 1, buf_span(&one));
    put_fixed64(&event, 1, wall_s);
    put_varint(&event, 2, (uint64_t)step);
    put_bytes(&event, 5, buf_span(&summary));
    put_record(b, buf_span(&event));
    buf_fini(&event);
    buf_fini(&summary);
    buf_fini(&one);
}

#endif
