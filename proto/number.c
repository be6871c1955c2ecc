/* SPDX-License-Identifier: MIT */
/*
 * Reading. The digits become one 64-bit integer w and a power of ten, and the nearest double of
 * w * 10^e is found exactly:
 *   - both factors are doubles (w <= 2^53, |e| <= 22): one multiplication or division, which IEEE
 *     rounds correctly;
 *   - |e| <= 27: 10^e = 5^e * 2^e and 5^27 fits 64 bits, so the product or the quotient is had
 *     whole in 128 bits and rounded once by hand. That is every loss a Python trainer prints;
 *   - the rest, rare, goes to strtod as plain digits and an exponent: without a decimal point the
 *     text means the same in every locale, and 800 digits and a mark for "more" decide any tie.
 *
 * Rounding. v * 10^d is computed as a double and cut at its integer. Only when the computed
 * fraction is exactly one half can the true product be on either side; the residual of the product
 * (fma) tells which. Everything else cannot be wrong, because rounding is monotone.
 */
#include "proto/number.h"

#include "proto/number_powers.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    EXACT_DIGITS = 19,      /* any number of so many digits fits uint64_t */
    EXPONENT_CAP = 1000000, /* beyond this only 0 and infinity are left, whatever the digits */
    SLOW_DIGITS = 800,      /* no tie between two doubles has more significant digits than 767 */
};

/* A number of the grammar, taken apart: (-1)^negative * w * 10^exponent. */
struct decimal {
    const char *first;   /* the first digit */
    const char *end;     /* after the last digit of the mantissa */
    uint64_t w;          /* the mantissa's digits modulo 2^64 */
    int64_t point_shift; /* digits after the point */
    int64_t exponent;    /* as written after e, capped */
    bool negative;
    bool whole; /* no point and no exponent */
};

static inline bool is_digit(char c)
{
    return (unsigned char)(c - '0') <= 9;
}

static const char *scan_digits(const char *at, const char *end, uint64_t *w)
{
    uint64_t value = *w;
    for (; at < end && is_digit(*at); at++)
        value = value * 10 + (uint64_t)(*at - '0');
    *w = value;
    return at;
}

static const char *scan_exponent(const char *at, const char *end, int64_t *exponent)
{
    bool negative = false;
    if (at < end && (*at == '+' || *at == '-'))
        negative = *at++ == '-';
    if (at == end || !is_digit(*at))
        return NULL;
    int64_t value = 0;
    for (; at < end && is_digit(*at); at++) {
        if (value < EXPONENT_CAP)
            value = value * 10 + (*at - '0');
    }
    *exponent = negative ? -value : value;
    return at;
}

/* The grammar. Answers the end of the number, or NULL. */
static const char *scan_decimal(const char *at, const char *end, struct decimal *d)
{
    d->negative = at < end && *at == '-';
    d->first = at + d->negative;
    d->w = 0;
    d->exponent = 0;
    d->point_shift = 0;
    at = scan_digits(d->first, end, &d->w);
    if (at == d->first || (*d->first == '0' && at - d->first > 1))
        return NULL;
    d->whole = true;
    if (at < end && *at == '.') {
        const char *fraction = at + 1;
        at = scan_digits(fraction, end, &d->w);
        if (at == fraction)
            return NULL;
        d->point_shift = at - fraction;
        d->whole = false;
    }
    d->end = at;
    if (at < end && (*at == 'e' || *at == 'E')) {
        d->whole = false;
        return scan_exponent(at + 1, end, &d->exponent);
    }
    return at;
}

/* Do the mantissa's digits, leading zeros aside, fit w? */
static bool fits(const struct decimal *d)
{
    if (d->end - d->first <= EXACT_DIGITS)
        return true;
    const char *at = d->first;
    while (at < d->end && (*at == '0' || *at == '.'))
        at++;
    ptrdiff_t left = d->end - at;
    bool point_inside = memchr(at, '.', (size_t)left) != NULL;
    return left - point_inside <= EXACT_DIGITS;
}

/* v * 2^exponent2 rounded half to even; `more`: the true value is a little above v. v >= 2^61. */
static double round_wide(uint128 v, bool more, int exponent2)
{
    int bits =
        v >> 64 ? 128 - __builtin_clzll((uint64_t)(v >> 64)) : 64 - __builtin_clzll((uint64_t)v);
    int drop = bits - 53;
    uint64_t kept = (uint64_t)(v >> drop);
    uint128 rest = v & (((uint128)1 << drop) - 1);
    uint128 half = (uint128)1 << (drop - 1);
    if (rest > half || (rest == half && (more || (kept & 1))))
        kept++;
    uint64_t power_bits = (uint64_t)(1023 + drop + exponent2) << 52;
    double power;
    memcpy(&power, &power_bits, sizeof(power));
    return (double)kept * power;
}

/* The nearest double of w * 10^e; w > 0, |e| <= POWER_OF_FIVE_MAX. */
static double nearest(uint64_t w, int e)
{
    if (w <= EXACT_INTEGER_MAX && e >= -POWER_OF_TEN_MAX && e <= POWER_OF_TEN_MAX)
        return e < 0 ? (double)w / power_of_ten[-e] : (double)w * power_of_ten[e];
    int shift = __builtin_clzll(w);
    w <<= shift;
    if (e >= 0)
        return round_wide((uint128)w * power_of_five[e], false, e - shift);
    uint64_t five = power_of_five[-e];
    int five_shift = __builtin_clzll(five);
    five <<= five_shift;
    uint128 dividend = (uint128)w << 63;
    uint128 quotient = dividend / five;
    bool more = quotient * five != dividend;
    return round_wide(quotient, more, e - shift - 63 + five_shift);
}

