/* SPDX-License-Identifier: MIT */
#include "streamd/store/segment.h"

#include "tests/support/guarded.h"
#include "tests/support/oom.h"
#include "tests/support/random.h"
#include "tests/support/same.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SEALED_MAX = 64 << 20, EXTRAS_MAX = 8, ROWS_MAX = SEGMENT_ROWS_MAX };

static const double start_s = 1700000000.25;

/* Rows that outlive being written, and the segment that was made of them. */
static struct series_entry rows[ROWS_MAX];
static struct extra extras[ROWS_MAX][EXTRAS_MAX];
static struct segment_writer *writer;
static struct buf head;
static struct buf body;

static int setup(void **state)
{
    (void)state;
    buf_init(&head, SEALED_MAX);
    buf_init(&body, SEALED_MAX);
    writer = segment_writer_create();
    return writer ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    segment_writer_destroy(writer);
    buf_fini(&head);
    buf_fini(&body);
    return 0;
}

static void assert_same_row(const struct series_entry *a, const struct series_entry *b)
{
    assert_int_equal(a->offset, b->offset);
    assert_int_equal(a->axis, b->axis);
    assert_memory_equal(&a->server_time_s, &b->server_time_s, sizeof(double));
    assert_same_record(&a->record, &b->record);
}

static void seal(size_t n)
{
    buf_reset(&head);
    buf_reset(&body);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(segment_writer_add(writer, &rows[i]), OK);
    assert_int_equal(segment_writer_rows(writer), n);
    assert_int_equal(segment_writer_finish(writer, &head, &body), OK);
    assert_int_equal(segment_writer_rows(writer), 0);
}

static void open_sealed(struct segment *s)
{
    assert_int_equal(segment_open(s, buf_span(&head), buf_span(&body)), OK);
}

static struct num num_of(const struct series_entry *row, const struct segment_column *c)
{
    if (c->field < RECORD_FIELDS)
        return row->record.field[c->field];
    const struct num *n = record_extra(&row->record, c->name);
    return n ? *n : num_none();
}

/* What the column says of itself and its numbers, against the rows. */
static void check_column(struct segment *s, uint32_t i)
{
    static double numbers[ROWS_MAX];
    static bool has[ROWS_MAX];
    struct segment_column c;
    uint64_t count = 0;
    uint64_t finite = 0;
    double lowest = HUGE_VAL;
    double highest = -HUGE_VAL;
    uint32_t gap = s->rows;
    segment_column_at(s, i, &c);
    assert_int_equal(segment_numbers(s, i, numbers, has), OK);
    for (uint32_t row = 0; row < s->rows; row++) {
        struct num n = num_of(&rows[row], &c);
        double v = num_double(n);
        assert_int_equal(has[row], n.kind != NUM_NONE);
        assert_true(has[row] ? memcmp(&v, &numbers[row], sizeof(v)) == 0 : isnan(numbers[row]));
        if (!has[row])
            continue;
        assert_true(count > 0 || (c.first_at == row && memcmp(&v, &c.first, sizeof(v)) == 0));
        count++;
        finite += isfinite(v) != 0;
        gap = !isfinite(v) && row < gap ? row : gap;
        lowest = isfinite(v) ? fmin(v, lowest) : lowest;
        highest = isfinite(v) ? fmax(v, highest) : highest;
    }
    assert_int_equal(c.count, count);
    assert_int_equal(c.finite, finite);
    assert_int_equal(c.gap_at, gap);
    assert_memory_equal(&numbers[c.last_at], &c.last, sizeof(double));
    if (finite > 0) {
        assert_true(c.lowest == lowest && c.highest == highest);
        assert_memory_equal(&numbers[c.lowest_at], &c.lowest, sizeof(double));
        assert_memory_equal(&numbers[c.highest_at], &c.highest, sizeof(double));
    }
}

/* Seals the first n rows and has everything back, each column by itself and each row whole. */
static void round_trip(size_t n)
{
    static uint64_t axis[ROWS_MAX];
    struct segment s;
    struct series_entry e;
    seal(n);
    open_sealed(&s);
    assert_int_equal(s.rows, n);
    assert_int_equal(s.first_offset, rows[0].offset);
    assert_int_equal(s.axis_first, rows[0].axis);
    assert_int_equal(s.axis_last, rows[n - 1].axis);
    assert_true(s.time_first_s == rows[0].server_time_s);
    assert_true(s.time_last_s == rows[n - 1].server_time_s);
    assert_int_equal(segment_axis(&s, axis), OK);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(axis[i], rows[i].axis);
    for (uint32_t i = 0; i < s.column_count; i++)
        check_column(&s, i);
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(segment_row(&s, i, &e), OK);
        assert_same_row(&rows[i], &e);
    }
    assert_int_equal(segment_row(&s, (uint32_t)(n / 2), &e), OK);
    assert_same_row(&rows[n / 2], &e);
    segment_close(&s);
}

