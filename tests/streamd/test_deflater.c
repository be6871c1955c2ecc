/* SPDX-License-Identifier: MIT */
#include "streamd/encode/deflater.h"

#include "tests/support/guarded.h"
#include "tests/support/oom.h"
#include "tests/support/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

enum { LIMIT = 4 << 20 };

static struct deflater *deflater;
static const struct span nothing = {NULL, 0};

static int setup(void **state)
{
    (void)state;
    deflater = deflater_create();
    return deflater ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    deflater_destroy(deflater);
    return 0;
}

/* Text that compresses about as well as our payloads do. */
static struct span text_of(size_t len, struct random *r)
{
    static char text[LIMIT];
    for (size_t i = 0; i < len; i++)
        text[i] = "{\"loss\":0123456789,.}"[random_below(r, 21)];
    return (struct span){text, len};
}

static void what_was_deflated_inflates_to_the_same(void **state)
{
    static const size_t sizes[] = {0, 1, 2, 63, 300, 4095, 4096, 4097, 8192, 65535, 65536, 1000000};
    struct random r = random_seeded(1);
    struct buf deflated;
    struct buf plain;
    (void)state;
    buf_init(&deflated, LIMIT);
    buf_init(&plain, LIMIT);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct span text = text_of(sizes[i], &r);
        buf_reset(&deflated);
        buf_reset(&plain);
        assert_int_equal(deflater_message(deflater, nothing, text, &deflated), OK);
        struct guarded g = guarded_copy(deflated.ptr, deflated.len);
        assert_int_equal(deflater_inflate(deflater, g.span, &plain), OK);
        guarded_free(&g);
        assert_true(span_eq(buf_span(&plain), text));
    }
    buf_fini(&deflated);
    buf_fini(&plain);
}

/* RFC 7692, 7.2.3: "Hello" in each of the ways that the RFC shows. */
static void the_examples_of_the_rfc_are_understood(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *plain;
    } cases[] = {
        {"\xf2\x48\xcd\xc9\xc9\x07\x00", 7, "Hello"},
        {"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", 11, "Hello"},         /* not compressed */
        {"\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8, "Hello"},                      /* BFINAL set */
        {"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", 13, "Hello"}, /* two blocks */
        {"\x00", 1, ""},                                                       /* empty message */
        {"\x02\x00", 2, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf plain;
        buf_init(&plain, 100);
        struct guarded g = guarded_copy(cases[i].bytes, cases[i].len);
        if (deflater_inflate(deflater, g.span, &plain) != OK)
            fail_msg("case %zu", i);
        assert_true(span_is(buf_span(&plain), cases[i].plain));
        guarded_free(&g);
        buf_fini(&plain);
    }
}

static void messages_know_nothing_of_each_other(void **state)
{
    struct random r = random_seeded(2);
    struct span text = text_of(300, &r);
    struct buf first;
    struct buf second;
    struct buf plain;
    (void)state;
    buf_init(&first, LIMIT);
    buf_init(&second, LIMIT);
    buf_init(&plain, LIMIT);
    assert_int_equal(deflater_message(deflater, nothing, text, &first), OK);
    assert_int_equal(deflater_message(deflater, nothing, SPAN("something else"), &second), OK);
    buf_reset(&second);
    assert_int_equal(deflater_message(deflater, nothing, text, &second), OK);
    assert_true(span_eq(buf_span(&first), buf_span(&second)));
    /* After a message that was broken the next is read as ever. */
    assert_int_equal(deflater_inflate(deflater, SPAN("\xff\xff\xff"), &plain), E_MALFORMED);
    buf_reset(&plain);
    assert_int_equal(deflater_inflate(deflater, buf_span(&first), &plain), OK);
    assert_true(span_eq(buf_span(&plain), text));
    buf_fini(&first);
    buf_fini(&second);
    buf_fini(&plain);
}

static void the_limit_is_met_exactly(void **state)
{
    struct random r = random_seeded(3);
    struct buf deflated;
    (void)state;
    buf_init(&deflated, LIMIT);
    for (size_t len = 4090; len <= 4102; len++) {
        struct span text = text_of(len, &r);
        buf_reset(&deflated);
        assert_int_equal(deflater_message(deflater, nothing, text, &deflated), OK);
        struct buf plain;
        buf_init(&plain, len + 1);
        assert_int_equal(deflater_inflate(deflater, buf_span(&deflated), &plain), OK);
        assert_true(span_eq(buf_span(&plain), text));
        buf_fini(&plain);
        buf_init(&plain, len - 1);
        assert_int_equal(deflater_inflate(deflater, buf_span(&deflated), &plain), E_LIMIT);
        assert_true(plain.len <= len - 1);
        buf_fini(&plain);
    }
    buf_fini(&deflated);
}

static void a_bomb_is_given_up_at_the_limit(void **state)
{
    static char zeros[8 << 20];
    struct buf bomb;
    struct buf plain;
    (void)state;
    buf_init(&bomb, 2 * sizeof(zeros));
    buf_init(&plain, 100000);
    assert_int_equal(
        deflater_message(deflater, nothing, (struct span){zeros, sizeof(zeros)}, &bomb), OK);
    assert_true(bomb.len < sizeof(zeros) / 500);
    assert_int_equal(deflater_inflate(deflater, buf_span(&bomb), &plain), E_LIMIT);
    assert_true(plain.cap <= 2 * plain.limit);
    buf_fini(&bomb);
    buf_fini(&plain);
}

static void bad_data_is_refused_and_never_read_past_its_end(void **state)
{
    static const char *const bad[] = {"\x07", "\xff", "\x06", "\xf2\x48\xff\xff\xff\xff",
                                      "\x01\x05\x01\x05\x01hello"};
    struct random r = random_seeded(4);
    struct buf plain;
    (void)state;
    buf_init(&plain, 10000);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        buf_reset(&plain);
        assert_int_equal(deflater_inflate(deflater, span_of(bad[i]), &plain), E_MALFORMED);
    }
    for (unsigned i = 0; i < 20000; i++) {
        char bytes[40];
        size_t len = (size_t)random_below(&r, sizeof(bytes));
        for (size_t k = 0; k < len; k++)
            bytes[k] = (char)random_next(&r);
        struct guarded g = guarded_copy(bytes, len);
        buf_reset(&plain);
        enum status status = deflater_inflate(deflater, g.span, &plain);
        assert_true(status == OK || status == E_MALFORMED || status == E_LIMIT);
        guarded_free(&g);
    }
    buf_fini(&plain);
}

