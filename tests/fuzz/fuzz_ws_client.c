/* SPDX-License-Identifier: MIT */
/*
 * What a hub, or whoever sits in its place, may send a relay: any bytes are taken apart alike
 * whether they come whole or cut, and nothing is read beyond them. What we frame ourselves is, once
 * unmasked, a frame that is read back.
 */
#include "proto/ws_client.h"
#include "tests/fuzz/fuzz.h"

enum { MOST = 4096 };

static void take_apart(struct span rest)
{
    struct ws_frame whole;
    enum ws_read read;
    while ((read = ws_client_read(rest, MOST, &whole)) == WS_READ_FRAME) {
        CHECK(whole.bytes <= rest.len && whole.payload.len <= MOST);
        CHECK(whole.payload.ptr + whole.payload.len == rest.ptr + whole.bytes);
        for (size_t cut = 0; cut < whole.bytes; cut += cut < 16 ? 1 : 97) {
            struct ws_frame part;
            CHECK(ws_client_read((struct span){rest.ptr, cut}, MOST, &part) == WS_READ_MORE);
        }
        rest = (struct span){rest.ptr + whole.bytes, rest.len - whole.bytes};
    }
}

static void frame_and_read_back(struct span payload)
{
    static const unsigned char none[WS_MASK_BYTES] = {0};
    struct ws_frame frame;
    struct buf b;
    buf_init(&b, 1 << 20);
    ws_client_frame(&b, WS_BINARY, none, payload);
    CHECK(buf_status(&b) == OK && (b.ptr[1] & 0x80) != 0);
    b.ptr[1] &= 0x7f; /* unmasked, and without the mask it is a server's */
    size_t head = b.len - payload.len - WS_MASK_BYTES;
    struct buf served;
    buf_init(&served, 1 << 20);
    buf_add(&served, b.ptr, head);
    buf_add_span(&served, payload);
    CHECK(ws_client_read(buf_span(&served), 1 << 20, &frame) == WS_READ_FRAME);
    CHECK(span_eq(frame.payload, payload) && frame.bytes == served.len);
    buf_fini(&served);
    buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span bytes = {(const char *)data, size};
    unsigned status;
    size_t used = 0;
    if (ws_client_answer(bytes, SPAN("x"), &status, &used) == WS_ANSWER_ACCEPTED)
        CHECK(used <= size && status == 101);
    take_apart(bytes);
    frame_and_read_back(bytes);
    return 0;
}
