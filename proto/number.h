/* SPDX-License-Identifier: MIT */
/*
 * number: JSON numbers in, JSON numbers out, without losing anything on the way.
 *
 * A number keeps what it was: an integer stays an integer, an integer too large for 64 bits stays
 * the digits it came as, everything else is the nearest double. Writing is never locale-dependent
 * and never produces what JSON.parse refuses: a number that is not finite is written as `null`
 * (record_json says its name beside it). Rounding is Python's round(): half to even, decided on
 * the exact value of the double, so 2.675 to two decimals is 2.67.
 */
#ifndef PROTO_NUMBER_H
#define PROTO_NUMBER_H

#include "base/buf.h"
#include "base/span.h"

enum num_kind {
    NUM_NONE,  /* no number: absent or unknown */
    NUM_INT,   /* an integer that fits int64_t */
    NUM_FLOAT, /* a double; may be NaN or infinite; -0 is one of these */
    NUM_TEXT,  /* an integer beyond int64_t: its digits as they came */
};

struct num {
    enum num_kind kind;
    uint32_t len; /* NUM_TEXT: bytes at text */
    union {
        int64_t i;
        double f;
        const char *text; /* borrows from the bytes that were read */
    };
};

static inline struct num num_none(void)
{
    return (struct num){.kind = NUM_NONE};
}

static inline struct num num_int(int64_t value)
{
    return (struct num){.kind = NUM_INT, .i = value};
}

static inline struct num num_float(double value)
{
    return (struct num){.kind = NUM_FLOAT, .f = value};
}

/*
 * Reads one number of the JSON grammar at the head of [at, end). Answers where it ended, or NULL
 * when no such number stands there. What follows the number is the caller's to judge. Text beyond
 * the double range reads as an infinity. Numbers longer than UINT32_MAX bytes are refused.
 */
const char *num_scan(const char *at, const char *end, struct num *out);

/* The same for a span that must be a number from its first byte to its last. */
bool num_parse(struct span text, struct num *out);

/* Reads exactly one of the words NaN, Infinity, -Infinity. */
bool num_parse_word(struct span text, struct num *out);

/* "NaN", "Infinity" or "-Infinity", a static string; NULL for a number that is finite or none. */
const char *num_word(struct num n);

/* The nearest double; NaN for NUM_NONE. */
double num_double(struct num n);

/* False for NaN and the infinities and for NUM_NONE. */
bool num_is_finite(struct num n);

/* As Python's round(v, decimals), 0 <= decimals <= 15. What is not finite is answered as it is. */
double round_decimal(double v, int decimals);

/*
 * The shortest decimal text that reads back as the same double, laid out as JavaScript does, but
 * for `-0` (kept) and `e+21` (written e21): 0.1, 100000, 1e21, 1.5e-7, 5e-324.
 */
void num_write_double(struct buf *b, double v);

/* num_write_double(b, round_decimal(v, decimals)), quicker. */
void num_write_rounded(struct buf *b, double v, int decimals);

/* Rounded half to even to `digits` significant digits, 1 <= digits <= 15. */
void num_write_significant(struct buf *b, double v, int digits);

/* Full precision: integers and long digits as they came, doubles by num_write_double. */
void num_write(struct buf *b, struct num n);

#endif
