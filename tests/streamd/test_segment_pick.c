/* SPDX-License-Identifier: MIT */
#include "streamd/store/segment.h"

#include "proto/record_json.h"
#include "tests/streamd/archived.h"
#include "tests/support/oom.h"
#include "tests/support/random.h"

/* Rows that lack things, carry things and send what is derived, in all kinds of numbers. */
static const char *const metrics[] = {
    "\"loss\":1.5,\"step\":%d",
    "\"train_loss\":%d,\"lr\":1e-5",
    "\"step\":%d,\"a\":NaN,\"b\":2.25,\"total_steps\":500",
    "\"a\":%d,\"perplexity\":7,\"b\":123456789012345678901234567890",
    "\"timestamp\":%d,\"c\":-0.0",
    "\"loss\":123456789012345678901234567890,\"x\":%d",
    "\"loss\":null,\"y\":%d",
    "\"loss\":NaN,\"current_model\":%d,\"total_models\":4000,\"model_params\":1e6",
    "\"overallProgress\":%d,\"trainingTime\":5,\"a\":0.125",
};
enum { METRICS = sizeof(metrics) / sizeof(metrics[0]) };

static void add_rows(struct archived *a, struct random *chance, size_t n)
{
    uint64_t kinds = 1 + random_below(chance, METRICS);
    uint64_t from = random_below(chance, METRICS);
    for (size_t i = 0; i < n; i++) {
        char text[160];
        size_t which = (size_t)(from + random_below(chance, kinds)) % METRICS;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        (void)snprintf(text, sizeof(text), metrics[which], (int)random_below(chance, 3000));
#pragma GCC diagnostic pop
        archived_add(a, text, false);
    }
}

/* The segment with all the rows, twice: what was inflated for one way helps no other. */
static void open_twice(struct archived *a, struct archive_cursor *whole, struct archive_cursor *few)
{
    archive_cursor_init(whole, a->store, &a->decoder, ARCHIVED_KEY, 1);
    archive_cursor_init(few, a->store, &a->decoder, ARCHIVED_KEY, 1);
    whole->eager = few->eager = true;
    assert_int_equal(archive_cursor_enter(whole), OK);
    assert_int_equal(archive_cursor_enter(few), OK);
}

static void assert_same_record(const struct series_entry *x, const struct series_entry *y)
{
    struct buf a;
    struct buf b;
    buf_init(&a, 1 << 20);
    buf_init(&b, 1 << 20);
    record_write_entry(&a, &x->record, x->offset, x->server_time_s, false);
    record_write_entry(&b, &y->record, y->offset, y->server_time_s, false);
    assert_int_equal(x->axis, y->axis);
    assert_int_equal(x->record.sent, y->record.sent);
    assert_int_equal(x->record.wrong, y->record.wrong);
    if (!span_eq(buf_span(&a), buf_span(&b)))
        fail_msg("%.*s\n is not %.*s", (int)b.len, b.ptr, (int)a.len, a.ptr);
    for (unsigned f = 0; f < RECORD_FIELDS; f++)
        assert_int_equal(x->record.field[f].kind, y->record.field[f].kind);
    buf_fini(&a);
    buf_fini(&b);
}

/* Leaves of a row what is wanted. */
static void narrow(struct series_entry *e, const struct segment_wanted *w, struct extra *room)
{
    size_t n = 0;
    for (unsigned f = 0; f < RECORD_FIELDS; f++) {
        if (!(w->fields >> f & 1))
            e->record.field[f] = num_none();
    }
    for (size_t i = 0; i < e->record.extra_count; i++) {
        for (size_t k = 0; k < w->name_count; k++) {
            if (span_eq(w->names[k], e->record.extra[i].name))
                room[n++] = e->record.extra[i];
        }
    }
    e->record.extra = room;
    e->record.extra_count = n;
}

