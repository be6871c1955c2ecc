/* SPDX-License-Identifier: MIT */
/*
 * permessage-deflate. What is received: one deflater serves all connections, so whatever a client
 * sends, within whatever limit, the next message must inflate as if nothing had been. What is sent:
 * each message refers to the one before it, and a client that keeps its inflater (zlib's own) from
 * message to message must read every one.
 */
#include "streamd/encode/deflater.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <zlib.h>

enum { LIMIT = 1 << 16, TEXT_MAX = 4 * 256 };

static const struct span none = {NULL, 0};
static struct deflater *deflater;

static void check_round_trip(struct span plain)
{
    struct buf packed;
    struct buf back;
    buf_init(&packed, 4 * LIMIT);
    buf_init(&back, LIMIT + 1);
    CHECK(deflater_message(deflater, none, plain, &packed) == OK);
    enum status status = deflater_inflate(deflater, buf_span(&packed), &back);
    CHECK(status == (plain.len <= LIMIT ? OK : E_LIMIT) || plain.len == LIMIT + 1);
    CHECK(status != OK || span_eq(buf_span(&back), plain));
    buf_fini(&packed);
    buf_fini(&back);
}

static void check_receiving(struct span bytes, size_t limit)
{
    struct buf out;
    buf_init(&out, limit);
    enum status status = deflater_inflate(deflater, bytes, &out);
    CHECK(status == OK || status == E_LIMIT || status == E_MALFORMED);
    CHECK(out.len <= limit && (status != E_LIMIT || out.len == limit));
    buf_fini(&out);
}

/* RFC 7692 7.2.2, as the client has it. */
static void client_reads(z_stream *client, struct span payload, struct span text)
{
    char back[TEXT_MAX + 1];
    struct buf whole;
    buf_init(&whole, 4 * LIMIT);
    buf_add_span(&whole, payload);
    buf_add(&whole, "\0\0\xff\xff", 4);
    client->next_in = (Bytef *)whole.ptr;
    client->avail_in = (uInt)whole.len;
    client->next_out = (Bytef *)back;
    client->avail_out = sizeof(back);
    int result = inflate(client, Z_SYNC_FLUSH);
    CHECK(result == Z_OK && client->avail_in == 0);
    CHECK(span_eq((struct span){back, sizeof(back) - client->avail_out}, text));
    buf_fini(&whole);
}

static void check_sending(struct span rest)
{
    struct span before = none;
    z_stream client = {.next_in = NULL};
    CHECK(inflateInit2(&client, -15) == Z_OK);
    while (rest.len > 1) {
        struct buf packed;
        struct span text = take_bytes(&rest, 1 + 4 * (size_t)take_byte(&rest));
        buf_init(&packed, 4 * LIMIT);
        CHECK(deflater_message(deflater, before, text, &packed) == OK);
        client_reads(&client, buf_span(&packed), text);
        buf_fini(&packed);
        before = text;
    }
    inflateEnd(&client);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct span bytes = {(const char *)data, size};
    struct span rest = bytes;
    if (!deflater)
        deflater = deflater_create();
    CHECK(deflater);
    check_receiving(bytes, LIMIT);
    size_t limit = take_byte(&rest) << 8;
    limit |= take_byte(&rest);
    check_receiving(rest, 1 + limit);
    check_round_trip(bytes);
    check_sending(bytes);
    check_round_trip(SPAN("a message after all that, a message after all that"));
    return 0;
}
