/* SPDX-License-Identifier: MIT */
/*
 * A plane is one byte of every word of a column, so it is some thousand bytes long and either noise
 * or nearly nothing. That sets the parameters: the window need not be larger than a plane, and
 * a small hash is quicker to reset. Noise is told by its entropy and never shown to deflate; what
 * deflate takes has to shrink by a sixteenth, since inflating is what reading a column costs.
 *
 * The first number of a plane is its form, and above that the bits a byte or the deflated length.
 */
#include "streamd/store/plane.h"

#include "proto/varint.h"

#include <assert.h>
#include <math.h>

enum form { SAME, STORED, PACKED, DEFLATED, FORM_BITS = 2, FORM_MASK = 3 };

enum {
    WINDOW = 12,
    MEM_LEVEL = 6,
    LEVEL = 6,
    DEFLATE_FROM = 24, /* shorter ones do not pay for a table of codes */
    SHRINKS_BY = 16,
    HEADER_MAX = 5,
};

enum status plane_writer_init(struct plane_writer *w)
{
    memset(w, 0, sizeof(*w));
    return deflateInit2(&w->deflate, LEVEL, Z_DEFLATED, -WINDOW, MEM_LEVEL, Z_DEFAULT_STRATEGY) ==
                   Z_OK
               ? OK
               : E_NOMEM;
}

void plane_writer_fini(struct plane_writer *w)
{
    (void)deflateEnd(&w->deflate);
}

enum status plane_reader_init(struct plane_reader *r)
{
    memset(r, 0, sizeof(*r));
    return inflateInit2(&r->inflate, -MAX_WBITS) == Z_OK ? OK : E_NOMEM;
}

void plane_reader_fini(struct plane_reader *r)
{
    (void)inflateEnd(&r->inflate);
}

static unsigned bits_of(const uint8_t *bytes, size_t n)
{
    unsigned all = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < n; i++)
        all |= bytes[i];
    while (all >> bits)
        bits++;
    return bits;
}

/* With 8 bits these are the bytes as they are. */
static void pack(const uint8_t *bytes, size_t n, unsigned bits, struct buf *out)
{
    unsigned held = 0;
    unsigned count = 0;
    if (buf_reserve(out, (n * bits + 7) / 8) != OK)
        return;
    for (size_t i = 0; i < n; i++) {
        held |= (unsigned)bytes[i] << count;
        count += bits;
        if (count >= 8) {
            out->ptr[out->len++] = (char)held;
            held >>= 8;
            count -= 8;
        }
    }
    if (count > 0)
        out->ptr[out->len++] = (char)held;
}

/* `in` holds (n * bits + 7) / 8 bytes. */
static void unpack(const uint8_t *in, size_t n, unsigned bits, uint8_t *bytes)
{
    unsigned mask = (1U << bits) - 1;
    unsigned held = 0;
    unsigned count = 0;
    for (size_t i = 0; i < n; i++) {
        if (count < bits) {
            held |= (unsigned)*in++ << count;
            count += 8;
        }
        bytes[i] = (uint8_t)(held & mask);
        held >>= bits;
        count -= bits;
    }
}

/* How many bytes codes of each byte's own length would make of them, at best. */
static double entropy_bytes(const uint8_t *bytes, size_t n)
{
    uint32_t count[256] = {0};
    double bits = 0;
    for (size_t i = 0; i < n; i++)
        count[bytes[i]]++;
    for (size_t i = 0; i < 256; i++)
        bits -= count[i] ? count[i] * log2((double)count[i] / (double)n) : 0;
    return bits / 8;
}

