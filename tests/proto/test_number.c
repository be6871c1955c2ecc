/* SPDX-License-Identifier: MIT */
/*
 * The vectors say what is right; the random tests then hold the quick paths against the C library,
 * whose own reading and printing of doubles is correctly rounded.
 */
#include "proto/number.h"

#include "tests/support/guarded.h"
#include "tests/support/random.h"
#include "tests/support/vectors.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { RANDOM_ROUNDS = 250000 };

/* A finite double of any magnitude, or one of a metric's. */
static double random_double(struct random *random)
{
    uint64_t bits;
    double v;
    do {
        bits = random_next(random);
        memcpy(&v, &bits, sizeof(v));
    } while (!isfinite(v));
    switch (bits % 4) {
    case 0:
        return v;
    case 1:
        return ldexp((double)(bits >> 11), -53 - (int)(bits % 40));
    case 2:
        return (double)(bits >> 44) / 10000;
    default:
        return ldexp(1, (int)(bits >> 53) - 1024);
    }
}

static struct num parse(const char *text)
{
    struct guarded g = guarded_text(text);
    struct num n = num_none();
    assert_true(num_parse(g.span, &n));
    if (n.kind == NUM_TEXT)
        n.text = text;
    guarded_free(&g);
    return n;
}

static enum num_kind kind_of(const char *name)
{
    if (strcmp(name, "int") == 0)
        return NUM_INT;
    return strcmp(name, "float") == 0 ? NUM_FLOAT : NUM_TEXT;
}

static void assert_written(struct buf *b, const char *want)
{
    assert_int_equal(buf_status(b), OK);
    if (!span_is(buf_span(b), want))
        fail_msg("written %.*s, wanted %s", (int)b->len, b->ptr, want);
    buf_reset(b);
}

static const char *text_at(const cJSON *row, int index)
{
    return cJSON_GetStringValue(cJSON_GetArrayItem(row, index));
}

static void valid_numbers_are_read_as_what_they_are_and_written_back(void **state)
{
    struct buf *b = *state;
    cJSON *vectors = vectors_read("tests/vectors/numbers.json");
    const cJSON *row;
    cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(vectors, "valid"))
    {
        struct num n = parse(text_at(row, 0));
        assert_int_equal(n.kind, kind_of(text_at(row, 1)));
        num_write(b, n);
        assert_written(b, text_at(row, 2));
    }
    cJSON_Delete(vectors);
}

static void what_is_no_json_number_is_refused(void **state)
{
    (void)state;
    cJSON *vectors = vectors_read("tests/vectors/numbers.json");
    const cJSON *row;
    cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(vectors, "invalid"))
    {
        struct guarded g = guarded_text(cJSON_GetStringValue(row));
        struct num n = num_int(77);
        if (num_parse(g.span, &n) || n.i != 77)
            fail_msg("accepted '%s'", cJSON_GetStringValue(row));
        guarded_free(&g);
    }
    cJSON_Delete(vectors);
}

static void rounding_and_significant_digits_follow_the_vectors(void **state)
{
    struct buf *b = *state;
    cJSON *vectors = vectors_read("tests/vectors/numbers.json");
    const cJSON *row;
    cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(vectors, "rounded"))
    {
        int decimals = cJSON_GetArrayItem(row, 1)->valueint;
        num_write_rounded(b, num_double(parse(text_at(row, 0))), decimals);
        assert_written(b, text_at(row, 2));
    }
    cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(vectors, "significant"))
    {
        int digits = cJSON_GetArrayItem(row, 1)->valueint;
        num_write_significant(b, num_double(parse(text_at(row, 0))), digits);
        assert_written(b, text_at(row, 2));
    }
    cJSON_Delete(vectors);
}

static void rounding_is_pythons(void **state)
{
    struct buf *b = *state;
    cJSON *vectors = vectors_read("tests/vectors/python_round.json");
    const cJSON *row;
    cJSON_ArrayForEach(row, vectors)
    {
        double v = cJSON_GetArrayItem(row, 0)->valuedouble;
        int decimals = cJSON_GetArrayItem(row, 1)->valueint;
        double want = cJSON_GetArrayItem(row, 2)->valuedouble;
        assert_memory_equal(&want, &(double){round_decimal(v, decimals)}, sizeof(want));
        num_write_rounded(b, v, decimals);
        buf_add_char(b, '\0');
        assert_true(strtod(b->ptr, NULL) == want);
        buf_reset(b);
    }
    cJSON_Delete(vectors);
}

static void the_three_words_are_read_and_named(void **state)
{
    struct buf *b = *state;
    static const char *const words[] = {"NaN", "Infinity", "-Infinity"};
    for (size_t i = 0; i < 3; i++) {
        struct num n = num_none();
        assert_true(num_parse_word(span_of(words[i]), &n));
        assert_string_equal(num_word(n), words[i]);
        assert_false(num_is_finite(n));
        num_write(b, n);
        assert_written(b, "null");
        num_write_significant(b, n.f, 6);
        assert_written(b, "null");
        num_write_rounded(b, n.f, 4);
        assert_written(b, "null");
    }
    struct num n;
    assert_false(num_parse_word(span_of("nan"), &n));
    assert_false(num_parse_word(span_of("NaN "), &n));
    assert_false(num_parse_word(span_of(""), &n));
    assert_null(num_word(num_float(1)));
    assert_null(num_word(num_none()));
}

