/* SPDX-License-Identifier: MIT */
/*
 * Engine.IO: any text as a frame and as a payload. What a payload gives, written again and read
 * again, is the same.
 */
#include "proto/eio.h"
#include "proto/json_text.h"
#include "tests/fuzz/fuzz.h"

enum { PACKETS_MAX = 64, BYTES_MAX = 1 << 20 };

static void check_packet(const struct eio_packet *p)
{
    CHECK(p->type <= EIO_NOOP && (!p->binary || p->type == EIO_MESSAGE));
    CHECK(p->binary || json_utf8_valid(p->data));
}

static void write_again(const struct eio_packet *p, struct buf *again)
{
    struct buf text;
    if (p->binary) {
        eio_payload_add_binary(again, p->data);
        return;
    }
    buf_init(&text, BYTES_MAX);
    eio_write_text(&text, p->type, p->data);
    eio_payload_add_text(again, buf_span(&text));
    buf_fini(&text);
}

/* Reads a payload and writes it again; E_NOT_FOUND when it was read to its end. */
static enum status read_payload(struct span payload, struct buf *again)
{
    struct eio_payload reader;
    struct eio_packet packet;
    struct buf scratch;
    buf_init(&scratch, BYTES_MAX);
    enum status status = eio_payload_init(&reader, payload, PACKETS_MAX, &scratch);
    for (unsigned n = 0; status == OK; n++) {
        CHECK(n <= PACKETS_MAX);
        status = eio_payload_next(&reader, &packet);
        if (status != OK)
            break;
        check_packet(&packet);
        write_again(&packet, again);
    }
    buf_fini(&scratch);
    return status;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct span text = {(const char *)data, size};
    struct eio_packet packet;
    struct buf once;
    struct buf twice;
    if (eio_decode(text, &packet) == OK)
        CHECK(packet.data.len == size - 1 && !packet.binary);
    buf_init(&once, BYTES_MAX);
    buf_init(&twice, BYTES_MAX);
    if (read_payload(text, &once) == E_NOT_FOUND) {
        CHECK(buf_status(&once) == OK && json_utf8_valid(text));
        CHECK(span_eq(buf_span(&once), text));
        CHECK(read_payload(buf_span(&once), &twice) == E_NOT_FOUND);
        CHECK(span_eq(buf_span(&once), buf_span(&twice)));
    }
    buf_fini(&once);
    buf_fini(&twice);
    return 0;
}
