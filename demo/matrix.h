/* SPDX-License-Identifier: MIT */
/*
 * matrix: the one dense operation the demo's models need: a matrix product, fast enough on one core
 * without a BLAS. A struct matrix_view owns nothing.
 */
#ifndef DEMO_MATRIX_H
#define DEMO_MATRIX_H

#include <stddef.h>

/* Columns of `right` and of the result are a multiple of this. */
enum { MATRIX_LANES = 16 };

/* Element (row, column) is at[row * row_step + column * column_step]. */
struct matrix_view {
    const float *at; /* borrows */
    size_t row_step;
    size_t column_step;
};

struct matrix_shape {
    size_t rows;
    size_t inner;
    size_t columns; /* a multiple of MATRIX_LANES */
};

/* count rounded up to a multiple of MATRIX_LANES. */
size_t matrix_padded(size_t count);

/*
 * out = left * right. `left` may be strided either way, so a transposed left factor costs no copy;
 * `right` (inner x columns) and `out` (rows x columns) are dense row-major and overlap nothing.
 */
void matrix_multiply(float *out, struct matrix_view left, const float *right,
                     struct matrix_shape shape);

#endif