/* ---- rows ---- */

static void begin_row(size_t i)
{
    rows[i] =
        (struct series_entry){.offset = 1001 + i,
                              .axis = 5000 + i * 10,
                              .server_time_s = round((start_s + (double)i * 0.125) * 1000) / 1000};
    record_init(&rows[i].record);
    rows[i].record.extra = extras[i];
}

static void add_extra(size_t i, const char *name, struct num value)
{
    extras[i][rows[i].record.extra_count++] = (struct extra){span_of(name), value};
}

static double decimals(struct random *random, double scale)
{
    return nearbyint(scale * (double)random_below(random, 100000)) / 100000;
}

/* A training as the daemon keeps it: a loss every row, an evaluation now and then. */
static void make_training(size_t n)
{
    struct random random = random_seeded(2);
    struct record_memory memory;
    record_memory_init(&memory);
    record_memory_seed(&memory, SPAN("{\"total_steps\":50000,\"model_params\":1000000}"));
    for (size_t i = 0; i < n; i++) {
        begin_row(i);
        struct record *r = &rows[i].record;
        record_set(r, F_CURRENT_STEP, num_int((int64_t)rows[i].axis - 3));
        add_extra(i, "train_loss", num_float(decimals(&random, 3)));
        add_extra(i, "lr", num_float(0.0003));
        if (i % 50 == 49)
            add_extra(i, "val_loss", num_float(decimals(&random, 4)));
        record_complete(r, &memory, (double)i / 8, rows[i].server_time_s);
    }
}

static void a_training_comes_back_bit_for_bit(void **state)
{
    (void)state;
    static const size_t lengths[] = {1, 2, 3, 9, 100, 1000, ROWS_MAX};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        make_training(lengths[i]);
        round_trip(lengths[i]);
    }
}

static void what_can_be_derived_takes_no_place(void **state)
{
    (void)state;
    make_training(ROWS_MAX);
    seal(ROWS_MAX);
    /* Two bytes of noise in the loss, hardly anything for the other eight fields and the rate. */
    assert_true((double)(head.len + body.len) / ROWS_MAX < 2.6);
}

static void a_derived_field_that_another_formula_gave_is_kept(void **state)
{
    (void)state;
    make_training(500);
    for (size_t i = 0; i < 500; i++)
        rows[i].record.field[F_PERPLEXITY].f += 0.001;
    round_trip(500);
    make_training(500);
    rows[77].record.field[F_ESTIMATED_TIME_REMAINING].f = 5;
    rows[78].record.field[F_GROK_PROGRESS] = num_none();
    rows[79].record.field[F_LOSS] = num_float(NAN);
    rows[80].record.field[F_TIMESTAMP] = num_int(3);
    round_trip(500);
}

/* Models follow one another: the step is forgotten, the progress is not. */
static void a_change_of_model_is_kept(void **state)
{
    (void)state;
    struct record_memory memory;
    record_memory_init(&memory);
    record_memory_seed(&memory, SPAN("{\"model_count\":3,\"total_steps\":100}"));
    for (size_t i = 0; i < 300; i++) {
        begin_row(i);
        struct record *r = &rows[i].record;
        if (i % 100 > 3)
            record_set(r, F_CURRENT_STEP, num_int((int64_t)i % 100));
        record_set(r, F_LOSS, num_float(i % 7 == 3 ? NAN : (double)i / 64));
        record_complete(r, &memory, (double)i, rows[i].server_time_s);
        if (i % 100 == 99)
            record_memory_model_completed(&memory, i / 100);
    }
    round_trip(300);
}

