/* SPDX-License-Identifier: MIT */
/*
 * The digits are guessed by a multiplication and proved by the division that will bring the number
 * back: both operands are exact, so the quotient is the rational number rounded once, which is what
 * a parser of the printed text made of it. Below 2^52 no two candidates give the same double.
 */
#include "streamd/store/decimal.h"

#include "proto/number_powers.h"

#include <math.h>

enum { INT64_DIGITS = 19 };

static const double digits_max = 0x1p52;

double decimal_power(int places)
{
    return power_of_ten[places];
}

double decimal_double(int64_t digits, int places)
{
    return (double)digits / power_of_ten[places];
}

int64_t decimal_integer_power(int places)
{
    return (int64_t)power_of_ten[places];
}

/* Looks from `from` places upwards, as far as the digits fit. */
static struct decimal look(double v, int from)
{
    for (int places = from; places <= DECIMAL_PLACES_MAX; places++) {
        double scaled = v * power_of_ten[places];
        if (!(fabs(scaled) < digits_max))
            break;
        int64_t digits = (int64_t)(scaled + (scaled < 0 ? -0.5 : 0.5));
        if (decimal_double(digits, places) == v)
            return (struct decimal){digits, places};
    }
    return (struct decimal){0, -1};
}

struct decimal decimal_of(double v, int guess)
{
    if (!(fabs(v) < digits_max) || (v == 0 && signbit(v)))
        return (struct decimal){0, -1};
    if (fabs(v) * power_of_ten[guess] >= digits_max)
        guess = 0;
    struct decimal d = look(v, guess);
    while (d.places > 0 && d.digits % 10 == 0) {
        d.digits /= 10;
        d.places--;
    }
    return d;
}

bool decimal_widen(struct decimal d, int places, int64_t *out_digits)
{
    if (d.places < 0 || places < d.places)
        return false;
    double widened = (double)d.digits * power_of_ten[places - d.places];
    if (places == d.places)
        *out_digits = d.digits;
    else if (fabs(widened) < digits_max)
        *out_digits = (int64_t)widened;
    else
        return false;
    return true;
}

int decimal_length(int64_t digits)
{
    uint64_t left = digits < 0 ? 0 - (uint64_t)digits : (uint64_t)digits;
    int length = 0;
    for (uint64_t power = 1; left >= power && length < INT64_DIGITS; power *= 10)
        length++;
    return length;
}
