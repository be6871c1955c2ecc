/* SPDX-License-Identifier: MIT */
#include "proto/base64.h"

#include "tests/support/guarded.h"
#include "tests/support/oom.h"
#include "tests/support/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* RFC 4648, section 10, and the bytes the Engine.IO examples use. */
static const struct {
    struct span bytes;
    const char *text;
} known[] = {
    {{"", 0}, ""},
    {{"f", 1}, "Zg=="},
    {{"fo", 2}, "Zm8="},
    {{"foo", 3}, "Zm9v"},
    {{"foob", 4}, "Zm9vYg=="},
    {{"fooba", 5}, "Zm9vYmE="},
    {{"foobar", 6}, "Zm9vYmFy"},
    {{"\x01\x02\x03\x04", 4}, "AQIDBA=="},
    {{"\xff\xef\xbe", 3}, "/+++"},
    {{"\0", 1}, "AA=="},
};

static void known_bytes_have_their_known_text_both_ways(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        struct guarded bytes = guarded_copy(known[i].bytes.ptr, known[i].bytes.len);
        struct guarded text = guarded_text(known[i].text);
        buf_reset(&b);
        base64_encode(&b, bytes.span);
        assert_true(span_is(buf_span(&b), known[i].text));
        buf_reset(&b);
        assert_int_equal(base64_decode(&b, text.span), OK);
        assert_true(span_eq(buf_span(&b), known[i].bytes));
        guarded_free(&bytes);
        guarded_free(&text);
    }
    buf_fini(&b);
}

static void anything_but_the_one_spelling_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "A",    "AA",    "AAA",      "=",        "====",  "A===",       "AA=A",
        "=AAA", "AAAA=", "AAAA====", "Zg==Zg==", "Zh==",  "Zm9=",       "AB==",
        "Zm9 ", "Zm9\n", "Zm-_",     "Zm9v\r\n", "Zg=\t", "Z\xc3\xa9v",
    };
    struct buf b;
    buf_init(&b, 100);
    buf_add_str(&b, "before");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct guarded g = guarded_text(bad[i]);
        assert_int_equal(base64_decode(&b, g.span), E_MALFORMED);
        assert_true(span_is(buf_span(&b), "before"));
        assert_int_equal(buf_status(&b), OK);
        guarded_free(&g);
    }
    buf_fini(&b);
}

static void random_bytes_come_back_and_a_changed_letter_never_does(void **state)
{
    (void)state;
    struct random chance = random_seeded(10);
    struct buf text;
    struct buf back;
    buf_init(&text, 1000);
    buf_init(&back, 1000);
    for (int i = 0; i < 20000; i++) {
        char bytes[64];
        size_t len = random_below(&chance, sizeof(bytes));
        for (size_t j = 0; j < len; j++)
            bytes[j] = (char)random_below(&chance, 256);
        buf_reset(&text);
        buf_reset(&back);
        base64_encode(&text, (struct span){bytes, len});
        assert_int_equal(base64_decode(&back, buf_span(&text)), OK);
        assert_true(span_eq(buf_span(&back), (struct span){bytes, len}));
        if (text.len == 0)
            continue;
        text.ptr[random_below(&chance, text.len)] ^= (char)(1 + random_below(&chance, 255));
        buf_reset(&back);
        if (base64_decode(&back, buf_span(&text)) == OK)
            assert_false(span_eq(buf_span(&back), (struct span){bytes, len}));
    }
    buf_fini(&text);
    buf_fini(&back);
}

static void the_limit_of_the_buf_is_met_exactly(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 4);
    assert_int_equal(base64_decode(&b, SPAN("AQIDBA==")), OK);
    assert_int_equal(b.len, 4);
    buf_reset(&b);
    assert_int_equal(base64_decode(&b, SPAN("AQIDBAU=")), E_LIMIT);
    buf_fini(&b);
}

static void out_of_memory_is_told_from_bad_text(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    oom_fail(1);
    assert_int_equal(base64_decode(&b, SPAN("AQID")), E_NOMEM);
    assert_true(oom_failed());
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_bytes_have_their_known_text_both_ways),
        cmocka_unit_test(anything_but_the_one_spelling_is_refused),
        cmocka_unit_test(random_bytes_come_back_and_a_changed_letter_never_does),
        cmocka_unit_test(the_limit_of_the_buf_is_met_exactly),
        cmocka_unit_test(out_of_memory_is_told_from_bad_text),
    };
    return cmocka_run_group_tests_name("proto/base64", tests, NULL, NULL);
}