static void check_picks(struct archived *a, struct random *chance)
{
    const struct span names[] = {SPAN("a"), SPAN("train_loss"), SPAN("nobody")};
    struct segment_wanted wanted = {.every = random_below(chance, 2) == 0,
                                    .fields = (unsigned)random_below(chance, 1 << RECORD_FIELDS),
                                    .names = names,
                                    .name_count = random_below(chance, 4)};
    struct archive_cursor whole;
    struct archive_cursor few;
    struct extra room[4];
    double numbers[SEGMENT_ROWS_MAX];
    open_twice(a, &whole, &few);
    if (random_below(chance, 2) == 0) /* some columns were wanted whole before */
        assert_int_equal(segment_numbers(&few.segment, 0, numbers, NULL), OK);
    for (size_t i = 0; i < 40; i++) {
        uint32_t row = (uint32_t)random_below(chance, a->count);
        struct series_entry x;
        struct series_entry y;
        assert_int_equal(segment_row(&whole.segment, row, &x), OK);
        assert_int_equal(segment_pick(&few.segment, row, &wanted, &y), OK);
        if (!wanted.every)
            narrow(&x, &wanted, room);
        assert_same_record(&x, &y);
    }
    archive_cursor_fini(&whole);
    archive_cursor_fini(&few);
}

static void a_row_picked_is_the_row(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct random chance = random_seeded(seed);
        struct archived a;
        archived_open(&a);
        add_rows(&a, &chance, 1 + random_below(&chance, 300));
        archived_keep_all(&a, SEGMENT_ROWS_MAX, true);
        for (int i = 0; i < 8; i++)
            check_picks(&a, &chance);
        archived_close(&a);
    }
}

static void what_is_not_wanted_is_not_inflated(void **state)
{
    struct random chance = random_seeded(3);
    const struct span name = SPAN("noise");
    struct archived a;
    struct archive_cursor c;
    struct series_entry entry;
    char text[96];
    (void)state;
    archived_open(&a);
    for (int i = 0; i < 500; i++) {
        (void)snprintf(text, sizeof(text), "\"noise\":%d,\"other\":%d",
                       (int)random_below(&chance, 1 << 30), (int)random_below(&chance, 1 << 30));
        archived_add(&a, text, false);
    }
    archived_keep_all(&a, 500, true);
    archive_cursor_init(&c, a.store, &a.decoder, ARCHIVED_KEY, 1);
    c.eager = true;
    assert_int_equal(archive_cursor_enter(&c), OK);
    c.body.ptr[c.body.len - 1] ^= 1; /* of the last column */
    assert_int_equal(segment_pick(&c.segment, 7,
                                  &(struct segment_wanted){.names = &name, .name_count = 1},
                                  &entry),
                     OK);
    assert_int_equal(entry.record.extra_count, 1);
    assert_int_equal(segment_pick(&c.segment, 7, &(struct segment_wanted){.every = true}, &entry),
                     E_MALFORMED);
    archive_cursor_fini(&c);
    archived_close(&a);
}

static void without_memory_it_may_be_picked_again(void **state)
{
    struct random chance = random_seeded(8);
    struct archived a;
    (void)state;
    archived_open(&a);
    add_rows(&a, &chance, 200);
    archived_keep_all(&a, 200, true);
    for (size_t n = 1; oom_sweeps(n); n++) {
        struct archive_cursor c;
        struct series_entry entry;
        archive_cursor_init(&c, a.store, &a.decoder, ARCHIVED_KEY, 1);
        for (uint64_t offset = 1; offset <= 200; offset += 40) {
            const struct segment_wanted all = {.every = true};
            enum status status = archive_cursor_pick(&c, offset, &all, &entry);
            if (status == E_NOMEM)
                status = archive_cursor_pick(&c, offset, &all, &entry);
            assert_int_equal(status, OK);
            assert_int_equal(entry.offset, offset);
        }
        assert_int_equal(c.damaged, 0);
        archive_cursor_fini(&c);
    }
    archived_close(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_picked_is_the_row),
        cmocka_unit_test(what_is_not_wanted_is_not_inflated),
        cmocka_unit_test(without_memory_it_may_be_picked_again),
    };
    return cmocka_run_group_tests_name("store/segment_pick", tests, NULL, NULL);
}
