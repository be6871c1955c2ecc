/* SPDX-License-Identifier: MIT */
/*
 * number_powers: what number.c and number_write.c share; nobody else includes this.
 */
#ifndef PROTO_NUMBER_POWERS_H
#define PROTO_NUMBER_POWERS_H

#include <stdint.h>

__extension__ typedef unsigned __int128 uint128; /* no struct name exists for it */

enum {
    POWER_OF_TEN_MAX = 22,  /* the largest exact as a double */
    POWER_OF_FIVE_MAX = 27, /* the largest that fits uint64_t */
};

/* Every whole number up to here is a double. */
#define EXACT_INTEGER_MAX ((uint64_t)1 << 53)

extern const double power_of_ten[POWER_OF_TEN_MAX + 1];
extern const uint64_t power_of_five[POWER_OF_FIVE_MAX + 1];

/*
 * a * 10^d rounded half to even to a whole number, decided on the exact product. a >= 0, |d| <=
 * POWER_OF_TEN_MAX, and the product is below EXACT_INTEGER_MAX.
 */
uint64_t round_scaled(double a, int d);

#endif
