/* SPDX-License-Identifier: MIT */
/*
 * One deflater serves all connections, so whatever a client sends, the next message must inflate as
 * if nothing had been: each input is inflated within a limit, and then a good message is.
 */
#include "streamd/encode/deflater.h"
#include "tests/fuzz/fuzz.h"

enum { LIMIT = 1 << 16 };

static struct deflater *deflater;

static void check_round_trip(struct span plain)
{
    struct buf packed;
    struct buf back;
    buf_init(&packed, 4 * LIMIT);
    buf_init(&back, LIMIT + 1);
    CHECK(deflater_message(deflater, (struct span){NULL, 0}, plain, &packed) == OK);
    enum status status = deflater_inflate(deflater, buf_span(&packed), &back);
    CHECK(status == (plain.len <= LIMIT ? OK : E_LIMIT) || plain.len == LIMIT + 1);
    CHECK(status != OK || span_eq(buf_span(&back), plain));
    buf_fini(&packed);
    buf_fini(&back);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct span bytes = {(const char *)data, size};
    struct buf out;
    if (!deflater)
        deflater = deflater_create();
    CHECK(deflater);
    buf_init(&out, LIMIT);
    enum status status = deflater_inflate(deflater, bytes, &out);
    CHECK(status == OK || status == E_LIMIT || status == E_MALFORMED);
    CHECK(out.len <= LIMIT && (status != E_LIMIT || out.len == LIMIT));
    buf_fini(&out);
    check_round_trip(bytes);
    check_round_trip(SPAN("a message after all that, a message after all that"));
    return 0;
}
