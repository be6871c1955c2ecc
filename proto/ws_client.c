/* SPDX-License-Identifier: MIT */
#include "proto/ws_client.h"

#include <string.h>

enum { MASK_BIT = 0x80, LOW_BITS = 0x7f, RSV_BITS = 0x70, LENGTH_16 = 126, LENGTH_64 = 127 };

void ws_client_request(struct buf *b, const struct ws_request *r)
{
    buf_add_str(b, "GET ");
    buf_add_span(b, r->path);
    buf_add_str(b, " HTTP/1.1\r\nHost: ");
    buf_add_span(b, r->host);
    buf_add_str(b, "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13"
                   "\r\nSec-WebSocket-Key: ");
    buf_add_span(b, r->key);
    if (r->token.len > 0) {
        buf_add_str(b, "\r\nAuthorization: Bearer ");
        buf_add_span(b, r->token);
    }
    buf_add_str(b, "\r\n\r\n");
}

/* The value of a header, trimmed; empty when there is none of that name. */
static struct span find_header(struct span head, const char *name)
{
    while (head.len > 0) {
        struct span value = span_cut(&head, '\n');
        struct span field = span_cut(&value, ':');
        if (value.ptr && span_is_nocase(field, name))
            return span_trim(value);
    }
    return (struct span){NULL, 0};
}

static unsigned read_status(struct span head)
{
    uint64_t status = 0;
    struct span line = span_cut(&head, '\r');
    if (!span_starts(line, SPAN("HTTP/1.1 ")) || line.len < 12 ||
        !span_u64((struct span){line.ptr + 9, 3}, &status))
        return 0;
    return (unsigned)status;
}

enum ws_answer ws_client_answer(struct span bytes, struct span accept, unsigned *out_status,
                                size_t *out_used)
{
    struct span head = bytes;
    *out_status = 0;
    while (head.len > 3 && memcmp(head.ptr, "\r\n\r\n", 4) != 0)
        head = (struct span){head.ptr + 1, head.len - 1};
    if (head.len <= 3)
        return bytes.len > WS_HEAD_MAX ? WS_ANSWER_REFUSED : WS_ANSWER_PARTIAL;
    size_t len = (size_t)(head.ptr - bytes.ptr);
    head = (struct span){bytes.ptr, len};
    *out_status = read_status(head);
    if (*out_status != 101 || !span_is_nocase(find_header(head, "Upgrade"), "websocket") ||
        !span_eq(find_header(head, "Sec-WebSocket-Accept"), accept))
        return WS_ANSWER_REFUSED;
    *out_used = len + 4;
    return WS_ANSWER_ACCEPTED;
}

void ws_client_frame(struct buf *b, enum ws_opcode op, const unsigned char mask[WS_MASK_BYTES],
                     struct span payload)
{
    unsigned char head[WS_HEADER_MAX];
    size_t len = wsframe_header(head, op, false, payload.len);
    head[1] |= MASK_BIT;
    if (buf_reserve(b, len + WS_MASK_BYTES + payload.len) != OK)
        return;
    buf_add(b, head, len);
    buf_add(b, mask, WS_MASK_BYTES);
    size_t at = b->len;
    buf_add_span(b, payload);
    for (size_t i = 0; i < payload.len; i++)
        b->ptr[at + i] = (char)((unsigned char)b->ptr[at + i] ^ mask[i % WS_MASK_BYTES]);
}

static uint64_t big_endian(const unsigned char *bytes, size_t count)
{
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++)
        value = value << 8 | bytes[i];
    return value;
}

static bool known(unsigned op)
{
    return op <= WS_BINARY || (op >= WS_CLOSE && op <= WS_PONG);
}

enum ws_read ws_client_read(struct span bytes, size_t max, struct ws_frame *out)
{
    const unsigned char *at = (const unsigned char *)bytes.ptr;
    if (bytes.len < 2)
        return WS_READ_MORE;
    if (at[0] & RSV_BITS || !known(at[0] & 0x0f) || at[1] & MASK_BIT)
        return WS_READ_BAD;
    uint64_t len = at[1] & LOW_BITS;
    size_t head = len == LENGTH_16 ? 4 : len == LENGTH_64 ? 10 : 2;
    if (bytes.len < head)
        return WS_READ_MORE;
    if (head > 2)
        len = big_endian(at + 2, head - 2);
    if (len > max)
        return WS_READ_BAD;
    if (bytes.len - head < len)
        return WS_READ_MORE;
    *out = (struct ws_frame){
        (enum ws_opcode)(at[0] & 0x0f), {bytes.ptr + head, (size_t)len}, head + (size_t)len};
    return WS_READ_FRAME;
}
