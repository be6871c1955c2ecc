/* SPDX-License-Identifier: MIT */
/*
 * The announcement is copied once, into the same allocation as the book-keeping, and decoded from
 * there: so its spans hold until the packet is whole, however the attachments' buf moves. The
 * placeholders are checked before the first attachment is awaited; a peer cannot make us collect
 * bytes for a packet that is bad already.
 *
 * A placeholder is {"_placeholder":true,"num":N}, its members in either order. Any other object
 * with a member _placeholder is refused rather than taken for data: other readers would take it
 * for a placeholder.
 */
#include "proto/sio_reader.h"

#include "proto/json_scan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct sio_held {
    struct sio_packet packet; /* borrows from `text` */
    struct buf bytes;         /* the attachments so far, end to end */
    size_t ends[SIO_ATTACHMENTS_MAX];
    unsigned count; /* attachments in `bytes` */
    char text[];
};

void sio_reader_init(struct sio_reader *r, size_t max_bytes, unsigned max_attachments)
{
    assert(max_bytes > 0 && max_attachments <= SIO_ATTACHMENTS_MAX);
    *r = (struct sio_reader){.max_bytes = max_bytes, .max_attachments = max_attachments};
}

void sio_reader_fini(struct sio_reader *r)
{
    if (r->held)
        buf_fini(&r->held->bytes);
    free(r->held);
    r->held = NULL;
}

static bool awaits_more(const struct sio_reader *r)
{
    return r->held && r->held->count < r->held->packet.attachments;
}

static enum sio_progress fail(struct sio_reader *r, const char *why, const char **out_why)
{
    sio_reader_fini(r);
    *out_why = why;
    return SIO_ERROR;
}

/* Reads the members of an object just begun; true when they make it a placeholder. */
static bool read_placeholder(struct json_scan *scan, uint64_t *out_num)
{
    bool marked = false;
    bool numbered = false;
    for (int member = 0; member < 2; member++) {
        struct json_value key;
        struct json_value value;
        if (json_next(scan, &key) != JSON_KEY)
            return false;
        enum json_token token = json_next(scan, &value);
        if (token == JSON_TRUE && span_is(key.raw, "_placeholder"))
            marked = true;
        else if (token == JSON_NUMBER && span_is(key.raw, "num"))
            numbered = span_u64(value.raw, out_num);
    }
    struct json_value end;
    return marked && numbered && json_next(scan, &end) == JSON_OBJECT_END;
}

/* Does the data name each of its `attachments` exactly once? */
static bool placeholders_fit(struct span data, unsigned attachments)
{
    unsigned seen = 0; /* bit n: placeholder n was met */
    struct json_scan scan;
    struct json_value value;
    json_scan_init(&scan, data, JSON_STRICT);
    for (;;) {
        enum json_token token = json_next(&scan, &value);
        if (token == JSON_END)
            return seen == (1U << attachments) - 1;
        if (token == JSON_ERROR || (token == JSON_KEY && span_is(value.raw, "_placeholder")))
            return false;
        struct json_scan ahead = scan;
        uint64_t num;
        if (token != JSON_OBJECT_BEGIN || !read_placeholder(&ahead, &num))
            continue;
        if (num >= attachments || (seen & 1U << num))
            return false;
        seen |= 1U << num;
        scan = ahead;
    }
}

/* Keeps an announcement that was found good until its attachments have come. */
static enum sio_progress hold(struct sio_reader *r, struct span text, const char **out_why)
{
    if (text.len == r->max_bytes)
        return fail(r, "the packet is too large", out_why);
    r->held = malloc(sizeof(*r->held) + text.len);
    if (!r->held)
        return fail(r, "out of memory", out_why);
    *r->held = (struct sio_held){0};
    buf_init(&r->held->bytes, r->max_bytes - text.len);
    memcpy(r->held->text, text.ptr, text.len);
    struct span copy = {r->held->text, text.len};
    if (sio_decode(copy, &r->held->packet, out_why) != OK)
        return fail(r, *out_why, out_why);
    return SIO_NEED_MORE;
}

enum sio_progress sio_reader_text(struct sio_reader *r, struct span text, struct sio_message *out,
                                  const char **out_why)
{
    struct sio_packet packet;
    if (awaits_more(r))
        return fail(r, "text where an attachment was announced", out_why);
    sio_reader_fini(r);
    if (text.len > r->max_bytes)
        return fail(r, "the packet is too large", out_why);
    if (sio_decode(text, &packet, out_why) != OK)
        return SIO_ERROR;
    if (packet.attachments == 0) {
        *out = (struct sio_message){.packet = packet};
        return SIO_PACKET;
    }
    if (packet.attachments > r->max_attachments)
        return fail(r, "too many attachments", out_why);
    if (!placeholders_fit(packet.data, packet.attachments))
        return fail(r, "the placeholders do not fit the attachments", out_why);
    return hold(r, text, out_why);
}

static struct sio_message whole_message(const struct sio_held *held)
{
    struct sio_message message = {.packet = held->packet};
    size_t start = 0;
    for (unsigned i = 0; i < held->count; i++) {
        size_t len = held->ends[i] - start;
        const char *ptr = len > 0 ? held->bytes.ptr + start : NULL;
        message.attachments[i] = (struct span){ptr, len};
        start = held->ends[i];
    }
    return message;
}

enum sio_progress sio_reader_binary(struct sio_reader *r, struct span bytes,
                                    struct sio_message *out, const char **out_why)
{
    if (!awaits_more(r))
        return fail(r, "an attachment that was not announced", out_why);
    struct sio_held *held = r->held;
    buf_add_span(&held->bytes, bytes);
    if (buf_status(&held->bytes) == E_LIMIT)
        return fail(r, "the packet is too large", out_why);
    if (buf_status(&held->bytes) != OK)
        return fail(r, "out of memory", out_why);
    held->ends[held->count++] = held->bytes.len;
    if (held->count < held->packet.attachments)
        return SIO_NEED_MORE;
    *out = whole_message(held);
    return SIO_PACKET;
}
