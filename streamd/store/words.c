/* SPDX-License-Identifier: MIT */
/*
 * A curve is a slow movement under noise. With the noise large, differences only add to it (order
 * 0); with it small they are all that is left (order 1); counters and rates that follow a schedule
 * need not even those (order 2). Which it is, the entropy of the planes says, at a few nanoseconds
 * a word and order. Higher orders and running means were not worth a twentieth of a byte.
 *
 * The first words of orders 1 and 2 have nothing before them and stand in the header; in the planes
 * the next difference takes their place, so that a steady counter is planes of one byte each.
 */
#include "streamd/store/words.h"

#include "proto/varint.h"

#include <assert.h>
#include <math.h>

enum {
    ORDERS = 3,
    ORDER_BITS = 2,
    ORDER_MASK = 3,
    PLANE_HEADER_BITS = 24,
    ORDER_HEADER_BITS = 20,
    SAMPLE_BLOCKS = 4,
    SAMPLE_BLOCK = 256,
};

enum status words_writer_init(struct words_writer *w)
{
    w->weight[0] = 0;
    for (size_t n = 1; n <= WORDS_MAX; n++)
        w->weight[n] = (float)((double)n * log2((double)n));
    return plane_writer_init(&w->planes);
}

void words_writer_fini(struct words_writer *w)
{
    plane_writer_fini(&w->planes);
}

enum status words_reader_init(struct words_reader *r)
{
    return plane_reader_init(&r->planes);
}

void words_reader_fini(struct words_reader *r)
{
    plane_reader_fini(&r->planes);
}

static uint64_t smallest(const uint64_t *words, size_t n)
{
    int64_t least = INT64_MAX;
    for (size_t i = 0; i < n; i++)
        least = (int64_t)words[i] < least ? (int64_t)words[i] : least;
    return (uint64_t)least;
}

/* Fills w->apart; answers all of its bits, or'ed, and in *out_every those that all have. */
static uint64_t take_apart(struct words_writer *w, const uint64_t *words, size_t n, unsigned order,
                           uint64_t *out_every)
{
    uint64_t *apart = w->apart;
    uint64_t any = 0;
    uint64_t every = UINT64_MAX;
    uint64_t base = order == 0 ? smallest(words, n) : 0;
    for (size_t i = order; i < n; i++) {
        if (order == 0)
            apart[i] = words[i] - base;
        else if (order == 1)
            apart[i] = zigzag(words[i] - words[i - 1]);
        else
            apart[i] = zigzag(words[i] - 2 * words[i - 1] + words[i - 2]);
        any |= apart[i];
        every &= apart[i];
    }
    for (size_t i = order; i > 0; i--)
        apart[i - 1] = i < n ? apart[i] : 0;
    *out_every = every;
    return any;
}

static unsigned bytes_of(uint64_t any)
{
    unsigned bytes = 0;
    for (; any > 0; any >>= 8)
        bytes++;
    return bytes;
}

/* Two tables, since the same byte over and over would wait for its own count. */
static double plane_bits(const struct words_writer *w, size_t n, unsigned plane)
{
    uint32_t even[256] = {0};
    uint32_t odd[256] = {0};
    size_t i = 0;
    for (; i + 1 < n; i += 2) {
        even[w->apart[i] >> (8 * plane) & 0xff]++;
        odd[w->apart[i + 1] >> (8 * plane) & 0xff]++;
    }
    if (i < n)
        even[w->apart[i] >> (8 * plane) & 0xff]++;
    float bits = w->weight[n];
    for (i = 0; i < 256; i++)
        bits -= w->weight[even[i] + odd[i]];
    return (double)bits;
}

static double bits_of_order(struct words_writer *w, const uint64_t *words, size_t n, unsigned order)
{
    uint64_t every;
    uint64_t any = take_apart(w, words, n, order, &every);
    double bits = ORDER_HEADER_BITS * (double)order;
    for (unsigned i = 0; i < bytes_of(any); i++) {
        bool level = ((any ^ every) >> (8 * i) & 0xff) == 0;
        bits += PLANE_HEADER_BITS + (level ? 0 : plane_bits(w, n, i));
    }
    return bits;
}

/* Of many words some blocks will do: choosing must not cost more than deflating. */
static size_t take_sample(uint64_t *sample, const uint64_t *words, size_t n)
{
    size_t apart = (n - SAMPLE_BLOCK) / (SAMPLE_BLOCKS - 1);
    for (size_t i = 0; i < SAMPLE_BLOCKS; i++)
        memcpy(sample + i * SAMPLE_BLOCK, words + i * apart, SAMPLE_BLOCK * sizeof(*words));
    return (size_t)SAMPLE_BLOCKS * SAMPLE_BLOCK;
}

