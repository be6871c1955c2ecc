/* SPDX-License-Identifier: MIT */
/* What a request is given, against its definition, and against itself with the same entries kept
 * otherwise. */
#include "streamd/store/reading_walk.h"

#include "streamd/store/reading_entry.h"
#include "tests/streamd/readings.h"
#include "throttle/downsample.h"

static struct reading_request ask_anything(const struct archived *a, struct random *chance)
{
    static const char *const names[] = {"loss", "acc", "odd", "currentStep", "nobody", "timestamp"};
    struct reading_request q = request_of(a);
    q.form = (enum reading_form)random_below(chance, READING_UPDATES + 1);
    if (random_below(chance, 3) == 0)
        q.since = random_below(chance, a->count + 1);
    if (random_below(chance, 3) == 0)
        q.until = 1 + random_below(chance, a->count);
    if (random_below(chance, 3) == 0) {
        q.ranged = true;
        q.from = random_below(chance, 300);
        q.to = random_below(chance, 2) ? UINT64_MAX : q.from + random_below(chance, 300);
    }
    if (random_below(chance, 3) == 0)
        q.limit = random_below(chance, 200);
    if (random_below(chance, 2) == 0)
        q.points = 1 + random_below(chance, 100);
    q.branches = random_below(chance, 3) == 0;
    for (size_t i = 0; i < 6; i++) {
        if (random_below(chance, 4) == 0)
            ask_for(&q, names[i]);
    }
    return q;
}

/* Marks what a request gets, entry by entry, with no cleverness at all. Answers the total. */
struct oracle {
    bool *in; /* by offset */
    uint64_t *axis;
    double *value; /* of each field, by offset */
    bool *has;
};

static uint64_t pass_sieve(struct archived *a, const struct reading_request *q, struct oracle *o)
{
    struct archive_cursor c;
    struct series_entry e;
    uint64_t total = 0;
    archive_cursor_init(&c, a->store, &a->decoder, ARCHIVED_KEY, 1);
    while (archive_cursor_next(&c, &e) == OK) {
        double step = num_double(e.record.field[F_CURRENT_STEP]);
        double model = num_double(e.record.field[F_CURRENT_MODEL]);
        struct rewind entry = {e.offset, step, model};
        bool in = e.offset > q->since && e.offset <= q->until;
        in = in && (!q->ranged || (step >= (double)q->from && step <= (double)q->to));
        in = in && (q->branches || !rewind_covers(q->rewinds, q->rewind_count, entry));
        o->in[e.offset] = in;
        o->axis[e.offset] = e.axis;
        total += in;
        for (size_t f = 0; f < q->field_count; f++) {
            struct num n = reading_value(&e.record, &q->fields[f]);
            o->value[e.offset * 6 + f] = num_double(n);
            o->has[e.offset * 6 + f] = n.kind != NUM_NONE;
        }
        if (q->field_count == 0) {
            o->value[e.offset * 6] = num_double(e.record.field[F_LOSS]);
            o->has[e.offset * 6] = true;
        }
    }
    archive_cursor_fini(&c);
    return total;
}

static void choose(const struct archived *a, const struct reading_request *q, struct oracle *o)
{
    struct downsample_point points[DOWNSAMPLE_PER_BUCKET];
    size_t curves = q->field_count ? q->field_count : 1;
    uint64_t low = UINT64_MAX;
    uint64_t high = 0;
    bool *chosen = calloc(a->count + 1, sizeof(bool));
    for (uint64_t i = 1; i <= a->count; i++) {
        low = o->in[i] && o->axis[i] < low ? o->axis[i] : low;
        high = o->in[i] && o->axis[i] > high ? o->axis[i] : high;
    }
    for (size_t f = 0; f < curves; f++) {
        struct downsample d;
        uint64_t x = low;
        downsample_init(&d, low, high + 1, q->points);
        for (uint64_t i = 1; i <= a->count; i++) {
            if (!o->in[i])
                continue;
            x = o->axis[i] > x ? o->axis[i] : x;
            if (!o->has[i * 6 + f])
                continue;
            size_t n =
                downsample_add(&d, (struct downsample_point){x, o->value[i * 6 + f], i}, points);
            for (size_t p = 0; p < n; p++)
                chosen[points[p].ref] = true;
        }
        size_t n = downsample_finish(&d, points);
        for (size_t p = 0; p < n; p++)
            chosen[points[p].ref] = true;
    }
    memcpy(o->in, chosen, a->count + 1);
    free(chosen);
}

static uint64_t consult(struct archived *a, const struct reading_request *q, struct oracle *o)
{
    uint64_t total = pass_sieve(a, q, o);
    uint64_t left = total < q->limit ? total : q->limit;
    uint64_t skip = total - left;
    for (uint64_t i = 1; i <= a->count && skip > 0; i++) {
        skip -= o->in[i];
        o->in[i] = false;
    }
    if (q->points > 0 && left > q->points)
        choose(a, q, o);
    return total;
}

