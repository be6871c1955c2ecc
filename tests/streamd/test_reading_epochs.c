/* SPDX-License-Identifier: MIT */
/* READING_EPOCHS: single entries of a history, by their offsets. */
#include "streamd/session/epochs.h"

#include "tests/streamd/readings.h"
#include "tests/support/oom.h"

static int setup(void **state)
{
    struct archived *a = malloc(sizeof(*a));
    assert_non_null(a);
    archived_open(a);
    *state = a;
    return 0;
}

static int teardown(void **state)
{
    archived_close(*state);
    free(*state);
    return 0;
}

/* Each has its number as its validation loss. */
static void record(struct archived *a, int from, int to, bool resumes)
{
    char metrics[96];
    for (int i = from; i < to; i++) {
        (void)snprintf(metrics, sizeof(metrics), "\"step\":%d,\"loss\":1,\"val_loss\":%d", i, i);
        archived_add(a, metrics, resumes && i == from);
    }
}

/* Asks for each `every`-th entry from the first one on, and for one that is not there. */
static void ask_for_epochs(const struct archived *a, uint64_t every, struct reading_request *q)
{
    struct epochs e;
    epochs_init(&e);
    for (uint64_t offset = 1; offset <= a->count; offset += every)
        epochs_add(&e, &(struct epoch){.offset = offset});
    epochs_add(&e, &(struct epoch){.offset = a->count + 100});
    *q = request_of(a);
    q->form = READING_EPOCHS;
    struct span steps = epochs_steps(&e, 0, &q->epochs_before);
    memcpy(q->epochs, steps.ptr, steps.len);
    q->epochs_len = steps.len;
    epochs_fini(&e);
}

static size_t read_epochs(struct archived *a, const struct reading_request *q, struct buf *out,
                          const struct epoch **list)
{
    buf_reset(out);
    assert_int_equal(read_all(a, &a->decoder, q, out).status, OK);
    *list = (const struct epoch *)(const void *)out->ptr;
    return out->len / sizeof(struct epoch);
}

static void entries_are_found_by_their_offsets_wherever_they_are(void **state)
{
    struct archived *a = *state;
    struct reading_request q;
    const struct epoch *list;
    struct buf out;
    buf_init(&out, 1 << 24);
    record(a, 0, 1000, false);
    for (int sealed = 0; sealed < 3; sealed++) {
        archived_empty(a);
        while (sealed == 2 && a->kept < 600)
            archived_keep(a, 150, true);
        archived_keep_all(a, 70, sealed == 1);
        ask_for_epochs(a, 7, &q);
        size_t count = read_epochs(a, &q, &out, &list);
        assert_int_equal(count, 143);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(list[i].offset, 1 + 7 * i);
            assert_true(epoch_value(&list[i], EPOCH_VAL_LOSS) == (double)(7 * i));
        }
    }
    buf_fini(&out);
}

static void what_a_rewind_superseded_is_left_out(void **state)
{
    struct archived *a = *state;
    struct reading_request q;
    const struct epoch *list;
    struct buf out;
    buf_init(&out, 1 << 20);
    record(a, 0, 10, false);
    record(a, 4, 8, true);
    archived_keep_all(a, 100, false);
    ask_for_epochs(a, 1, &q);
    assert_int_equal(read_epochs(a, &q, &out, &list), 8);
    for (size_t i = 0; i < 8; i++)
        assert_true(epoch_value(&list[i], EPOCH_VAL_LOSS) == (double)i);
    assert_int_equal(list[3].offset, 4);
    assert_int_equal(list[4].offset, 11);
    buf_fini(&out);
}

static void many_come_in_pieces(void **state)
{
    struct archived *a = *state;
    struct reading_request q;
    struct buf out;
    buf_init(&out, 1 << 24);
    record(a, 0, 5000, false);
    archived_keep_all(a, 1000, true);
    ask_for_epochs(a, 1, &q);
    struct outcome outcome = read_all(a, &a->decoder, &q, &out);
    assert_int_equal(outcome.status, OK);
    assert_int_equal(out.len, 5000 * sizeof(struct epoch));
    assert_true(outcome.pieces > 1);
    assert_in_range(outcome.longest, 1, READING_PIECE_BYTES + sizeof(struct epoch));
    buf_fini(&out);
}

static void without_memory_it_says_so(void **state)
{
    struct archived *a = *state;
    struct reading_request q;
    struct buf out;
    buf_init(&out, 1 << 20);
    record(a, 0, 100, false);
    archived_keep(a, 50, true);
    archived_keep_all(a, 20, false);
    ask_for_epochs(a, 9, &q);
    assert_int_equal(buf_reserve(&out, 1 << 16), OK);
    for (size_t n = 1; oom_sweeps(n); n++) {
        struct line_decoder decoder;
        line_decoder_init(&decoder, 3);
        buf_reset(&out);
        struct outcome outcome = read_all(a, &decoder, &q, &out);
        assert_int_equal(outcome.status, oom_failed() ? E_NOMEM : OK);
        line_decoder_fini(&decoder);
    }
    buf_fini(&out);
}

#define READING_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        READING_TEST(entries_are_found_by_their_offsets_wherever_they_are),
        READING_TEST(what_a_rewind_superseded_is_left_out),
        READING_TEST(many_come_in_pieces),
        READING_TEST(without_memory_it_says_so),
    };
    return cmocka_run_group_tests_name("store/reading_epochs", tests, NULL, NULL);
}
