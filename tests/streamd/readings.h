/* SPDX-License-Identifier: MIT */
/*
 * readings: an archived session (archived.h), asked for its history.
 */
#ifndef TESTS_STREAMD_READINGS_H
#define TESTS_STREAMD_READINGS_H

#include "streamd/store/reading.h"
#include "tests/streamd/archived.h"
#include "tests/support/random.h"

/* All of the session as json. */
static inline struct reading_request request_of(const struct archived *a)
{
    struct reading_request q = {.session = ARCHIVED_KEY,
                                .id = "a",
                                .epoch = "e1",
                                .until = a->count,
                                .to = UINT64_MAX,
                                .limit = UINT64_MAX,
                                .rewind_count = a->rewind_count};
    memcpy(q.rewinds, a->rewinds, sizeof(q.rewinds));
    return q;
}

/* Names the trainer's own metric, or one of the twelve by its name in a record. */
static inline void ask_for(struct reading_request *q, const char *name)
{
    char *at = q->names;
    enum record_field field = 0;
    while (*at)
        at += strlen(at) + 1;
    while (field < RECORD_FIELDS && strcmp(record_field_name(field), name) != 0)
        field++;
    memcpy(at, name, strlen(name) + 1);
    q->fields[q->field_count++] = (struct reading_field){{at, strlen(name)}, field};
}

/* A request that was copied has its names where they are now. */
static inline void aim(struct reading_request *q)
{
    const char *at = q->names;
    for (size_t i = 0; i < q->field_count; i++, at += strlen(at) + 1)
        q->fields[i].name.ptr = at;
}

struct outcome {
    enum status status;
    size_t pieces;
    size_t longest;
};

/* Runs a reading to its end; the text is appended to `out`. */
static inline struct outcome read_all(const struct archived *a, struct line_decoder *decoder,
                                      const struct reading_request *q, struct buf *out)
{
    struct outcome outcome = {.status = E_NOMEM};
    struct reading_job *job = reading_job_create(a->store, decoder, q);
    bool last = false;
    while (job && !last) {
        struct refbuf *piece = NULL;
        outcome.status = reading_job_step(job, &piece, &last);
        if (outcome.status == E_STATE)
            continue;
        if (outcome.status != OK)
            break;
        outcome.pieces++;
        outcome.longest = piece->len > outcome.longest ? piece->len : outcome.longest;
        buf_add_span(out, refbuf_span(piece));
        refbuf_unref(piece);
    }
    reading_job_destroy(job);
    return outcome;
}

static inline struct span read_text(struct archived *a, const struct reading_request *q,
                                    struct buf *out)
{
    buf_reset(out);
    struct outcome outcome = read_all(a, &a->decoder, q, out);
    assert_int_equal(outcome.status, OK);
    assert_int_equal(buf_status(out), OK);
    return buf_span(out);
}

static inline void add_steps(struct archived *a, int from, int count)
{
    char metrics[64];
    for (int step = from; step < from + count; step++) {
        (void)snprintf(metrics, sizeof(metrics), "\"step\":%d,\"loss\":%d", step, 1000 - step);
        archived_add(a, metrics, step == from);
    }
}

/* Offsets in the order in which ndjson has them. */
static inline size_t offsets_of(struct archived *a, struct reading_request *q, uint64_t *out)
{
    struct buf text;
    size_t n = 0;
    buf_init(&text, 1 << 24);
    q->form = READING_NDJSON;
    struct span rest = read_text(a, q, &text);
    while (rest.len > 0) {
        struct span line = span_cut(&rest, '\n');
        const char *at = memmem(line.ptr, line.len, "\"offset\":", 9);
        assert_non_null(at);
        out[n++] = strtoull(at + 9, NULL, 10);
    }
    buf_fini(&text);
    return n;
}

/* Some run: models, rewinds, metrics that come and go, numbers of all kinds. */
static inline void add_anything(struct archived *a, struct random *chance, size_t n)
{
    static const char *const odd[] = {
        "NaN",  "Infinity",         "-Infinity", "1e300", "-0.0",
        "null", "9007199254740993", "-5",        "1e-30", "123456789012345678901234567890"};
    uint64_t step = random_below(chance, 50);
    uint64_t model = 1;
    for (size_t i = 0; i < n; i++) {
        char metrics[256];
        size_t len = 0;
        bool resumes = random_below(chance, 150) == 0;
        step += random_below(chance, 3);
        if (resumes)
            step -= random_below(chance, step < 60 ? step + 1 : 60);
        if (random_below(chance, 200) == 0) {
            step = 0;
            model++;
        }
        len += (size_t)snprintf(metrics, sizeof(metrics), "\"current_model\":%d", (int)model);
        if (random_below(chance, 10) > 0)
            len +=
                (size_t)snprintf(metrics + len, sizeof(metrics) - len, ",\"step\":%d", (int)step);
        else if (random_below(chance, 10) == 0)
            len += (size_t)snprintf(metrics + len, sizeof(metrics) - len, ",\"step\":%s",
                                    odd[random_below(chance, 10)]);
        if (random_below(chance, 3) > 0)
            len += (size_t)snprintf(metrics + len, sizeof(metrics) - len, ",\"loss\":%d.%d",
                                    (int)random_below(chance, 9), (int)random_below(chance, 99));
        if (random_below(chance, 20) == 0)
            len += (size_t)snprintf(metrics + len, sizeof(metrics) - len, ",\"odd\":%s",
                                    odd[random_below(chance, 10)]);
        if (i % 97 > 40)
            (void)snprintf(metrics + len, sizeof(metrics) - len, ",\"acc\":%d",
                           (int)random_below(chance, 50));
        archived_add(a, metrics, resumes);
    }
}

#endif