/* Deflates to where it will stand if its header is the longest; 0: into `most` it does not go. */
static size_t deflate_within(struct plane_writer *w, struct span plain, size_t most,
                             struct buf *out)
{
    z_stream *z = &w->deflate;
    if (buf_reserve(out, HEADER_MAX + most) != OK)
        return 0;
    (void)deflateReset(z);
    z->next_in = (Bytef *)(uintptr_t)plain.ptr;
    z->avail_in = (uInt)plain.len;
    z->next_out = (Bytef *)out->ptr + out->len + HEADER_MAX;
    z->avail_out = (uInt)most;
    return deflate(z, Z_FINISH) == Z_STREAM_END ? most - z->avail_out : 0;
}

/* Puts the deflated form where it is enough shorter than the `packed` bytes. */
static bool write_deflated(struct plane_writer *w, struct span plain, size_t packed,
                           struct buf *out)
{
    size_t most = packed - packed / SHRINKS_BY;
    if (plain.len < DEFLATE_FROM || plain.len > UINT32_MAX / 2 ||
        entropy_bytes((const uint8_t *)plain.ptr, plain.len) > (double)most)
        return false;
    size_t from = out->len + HEADER_MAX;
    size_t len = deflate_within(w, plain, most, out);
    if (len == 0)
        return false;
    varint_put(out, (uint64_t)len << FORM_BITS | DEFLATED);
    memmove(out->ptr + out->len, out->ptr + from, len);
    out->len += len;
    return true;
}

void plane_write(struct plane_writer *w, const uint8_t *bytes, size_t n, struct buf *out)
{
    assert(n > 0);
    if (memcmp(bytes, bytes + 1, n - 1) == 0) {
        const char same[] = {SAME, (char)bytes[0]};
        buf_add(out, same, sizeof(same));
        return;
    }
    unsigned bits = bits_of(bytes, n);
    size_t plain = (n * bits + 7) / 8;
    if (write_deflated(w, (struct span){(const char *)bytes, n}, plain, out))
        return;
    varint_put(out, bits == 8 ? STORED : (uint64_t)bits << FORM_BITS | PACKED);
    pack(bytes, n, bits, out);
}

static enum status inflate_all(z_stream *z, struct span deflated, size_t n, uint8_t *room)
{
    if (deflated.len > UINT32_MAX / 2 || n > UINT32_MAX / 2)
        return E_MALFORMED;
    (void)inflateReset(z);
    z->next_in = (Bytef *)(uintptr_t)deflated.ptr;
    z->avail_in = (uInt)deflated.len;
    z->next_out = room;
    z->avail_out = (uInt)n;
    int result = inflate(z, Z_FINISH);
    if (result == Z_MEM_ERROR)
        return E_NOMEM;
    return result == Z_STREAM_END && z->avail_out == 0 && z->avail_in == 0 ? OK : E_MALFORMED;
}

/* How many bytes follow. False: `more` is not for this form. */
static bool length_of(enum form form, uint64_t more, size_t n, uint64_t *out)
{
    switch (form) {
    case SAME:
        *out = 1;
        return more == 0;
    case STORED:
        *out = n;
        return more == 0;
    case PACKED:
        *out = (n * more + 7) / 8;
        return more >= 1 && more <= 7;
    default:
        *out = more;
        return true;
    }
}

enum status plane_read(struct plane_reader *r, struct span *rest, size_t n, uint8_t *room,
                       struct plane *out)
{
    uint64_t first;
    uint64_t len;
    struct span in;
    if (!varint_take(rest, &first) ||
        !length_of((enum form)(first & FORM_MASK), first >> FORM_BITS, n, &len) ||
        !bytes_take(rest, len, &in))
        return E_MALFORMED;
    const uint8_t *bytes = (const uint8_t *)in.ptr;
    *out = (struct plane){.bytes = room};
    switch (first & FORM_MASK) {
    case SAME:
        *out = (struct plane){.same = bytes[0]};
        return OK;
    case STORED:
        out->bytes = bytes;
        return OK;
    case PACKED:
        unpack(bytes, n, (unsigned)(first >> FORM_BITS), room);
        return OK;
    default:
        return inflate_all(&r->inflate, in, n, room);
    }
}
