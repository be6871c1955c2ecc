/* SPDX-License-Identifier: MIT */
/*
 * Writing. Three ways to the shortest text that reads back, the cheapest first:
 *   - whole numbers below 2^53 are their own digits;
 *   - a double that comes from at most 15 digits shows it: scaled to 15 digits, rounded and divided
 *     back it is itself again, and no other decimal of 15 digits or fewer is;
 *   - 16 or 17 digits: the interval of decimals that read back as the double is had exactly, in 128
 *     bits, because 10^d = 5^d * 2^d and a mantissa times 5^27 fits. The shortest decimal in it is
 *     taken, of several the nearest;
 *   - what is very small or very large goes through snprintf, one precision after the other.
 * snprintf alone would cost 300 ns a number and several tries; a full table of powers (Ryu,
 * Schubfach) costs ten kilobytes for ranges that no metric visits.
 */
#include "proto/number_powers.h"

#include "proto/number.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    SHORT_DIGITS = 15, /* decimals of so many digits and doubles map one to one */
    FULL_DIGITS = 17,  /* so many always suffice */
    /* JavaScript's Number.toString writes plain decimals between these places of the point. */
    PLAIN_POINT_MAX = 21,
    PLAIN_POINT_MIN = -5,
    TEXT_MAX = 40,
};

static const char digit_pairs[] = "00010203040506070809101112131415161718192021222324"
                                  "25262728293031323334353637383940414243444546474849"
                                  "50515253545556575859606162636465666768697071727374"
                                  "75767778798081828384858687888990919293949596979899";

/* Decimal digits, the last one before `end`; answers the first. */
static char *digits_before(char *end, uint64_t value)
{
    while (value >= 100) {
        end -= 2;
        memcpy(end, digit_pairs + value % 100 * 2, 2);
        value /= 100;
    }
    if (value >= 10) {
        end -= 2;
        memcpy(end, digit_pairs + value * 2, 2);
        return end;
    }
    *--end = (char)('0' + value);
    return end;
}

static uint64_t strip_zeros(uint64_t digits, int *exponent)
{
    while (digits % 10000 == 0) {
        digits /= 10000;
        *exponent += 4;
    }
    while (digits % 10 == 0) {
        digits /= 10;
        (*exponent)++;
    }
    return digits;
}

static char *put_zeros(char *to, int n)
{
    memset(to, '0', (size_t)n);
    return to + n;
}

static char *put(char *to, const char *from, int n)
{
    memcpy(to, from, (size_t)n);
    return to + n;
}

/* d.ddde-7 */
static char *put_scientific(char *to, const char *digits, int n, int exponent)
{
    *to++ = digits[0];
    if (n > 1) {
        *to++ = '.';
        to = put(to, digits + 1, n - 1);
    }
    *to++ = 'e';
    if (exponent < 0)
        *to++ = '-';
    char text[8];
    const char *first =
        digits_before(text + sizeof(text), (uint64_t)(exponent < 0 ? -exponent : exponent));
    return put(to, first, (int)(text + sizeof(text) - first));
}

/* (-1)^negative * digits * 10^exponent; digits > 0. */
static void write_decimal(struct buf *b, bool negative, uint64_t digits, int exponent)
{
    char scratch[20];
    char text[TEXT_MAX];
    char *to = text;
    digits = strip_zeros(digits, &exponent);
    char *first = digits_before(scratch + sizeof(scratch), digits);
    int n = (int)(scratch + sizeof(scratch) - first);
    int point = n + exponent;
    if (negative)
        *to++ = '-';
    if (point > PLAIN_POINT_MAX || point < PLAIN_POINT_MIN) {
        to = put_scientific(to, first, n, point - 1);
    } else if (point <= 0) {
        to = put(to, "0.", 2);
        to = put(put_zeros(to, -point), first, n);
    } else if (point < n) {
        to = put(to, first, point);
        *to++ = '.';
        to = put(to, first + point, n - point);
    } else {
        to = put_zeros(put(to, first, n), point - n);
    }
    buf_add(b, text, (size_t)(to - text));
}