static void a_message_that_is_cut_off_is_refused(void **state)
{
    struct random r = random_seeded(5);
    struct span text = text_of(300, &r);
    struct buf deflated;
    struct buf plain;
    (void)state;
    buf_init(&deflated, LIMIT);
    buf_init(&plain, LIMIT);
    assert_int_equal(deflater_message(deflater, nothing, text, &deflated), OK);
    for (size_t len = 0; len < deflated.len; len++) {
        buf_reset(&plain);
        struct span start = {deflated.ptr, len};
        if (deflater_inflate(deflater, start, &plain) == OK)
            fail_msg("%zu of %zu bytes were taken for a message", len, deflated.len);
    }
    buf_fini(&deflated);
    buf_fini(&plain);
}

static void gzip_is_what_gunzip_reads(void **state)
{
    struct random r = random_seeded(6);
    struct span text = text_of(50000, &r);
    static char plain[60000];
    struct buf packed;
    (void)state;
    buf_init(&packed, LIMIT);
    for (unsigned round = 0; round < 2; round++) {
        z_stream z = {0};
        buf_reset(&packed);
        assert_int_equal(deflater_gzip(deflater, text, &packed), OK);
        assert_true(packed.len < text.len);
        assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
        z.next_in = (Bytef *)packed.ptr;
        z.avail_in = (uInt)packed.len;
        z.next_out = (Bytef *)plain;
        z.avail_out = sizeof(plain);
        assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
        assert_int_equal(z.avail_in, 0);
        assert_int_equal(z.total_out, text.len);
        assert_memory_equal(plain, text.ptr, text.len);
        inflateEnd(&z);
    }
    buf_fini(&packed);
}

static void output_is_appended_and_its_limit_kept(void **state)
{
    struct random r = random_seeded(7);
    struct span text = text_of(1000, &r);
    struct buf out;
    (void)state;
    buf_init(&out, LIMIT);
    buf_add_str(&out, "head");
    assert_int_equal(deflater_message(deflater, nothing, text, &out), OK);
    assert_true(span_starts(buf_span(&out), SPAN("head")));
    buf_fini(&out);
    buf_init(&out, 100);
    assert_int_equal(deflater_message(deflater, nothing, text, &out), E_LIMIT);
    buf_reset(&out);
    assert_int_equal(deflater_gzip(deflater, text, &out), E_LIMIT);
    buf_fini(&out);
}

static void want_of_memory_is_told(void **state)
{
    struct random r = random_seeded(8);
    struct span text = text_of(1000, &r);
    (void)state;
    for (size_t n = 1; oom_sweeps(n); n++) {
        struct buf deflated;
        struct buf plain;
        buf_init(&deflated, LIMIT);
        buf_init(&plain, LIMIT);
        struct deflater *d = deflater_create();
        enum status status = d ? deflater_message(d, nothing, text, &deflated) : E_NOMEM;
        if (status == OK)
            status = deflater_inflate(d, buf_span(&deflated), &plain);
        assert_true(status == OK ? span_eq(buf_span(&plain), text) : status == E_NOMEM);
        deflater_destroy(d);
        buf_fini(&deflated);
        buf_fini(&plain);
    }
    deflater_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_deflated_inflates_to_the_same),
        cmocka_unit_test(the_examples_of_the_rfc_are_understood),
        cmocka_unit_test(messages_know_nothing_of_each_other),
        cmocka_unit_test(the_limit_is_met_exactly),
        cmocka_unit_test(a_bomb_is_given_up_at_the_limit),
        cmocka_unit_test(bad_data_is_refused_and_never_read_past_its_end),
        cmocka_unit_test(a_message_that_is_cut_off_is_refused),
        cmocka_unit_test(gzip_is_what_gunzip_reads),
        cmocka_unit_test(output_is_appended_and_its_limit_kept),
        cmocka_unit_test(want_of_memory_is_told),
    };
    return cmocka_run_group_tests_name("streamd/deflater", tests, setup, teardown);
}