static void a_number_beyond_the_doubles_reads_as_infinity(void **state)
{
    (void)state;
    assert_string_equal(num_word(parse("1e999")), "Infinity");
    assert_string_equal(num_word(parse("-1e999")), "-Infinity");
    assert_true(num_double(parse("18446744073709551616")) == 0x1p64);
    assert_true(isnan(num_double(num_none())));
    assert_false(num_is_finite(num_none()));
    assert_true(num_is_finite(num_int(3)));
}

static void scanning_stops_where_the_number_ends(void **state)
{
    (void)state;
    struct guarded g = guarded_text("-1.5e3,");
    struct num n;
    const char *end = num_scan(g.span.ptr, g.span.ptr + g.span.len, &n);
    assert_ptr_equal(end, g.span.ptr + 6);
    assert_true(n.f == -1500);
    guarded_free(&g);
}

static void a_tie_a_thousand_digits_long_is_decided_by_its_last_digit(void **state)
{
    (void)state;
    char text[1100] = "9007199254740993.";
    size_t n = strlen(text);
    memset(text + n, '0', 1000);
    assert_true(num_double(parse(text)) == 9007199254740992.0);
    text[n + 999] = '1';
    assert_true(num_double(parse(text)) == 9007199254740994.0);
}

static void any_double_survives_being_written_and_read(void **state)
{
    struct buf *b = *state;
    struct random random = random_seeded(88);
    for (int i = 0; i < RANDOM_ROUNDS; i++) {
        double v = random_double(&random);
        num_write_double(b, v);
        struct num n = num_none();
        assert_true(num_parse(buf_span(b), &n));
        if (num_double(n) != v)
            fail_msg("%.17g written as %.*s", v, (int)b->len, b->ptr);
        buf_reset(b);
    }
}

static void what_printf_writes_is_read_as_strtod_reads_it(void **state)
{
    (void)state;
    static const int precisions[] = {3, 15, 16, 17, 20, 30};
    struct random random = random_seeded(14);
    for (int i = 0; i < RANDOM_ROUNDS; i++) {
        char text[80];
        double v = random_double(&random);
        int len = snprintf(text, sizeof(text), "%.*e", precisions[i % 6], v);
        struct num n = num_none();
        assert_true(num_parse((struct span){text, (size_t)len}, &n));
        if (num_double(n) != strtod(text, NULL))
            fail_msg("%s read as %.17g", text, num_double(n));
    }
}

static void rounding_agrees_with_printf_which_is_exact(void **state)
{
    struct buf *b = *state;
    struct random random = random_seeded(28);
    for (int i = 0; i < RANDOM_ROUNDS; i++) {
        char text[400];
        double v = random_double(&random);
        int decimals = i % 16;
        (void)snprintf(text, sizeof(text), "%.*f", decimals, v);
        double want = strtod(text, NULL);
        if (round_decimal(v, decimals) != want)
            fail_msg("%.17g to %d: %.17g, wanted %s", v, decimals, round_decimal(v, decimals),
                     text);
        num_write_rounded(b, v, decimals);
        buf_add_char(b, '\0');
        assert_true(strtod(b->ptr, NULL) == want);
        buf_reset(b);
        (void)snprintf(text, sizeof(text), "%.5e", v);
        num_write_significant(b, v, 6);
        buf_add_char(b, '\0');
        assert_true(strtod(b->ptr, NULL) == strtod(text, NULL));
        buf_reset(b);
    }
}

static int make_buf(void **state)
{
    static struct buf b;
    buf_init(&b, 4096);
    *state = &b;
    return 0;
}

static int drop_buf(void **state)
{
    buf_fini(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(valid_numbers_are_read_as_what_they_are_and_written_back,
                                        make_buf, drop_buf),
        cmocka_unit_test_setup_teardown(what_is_no_json_number_is_refused, make_buf, drop_buf),
        cmocka_unit_test_setup_teardown(rounding_and_significant_digits_follow_the_vectors,
                                        make_buf, drop_buf),
        cmocka_unit_test_setup_teardown(rounding_is_pythons, make_buf, drop_buf),
        cmocka_unit_test_setup_teardown(the_three_words_are_read_and_named, make_buf, drop_buf),
        cmocka_unit_test_setup_teardown(a_number_beyond_the_doubles_reads_as_infinity, make_buf,
                                        drop_buf),
        cmocka_unit_test_setup_teardown(scanning_stops_where_the_number_ends, make_buf, drop_buf),
        cmocka_unit_test_setup_teardown(a_tie_a_thousand_digits_long_is_decided_by_its_last_digit,
                                        make_buf, drop_buf),
        cmocka_unit_test_setup_teardown(any_double_survives_being_written_and_read, make_buf,
                                        drop_buf),
        cmocka_unit_test_setup_teardown(what_printf_writes_is_read_as_strtod_reads_it, make_buf,
                                        drop_buf),
        cmocka_unit_test_setup_teardown(rounding_agrees_with_printf_which_is_exact, make_buf,
                                        drop_buf),
    };
    return cmocka_run_group_tests_name("proto/number", tests, NULL, NULL);
}
