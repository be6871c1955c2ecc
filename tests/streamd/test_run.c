/* SPDX-License-Identifier: MIT */
#include "streamd/store/run.h"

#include "proto/record_json.h"
#include "tests/support/guarded.h"
#include "tests/support/oom.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What trainers say, with everything that is kept otherwise than as a plain number. */
static const char *const lines[] = {
    "{\"type\":\"progress\",\"metrics\":{\"loss\":1.25,\"step\":1,\"total_steps\":100}}",
    "{\"type\":\"progress\",\"metrics\":{\"step\":2}}",
    "{\"type\":\"epoch\",\"metrics\":{\"loss\":NaN,\"step\":3,\"lr\":1e-5}}",
    "{\"type\":\"progress\",\"metrics\":{\"a\":{\"b\":-0.0},\"big\":123456789012345678901234567890}"
    "}",
    "{\"type\":\"progress\",\"metrics\":{\"loss\":\"Infinity\",\"current_model\":2,\"x\\u00e4\":7}"
    "}",
    "{\"type\":\"progress\",\"sessionId\":\"a\",\"seq\":9,\"metrics\":{}}",
};
enum { LINES = sizeof(lines) / sizeof(lines[0]) };

struct fixture {
    struct line_decoder decoder;
    struct record_memory memory;
    struct buf run;
    struct buf text;
};

static struct run_mark mark_of(size_t i)
{
    return (struct run_mark){INT64_C(1700000000123) + (int64_t)i, 1000 * i + 7, 3 * i};
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    line_decoder_init(&f->decoder, 1);
    record_memory_init(&f->memory);
    f->memory.loss = num_float(-0.0);
    f->memory.total_models = num_int(3);
    f->memory.models_completed = 1;
    buf_init(&f->run, 1 << 20);
    buf_init(&f->text, 1 << 20);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    line_decoder_fini(&f->decoder);
    buf_fini(&f->run);
    buf_fini(&f->text);
    free(f);
    return 0;
}

static void write_run(struct fixture *f)
{
    run_begin(&f->run, &f->memory);
    for (size_t i = 0; i < LINES; i++)
        run_add(&f->run, mark_of(i), span_of(lines[i]));
    run_end(&f->run);
}

static void a_record_read_back_is_the_one_that_was_told(void **state)
{
    struct fixture *f = *state;
    struct record_memory memory = f->memory;
    struct line_decoder live;
    struct run_reader reader;
    struct buf told;
    line_decoder_init(&live, 2);
    buf_init(&told, 1 << 20);
    write_run(f);
    assert_int_equal(buf_status(&f->run), OK);
    assert_int_equal(run_open(&reader, buf_span(&f->run), 41, &f->decoder), OK);
    for (size_t i = 0; i < LINES; i++) {
        struct line line;
        struct line_error error;
        struct series_entry entry;
        struct run_mark mark = mark_of(i);
        assert_int_equal(line_decode(&live, span_of(lines[i]), &line, &error), OK);
        run_complete(&line.record, &memory, mark);
        assert_int_equal(run_next(&reader, &entry), OK);
        assert_int_equal(entry.offset, 41 + i);
        assert_int_equal(entry.axis, mark.axis);
        assert_true(entry.server_time_s == (double)mark.wall_ms / 1000.0);
        assert_int_equal(entry.record.sent, line.record.sent);
        assert_int_equal(entry.record.wrong, line.record.wrong);
        buf_reset(&told);
        buf_reset(&f->text);
        record_write_full(&told, &line.record);
        record_write_full(&f->text, &entry.record);
        assert_int_equal(told.len, f->text.len);
        assert_memory_equal(told.ptr, f->text.ptr, told.len);
    }
    struct series_entry none;
    assert_int_equal(run_next(&reader, &none), E_NOT_FOUND);
    assert_int_equal(run_next(&reader, &none), E_NOT_FOUND);
    assert_true(num_double(reader.memory.current_model) == 2);
    buf_fini(&told);
    line_decoder_fini(&live);
}

static void a_run_may_be_empty(void **state)
{
    struct fixture *f = *state;
    struct run_reader reader;
    struct series_entry none;
    run_begin(&f->run, &f->memory);
    run_end(&f->run);
    assert_int_equal(run_open(&reader, buf_span(&f->run), 1, &f->decoder), OK);
    assert_true(reader.memory.loss.kind == NUM_FLOAT);
    assert_int_equal(reader.memory.models_completed, 1);
    assert_int_equal(run_next(&reader, &none), E_NOT_FOUND);
}

