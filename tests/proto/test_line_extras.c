/* SPDX-License-Identifier: MIT */
#include "proto/line_extras.h"

#include "proto/line.h"
#include "tests/support/guarded.h"
#include "tests/support/oom.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { MANY = 10000 };

static struct line_decoder decoder;

static int make_decoder(void **state)
{
    (void)state;
    line_decoder_init(&decoder, 4711);
    return 0;
}

static int drop_decoder(void **state)
{
    (void)state;
    line_decoder_fini(&decoder);
    return 0;
}

static struct span name_of(int i, char name[16])
{
    return (struct span){name, (size_t)snprintf(name, 16, "metric%d", i)};
}

static void put(struct span name, int value)
{
    assert_int_equal(line_extras_put(&decoder, name, num_int(value)), OK);
}

static void names_come_back_in_the_order_they_came(void **state)
{
    (void)state;
    put(SPAN("b"), 1);
    put(SPAN("a"), 2);
    put(SPAN("b"), 3);
    assert_int_equal(decoder.extra_count, 2);
    assert_true(span_is(decoder.extra[0].name, "b"));
    assert_int_equal(decoder.extra[0].value.i, 3);
    assert_true(span_is(decoder.extra[1].name, "a"));
}

static void the_last_value_wins_however_many_names_there_are(void **state)
{
    (void)state;
    static char names[MANY][16];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < MANY; i++)
            put(name_of(i, names[i]), round * MANY + i);
    }
    assert_int_equal(decoder.extra_count, MANY);
    for (int i = 0; i < MANY; i++) {
        assert_true(span_is(decoder.extra[i].name, names[i]));
        assert_int_equal(decoder.extra[i].value.i, MANY + i);
    }
}

static void a_short_line_after_a_long_one_finds_only_its_own_names(void **state)
{
    (void)state;
    static char names[100][16];
    for (int line = 0; line < 3; line++) {
        decoder.extra_count = 0;
        for (int i = 0; i < 20 + line * 40; i++)
            put(name_of(i + line * 7, names[i]), line);
        assert_int_equal(decoder.extra_count, 20 + line * 40);
    }
    decoder.extra_count = 0;
    put(SPAN("metric3"), 5);
    assert_int_equal(decoder.extra_count, 1);
}

/* A line that needs the extras, grown, and their index. */
static struct span long_line(void)
{
    static const char head[] = "{\"type\":\"progress\",\"metrics\":{";
    static char text[4096];
    size_t n = sizeof(head) - 1;
    memcpy(text, head, n);
    for (int i = 0; i < 100; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s\"n%d\":1", i ? "," : "", i);
    memcpy(text + n, "}}", 3);
    return (struct span){text, n + 2};
}

static void a_line_that_meets_no_memory_is_refused_and_the_next_one_read(void **state)
{
    (void)state;
    struct span text = long_line();
    enum status status = E_NOMEM;
    int failures = 0;
    for (size_t n = 1; status != OK; n++) {
        struct line line = {.seq = 77};
        struct line_error error = {.code = "none"};
        line_decoder_fini(&decoder);
        oom_fail(n);
        status = line_decode(&decoder, text, &line, &error);
        (void)oom_failed();
        if (status == OK) {
            assert_int_equal(line.record.extra_count, 100);
            break;
        }
        failures++;
        assert_int_equal(status, E_NOMEM);
        assert_string_equal(error.code, "no_memory");
        assert_int_equal(line.seq, 77);
        assert_int_equal(line_decode(&decoder, text, &line, &error), OK);
        assert_int_equal(line.record.extra_count, 100);
    }
    assert_true(failures >= 3);
}

static void a_decoder_that_has_read_a_line_reads_it_again_without_memory(void **state)
{
    (void)state;
    struct line line;
    struct line_error error;
    struct span text = long_line();
    assert_int_equal(line_decode(&decoder, text, &line, &error), OK);
    oom_fail(1);
    assert_int_equal(line_decode(&decoder, text, &line, &error), OK);
    assert_false(oom_failed());
    assert_int_equal(line.record.extra_count, 100);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_decoder, drop_decoder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_come_back_in_the_order_they_came),
        TEST(the_last_value_wins_however_many_names_there_are),
        TEST(a_short_line_after_a_long_one_finds_only_its_own_names),
        TEST(a_line_that_meets_no_memory_is_refused_and_the_next_one_read),
        TEST(a_decoder_that_has_read_a_line_reads_it_again_without_memory),
    };
    return cmocka_run_group_tests_name("proto/line_extras", tests, NULL, NULL);
}