/* Writes what needs no digits of its own: zero, and null for what is not finite. */
static bool write_special(struct buf *b, double v)
{
    if (!isfinite(v))
        buf_add(b, "null", 4);
    else if (v == 0)
        buf_add_str(b, signbit(v) ? "-0" : "0");
    else
        return false;
    return true;
}

/* floor(log10(a)), or one less; a > 0 and normal. */
static int decade_guess(double a)
{
    uint64_t bits;
    memcpy(&bits, &a, sizeof(bits));
    int exponent2 = (int)(bits >> 52) - 1023;
    return (exponent2 * 78913) >> 18; /* log10(2) * 2^18; exact for every exponent of a double */
}

/* The decimal of at most 15 digits that reads back as a, if there is one and 1e-7 < a < 1e15. */
static bool short_decimal(double a, uint64_t *digits, int *exponent)
{
    int d = SHORT_DIGITS - 1 - decade_guess(a);
    if (d < 0 || d > POWER_OF_TEN_MAX)
        return false;
    if (d > 0 && a * power_of_ten[d] >= 1e15)
        d--;
    uint64_t rounded = (uint64_t)(a * power_of_ten[d] + 0.5);
    if ((double)rounded / power_of_ten[d] != a)
        return false;
    *digits = rounded;
    *exponent = -d;
    return true;
}

/* The rounding interval of a double, scaled by 10^d and by 2^shift: all three are exact. */
struct interval {
    uint128 low;
    uint128 middle;
    uint128 high;
    int shift;
    bool closed; /* the ends read back as the double too */
};

static struct interval interval_of(double a, int d)
{
    uint64_t bits;
    memcpy(&bits, &a, sizeof(bits));
    uint64_t fraction = bits & (((uint64_t)1 << 52) - 1);
    uint64_t mantissa = fraction | (uint64_t)1 << 52;
    int exponent2 = (int)(bits >> 52) - 1023 - 52;
    uint128 five = power_of_five[d];
    uint128 four = (uint128)mantissa * 4;
    return (struct interval){
        .low = four * five - (fraction ? 2 : 1) * five,
        .middle = four * five,
        .high = four * five + 2 * five,
        .shift = 2 - exponent2 - d,
        .closed = !(mantissa & 1),
    };
}

/* The shortest decimal in the interval of a, the nearest of those. 1e-10 <= a < 2^53, not whole. */
static void long_decimal(double a, uint64_t *digits, int *exponent)
{
    int d = FULL_DIGITS - 1 - decade_guess(a);
    struct interval in = interval_of(a, d);
    uint128 mask = ((uint128)1 << in.shift) - 1;
    uint64_t low = (uint64_t)(in.low >> in.shift) + (!in.closed || (in.low & mask) != 0);
    uint64_t high = (uint64_t)(in.high >> in.shift) - (!in.closed && (in.high & mask) == 0);
    uint64_t unit = 1;
    int dropped = 0;
    while ((low + unit * 10 - 1) / (unit * 10) <= high / (unit * 10)) {
        unit *= 10;
        dropped++;
    }
    uint64_t middle = (uint64_t)(in.middle >> in.shift);
    uint64_t chosen = middle / unit;
    uint128 over = (uint128)(middle % unit) << in.shift | (in.middle & mask);
    uint128 half = (uint128)unit << (in.shift - 1);
    if (over > half || (over == half && (chosen & 1)))
        chosen++;
    /* It may be below the interval, but not above: the upper half is never the shorter one, and one
     * multiple at least lies in the two. */
    if (chosen < (low + unit - 1) / unit)
        chosen = (low + unit - 1) / unit;
    *digits = chosen;
    *exponent = dropped - d;
}