static void a_flipped_or_missing_byte_is_never_served(void **state)
{
    struct fixture *f = *state;
    struct run_reader reader;
    write_run(f);
    for (size_t i = 0; i < f->run.len; i++) {
        f->run.ptr[i] ^= 0x10;
        assert_int_equal(run_open(&reader, buf_span(&f->run), 1, &f->decoder), E_MALFORMED);
        f->run.ptr[i] ^= 0x10;
        struct guarded cut = guarded_copy(f->run.ptr, i);
        assert_int_equal(run_open(&reader, cut.span, 1, &f->decoder), E_MALFORMED);
        guarded_free(&cut);
    }
    assert_int_equal(run_open(&reader, buf_span(&f->run), 1, &f->decoder), OK);
}

/* Sealed with a checksum that is right, by a program that was not. */
static void what_is_no_record_ends_a_run(void **state)
{
    static const char *const wrong[] = {"", "{", "{\"type\":\"ping\"}", "{\"type\":\"progress\"}"};
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct run_reader reader;
        struct series_entry entry;
        buf_reset(&f->run);
        run_begin(&f->run, &f->memory);
        run_add(&f->run, mark_of(0), span_of(lines[0]));
        run_add(&f->run, mark_of(1), span_of(wrong[i]));
        run_end(&f->run);
        assert_int_equal(run_open(&reader, buf_span(&f->run), 1, &f->decoder), OK);
        assert_int_equal(run_next(&reader, &entry), OK);
        assert_int_equal(run_next(&reader, &entry), E_MALFORMED);
        assert_int_equal(run_next(&reader, &entry), E_MALFORMED);
    }
}

static void a_length_past_the_end_is_refused(void **state)
{
    struct fixture *f = *state;
    struct run_reader reader;
    struct series_entry entry;
    run_begin(&f->run, &f->memory);
    run_add(&f->run, mark_of(0), span_of(lines[0]));
    f->run.len -= 1;
    run_end(&f->run);
    struct guarded run = guarded_copy(f->run.ptr, f->run.len);
    assert_int_equal(run_open(&reader, run.span, 1, &f->decoder), OK);
    assert_int_equal(run_next(&reader, &entry), E_MALFORMED);
    guarded_free(&run);
}

static void without_memory_a_record_may_be_asked_for_again(void **state)
{
    struct fixture *f = *state;
    write_run(f);
    for (size_t n = 1; oom_sweeps(n); n++) {
        struct run_reader reader;
        struct series_entry entry;
        size_t refused = 0;
        line_decoder_fini(&f->decoder);
        line_decoder_init(&f->decoder, 1);
        assert_int_equal(run_open(&reader, buf_span(&f->run), 1, &f->decoder), OK);
        for (size_t i = 0; i < LINES; i++) {
            enum status status = run_next(&reader, &entry);
            if (status == E_NOMEM) {
                refused++;
                status = run_next(&reader, &entry);
            }
            assert_int_equal(status, OK);
            assert_int_equal(entry.offset, i + 1);
        }
        assert_int_equal(refused, oom_failed());
    }
}

static void a_run_that_found_no_memory_says_so_at_the_end(void **state)
{
    struct fixture *f = *state;
    for (size_t n = 1; oom_sweeps(n); n++) {
        buf_fini(&f->run);
        write_run(f);
        assert_int_equal(buf_status(&f->run), oom_failed() ? E_NOMEM : OK);
    }
}

#define RUN_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_TEST(a_record_read_back_is_the_one_that_was_told),
        RUN_TEST(a_run_may_be_empty),
        RUN_TEST(a_flipped_or_missing_byte_is_never_served),
        RUN_TEST(what_is_no_record_ends_a_run),
        RUN_TEST(a_length_past_the_end_is_refused),
        RUN_TEST(without_memory_a_record_may_be_asked_for_again),
        RUN_TEST(a_run_that_found_no_memory_says_so_at_the_end),
    };
    return cmocka_run_group_tests_name("store/run", tests, NULL, NULL);
}