struct words_plan words_plan(struct words_writer *w, const uint64_t *words, size_t n)
{
    assert(n <= WORDS_MAX);
    double scale = 1;
    uint64_t sample[SAMPLE_BLOCKS * SAMPLE_BLOCK];
    if (n > 2 * sizeof(sample) / sizeof(sample[0])) {
        scale = (double)n;
        n = take_sample(sample, words, n);
        scale /= (double)n;
        words = sample;
    }
    struct words_plan best = {0, n ? bits_of_order(w, words, n, 0) : 0};
    for (unsigned order = 1; order < ORDERS && order < n; order++) {
        double bits = bits_of_order(w, words, n, order);
        if (bits < best.bits)
            best = (struct words_plan){order, bits};
    }
    best.bits *= scale;
    return best;
}

void words_write(struct words_writer *w, const uint64_t *words, size_t n, unsigned order,
                 struct buf *out)
{
    assert(n <= WORDS_MAX && order < ORDERS);
    if (n == 0)
        return;
    order = order < n ? order : 0;
    uint64_t every;
    unsigned planes = bytes_of(take_apart(w, words, n, order, &every));
    buf_add_char(out, (char)(planes << ORDER_BITS | order));
    varint_put(out, zigzag(order == 0 ? smallest(words, n) : words[0]));
    if (order == 2)
        varint_put(out, zigzag(words[1] - words[0]));
    for (unsigned plane = 0; plane < planes; plane++) {
        for (size_t i = 0; i < n; i++)
            w->plane[i] = (uint8_t)(w->apart[i] >> (8 * plane));
        plane_write(&w->planes, w->plane, n, out);
    }
}

/* The planes that are not all one byte, and how far each is to be shifted. */
struct planes {
    const uint8_t *bytes[WORD_BYTES];
    unsigned shift[WORD_BYTES];
    unsigned count;
    uint64_t same; /* the bytes of the others */
};

static enum status take_planes(struct words_reader *r, struct span *rest, unsigned planes, size_t n,
                               struct planes *out)
{
    *out = (struct planes){.count = 0};
    for (unsigned i = 0; i < planes; i++) {
        struct plane plane;
        enum status status = plane_read(&r->planes, rest, n, r->room[i], &plane);
        if (status != OK)
            return status;
        out->bytes[out->count] = plane.bytes;
        out->shift[out->count] = 8 * i;
        if (plane.bytes)
            out->count++;
        else
            out->same |= (uint64_t)plane.same << (8 * i);
    }
    return OK;
}

/* One plane into words that have the others. */
static void join_one(const struct planes *p, unsigned k, size_t n, uint64_t *words)
{
    const uint8_t *bytes = p->bytes[k];
    unsigned shift = p->shift[k];
    for (size_t i = 0; i < n; i++)
        words[i] += (uint64_t)bytes[i] << shift;
}

/* base + what the planes are together. Most columns have two that differ: these go in at once. */
static void join(const struct planes *p, size_t n, uint64_t base, uint64_t *words)
{
    const uint8_t *a = p->bytes[0];
    const uint8_t *b = p->bytes[1];
    unsigned shift_a = p->shift[0];
    unsigned shift_b = p->shift[1];
    unsigned joined = p->count < 2 ? p->count : 2;
    base += p->same;
    for (size_t i = 0; joined == 0 && i < n; i++)
        words[i] = base;
    for (size_t i = 0; joined == 1 && i < n; i++)
        words[i] = base + ((uint64_t)a[i] << shift_a);
    for (size_t i = 0; joined == 2 && i < n; i++)
        words[i] = base + ((uint64_t)a[i] << shift_a) + ((uint64_t)b[i] << shift_b);
    for (unsigned k = joined; k < p->count; k++)
        join_one(p, k, n, words);
}

/* Orders 1 and 2: from how far they are apart to where they are. */
static void put_together(uint64_t *words, size_t n, unsigned order, uint64_t first, uint64_t step)
{
    uint64_t before = first;
    words[0] = first;
    for (size_t i = 1; order == 1 && i < n; i++)
        words[i] = before += unzigzag(words[i]);
    if (order == 2 && n > 1)
        words[1] = before += step;
    for (size_t i = 2; order == 2 && i < n; i++) {
        step += unzigzag(words[i]);
        words[i] = before += step;
    }
}

enum status words_read(struct words_reader *r, struct span *rest, size_t n, uint64_t *out)
{
    unsigned head;
    uint64_t first;
    uint64_t step = 0;
    if (n == 0)
        return OK;
    if (!byte_take(rest, &head) || !varint_take(rest, &first))
        return E_MALFORMED;
    unsigned order = head & ORDER_MASK;
    unsigned planes = head >> ORDER_BITS;
    if (order >= ORDERS || planes > WORD_BYTES || (order == 2 && !varint_take(rest, &step)))
        return E_MALFORMED;
    struct planes taken;
    enum status status = take_planes(r, rest, planes, n, &taken);
    if (status != OK)
        return status;
    join(&taken, n, order == 0 ? unzigzag(first) : 0, out);
    if (order > 0)
        put_together(out, n, order, unzigzag(first), unzigzag(step));
    return OK;
}
