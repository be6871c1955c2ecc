/* SPDX-License-Identifier: MIT */
/*
 * huggingface: what the Trainer prints, a Python dict now and then, among progress bars:
 *
 *      10%|█         | 50/500 [00:10<01:30,  5.0it/s]
 *     {'loss': 2.31, 'grad_norm': 1.2, 'learning_rate': 4.5e-05, 'epoch': 0.1}
 *     {'eval_loss': 2.1, 'eval_runtime': 3.2, 'epoch': 1.0}
 *     {'train_runtime': 95.1, 'train_loss': 1.9, 'epoch': 10.0}
 *
 * The dicts have no step, but the bar has. The training's bar is the first that counts iterations;
 * those of other lengths are of evaluations.
 */
#include "proto/logs/source.h"
#include "proto/logs/words.h"

#include <string.h>

static bool find_dict(struct span line, struct span *out)
{
    return words_behind(line, "{'", out) && memchr(out->ptr, '\'', out->len) != NULL;
}

static bool is_dict(struct span line)
{
    static const char *const keys[] = {"'loss'", "'eval_loss'", "'train_runtime'", "'train_loss'"};
    struct span dict;
    struct span rest;
    for (size_t i = 0; find_dict(line, &dict) && i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (words_behind(line, keys[i], &rest) && words_take_text(&rest, ":"))
            return true;
    }
    return false;
}

static bool huggingface_fits(struct span file)
{
    return source_lines_have(file, is_dict);
}

/* The last bar that is drawn in the line. */
static void note_bar(struct source *s, struct span line)
{
    struct span rest = line;
    while (words_behind(rest, "|", &rest)) {
        struct span bar = rest;
        struct span unit;
        uint64_t at;
        uint64_t of;
        if (!words_take_of(&bar, &at, &of) || !words_take_text(&bar, "[") || of == 0 ||
            of >= INT64_MAX)
            continue;
        if (!words_behind(bar, "it/s", &unit) && !words_behind(bar, "s/it", &unit) &&
            !words_behind(bar, "?it", &unit))
            continue;
        if (s->place.steps == 0)
            s->place.steps = of;
        if (s->place.steps == of)
            s->place.step = at;
    }
}

/* 'name': value, up to the closing brace; false: that is no pair. */
static bool take_member(struct span *rest, struct span *name, struct span *value)
{
    struct span s = *rest;
    *name = span_cut(&s, '\'');
    if (!s.ptr || !words_take_text(&s, ":"))
        return false;
    size_t n = 0;
    while (n < s.len && s.ptr[n] != ',' && s.ptr[n] != '}')
        n++;
    *value = span_trim((struct span){s.ptr, n});
    s = (struct span){s.ptr + n, s.len - n};
    if (s.len > 0 && s.ptr[0] == ',')
        (void)span_cut(&s, '\'');
    else
        s = (struct span){NULL, 0};
    *rest = s;
    return true;
}

static bool huggingface_line(struct source *s, struct span line, struct source_row *row)
{
    struct span rest;
    struct span name;
    struct span value;
    struct num number;
    note_bar(s, line);
    if (!find_dict(line, &rest))
        return false;
    while (rest.ptr && take_member(&rest, &name, &value)) {
        if (!words_number(value, &number))
            continue;
        source_row_add(row, name, number);
        if (span_is(name, "train_runtime"))
            row->event = SOURCE_OVER;
    }
    if (row->numbers == 0)
        return false;
    if (s->place.step > 0)
        source_row_set_step(row, (int64_t)s->place.step);
    if (s->place.steps > 0)
        source_row_add(row, SPAN("total_steps"), num_int((int64_t)s->place.steps));
    return true;
}

const struct source_ops source_huggingface = {
    .name = "huggingface",
    .what = "what Hugging Face's Trainer prints",
    .fits = huggingface_fits,
    .open = source_lines_open,
    .next = source_lines_next,
    .line = huggingface_line,
};
