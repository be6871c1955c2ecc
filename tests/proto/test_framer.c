/* SPDX-License-Identifier: MIT */
/*
 * The main test feeds one stream in random chunks, a thousand ways, and wants the same lines each
 * time: those a reader of the whole stream would find.
 */
#include "proto/framer.h"

#include "tests/support/guarded.h"
#include "tests/support/oom.h"
#include "tests/support/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_LINE = 20, ROUNDS = 3000 };

/* Feeds a chunk that ends at a guard page; writes what comes to `log`, one line "<...>" each. */
static void feed(struct framer *f, struct span chunk, struct buf *log)
{
    struct guarded g = guarded_copy(chunk.ptr, chunk.len);
    struct span line;
    enum framer_result result;
    framer_push(f, g.span);
    while ((result = framer_next(f, &line)) != FRAMER_NEED_MORE) {
        if (result == FRAMER_TOO_LONG) {
            buf_add_char(log, '!');
            continue;
        }
        assert_int_equal(result, FRAMER_LINE);
        buf_add_char(log, '<');
        buf_add_span(log, line);
        buf_add_char(log, '>');
    }
    guarded_free(&g);
}

static void finish(struct framer *f, struct buf *log)
{
    struct span rest;
    if (framer_rest(f, &rest)) {
        buf_add_str(log, "rest:");
        buf_add_span(log, rest);
    }
    assert_false(framer_rest(f, &rest));
}

static const struct {
    const char *stream;
    const char *log;
} cases[] = {
    {"", ""},
    {"\n", "<>"},
    {"a\nb\n", "<a><b>"},
    {"a\r\nb\r\n", "<a><b>"},
    {"a\rb\n\r\n", "<a\rb><>"},
    {"a\n\n\nb", "<a><><>rest:b"},
    {"unfinished", "rest:unfinished"},
    {"\xef\xbb\xbf{}\n", "<{}>"},
    {"\xef\xbb\xbf\n\xef\xbb\xbf\n", "<><\xef\xbb\xbf>"},
    {"\xef\xbb\xbf", "rest:"},
    {"\xef\xbb{}\n", "<\xef\xbb{}>"},
    {"12345678901234567890\nx\n", "<12345678901234567890><x>"},
    {"12345678901234567890\r\nx\n", "<12345678901234567890><x>"},
    {"\xef\xbb\xbfg2345678901234567890\r\nx\n", "<g2345678901234567890><x>"},
    {"123456789012345678901\nx\n", "!<x>"},
    {"123456789012345678901\r\nx\n", "!<x>"},
    {"12345678901234567890\r\r\nx\n", "!<x>"},
    {"a line that is much too long and goes on\n\xef\xbb\xbfx\n", "!<\xef\xbb\xbfx>"},
    {"a line that is much too long and never ends", "!"},
    {"a line that is too long, twice\nanother line that is too long\n\nc", "!!<>rest:c"},
};

static void lines_do_not_depend_on_where_the_chunks_end(void **state)
{
    (void)state;
    struct random chance = random_seeded(11);
    struct framer f;
    struct buf log;
    framer_init(&f, MAX_LINE);
    buf_init(&log, 1000);
    for (int round = 0; round < ROUNDS; round++) {
        size_t which = (size_t)round % (sizeof(cases) / sizeof(cases[0]));
        struct span rest = span_of(cases[which].stream);
        size_t largest = 1 + random_below(&chance, 50);
        buf_reset(&log);
        while (rest.len > 0) {
            size_t n = 1 + random_below(&chance, largest);
            n = n < rest.len ? n : rest.len;
            feed(&f, (struct span){rest.ptr, n}, &log);
            rest = (struct span){rest.ptr + n, rest.len - n};
        }
        finish(&f, &log);
        assert_true(span_is(buf_span(&log), cases[which].log));
        framer_fini(&f);
    }
    buf_fini(&log);
}

static void a_line_whole_in_its_chunk_is_not_copied(void **state)
{
    (void)state;
    static const char chunk[] = "first\nsecond\n";
    struct framer f;
    struct span line;
    framer_init(&f, MAX_LINE);
    framer_push(&f, SPAN(chunk));
    assert_int_equal(framer_next(&f, &line), FRAMER_LINE);
    assert_ptr_equal(line.ptr, chunk);
    assert_int_equal(framer_next(&f, &line), FRAMER_LINE);
    assert_ptr_equal(line.ptr, chunk + 6);
    assert_int_equal(framer_next(&f, &line), FRAMER_NEED_MORE);
    assert_null(f.held.ptr); /* nothing was allocated at all */
    framer_fini(&f);
}

static void an_endless_line_costs_no_more_memory_than_a_good_one(void **state)
{
    (void)state;
    static char chunk[65536];
    struct framer f;
    struct span line;
    int refusals = 0;
    memset(chunk, 'x', sizeof(chunk));
    framer_init(&f, FRAMER_LINE_MAX);
    for (int i = 0; i < 100; i++) {
        framer_push(&f, (struct span){chunk, sizeof(chunk)});
        enum framer_result result;
        while ((result = framer_next(&f, &line)) != FRAMER_NEED_MORE) {
            assert_int_equal(result, FRAMER_TOO_LONG);
            refusals++;
        }
    }
    assert_int_equal(refusals, 1);
    assert_true(f.held.cap <= FRAMER_LINE_MAX + 8);
    framer_fini(&f);
}

static void an_empty_chunk_is_just_nothing(void **state)
{
    (void)state;
    struct framer f;
    struct span line;
    framer_init(&f, MAX_LINE);
    framer_push(&f, (struct span){NULL, 0});
    assert_int_equal(framer_next(&f, &line), FRAMER_NEED_MORE);
    framer_push(&f, SPAN("a"));
    assert_int_equal(framer_next(&f, &line), FRAMER_NEED_MORE);
    framer_push(&f, (struct span){NULL, 0});
    assert_int_equal(framer_next(&f, &line), FRAMER_NEED_MORE);
    framer_push(&f, SPAN("\n"));
    assert_int_equal(framer_next(&f, &line), FRAMER_LINE);
    assert_true(span_is(line, "a"));
    assert_int_equal(framer_next(&f, &line), FRAMER_NEED_MORE);
    framer_fini(&f);
}

/* A chunk that ends within a line is what makes the framer allocate. */
static void out_of_memory_costs_one_line_and_no_more(void **state)
{
    (void)state;
    static const char *const chunks[] = {"one\ntw", "o\nth", "ree\nfour\n"};
    for (size_t n = 1; oom_sweeps(n); n++) {
        struct framer f;
        struct span line;
        size_t lines = 0;
        size_t lost = 0;
        framer_init(&f, FRAMER_LINE_MAX);
        for (size_t i = 0; i < 3; i++) {
            enum framer_result result;
            framer_push(&f, span_of(chunks[i]));
            while ((result = framer_next(&f, &line)) != FRAMER_NEED_MORE) {
                lines += result == FRAMER_LINE ? 1 : 0;
                lost += result == FRAMER_NOMEM ? 1 : 0;
            }
        }
        assert_int_equal(lines + lost, 4);
        assert_true(lost <= 1);
        framer_fini(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_do_not_depend_on_where_the_chunks_end),
        cmocka_unit_test(a_line_whole_in_its_chunk_is_not_copied),
        cmocka_unit_test(an_endless_line_costs_no_more_memory_than_a_good_one),
        cmocka_unit_test(an_empty_chunk_is_just_nothing),
        cmocka_unit_test(out_of_memory_costs_one_line_and_no_more),
    };
    return cmocka_run_group_tests_name("proto/framer", tests, NULL, NULL);
}
