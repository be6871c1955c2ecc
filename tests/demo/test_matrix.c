/* SPDX-License-Identifier: MIT */
#include "demo/matrix.h"
#include "demo/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static float *drawn(size_t count, struct rng *rng)
{
    float *values = malloc(count * sizeof(float));
    assert_non_null(values);
    for (size_t i = 0; i < count; i++)
        values[i] = (float)rng_normal(rng);
    return values;
}

static void assert_product(const float *out, struct matrix_view left, const float *right,
                           struct matrix_shape shape)
{
    for (size_t row = 0; row < shape.rows; row++) {
        for (size_t column = 0; column < shape.columns; column++) {
            double sum = 0.0;
            for (size_t k = 0; k < shape.inner; k++)
                sum += (double)left.at[row * left.row_step + k * left.column_step] *
                       right[k * shape.columns + column];
            assert_true(fabs(out[row * shape.columns + column] - sum) < 1e-4);
        }
    }
}

static void check_shape(struct matrix_shape shape, struct rng *rng)
{
    float *left = drawn(shape.rows * shape.inner, rng);
    float *right = drawn(shape.inner * shape.columns, rng);
    float *out = drawn(shape.rows * shape.columns, rng);

    struct matrix_view rows = {left, shape.inner, 1};
    matrix_multiply(out, rows, right, shape);
    assert_product(out, rows, right, shape);

    struct matrix_view transposed = {left, 1, shape.rows};
    matrix_multiply(out, transposed, right, shape);
    assert_product(out, transposed, right, shape);

    free(left);
    free(right);
    free(out);
}

/* The allocations end where the matrices do, so that ASan sees a strip that reaches too far. */
static void products_of_all_small_shapes_are_right(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 1);
    for (size_t rows = 1; rows <= 9; rows++) {
        for (size_t inner = 1; inner <= 5; inner++) {
            for (size_t columns = 16; columns <= 48; columns += 16)
                check_shape((struct matrix_shape){rows, inner, columns}, &rng);
        }
    }
}

static void a_row_does_not_depend_on_the_rows_around_it(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 2);
    float *left = drawn(6 * 11, &rng);
    float *right = drawn(11 * 16, &rng);
    float together[6 * 16];
    float alone[16];
    matrix_multiply(together, (struct matrix_view){left, 11, 1}, right,
                    (struct matrix_shape){6, 11, 16});
    for (size_t row = 0; row < 6; row++) {
        matrix_multiply(alone, (struct matrix_view){left + row * 11, 11, 1}, right,
                        (struct matrix_shape){1, 11, 16});
        assert_memory_equal(alone, together + row * 16, sizeof(alone));
    }
    free(left);
    free(right);
}

static void padding_is_the_next_multiple(void **state)
{
    (void)state;
    assert_int_equal(matrix_padded(1), 16);
    assert_int_equal(matrix_padded(16), 16);
    assert_int_equal(matrix_padded(17), 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_of_all_small_shapes_are_right),
        cmocka_unit_test(a_row_does_not_depend_on_the_rows_around_it),
        cmocka_unit_test(padding_is_the_next_multiple),
    };
    return cmocka_run_group_tests_name("demo/matrix", tests, NULL, NULL);
}
