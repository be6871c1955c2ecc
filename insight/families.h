/* SPDX-License-Identifier: MIT */
/*
 * families: the shapes that learning curves have, y = c + a * g(x), fitted as the points come.
 *
 * Five kinds of g on a fixed grid of their parameters. Of every shape only the sums of a least
 * squares fit are kept, so a point costs the same however long the curve is, every point counts,
 * and nothing is iterated that might fail to converge.
 */
#ifndef INSIGHT_FAMILIES_H
#define INSIGHT_FAMILIES_H

#include <stdbool.h>

enum family {
    FAMILY_POW3,
    FAMILY_POW4,
    FAMILY_EXP3,
    FAMILY_WEIBULL,
    FAMILY_MMF,
    FAMILY_ILOG,
    FAMILY_LOG,
    FAMILIES
};

enum { FAMILIES_SHAPES = 124 };

/* Moments of one shape against the values. */
struct shape_sums {
    double mean, gg, gy;
};

struct families {
    double count;
    double mean, yy; /* of the values */
    struct shape_sums sums[FAMILIES_SHAPES];
};

/* The best shape of a family. */
struct family_fit {
    bool known;
    double error; /* mean of squares */
    double a, c;
    unsigned shape;
};

void families_init(struct families *f);

/* The next value; its x is its number, from 1. */
void families_push(struct families *f, double y);

/* The best fit of each family. Asserts that there is a value. */
void families_fit(const struct families *f, struct family_fit out[FAMILIES]);

/* What a fit says of x >= 1. */
double family_at(const struct family_fit *fit, double x);

/* How many numbers a family fits, those of its grid among them. */
unsigned family_parameters(enum family family);

#endif
