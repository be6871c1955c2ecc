/* SPDX-License-Identifier: MIT */
/*
 * decimal: the few decimal digits behind a double, where there are few.
 *
 * A number that was printed with n decimals is digits / 10^n rounded once, and comes back from
 * these two to the bit. Most of what trainers send is like that.
 */
#ifndef STREAMD_STORE_DECIMAL_H
#define STREAMD_STORE_DECIMAL_H

#include <stdbool.h>
#include <stdint.h>

enum {
    DECIMAL_PLACES_MAX = 22,         /* 10^22 is the largest that is a double */
    DECIMAL_INTEGER_PLACES_MAX = 18, /* 10^18 is the largest that is an int64_t */
};

struct decimal {
    int64_t digits;
    int places; /* as few as can be; -1: it has no such form */
};

/* `guess`: where to begin looking, 0 .. DECIMAL_PLACES_MAX; it changes nothing but the time. */
struct decimal decimal_of(double v, int guess);

/* The same number with more places. False: not with so few, or with too many digits. */
bool decimal_widen(struct decimal d, int places, int64_t *out_digits);

/* 0 <= places <= DECIMAL_PLACES_MAX */
double decimal_power(int places);
double decimal_double(int64_t digits, int places);

/* 0 <= places <= DECIMAL_INTEGER_PLACES_MAX */
int64_t decimal_integer_power(int places);

/* How many digits, without a sign; 0 has none. */
int decimal_length(int64_t digits);

#endif
