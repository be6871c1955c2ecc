/* SPDX-License-Identifier: MIT */
/*
 * column: the numbers of one metric, packed to the bit.
 *
 * Integers and the doubles that are decimals of few digits become whole numbers, floats that were
 * widened become 32 bits again, all else stays 64; which of these a column is, is found out by
 * trying, and numbers that do not fit in stand in a list beside. Then words.h does the rest. Kinds
 * and long digits are kept as they are.
 *
 * A column that runs along with the rows' axis, or with their time, is kept as the distance from
 * it, and then needs it again for reading (column_near).
 */
#ifndef STREAMD_STORE_COLUMN_H
#define STREAMD_STORE_COLUMN_H

#include "proto/number.h"
#include "streamd/store/decimal.h"
#include "streamd/store/words.h"

enum { COLUMN_TEXT_MAX = 4 << 20 }; /* bytes of long digits in one column */

/* Numbers of whole places are tried against the axis, of three against the milliseconds. */
enum column_near { NEAR_NOTHING, NEAR_AXIS, NEAR_TIME };

/* What stands in the form of a column (the upper bits of its first byte). */
enum column_form { FORM_DECIMAL, FORM_SPLIT, FORM_FLOAT32, FORM_BITS };

/* n numbers, of any kinds; the axis and the time beside each, both NULL where there are none. */
struct column_slots {
    const struct num *num;
    size_t n;
    const uint64_t *axis;
    const uint64_t *time_ms;
};

struct column_writer {
    struct words_writer words;
    size_t count; /* of what follows: the integers and doubles among the numbers */
    struct num num[WORDS_MAX];
    struct decimal decimal[WORDS_MAX];
    uint64_t word[WORDS_MAX];
    uint64_t odd_at[WORDS_MAX];
    uint64_t odd_bits[WORDS_MAX];
    size_t odd;
    uint8_t places[WORDS_MAX];
    uint8_t kind[WORDS_MAX];
};

MUST_CHECK enum status column_writer_init(struct column_writer *w);
void column_writer_fini(struct column_writer *w);

/* Appends the column, n > 0; look at buf_status. Its texts are at most COLUMN_TEXT_MAX bytes. */
void column_write(struct column_writer *w, const struct column_slots *slots, struct buf *out);

/* Points into itself once it is initialized. */
struct column_reader {
    struct words_reader words;
    uint64_t
        *word; /* of the integers and doubles: the bits; at own_word, or where they are wanted */
    uint64_t own_word[WORDS_MAX];
    uint64_t odd_at[WORDS_MAX];
    uint64_t odd_bits[WORDS_MAX];
    uint8_t kind[WORDS_MAX];
    uint8_t number_kind[WORDS_MAX];
    uint8_t places[WORDS_MAX];
    bool lazy;    /* digits need not be divided: column_bits */
    double power; /* what is left to divide by; 0: nothing */
};

/* What long digits borrow from. */
struct column_text {
    char *bytes; /* owns, to be freed; NULL when there are none */
    size_t len;
};

/* A column to be read: its bytes, how many numbers, and what is beside them if it is near. */
struct column_source {
    struct span bytes;
    size_t n; /* > 0 */
    const uint64_t *beside;
};

MUST_CHECK enum status column_reader_init(struct column_reader *r);
void column_reader_fini(struct column_reader *r);

/* What `beside` has to be; bytes that are no column may answer anything. */
enum column_near column_near(struct span bytes);

/*
 * The numbers, into room for n; long digits borrow from *out_text. E_MALFORMED, E_NOMEM.
 */
MUST_CHECK enum status column_nums(struct column_reader *r, const struct column_source *source,
                                   struct num *out, struct column_text *out_text);

/* What column_bits has filled: word i is the bits of a num.i, or of digits still to be divided. */
struct column_bits {
    enum num_kind kind; /* of all */
    double power;       /* 0, or what they are to be divided by */
};

/* The same without the cost of each number; when all are integers or all doubles. E_STATE: they are
 * not. */
MUST_CHECK enum status column_bits(struct column_reader *r, const struct column_source *source,
                                   uint64_t *out, struct column_bits *out_about);

static inline struct num column_bits_num(struct column_bits about, uint64_t word)
{
    if (about.power > 0)
        return num_float((double)(int64_t)word / about.power);
    return (struct num){.kind = about.kind, .i = (int64_t)word};
}

/* The same as doubles (num_double) and whether there is a number; `has` may be NULL. */
MUST_CHECK enum status column_doubles(struct column_reader *r, const struct column_source *source,
                                      double *out, bool *has);

#endif
