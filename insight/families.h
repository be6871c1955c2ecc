/* SPDX-License-Identifier: MIT */
/*
 * families: the shapes that learning curves have, y = c + a * g(x).
 *
 * Six kinds of g on a fixed grid of their parameters; for each the best c and a by least squares,
 * and of each family the best shape. Nothing is iterated, so nothing fails to converge.
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

enum {
    FAMILIES_POINTS_MAX = 64,
    FAMILIES_AHEAD = 2, /* places that are foretold at once */
};

struct family_fit {
    bool known;
    double sse;                   /* squared error over the points */
    double value[FAMILIES_AHEAD]; /* at each place ahead */
};

/* The best fit of each family to n points, x >= 1 and rising; 1 <= n <= FAMILIES_POINTS_MAX. */
void families_fit(const double *x, const double *y, unsigned n, const double ahead[FAMILIES_AHEAD],
                  struct family_fit out[FAMILIES]);

/* How many numbers a family fits, those of its grid among them. */
unsigned family_parameters(enum family family);

#endif
