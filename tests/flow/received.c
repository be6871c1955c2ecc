/* SPDX-License-Identifier: MIT */
#include "tests/flow/received.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

enum { PAYLOAD_LIMIT = 64 << 20 };

static uint64_t big_endian(const unsigned char *p, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | p[i];
    return value;
}

static void inflate_payload(z_stream *z, struct span deflated, struct buf *out)
{
    static const char tail[] = {0, 0, (char)0xff, (char)0xff};
    struct buf in;
    buf_init(&in, PAYLOAD_LIMIT);
    buf_add_span(&in, deflated);
    buf_add(&in, tail, sizeof(tail));
    z->next_in = (Bytef *)in.ptr;
    z->avail_in = (uInt)in.len;
    do {
        assert_int_equal(buf_reserve(out, 4096), OK);
        z->next_out = (Bytef *)out->ptr + out->len;
        z->avail_out = 4096;
        assert_int_equal(inflate(z, Z_SYNC_FLUSH), Z_OK);
        out->len += 4096 - z->avail_out;
    } while (z->avail_out == 0);
    assert_int_equal(z->avail_in, 0);
    buf_fini(&in);
}

/* The length of the header, and of the payload; 0 when the header has not come. */
static size_t read_header(struct span wire, size_t *payload)
{
    const unsigned char *p = (const unsigned char *)wire.ptr;
    if (wire.len < 2)
        return 0;
    size_t extra = p[1] == 126 ? 2 : p[1] == 127 ? 8 : 0;
    if (wire.len < 2 + extra)
        return 0;
    *payload = extra ? (size_t)big_endian(p + 2, extra) : p[1];
    assert_true(extra != 2 || *payload > 125); /* the shortest form, RFC 6455 5.2 */
    assert_true(extra != 8 || *payload > 65535);
    return 2 + extra;
}

bool frame_take(struct buf *wire, z_stream *inflater, struct frame *out)
{
    size_t payload = 0;
    size_t header = read_header(buf_span(wire), &payload);
    if (header == 0 || wire->len < header + payload)
        return false;
    unsigned char first = (unsigned char)wire->ptr[0];
    *out = (struct frame){.op = first & 0x0f, .compressed = first & 0x40};
    assert_true(first & 0x80);                               /* FIN: we never fragment */
    assert_int_equal(first & 0x30, 0);                       /* RSV2, RSV3 */
    assert_int_equal((unsigned char)wire->ptr[1] & 0x80, 0); /* a server does not mask */
    assert_true(!out->compressed || (inflater && out->op < WS_CLOSE));
    buf_init(&out->payload, PAYLOAD_LIMIT);
    struct span bytes = {wire->ptr + header, payload};
    if (out->compressed)
        inflate_payload(inflater, bytes, &out->payload);
    else
        buf_add_span(&out->payload, bytes);
    assert_int_equal(buf_status(&out->payload), OK);
    buf_consume(wire, header + payload);
    return true;
}

struct span http_answer_header(const struct http_answer *a, const char *name)
{
    struct span rest = buf_span(&a->head);
    size_t len = strlen(name);
    while (rest.ptr) {
        struct span line = span_cut(&rest, '\n');
        if (line.len > len && line.ptr[len] == ':' &&
            span_is_nocase((struct span){line.ptr, len}, name))
            return span_trim((struct span){line.ptr + len + 1, line.len - len - 1});
    }
    return (struct span){NULL, 0};
}

static void read_status(struct http_answer *a)
{
    uint64_t status = 0;
    struct span line = buf_span(&a->head);
    assert_true(span_starts(line, SPAN("HTTP/1.1 ")) && line.len > 12);
    assert_true(span_u64((struct span){line.ptr + 9, 3}, &status));
    a->status = (int)status;
}

/* The bytes of a chunked body at the front of `rest`, or 0 while its last chunk has not come. */
static size_t take_chunks(struct span rest, struct buf *body)
{
    size_t at = 0;
    for (;;) {
        char *end;
        const char *line_end = memmem(rest.ptr + at, rest.len - at, "\r\n", 2);
        if (!line_end)
            return 0;
        size_t size = strtoul(rest.ptr + at, &end, 16);
        assert_ptr_equal(end, line_end);
        at = (size_t)(line_end - rest.ptr) + 2;
        if (rest.len - at < size + 2)
            return 0;
        buf_add(body, rest.ptr + at, size);
        at += size;
        assert_memory_equal(rest.ptr + at, "\r\n", 2);
        at += 2;
        if (size == 0)
            return at;
    }
}

/* The bytes of the body at the front of `rest`; false while it has not all come. */
static bool take_body(struct http_answer *a, struct span rest, size_t *out_bytes)
{
    uint64_t length = 0;
    struct span text = http_answer_header(a, "content-length");
    a->has_length = text.ptr && span_u64(text, &length);
    if (span_is(http_answer_header(a, "transfer-encoding"), "chunked")) {
        *out_bytes = take_chunks(rest, &a->body);
        return *out_bytes > 0;
    }
    if (rest.len < length)
        return false;
    buf_add(&a->body, rest.ptr, (size_t)length);
    *out_bytes = (size_t)length;
    return true;
}

bool http_answer_take(struct buf *wire, bool body_left_out, struct http_answer *out)
{
    const char *end = wire->len ? memmem(wire->ptr, wire->len, "\r\n\r\n", 4) : NULL;
    if (!end)
        return false;
    size_t head = (size_t)(end - wire->ptr) + 4;
    size_t body = 0;
    *out = (struct http_answer){0};
    buf_init(&out->head, PAYLOAD_LIMIT);
    buf_init(&out->body, PAYLOAD_LIMIT);
    buf_add(&out->head, wire->ptr, head);
    read_status(out);
    if (!take_body(out, (struct span){wire->ptr + head, wire->len - head}, &body) &&
        !body_left_out) {
        http_answer_fini(out);
        return false;
    }
    if (body_left_out)
        buf_reset(&out->body);
    buf_consume(wire, body_left_out ? head : head + body);
    return true;
}

void http_answer_fini(struct http_answer *a)
{
    buf_fini(&a->head);
    buf_fini(&a->body);
}

static void read_field(struct sse_block *b, struct span line)
{
    struct span value = line;
    struct span name = span_cut(&value, ':');
    value = span_trim(value);
    if (span_is(name, "event"))
        b->event = value;
    else if (span_is(name, "data"))
        b->data = value;
    else if (span_is(name, "id"))
        assert_true(span_u64(value, &b->id));
    else
        assert_int_equal(name.len, 0); /* a comment */
}

bool sse_block_take(struct buf *wire, struct sse_block *out)
{
    const char *end = wire->len ? memmem(wire->ptr, wire->len, "\n\n", 2) : NULL;
    if (!end)
        return false;
    size_t len = (size_t)(end - wire->ptr);
    *out = (struct sse_block){.id = 0};
    buf_init(&out->text, PAYLOAD_LIMIT);
    buf_add(&out->text, wire->ptr, len);
    buf_consume(wire, len + 2);
    struct span rest = buf_span(&out->text);
    while (rest.ptr)
        read_field(out, span_cut(&rest, '\n'));
    return true;
}