static void make_anything(size_t n, uint64_t seed)
{
    static const char digits[] = "-92233720368547758081234567890";
    static const double odd[] = {NAN, INFINITY, -INFINITY, -0.0, 5e-324, 1e308, 0.1, 1.0 / 3};
    static const char *const names[] = {"train_loss", "b", "c/d", "e f", "\xc3\xa9", "g", "h", "i"};
    struct random random = random_seeded(seed);
    for (size_t i = 0; i < n; i++) {
        begin_row(i);
        rows[i].axis = i == 0 ? 1 : rows[i - 1].axis + random_below(&random, 3) * 1000;
        for (size_t k = 0; k < RECORD_FIELDS + EXTRAS_MAX; k++) {
            uint64_t dice = random_next(&random);
            struct num n_any[] = {num_none(),
                                  num_int((int64_t)(dice * dice)),
                                  num_float(odd[dice >> 8 & 7]),
                                  num_float((double)(dice & 0xffff) / 100),
                                  {.kind = NUM_TEXT, .len = 20 + (dice >> 8 & 7), .text = digits}};
            struct num value = n_any[dice % 5];
            if (k < RECORD_FIELDS)
                rows[i].record.field[k] = value;
            else if (value.kind != NUM_NONE && dice >> 40 & 1)
                add_extra(i, names[(k + (dice >> 50 & 1) * i) % EXTRAS_MAX], value);
        }
        /* Names differ within a row. */
        for (size_t k = 0; k < rows[i].record.extra_count; k++) {
            if (record_extra(&rows[i].record, extras[i][k].name) != &extras[i][k].value)
                rows[i].record.extra_count = k;
        }
        rows[i].record.sent = (uint16_t)(random_next(&random) & 0xfff);
        rows[i].record.wrong = (uint16_t)(random_next(&random) & 0xfff);
    }
}

static void anything_comes_back_bit_for_bit(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        size_t n = 1 + seed * seed % 300;
        make_anything(n, seed);
        round_trip(n);
    }
    make_anything(ROWS_MAX, 99);
    round_trip(ROWS_MAX);
}

static void one_writer_makes_segment_after_segment(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        make_training(200);
        round_trip(200);
        make_anything(50, seed);
        round_trip(50);
    }
}

static void a_row_of_nothing_is_a_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        begin_row(i);
    round_trip(1);
    round_trip(3);
}

static void an_extra_without_a_number_is_none(void **state)
{
    (void)state;
    struct segment s;
    struct series_entry e;
    uint32_t column;
    begin_row(0);
    add_extra(0, "none", num_none());
    add_extra(0, "one", num_int(1));
    seal(1);
    open_sealed(&s);
    assert_int_equal(segment_row(&s, 0, &e), OK);
    assert_int_equal(e.record.extra_count, 1);
    assert_int_equal(record_extra(&e.record, SPAN("one"))->i, 1);
    assert_false(segment_column_find(&s, RECORD_FIELDS, SPAN("none"), &column));
    segment_close(&s);
    segment_close(&s); /* once more is nothing */
}

/* Thousands of names, each in a row or two, and rows with thousands. */
static void many_names_are_no_trouble(void **state)
{
    (void)state;
    enum { NAMES = 3000, PER_ROW = 1000 };
    static struct extra many[6][PER_ROW];
    static char names[NAMES][12];
    for (size_t i = 0; i < NAMES; i++)
        (void)snprintf(names[i], sizeof(names[i]), "n%zu", i);
    for (size_t i = 0; i < 6; i++) {
        begin_row(i);
        for (size_t k = 0; k < PER_ROW; k++)
            many[i][k] = (struct extra){span_of(names[(i * 500 + k * (i % 2 ? 1 : 2)) % NAMES]),
                                        num_float((double)(i + k) / 10)};
        rows[i].record.extra = many[i];
        rows[i].record.extra_count = PER_ROW;
    }
    round_trip(6);
}

/* ---- where it ends ---- */

static void a_full_segment_takes_no_row_and_stays_as_it_was(void **state)
{
    (void)state;
    make_training(ROWS_MAX);
    for (size_t i = 0; i < ROWS_MAX; i++)
        assert_int_equal(segment_writer_add(writer, &rows[i]), OK);
    struct series_entry more = rows[ROWS_MAX - 1];
    more.offset++;
    assert_int_equal(segment_writer_add(writer, &more), E_LIMIT);
    assert_int_equal(segment_writer_rows(writer), ROWS_MAX);
    assert_int_equal(segment_writer_finish(writer, &head, &body), OK);
    assert_int_equal(segment_writer_add(writer, &more), OK);
}

static void a_row_of_more_names_than_a_series_has_is_refused(void **state)
{
    (void)state;
    enum { NAMES = SERIES_NAMES_MAX + 1 };
    static struct extra many[NAMES];
    static char names[NAMES][8];
    for (size_t i = 0; i < NAMES; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "n%zu", i);
        many[i] = (struct extra){span_of(names[i]), num_int(1)};
    }
    begin_row(0);
    rows[0].record.extra = many;
    rows[0].record.extra_count = NAMES;
    assert_int_equal(segment_writer_add(writer, &rows[0]), E_LIMIT);
    assert_int_equal(segment_writer_rows(writer), 0);
}

