/* SPDX-License-Identifier: MIT */
/*
 * windowBits 13, memLevel 8: our messages are some hundred bytes to some kilobytes, so a larger
 * window finds nothing more, and a smaller hash is quicker to reset: deflateReset clears it every
 * time. A message goes to many, so it is searched as long as zlib can (level 9): behind sixteen
 * others that is 20 microseconds where level 6 takes 19, and saves two bytes of 50. Alone it takes
 * 14. A gzip body is for one, and has zlib's own default.
 */
#include "streamd/encode/deflater.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct deflater {
    z_stream message;
    z_stream gzip;
    z_stream inflate;
    bool message_ready;
    bool gzip_ready;
    bool inflate_ready;
};

enum { MESSAGE_WINDOW = -13, GZIP_WINDOW = 15 + 16, INFLATE_WINDOW = -15, MEM_LEVEL = 8 };

struct deflater *deflater_create(void)
{
    struct deflater *d = calloc(1, sizeof(*d));
    if (!d)
        return NULL;
    d->message_ready = deflateInit2(&d->message, Z_BEST_COMPRESSION, Z_DEFLATED, MESSAGE_WINDOW,
                                    MEM_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK;
    d->gzip_ready = deflateInit2(&d->gzip, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW,
                                 MEM_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK;
    d->inflate_ready = inflateInit2(&d->inflate, INFLATE_WINDOW) == Z_OK;
    if (!d->message_ready || !d->gzip_ready || !d->inflate_ready) {
        deflater_destroy(d);
        return NULL;
    }
    return d;
}

void deflater_destroy(struct deflater *d)
{
    if (!d)
        return;
    if (d->message_ready)
        deflateEnd(&d->message);
    if (d->gzip_ready)
        deflateEnd(&d->gzip);
    if (d->inflate_ready)
        inflateEnd(&d->inflate);
    free(d);
}

/* Runs one whole input through a freshly reset stream, straight into `out`. */
static enum status compress_all(z_stream *z, struct span plain, int flush, struct buf *out)
{
    if (plain.len > UINT32_MAX / 2)
        return E_LIMIT;
    /* +16: what a Z_SYNC_FLUSH may add to the bound of a Z_FINISH. */
    size_t bound = deflateBound(z, (uLong)plain.len) + 16;
    if (buf_reserve(out, bound) != OK)
        return buf_status(out);
    z->next_in = (Bytef *)(uintptr_t)plain.ptr;
    z->avail_in = (uInt)plain.len;
    z->next_out = (Bytef *)out->ptr + out->len;
    z->avail_out = (uInt)bound;
    int result = deflate(z, flush);
    assert(result == (flush == Z_FINISH ? Z_STREAM_END : Z_OK) && z->avail_in == 0);
    out->len += bound - z->avail_out;
    return OK;
}

enum status deflater_message(struct deflater *d, struct span before, struct span plain,
                             struct buf *out)
{
    static const char tail[] = {0, 0, (char)0xff, (char)0xff};
    assert(before.len <= UINT32_MAX / 2);
    deflateReset(&d->message);
    if (before.len > 0)
        deflateSetDictionary(&d->message, (const Bytef *)before.ptr, (uInt)before.len);
    enum status status = compress_all(&d->message, plain, Z_SYNC_FLUSH, out);
    if (status != OK)
        return status;
    assert(out->len >= sizeof(tail) &&
           memcmp(out->ptr + out->len - sizeof(tail), tail, sizeof(tail)) == 0);
    out->len -= sizeof(tail);
    return OK;
}

enum status deflater_gzip(struct deflater *d, struct span plain, struct buf *out)
{
    deflateReset(&d->gzip);
    return compress_all(&d->gzip, plain, Z_FINISH, out);
}

/* What inflate answered. A block with BFINAL ends a stream but not the message: the next one, and
 * be it the empty one at the message's end, begins a stream of its own (RFC 7692, 7.2.3.4). */
static enum status judge(z_stream *z, int result)
{
    if (result == Z_STREAM_END)
        result = inflateReset(z);
    if (result == Z_MEM_ERROR)
        return E_NOMEM;
    bool starved = result == Z_BUF_ERROR && z->avail_out > 0;
    return (result == Z_OK || result == Z_BUF_ERROR) && !starved ? OK : E_MALFORMED;
}

/* Inflates what is in z->next_in; OK when all of it was used. */
static enum status inflate_some(z_stream *z, struct buf *out)
{
    enum { STEP = 4096 };
    enum status status = OK;
    while (status == OK && z->avail_in > 0) {
        size_t room = out->limit - out->len;
        size_t step = room < STEP ? room : STEP;
        if (step == 0)
            return E_LIMIT;
        if (buf_reserve(out, step) != OK)
            return buf_status(out);
        z->next_out = (Bytef *)out->ptr + out->len;
        z->avail_out = (uInt)step;
        int result = inflate(z, Z_SYNC_FLUSH);
        out->len += step - z->avail_out;
        status = judge(z, result);
    }
    return status;
}

enum status deflater_inflate(struct deflater *d, struct span deflated, struct buf *out)
{
    static const unsigned char tail[] = {0, 0, 0xff, 0xff};
    enum { BETWEEN_BLOCKS = 128 }; /* of data_type, see inflate() in zlib.h */
    z_stream *z = &d->inflate;
    if (deflated.len > UINT32_MAX / 2)
        return E_LIMIT;
    inflateReset(z);
    z->next_in = (Bytef *)(uintptr_t)deflated.ptr;
    z->avail_in = (uInt)deflated.len;
    enum status status = inflate_some(z, out);
    if (status != OK)
        return status;
    z->next_in = (Bytef *)(uintptr_t)tail;
    z->avail_in = sizeof(tail);
    status = inflate_some(z, out);
    return status == OK && !(z->data_type & BETWEEN_BLOCKS) ? E_MALFORMED : status;
}
