/* SPDX-License-Identifier: MIT */
#include "proto/logs/tfrecord.h"

#include "tests/streamd/event_bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void the_checksum_is_crc_32c_turned_and_shifted(void **state)
{
    (void)state;
    /* RFC 3720 B.4 has e3069283 for the nine digits. */
    uint32_t crc = 0xe3069283;
    assert_int_equal(tfrecord_checksum(SPAN("123456789")),
                     (uint32_t)((crc >> 15 | crc << 17) + 0xa282ead8U));
    assert_int_equal(tfrecord_checksum(SPAN("")), 0xa282ead8U);
}

static void records_come_back_in_order(void **state)
{
    (void)state;
    struct buf file;
    struct span rest;
    struct span data;
    const char *why;
    buf_init(&file, 4096);
    put_record(&file, SPAN("one"));
    put_record(&file, SPAN(""));
    assert_true(tfrecord_fits(buf_span(&file)));
    rest = buf_span(&file);
    assert_int_equal(tfrecord_next(&rest, &data, &why), OK);
    assert_true(span_is(data, "one"));
    assert_int_equal(tfrecord_next(&rest, &data, &why), OK);
    assert_int_equal(data.len, 0);
    assert_int_equal(tfrecord_next(&rest, &data, &why), E_NOT_FOUND);
    buf_fini(&file);
}

static void no_torn_or_altered_byte_passes(void **state)
{
    (void)state;
    struct buf file;
    struct span data;
    const char *why;
    buf_init(&file, 4096);
    put_record(&file, SPAN("some data"));
    for (size_t n = 1; n < file.len; n++) {
        struct span rest = {file.ptr, n};
        assert_int_equal(tfrecord_next(&rest, &data, &why), E_MALFORMED);
        assert_string_equal(why, "a record is cut off");
        assert_int_equal(rest.len, n);
    }
    for (size_t bit = 0; bit < file.len * 8; bit++) {
        struct span rest = buf_span(&file);
        file.ptr[bit / 8] = (char)(file.ptr[bit / 8] ^ 1 << bit % 8);
        assert_int_equal(tfrecord_next(&rest, &data, &why), E_MALFORMED);
        file.ptr[bit / 8] = (char)(file.ptr[bit / 8] ^ 1 << bit % 8);
    }
    buf_fini(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_checksum_is_crc_32c_turned_and_shifted),
        cmocka_unit_test(records_come_back_in_order),
        cmocka_unit_test(no_torn_or_altered_byte_passes),
    };
    return cmocka_run_group_tests_name("proto/logs/tfrecord", tests, NULL, NULL);
}