static void a_row_that_does_not_follow_is_for_another_segment(void **state)
{
    (void)state;
    make_training(3);
    assert_int_equal(segment_writer_add(writer, &rows[0]), OK);
    assert_int_equal(segment_writer_add(writer, &rows[2]), E_LIMIT);
    rows[1].axis = rows[0].axis - 1;
    assert_int_equal(segment_writer_add(writer, &rows[1]), E_LIMIT);
    segment_writer_reset(writer);
    assert_int_equal(segment_writer_rows(writer), 0);
    assert_int_equal(segment_writer_add(writer, &rows[2]), OK);
}

static void extras_and_long_digits_fill_a_segment_too(void **state)
{
    (void)state;
    enum { WIDE = 16000 };
    static struct extra wide[WIDE];
    static char names[WIDE][12];
    static char digits[1 << 20];
    memset(digits, '7', sizeof(digits));
    struct num text = {.kind = NUM_TEXT, .len = sizeof(digits), .text = digits};
    for (size_t i = 0; i < WIDE; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "n%zu", i);
        wide[i] = (struct extra){span_of(names[i]), num_int((int64_t)i)};
    }
    size_t taken = 0;
    for (enum status status = OK; status == OK; taken += status == OK) {
        begin_row(taken);
        rows[taken].record.extra = wide;
        rows[taken].record.extra_count = WIDE;
        status = segment_writer_add(writer, &rows[taken]);
    }
    assert_int_equal(taken, SEGMENT_EXTRAS_MAX / WIDE);
    segment_writer_reset(writer);
    for (size_t i = 0; i < 4; i++) {
        begin_row(i);
        rows[i].record.field[F_MODEL_PARAMS] = text;
    }
    round_trip(4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(segment_writer_add(writer, &rows[i]), OK);
    begin_row(4);
    rows[4].record.field[F_MODEL_PARAMS] = text;
    assert_int_equal(segment_writer_add(writer, &rows[4]), E_LIMIT);
}

/* ---- reading less, and reading what is damaged ---- */

static void the_head_alone_answers_for_its_columns(void **state)
{
    (void)state;
    struct segment s;
    struct segment_column c;
    struct series_entry e;
    uint32_t i;
    static double numbers[ROWS_MAX];
    make_training(1000);
    seal(1000);
    assert_int_equal(segment_open(&s, buf_span(&head), SPAN("")), OK);
    assert_true(segment_column_find(&s, RECORD_FIELDS, SPAN("val_loss"), &i));
    segment_column_at(&s, i, &c);
    assert_int_equal(c.count, 20);
    assert_int_equal(c.first_at, 49);
    assert_true(c.first == num_double(rows[49].record.extra[2].value));
    assert_int_equal(segment_numbers(&s, i, numbers, NULL), E_STATE);
    assert_int_equal(segment_row(&s, 0, &e), E_STATE);
    assert_true(segment_column_find(&s, F_LOSS, SPAN(""), &i));
    segment_column_at(&s, i, &c);
    assert_true(span_is(c.name, "loss") && c.field == F_LOSS && i == 0);
    assert_false(segment_column_find(&s, RECORD_FIELDS, SPAN("loss"), &i));
    segment_close(&s);
}

/* Reads all there is; E_MALFORMED from anywhere, else OK and then the rows must be right. */
static enum status read_all(struct span h, struct span b)
{
    struct segment s;
    struct series_entry e;
    enum status status = segment_open(&s, h, b);
    if (status != OK)
        return status;
    status = segment_row(&s, 0, &e);
    for (uint32_t i = 0; status == OK && i < s.rows; i++) {
        status = segment_row(&s, i, &e);
        assert_same_row(&rows[i], &e);
    }
    segment_close(&s);
    return status;
}

static void any_altered_byte_is_noticed(void **state)
{
    (void)state;
    make_training(300);
    seal(300);
    struct buf *parts[] = {&head, &body};
    for (size_t p = 0; p < 2; p++) {
        for (size_t i = 0; i < parts[p]->len; i++) {
            for (unsigned bit = 0; bit < 8; bit++) {
                parts[p]->ptr[i] = (char)(parts[p]->ptr[i] ^ 1 << bit);
                assert_int_equal(read_all(buf_span(&head), buf_span(&body)), E_MALFORMED);
                parts[p]->ptr[i] = (char)(parts[p]->ptr[i] ^ 1 << bit);
            }
        }
    }
    assert_int_equal(read_all(buf_span(&head), buf_span(&body)), OK);
}

