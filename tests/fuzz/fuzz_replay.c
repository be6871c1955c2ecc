/* SPDX-License-Identifier: MIT */
/* A run as `streamd replay` takes it: a header, then points. Whatever they are, each gets an answer
 * that is JSON, with its estimates inside their own intervals; and the same run has the same. */
#include "streamd/tools/replay_line.h"
#include "tests/fuzz/fuzz.h"

#include "proto/json_scan.h"

#include <math.h>
#include <string.h>

enum { ANSWER_MAX = 4096 };

static bool is_text(const char *text, size_t max)
{
    size_t len = strnlen(text, max);
    return len < max && (len == 0 || json_utf8_valid((struct span){text, len}));
}

static bool is_within(double lo, double value, double hi)
{
    return isnan(value) || (isfinite(value) && lo <= value && value <= hi);
}

static void check(const struct assessment *a)
{
    CHECK(a->phase < PHASES);
    CHECK(is_text(a->reason, sizeof(a->reason)));
    CHECK(is_within(a->eta.lo, a->eta.s, a->eta.hi));
    CHECK(is_within(a->forecast.lo, a->forecast.value, a->forecast.hi));
    CHECK(is_within(0, a->p_gain, 1));
    CHECK(a->finding_count <= ASSESSMENT_FINDINGS_MAX);
    for (size_t i = 0; i < a->finding_count; i++)
        CHECK(is_text(a->findings[i].evidence, sizeof(a->findings[i].evidence)));
}

/* Plays the run, each line where its allocation ends; the answers in *out. */
static void play(struct span run, struct buf *out)
{
    static struct insight s;
    struct insight_config config = {0};
    struct span header = copy_of(span_cut(&run, '\n'));
    enum status status = replay_read_header(header, &config);
    free((char *)(size_t)header.ptr);
    insight_init(&s, &config);
    while (status == OK && run.len > 0) {
        struct point p;
        struct span line = copy_of(span_cut(&run, '\n'));
        size_t before = out->len;
        status = replay_read_point(line, &p);
        free((char *)(size_t)line.ptr);
        if (status != OK)
            return;
        const struct assessment *a = insight_point(&s, &p);
        check(a);
        replay_write(out, a);
        struct span answer = {out->ptr + before, out->len - before - 1};
        CHECK(out->len - before <= ANSWER_MAX && json_check(answer, JSON_STRICT, NULL) == OK);
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct span run = {(const char *)data, size};
    struct buf first;
    struct buf again;
    buf_init(&first, 1 << 26);
    buf_init(&again, 1 << 26);
    play(run, &first);
    play(run, &again);
    CHECK(span_eq(buf_span(&first), buf_span(&again)));
    buf_fini(&first);
    buf_fini(&again);
    return 0;
}
