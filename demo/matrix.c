/* SPDX-License-Identifier: MIT */
/*
 * A strip of four rows by MATRIX_LANES columns of the result stays in local sums while the inner
 * dimension runs past: each value of `right` is loaded once for four multiply-adds. The lane loop
 * has a constant trip count, so gcc vectorises it at -O2 too, where it leaves loops of unknown
 * length alone. The four rows are written out because a loop over them is turned inside out by
 * gcc 12 at -O3, three times slower. Where the last strip has fewer rows, its last row is computed
 * again in their place and thrown away. Every result is summed in the same order wherever it lies.
 */
#include "demo/matrix.h"

#include <assert.h>
#include <string.h>

enum { STRIP_ROWS = 4 };

size_t matrix_padded(size_t count)
{
    return (count + MATRIX_LANES - 1) / MATRIX_LANES * MATRIX_LANES;
}

static void multiply_strip(float *out, struct matrix_view left, const float *right,
                           struct matrix_shape shape)
{
    float sums[STRIP_ROWS][MATRIX_LANES] = {{0}};
    size_t row_at[STRIP_ROWS];
    for (size_t row = 0; row < STRIP_ROWS; row++)
        row_at[row] = (row < shape.rows ? row : shape.rows - 1) * left.row_step;

    for (size_t k = 0; k < shape.inner; k++) {
        const float *column = left.at + k * left.column_step;
        const float *row = right + k * shape.columns;
        const float scale0 = column[row_at[0]];
        const float scale1 = column[row_at[1]];
        const float scale2 = column[row_at[2]];
        const float scale3 = column[row_at[3]];
        for (int lane = 0; lane < MATRIX_LANES; lane++) {
            sums[0][lane] += scale0 * row[lane];
            sums[1][lane] += scale1 * row[lane];
            sums[2][lane] += scale2 * row[lane];
            sums[3][lane] += scale3 * row[lane];
        }
    }
    for (size_t row = 0; row < shape.rows; row++)
        memcpy(out + row * shape.columns, sums[row], sizeof(sums[row]));
}

void matrix_multiply(float *out, struct matrix_view left, const float *right,
                     struct matrix_shape shape)
{
    assert(shape.columns % MATRIX_LANES == 0);
    for (size_t column = 0; column < shape.columns; column += MATRIX_LANES) {
        for (size_t row = 0; row < shape.rows; row += STRIP_ROWS) {
            struct matrix_shape strip = shape;
            strip.rows = shape.rows - row < STRIP_ROWS ? shape.rows - row : STRIP_ROWS;
            struct matrix_view rows = left;
            rows.at += row * left.row_step;
            multiply_strip(out + row * shape.columns + column, rows, right + column, strip);
        }
    }
}