static void a_damaged_column_spoils_no_other(void **state)
{
    (void)state;
    struct segment s;
    uint32_t i;
    static double numbers[ROWS_MAX];
    make_training(1000);
    seal(1000);
    body.ptr[body.len - 1] ^= 1; /* val_loss comes last */
    open_sealed(&s);
    assert_true(segment_column_find(&s, RECORD_FIELDS, SPAN("val_loss"), &i));
    assert_int_equal(segment_numbers(&s, i, numbers, NULL), E_MALFORMED);
    assert_true(segment_column_find(&s, RECORD_FIELDS, SPAN("train_loss"), &i));
    assert_int_equal(segment_numbers(&s, i, numbers, NULL), OK);
    assert_true(numbers[5] == rows[5].record.extra[0].value.f);
    segment_close(&s);
}

static void a_head_or_body_cut_short_is_refused(void **state)
{
    (void)state;
    make_training(100);
    seal(100);
    for (size_t len = 0; len < head.len; len++) {
        struct guarded g = guarded_copy(head.ptr, len);
        assert_int_equal(read_all(g.span, buf_span(&body)), E_MALFORMED);
        guarded_free(&g);
    }
    for (size_t len = 1; len < body.len; len++) {
        struct guarded g = guarded_copy(body.ptr, len);
        assert_int_equal(read_all(buf_span(&head), g.span), E_MALFORMED);
        guarded_free(&g);
    }
}

static void want_of_memory_is_said_and_leaks_nothing(void **state)
{
    (void)state;
    make_anything(40, 4);
    for (size_t n = 1; oom_sweeps(n); n++) {
        struct segment_writer *w = segment_writer_create();
        struct buf h;
        struct buf b;
        buf_init(&h, SEALED_MAX);
        buf_init(&b, SEALED_MAX);
        enum status status = w ? OK : E_NOMEM;
        for (size_t i = 0; status == OK && i < 40; i++)
            status = segment_writer_add(w, &rows[i]);
        if (status == OK)
            status = segment_writer_finish(w, &h, &b);
        assert_true(status == OK || !w || segment_writer_rows(w) > 0 || h.len == 0);
        if (status == OK)
            status = read_all(buf_span(&h), buf_span(&b));
        assert_true(status == OK || status == E_NOMEM);
        segment_writer_destroy(w);
        buf_fini(&h);
        buf_fini(&b);
    }
}

static void what_failed_for_want_of_memory_may_be_asked_again(void **state)
{
    (void)state;
    struct segment s;
    struct series_entry e;
    static double numbers[ROWS_MAX];
    make_anything(40, 4);
    seal(40);
    for (size_t n = 1; n < 80; n++) {
        open_sealed(&s);
        oom_fail(n);
        enum status status = segment_row(&s, 3, &e);
        assert_int_equal(status, oom_failed() ? E_NOMEM : OK);
        assert_int_equal(segment_numbers(&s, 0, numbers, NULL), OK);
        assert_int_equal(segment_row(&s, 3, &e), OK);
        assert_same_row(&rows[3], &e);
        segment_close(&s);
    }
    make_training(100);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(segment_writer_add(writer, &rows[i]), OK);
    oom_fail(1);
    buf_reset(&head);
    buf_reset(&body);
    assert_int_equal(segment_writer_finish(writer, &head, &body), E_NOMEM);
    assert_true(oom_failed() && head.len == 0 && body.len == 0);
    assert_int_equal(segment_writer_finish(writer, &head, &body), OK);
    assert_int_equal(read_all(buf_span(&head), buf_span(&body)), OK);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_training_comes_back_bit_for_bit),
        TEST(what_can_be_derived_takes_no_place),
        TEST(a_derived_field_that_another_formula_gave_is_kept),
        TEST(a_change_of_model_is_kept),
        TEST(anything_comes_back_bit_for_bit),
        TEST(one_writer_makes_segment_after_segment),
        TEST(a_row_of_nothing_is_a_row),
        TEST(an_extra_without_a_number_is_none),
        TEST(many_names_are_no_trouble),
        TEST(a_full_segment_takes_no_row_and_stays_as_it_was),
        TEST(a_row_of_more_names_than_a_series_has_is_refused),
        TEST(a_row_that_does_not_follow_is_for_another_segment),
        TEST(extras_and_long_digits_fill_a_segment_too),
        TEST(the_head_alone_answers_for_its_columns),
        TEST(any_altered_byte_is_noticed),
        TEST(a_damaged_column_spoils_no_other),
        TEST(a_head_or_body_cut_short_is_refused),
        TEST(want_of_memory_is_said_and_leaks_nothing),
        TEST(what_failed_for_want_of_memory_may_be_asked_again),
    };
    return cmocka_run_group_tests_name("streamd/store/segment", tests, NULL, NULL);
}
