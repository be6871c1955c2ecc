/* SPDX-License-Identifier: MIT */
/*
 * One stream, cut into chunks of any sizes, gives the same lines as in one chunk: what is a line,
 * and what is too long, does not depend on where the reads end. The first two bytes of the input
 * are the line's limit and the seed of the sizes.
 */
#include "proto/framer.h"
#include "tests/fuzz/fuzz.h"

enum { HEARD_MAX = 1 << 22 };

/* Notes what the framer answers until it has used up its chunk. */
static void drain(struct framer *f, struct buf *heard)
{
    struct span line;
    for (;;) {
        switch (framer_next(f, &line)) {
        case FRAMER_LINE:
            CHECK(line.len <= f->max_line);
            buf_add_char(heard, '[');
            buf_add_span(heard, line);
            buf_add_char(heard, ']');
            break;
        case FRAMER_TOO_LONG:
            buf_add_char(heard, '!');
            break;
        case FRAMER_NOMEM:
            CHECK(!"there is memory");
            break;
        case FRAMER_NEED_MORE:
            CHECK(f->held.len <= f->max_line + 4);
            return;
        }
    }
}

/* What a stream says when it is read in chunks of 1 to `most` bytes. */
static void hear(struct span stream, size_t max_line, unsigned seed, size_t most, struct buf *heard)
{
    struct framer f;
    struct span line;
    framer_init(&f, max_line);
    while (stream.len > 0) {
        seed = seed * 1103515245U + 12345U;
        struct span chunk = copy_of(take_bytes(&stream, 1 + (seed >> 16) % most));
        framer_push(&f, chunk);
        drain(&f, heard);
        free((char *)(size_t)chunk.ptr);
    }
    if (framer_rest(&f, &line)) {
        CHECK(line.len <= max_line);
        buf_add_char(heard, '(');
        buf_add_span(heard, line);
        buf_add_char(heard, ')');
    }
    framer_fini(&f);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct span stream = {(const char *)data, size};
    size_t max_line = 1 + take_byte(&stream);
    unsigned seed = take_byte(&stream);
    struct buf whole;
    struct buf cut;
    buf_init(&whole, HEARD_MAX);
    buf_init(&cut, HEARD_MAX);
    hear(stream, max_line, 0, SIZE_MAX, &whole);
    hear(stream, max_line, seed, 1 + seed % 32, &cut);
    CHECK(span_eq(buf_span(&whole), buf_span(&cut)));
    buf_reset(&cut);
    hear(stream, max_line, seed, 1, &cut);
    CHECK(span_eq(buf_span(&whole), buf_span(&cut)));
    buf_fini(&whole);
    buf_fini(&cut);
    return 0;
}
