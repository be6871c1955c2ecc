/* SPDX-License-Identifier: MIT */
/*
 * nanogpt: what nanoGPT and its many children print.
 *
 *     step 250: train loss 2.1123, val loss 2.2310
 *     saving checkpoint to out-shakespeare
 *     iter 250: loss 2.0931, time 1520.32ms, mfu 12.31%
 */
#include "proto/logs/source.h"
#include "proto/logs/words.h"

static bool take_head(struct span *rest, const char *word, uint64_t *out)
{
    struct span s = *rest;
    if (!words_take_text(&s, word) || !words_take_count(&s, out) || !words_take_text(&s, ":"))
        return false;
    *rest = s;
    return true;
}

static bool is_nanogpt(struct span line)
{
    uint64_t n;
    if (take_head(&line, "iter ", &n))
        return words_take_text(&line, "loss ");
    return take_head(&line, "step ", &n) && words_take_text(&line, "train loss ");
}

static bool nanogpt_fits(struct span file)
{
    return source_lines_have(file, is_nanogpt);
}

/* "name value, name value": a name may be two words. */
static void add_values(struct source *s, struct span rest, struct source_row *row)
{
    while (rest.len > 0) {
        struct span part = span_trim(span_cut(&rest, ','));
        struct span word;
        struct num value;
        buf_reset(&s->text);
        while (words_take(&part, &word) && !words_number(word, &value)) {
            if (s->text.len > 0)
                buf_add_char(&s->text, '_');
            buf_add_span(&s->text, word);
            value = num_none();
        }
        if (s->text.len > 0 && buf_status(&s->text) == OK && word.len > 0 &&
            words_number(word, &value))
            source_row_add(row, buf_span(&s->text), value);
    }
}

static bool nanogpt_line(struct source *s, struct span line, struct source_row *row)
{
    struct span rest = line;
    uint64_t n;
    if (words_behind(line, "saving checkpoint to", &rest)) {
        row->event = SOURCE_CHECKPOINT;
        row->text = rest;
        return true;
    }
    if (words_behind(line, "max_iters = ", &rest) && words_take_count(&rest, &n))
        s->place.steps = n;
    rest = line;
    bool evaluation = take_head(&rest, "step ", &n);
    if (!is_nanogpt(line) || (!evaluation && !take_head(&rest, "iter ", &n)) || n > INT64_MAX)
        return false;
    source_row_set_step(row, (int64_t)n);
    if (s->place.steps > 0 && s->place.steps < INT64_MAX)
        source_row_add(row, SPAN("total_steps"), num_int((int64_t)s->place.steps));
    add_values(s, rest, row);
    return row->numbers > 0;
}

const struct source_ops source_nanogpt = {
    .name = "nanogpt",
    .what = "what nanoGPT and its kin print",
    .fits = nanogpt_fits,
    .open = source_lines_open,
    .next = source_lines_next,
    .line = nanogpt_line,
};
