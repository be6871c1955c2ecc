/* SPDX-License-Identifier: MIT */
#include "streamd/session/epochs.h"

#include "tests/support/guarded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void add(struct epochs *e, uint64_t offset, double val_loss)
{
    struct epoch epoch = {.offset = offset, .has = 1U << EPOCH_VAL_LOSS};
    epoch.value[EPOCH_VAL_LOSS] = val_loss;
    epochs_add(e, &epoch);
}

static void offsets_come_back_in_order(void **state)
{
    static const uint64_t offsets[] = {1, 2, 130, 131, 100000, UINT64_C(1) << 40};
    enum { COUNT = sizeof(offsets) / sizeof(offsets[0]) };
    uint64_t out[COUNT + 1];
    struct epochs e;
    (void)state;
    epochs_init(&e);
    for (size_t i = 0; i < COUNT; i++)
        add(&e, offsets[i], 1);
    assert_int_equal(epochs_first(&e), 0);
    assert_int_equal(epochs_offsets(&e, 0, out, COUNT + 1), COUNT);
    assert_memory_equal(out, offsets, sizeof(offsets));
    assert_int_equal(epochs_offsets(&e, 4, out, 1), 1);
    assert_int_equal(out[0], 100000);
    assert_int_equal(epochs_offsets(&e, COUNT, out, 1), 0);
    epochs_fini(&e);
}

static void past_its_bound_the_older_half_is_forgotten_and_still_counts(void **state)
{
    enum { COUNT = 40000 };
    uint64_t *out = malloc(COUNT * sizeof(*out));
    struct epochs e;
    (void)state;
    assert_non_null(out);
    epochs_init(&e);
    for (uint64_t i = 0; i < COUNT; i++)
        add(&e, 1 + i * 200, i == 3 ? 0.25 : 0.5);
    assert_int_equal(e.trend.count, COUNT);
    assert_int_equal(e.trend.best, 3);
    assert_in_range(e.steps.len, EPOCHS_BYTES_MAX / 4, EPOCHS_BYTES_MAX);
    uint64_t first = epochs_first(&e);
    assert_int_equal(epochs_offsets(&e, 0, out, COUNT), COUNT - first);
    for (uint64_t i = first; i < COUNT; i++)
        assert_int_equal(out[i - first], 1 + i * 200);
    epochs_fini(&e);
    free(out);
}

static void offsets_that_went_back_begin_the_list_anew(void **state)
{
    struct epochs e;
    uint64_t out[3];
    (void)state;
    epochs_init(&e);
    add(&e, 10, 1);
    add(&e, 20, 1);
    add(&e, 20, 1);
    add(&e, 25, 1);
    assert_int_equal(e.trend.count, 4);
    assert_int_equal(epochs_first(&e), 2);
    assert_int_equal(epochs_offsets(&e, 0, out, 3), 2);
    assert_true(out[0] == 20 && out[1] == 25);
    epochs_fini(&e);
}

static void what_is_written_down_is_read_back(void **state)
{
    struct buf bytes;
    struct epochs was;
    struct epochs is;
    uint64_t out[2];
    (void)state;
    buf_init(&bytes, 1 << 16);
    epochs_init(&was);
    epochs_init(&is);
    epochs_write(&was, &bytes);
    assert_int_equal(bytes.len, 0);
    add(&was, 5, 0.5);
    add(&was, 900, 0.75);
    was.stale = true;
    epochs_write(&was, &bytes);
    assert_int_equal(epochs_read(&is, buf_span(&bytes)), OK);
    assert_int_equal(is.trend.count, 2);
    assert_true(is.trend.best_val_loss == 0.5 && is.stale);
    assert_int_equal(epochs_offsets(&is, 0, out, 2), 2);
    assert_int_equal(out[1], 900);
    for (size_t len = 1; len < bytes.len; len++) {
        struct guarded copy = guarded_copy(bytes.ptr, len);
        assert_int_equal(epochs_read(&is, copy.span), E_MALFORMED);
        assert_int_equal(is.trend.count, 0);
        guarded_free(&copy);
    }
    assert_int_equal(epochs_read(&is, SPAN("")), OK);
    epochs_fini(&was);
    epochs_fini(&is);
    buf_fini(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets_come_back_in_order),
        cmocka_unit_test(past_its_bound_the_older_half_is_forgotten_and_still_counts),
        cmocka_unit_test(offsets_that_went_back_begin_the_list_anew),
        cmocka_unit_test(what_is_written_down_is_read_back),
    };
    return cmocka_run_group_tests_name("session/epochs", tests, NULL, NULL);
}
