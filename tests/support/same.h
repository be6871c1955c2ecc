/* SPDX-License-Identifier: MIT */
/*
 * same: numbers and records compared to the bit.
 *
 * NaN is the same as itself, 0 is not -0, 1 is not 1.0. What a line had that was no number
 * (record.ignored) is not compared: nobody keeps it.
 */
#ifndef TESTS_SUPPORT_SAME_H
#define TESTS_SUPPORT_SAME_H

#include "proto/record.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static inline void assert_same_num(struct num a, struct num b)
{
    assert_int_equal(a.kind, b.kind);
    if (a.kind == NUM_TEXT) {
        assert_int_equal(a.len, b.len);
        assert_memory_equal(a.text, b.text, a.len);
    } else if (a.kind != NUM_NONE) {
        assert_memory_equal(&a.i, &b.i, sizeof(a.i));
    }
}

static inline void assert_same_record(const struct record *a, const struct record *b)
{
    assert_int_equal(a->sent, b->sent);
    assert_int_equal(a->wrong, b->wrong);
    for (size_t i = 0; i < RECORD_FIELDS; i++)
        assert_same_num(a->field[i], b->field[i]);
    assert_int_equal(a->extra_count, b->extra_count);
    for (size_t i = 0; i < a->extra_count; i++) {
        assert_true(span_eq(a->extra[i].name, b->extra[i].name));
        assert_same_num(a->extra[i].value, b->extra[i].value);
    }
}

#endif