/* `precision` significant digits of a, correctly rounded. No decimal point is relied on. */
static void printed_decimal(double a, int precision, uint64_t *digits, int *exponent)
{
    char text[TEXT_MAX];
    (void)snprintf(text, sizeof(text), "%.*e", precision - 1, a);
    const char *at = text;
    *digits = 0;
    for (; *at != 'e'; at++) {
        if (*at >= '0' && *at <= '9')
            *digits = *digits * 10 + (uint64_t)(*at - '0');
    }
    bool negative = *++at == '-';
    int value = 0;
    for (at++; *at; at++)
        value = value * 10 + (*at - '0');
    *exponent = (negative ? -value : value) - (precision - 1);
}

static bool reads_back(uint64_t digits, int exponent, double a)
{
    char text[TEXT_MAX];
    struct num n;
    int len = snprintf(text, sizeof(text), "%llue%d", (unsigned long long)digits, exponent);
    return num_parse((struct span){text, (size_t)len}, &n) && n.f == a;
}

/* Any double. At a power of two the interval is wider above, so the next decimal may do as well. */
static void slow_decimal(double a, uint64_t *digits, int *exponent)
{
    for (int precision = a < DBL_MIN ? 1 : SHORT_DIGITS;; precision++) {
        printed_decimal(a, precision, digits, exponent);
        if (precision >= FULL_DIGITS || reads_back(*digits, *exponent, a))
            return;
        if (reads_back(*digits + 1, *exponent, a)) {
            ++*digits;
            return;
        }
    }
}

void num_write_double(struct buf *b, double v)
{
    if (write_special(b, v))
        return;
    double a = fabs(v);
    uint64_t digits;
    int exponent = 0;
    if (a < 0x1p53 && a == (double)(uint64_t)a)
        digits = (uint64_t)a;
    else if (a >= 1e-10 && a < 0x1p53) {
        if (!short_decimal(a, &digits, &exponent))
            long_decimal(a, &digits, &exponent);
    } else {
        slow_decimal(a, &digits, &exponent);
    }
    write_decimal(b, signbit(v), digits, exponent);
}

void num_write_rounded(struct buf *b, double v, int decimals)
{
    assert(decimals >= 0 && decimals <= 15);
    double a = fabs(v);
    /* Below 10^15 the rounded digits are the shortest text: see short_decimal. */
    if (!(a * power_of_ten[decimals] < 1e15 - 1)) {
        num_write_double(b, round_decimal(v, decimals));
        return;
    }
    uint64_t digits = round_scaled(a, decimals);
    if (digits == 0)
        (void)write_special(b, signbit(v) ? -0.0 : 0.0);
    else
        write_decimal(b, signbit(v), digits, -decimals);
}

void num_write_significant(struct buf *b, double v, int digits)
{
    assert(digits >= 1 && digits <= SHORT_DIGITS);
    if (write_special(b, v))
        return;
    double a = fabs(v);
    uint64_t rounded;
    int exponent;
    int d = a < DBL_MIN ? INT32_MAX : digits - 1 - decade_guess(a);
    if (d <= POWER_OF_TEN_MAX && d > -POWER_OF_TEN_MAX) {
        double scaled = d < 0 ? a / power_of_ten[-d] : a * power_of_ten[d];
        if (scaled >= power_of_ten[digits])
            d--;
        rounded = round_scaled(a, d);
        exponent = -d;
    } else {
        printed_decimal(a, digits, &rounded, &exponent);
    }
    write_decimal(b, signbit(v), rounded, exponent);
}

void num_write(struct buf *b, struct num n)
{
    switch (n.kind) {
    case NUM_INT:
        buf_add_i64(b, n.i);
        break;
    case NUM_FLOAT:
        num_write_double(b, n.f);
        break;
    case NUM_TEXT:
        buf_add(b, n.text, n.len);
        break;
    case NUM_NONE:
        buf_add(b, "null", 4);
        break;
    }
}
