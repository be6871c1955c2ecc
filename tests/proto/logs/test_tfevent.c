/* SPDX-License-Identifier: MIT */
#include "proto/logs/tfevent.h"

#include "tests/streamd/event_bytes.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* A summary of one value `t`, a tensor. */
static struct num value_of(const struct buf *tensor)
{
    struct buf value;
    struct buf summary;
    struct span tag;
    struct num number = num_none();
    buf_init(&value, 4096);
    buf_init(&summary, 4096);
    put_bytes(&value, 1, SPAN("t"));
    put_bytes(&value, 8, buf_span(tensor));
    put_bytes(&summary, 1, buf_span(&value));
    struct span rest = buf_span(&summary);
    if (tfevent_next(&rest, &tag, &number) != OK)
        number = num_none();
    buf_fini(&value);
    buf_fini(&summary);
    return number;
}

static void an_event_has_a_time_a_step_and_values(void **state)
{
    (void)state;
    struct buf file;
    struct span data;
    struct span tag;
    struct num value;
    struct tfevent event;
    const char *why;
    buf_init(&file, 4096);
    put_event(&file, 1700000000.5, -3, "train/loss", 0.1F);
    struct span rest = buf_span(&file);
    assert_int_equal(tfrecord_next(&rest, &data, &why), OK);
    assert_int_equal(tfevent_read(data, &event), OK);
    assert_true(event.wall_s == 1700000000.5);
    assert_int_equal(event.step, -3);
    assert_int_equal(tfevent_next(&event.summary, &tag, &value), OK);
    assert_true(span_is(tag, "train/loss"));
    assert_true(num_double(value) == (double)0.1F);
    assert_int_equal(tfevent_next(&event.summary, &tag, &value), E_NOT_FOUND);
    buf_fini(&file);
}

static void tensors_of_one_number_are_read_in_every_form(void **state)
{
    (void)state;
    static const struct {
        unsigned dtype;
        unsigned list;
        unsigned bytes;
        uint64_t word;
        double value;
    } cases[] = {
        {1, 5, 4, 0x3e800000, 0.25},   {2, 6, 8, 0x3fd0000000000000, 0.25},
        {3, 7, 4, 0xfffffffe, -2},     {9, 10, 8, UINT64_MAX - 4, -5},
        {14, 13, 2, 0x3e80, 0.25},     {19, 13, 2, 0x3400, 0.25},
        {19, 13, 2, 0x8001, -0x1p-24}, {19, 13, 2, 0x7c00, INFINITY},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf raw;
        struct buf packed;
        struct buf tensor;
        bool varint = cases[i].list == 7 || cases[i].list == 10 || cases[i].list == 13;
        buf_init(&raw, 64);
        buf_init(&packed, 64);
        buf_init(&tensor, 256);
        word_put(&raw, cases[i].word, cases[i].bytes);
        put_bytes(&tensor, 4, buf_span(&raw));
        put_varint(&tensor, 1, cases[i].dtype); /* behind what it is of */
        assert_true(num_double(value_of(&tensor)) == cases[i].value);
        if (varint)
            varint_put(&packed, cases[i].word);
        else
            word_put(&packed, cases[i].word, cases[i].bytes);
        buf_reset(&tensor);
        put_varint(&tensor, 1, cases[i].dtype);
        put_bytes(&tensor, cases[i].list, buf_span(&packed));
        assert_true(num_double(value_of(&tensor)) == cases[i].value);
        put_bytes(&tensor, cases[i].list, buf_span(&packed));
        assert_int_equal(value_of(&tensor).kind, NUM_NONE); /* two numbers are no scalar */
        buf_fini(&raw);
        buf_fini(&packed);
        buf_fini(&tensor);
    }
}

static void what_is_no_number_is_passed_over(void **state)
{
    (void)state;
    struct buf value;
    struct buf summary;
    struct span tag;
    struct num number;
    buf_init(&value, 4096);
    buf_init(&summary, 4096);
    put_bytes(&value, 1, SPAN("image"));
    put_bytes(&value, 4, SPAN("\x08\x01"));
    put_bytes(&summary, 1, buf_span(&value));
    buf_reset(&value);
    put_bytes(&value, 1, SPAN("x"));
    put_fixed32(&value, 2, 2);
    put_bytes(&summary, 1, buf_span(&value));
    struct span rest = buf_span(&summary);
    assert_int_equal(tfevent_next(&rest, &tag, &number), OK);
    assert_true(span_is(tag, "x"));
    buf_fini(&value);
    buf_fini(&summary);
}

static void torn_messages_are_refused(void **state)
{
    (void)state;
    static const struct span torn[] = {
        {"\x09\x00\x00", 3}, /* eight bytes are due */
        {"\x2a\x05\x01", 3}, /* five */
        {"\x10", 1},         /* a varint */
        {"\x13", 1},         /* a group */
        {"\x00\x01", 2},     /* field 0 */
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11},
    };
    struct tfevent event;
    for (size_t i = 0; i < sizeof(torn) / sizeof(torn[0]); i++)
        assert_int_equal(tfevent_read(torn[i], &event), E_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_has_a_time_a_step_and_values),
        cmocka_unit_test(tensors_of_one_number_are_read_in_every_form),
        cmocka_unit_test(what_is_no_number_is_passed_over),
        cmocka_unit_test(torn_messages_are_refused),
    };
    return cmocka_run_group_tests_name("proto/logs/tfevent", tests, NULL, NULL);
}
