/* SPDX-License-Identifier: MIT */
/*
 * words: at most WORDS_MAX words of 64 bits as differences in byte planes.
 *
 * What is kept of each word is how far it is from the smallest (order 0), from the one before (1),
 * or from where the two before it point (2), whichever leaves the fewest bits; of these numbers all
 * lowest bytes, then all second bytes, and so on (plane.h). Arithmetic is modulo 2^64, so any words
 * are given back. How many words there are is known to both sides.
 */
#ifndef STREAMD_STORE_WORDS_H
#define STREAMD_STORE_WORDS_H

#include "streamd/store/plane.h"

enum { WORDS_MAX = 4096, WORD_BYTES = 8 };

struct words_writer {
    struct plane_writer planes;
    float weight[WORDS_MAX + 1]; /* n * log2(n) */
    uint64_t apart[WORDS_MAX];
    uint8_t plane[WORDS_MAX];
};

struct words_reader {
    struct plane_reader planes;
    uint8_t room[WORD_BYTES][WORDS_MAX];
};

struct words_plan {
    unsigned order;
    double bits; /* what they will take, about */
};

MUST_CHECK enum status words_writer_init(struct words_writer *w);
void words_writer_fini(struct words_writer *w);

/* Finds the best order. n <= WORDS_MAX. */
struct words_plan words_plan(struct words_writer *w, const uint64_t *words, size_t n);

/* Appends them; look at buf_status. */
void words_write(struct words_writer *w, const uint64_t *words, size_t n, unsigned order,
                 struct buf *out);

MUST_CHECK enum status words_reader_init(struct words_reader *r);
void words_reader_fini(struct words_reader *r);

/* Takes n <= WORDS_MAX words off the head of *rest. E_MALFORMED. */
MUST_CHECK enum status words_read(struct words_reader *r, struct span *rest, size_t n,
                                  uint64_t *out);

#endif