/* Any digits, any exponent. */
static double nearest_slow(const struct decimal *d)
{
    char text[SLOW_DIGITS + 1 + 24];
    size_t n = 0;
    int64_t exponent = d->exponent - d->point_shift;
    bool more = false;
    for (const char *at = d->first; at < d->end; at++) {
        if (*at == '.' || (n == 0 && *at == '0'))
            continue;
        if (n < SLOW_DIGITS) {
            text[n++] = *at;
        } else {
            more |= *at != '0';
            exponent++;
        }
    }
    if (n == 0)
        return 0;
    if (more) {
        text[n++] = '1';
        exponent--;
    }
    (void)snprintf(text + n, sizeof(text) - n, "e%lld", (long long)exponent);
    return strtod(text, NULL);
}

static double decimal_double(const struct decimal *d)
{
    int64_t e = d->exponent - d->point_shift;
    double v;
    if (!fits(d) || e < -POWER_OF_FIVE_MAX || e > POWER_OF_FIVE_MAX)
        v = nearest_slow(d);
    else
        v = d->w == 0 ? 0 : nearest(d->w, (int)e);
    return d->negative ? -v : v;
}

/* A whole number without exponent; `text` is all of it, sign included. */
static struct num decimal_integer(const struct decimal *d, struct span text)
{
    if (d->negative && d->w == 0)
        return num_float(-0.0);
    uint64_t most = (uint64_t)INT64_MAX + d->negative;
    if (d->end - d->first <= EXACT_DIGITS && d->w <= most)
        return num_int(d->negative ? (int64_t)(0 - d->w) : (int64_t)d->w);
    return (struct num){.kind = NUM_TEXT, .len = (uint32_t)text.len, .text = text.ptr};
}

const char *num_scan(const char *at, const char *end, struct num *out)
{
    struct decimal d;
    const char *stop = scan_decimal(at, end, &d);
    if (!stop || (size_t)(stop - at) > UINT32_MAX)
        return NULL;
    if (d.whole)
        *out = decimal_integer(&d, (struct span){at, (size_t)(stop - at)});
    else
        *out = num_float(decimal_double(&d));
    return stop;
}

bool num_parse(struct span text, struct num *out)
{
    struct num n;
    const char *end = text.ptr + text.len;
    if (text.len == 0 || num_scan(text.ptr, end, &n) != end)
        return false;
    *out = n;
    return true;
}

bool num_parse_word(struct span text, struct num *out)
{
    if (span_eq(text, SPAN("NaN")))
        *out = num_float((double)NAN);
    else if (span_eq(text, SPAN("Infinity")))
        *out = num_float((double)INFINITY);
    else if (span_eq(text, SPAN("-Infinity")))
        *out = num_float((double)-INFINITY);
    else
        return false;
    return true;
}

const char *num_word(struct num n)
{
    if (n.kind != NUM_FLOAT || isfinite(n.f))
        return NULL;
    if (isnan(n.f))
        return "NaN";
    return n.f > 0 ? "Infinity" : "-Infinity";
}

double num_double(struct num n)
{
    struct decimal d = {.w = 0};
    switch (n.kind) {
    case NUM_INT:
        return (double)n.i;
    case NUM_FLOAT:
        return n.f;
    case NUM_TEXT:
        (void)scan_decimal(n.text, n.text + n.len, &d);
        return decimal_double(&d);
    case NUM_NONE:
        break;
    }
    return (double)NAN;
}

bool num_is_finite(struct num n)
{
    return n.kind != NUM_NONE && isfinite(num_double(n));
}

uint64_t round_scaled(double a, int d)
{
    assert(d >= -POWER_OF_TEN_MAX && d <= POWER_OF_TEN_MAX);
    double power = power_of_ten[d < 0 ? -d : d];
    double scaled = d < 0 ? a / power : a * power;
    uint64_t whole = (uint64_t)scaled;
    double fraction = scaled - (double)whole;
    if (fraction != 0.5)
        return whole + (fraction > 0.5);
    double above = d < 0 ? fma(-scaled, power, a) : fma(a, power, -scaled);
    return whole + (above > 0 || (above == 0 && (whole & 1)));
}

/* |v| too large for round_scaled but not yet a whole number for certain. */
static double round_slow(double v, int decimals)
{
    char fixed[64];
    char text[64];
    size_t n = 0;
    (void)snprintf(fixed, sizeof(fixed), "%.*f", decimals, fabs(v));
    for (const char *at = fixed; *at; at++) {
        if (is_digit(*at))
            text[n++] = *at;
    }
    (void)snprintf(text + n, sizeof(text) - n, "e-%d", decimals);
    return copysign(strtod(text, NULL), v);
}

double round_decimal(double v, int decimals)
{
    assert(decimals >= 0 && decimals <= 15);
    double a = fabs(v);
    if (!(a < 0x1p52)) /* a whole number already, or not finite */
        return v;
    if (a * power_of_ten[decimals] >= (double)EXACT_INTEGER_MAX)
        return round_slow(v, decimals);
    return copysign((double)round_scaled(a, decimals) / power_of_ten[decimals], v);
}