static void check_against(struct archived *a, const struct reading_request *asked,
                          const struct oracle *o, uint64_t total)
{
    struct buf out;
    uint64_t *offsets = calloc(a->count + 1, sizeof(*offsets));
    struct reading_request q = *asked;
    char tail[64];
    size_t n = offsets_of(a, &q, offsets);
    size_t at = 0;
    for (uint64_t i = 1; i <= a->count; i++) {
        if (o->in[i] && (at == n || offsets[at++] != i))
            fail_msg("%d is not there", (int)i);
    }
    assert_int_equal(at, n);
    buf_init(&out, 1 << 24);
    q.form = READING_JSON;
    struct span text = read_text(a, &q, &out);
    int len = snprintf(tail, sizeof(tail), ",\"total\":%d}", (int)total);
    assert_memory_equal(text.ptr + text.len - len, tail, (size_t)len);
    buf_fini(&out);
    free(offsets);
}

/* Cuts the session into rows of any length and form; `sealed` out of 10 of them are segments. */
static void keep_anyhow(struct archived *a, struct random *chance, size_t most, uint64_t sealed)
{
    archived_empty(a);
    while (a->kept < a->count)
        archived_keep(a, 1 + random_below(chance, most), random_below(chance, 10) < sealed);
}

static void a_request_gets_what_its_definition_says(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct random chance = random_seeded(seed);
        struct archived a;
        archived_open(&a);
        add_anything(&a, &chance, 1 + random_below(&chance, 1500));
        struct oracle o = {calloc(a.count + 1, 1), calloc(a.count + 1, 8),
                           calloc((a.count + 1) * 6, 8), calloc((a.count + 1) * 6, 1)};
        for (int i = 0; i < 60; i++) {
            if (i % 10 == 0)
                keep_anyhow(&a, &chance, 1 + random_below(&chance, 400), 8);
            struct reading_request q = ask_anything(&a, &chance);
            aim(&q);
            check_against(&a, &q, &o, consult(&a, &q, &o));
        }
        free(o.in);
        free(o.axis);
        free(o.value);
        free(o.has);
        archived_close(&a);
    }
}

static void runs_and_segments_give_the_same_bytes(void **state)
{
    (void)state;
    for (uint64_t seed = 100; seed < 106; seed++) {
        struct random chance = random_seeded(seed);
        struct reading_request q[24];
        struct buf want[24];
        struct buf out;
        struct archived a;
        buf_init(&out, 1 << 24);
        archived_open(&a);
        add_anything(&a, &chance, 1 + random_below(&chance, 3000));
        archived_keep_all(&a, 100, false);
        for (size_t i = 0; i < 24; i++) {
            q[i] = ask_anything(&a, &chance);
            aim(&q[i]);
            buf_init(&want[i], 1 << 24);
        }
        for (size_t round = 0; round < 6; round++) {
            for (size_t i = 0; i < 24; i++) {
                struct span text = read_text(&a, &q[i], round == 0 ? &want[i] : &out);
                assert_int_equal(text.len, want[i].len);
                assert_memory_equal(text.ptr, want[i].ptr, text.len);
            }
            keep_anyhow(&a, &chance, round % 2 ? 60 : SEGMENT_ROWS_MAX, 2 + round * 2);
        }
        for (size_t i = 0; i < 24; i++)
            buf_fini(&want[i]);
        buf_fini(&out);
        archived_close(&a);
    }
}

static void what_is_appended_after_its_range_changes_no_request(void **state)
{
    struct archived session;
    struct archived *a = &session;
    (void)state;
    archived_open(a);
    struct buf before;
    struct buf after;
    buf_init(&before, 1 << 22);
    buf_init(&after, 1 << 22);
    add_steps(a, 0, 3000);
    archived_keep_all(a, 1000, true);
    struct reading_request q = request_of(a);
    q.ranged = true;
    q.from = 100;
    q.to = 2799;
    q.points = 60;
    struct span first = read_text(a, &q, &before);
    for (int more = 0; more < 5; more++) {
        add_steps(a, 3000 + more * 700, 700);
        archived_keep_all(a, 300, more % 2);
        q.until = a->count;
        struct span again = read_text(a, &q, &after);
        assert_int_equal(again.len, first.len);
        assert_memory_equal(again.ptr, first.ptr, first.len);
    }
    buf_fini(&before);
    buf_fini(&after);
    archived_close(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_gets_what_its_definition_says),
        cmocka_unit_test(runs_and_segments_give_the_same_bytes),
        cmocka_unit_test(what_is_appended_after_its_range_changes_no_request),
    };
    return cmocka_run_group_tests_name("store/reading_walk", tests, NULL, NULL);
}
