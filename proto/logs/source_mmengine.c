/* SPDX-License-Identifier: MIT */
/*
 * mmengine: the log of OpenMMLab's runner.
 *
 *     2026/02/03 10:44:17 - mmengine - INFO - Epoch(train)  [1][  50/1242]  lr: 1e-05  loss: 1.5
 *     ... Epoch(val) [4][352/352]    coco/bbox_mAP: 0.1380
 *     ... Saving checkpoint at 4 epochs
 *     ... Exp name: config_20260203_104304
 *
 * By iteration it is Iter(train) [ 50/40000]. What a validation has measured is val/NAME here, with
 * or without `coco/` in the log; the lines of its progress have no measurement and are passed over.
 * The measurement that such runs are judged by comes first. The run is over when its last epoch has
 * been measured, or kept where nothing is measured.
 * `memory` is the GPU's and in MB, and is called what the samplers of the clients call it. How long
 * the run shall be stands in the config that is dumped at the beginning: max_epochs=24.
 */
#include "proto/logs/source.h"
#include "proto/logs/words.h"

#include <string.h>

static bool is_mmengine(struct span line)
{
    struct span rest;
    return words_behind(line, " - mmengine - ", &rest) || words_behind(line, "Epoch(train)", &rest);
}

static bool mmengine_fits(struct span file)
{
    return source_lines_have(file, is_mmengine);
}

/* "[1][  50/1242]", or "[1][352]", or by iteration "[ 50/40000]". */
struct where {
    uint64_t epoch; /* 0: by iteration */
    uint64_t at;
    uint64_t of; /* 0: not said */
};

static bool take_where(struct span *rest, bool by_epoch, struct where *out)
{
    struct span s = *rest;
    struct where w = {0};
    if (!words_take_text(&s, "["))
        return false;
    if (by_epoch &&
        (!words_take_count(&s, &w.epoch) || !words_take_text(&s, "]") || !words_take_text(&s, "[")))
        return false;
    if (!words_take_of(&s, &w.at, &w.of) && !words_take_count(&s, &w.at))
        return false;
    if (!words_take_text(&s, "]"))
        return false;
    *rest = s;
    *out = w;
    return true;
}

/* The step of the whole run, and how many there shall be. */
static void add_place(struct source *s, struct source_row *row, const struct where *w,
                      uint64_t step)
{
    uint64_t planned = s->place.epochs * s->place.iterations;
    if (w->epoch > 0)
        source_row_add(row, SPAN("epoch"), num_int((int64_t)w->epoch));
    else
        planned = s->place.steps;
    if (step > 0 && step < INT64_MAX)
        source_row_set_step(row, (int64_t)step);
    if (planned > 0 && planned < INT64_MAX)
        source_row_add(row, SPAN("total_steps"), num_int((int64_t)planned));
}

static bool take_training(struct source *s, struct span rest, bool by_epoch, struct source_row *row)
{
    struct where w;
    struct span key;
    struct num value;
    if (!take_where(&rest, by_epoch, &w))
        return false;
    if (by_epoch && w.of > 0)
        s->place.iterations = w.of;
    else if (!by_epoch)
        s->place.steps = w.of;
    uint64_t before = by_epoch && w.epoch > 0 ? (w.epoch - 1) * s->place.iterations : 0;
    add_place(s, row, &w, before + w.at);
    while (words_take_pair(&rest, &key, &value))
        source_row_add(row, span_is(key, "memory") ? SPAN("gpu_memory_mb") : key, value);
    s->place.step = before + w.at;
    return true;
}

static void add_measured(struct source *s, struct source_row *row, struct span key,
                         struct num value)
{
    if (span_starts(key, SPAN("coco/")))
        key = (struct span){key.ptr + 5, key.len - 5};
    buf_reset(&s->text);
    buf_add_str(&s->text, "val/");
    buf_add_span(&s->text, key);
    if (buf_status(&s->text) == OK)
        source_row_add_metric(row, buf_span(&s->text), value);
}

static bool ends_with(struct span s, const char *end)
{
    size_t n = strlen(end);
    return s.len >= n && memcmp(s.ptr + s.len - n, end, n) == 0;
}

static bool is_measured(struct span key)
{
    return !span_is(key, "time") && !span_is(key, "data_time") && !span_is(key, "memory");
}

/* The one that whoever reads the line looks for. */
static struct span chief_of(struct span rest)
{
    static const char *const endings[] = {"mAP", "mIoU", "top1"};
    struct span key;
    struct num value;
    while (words_take_pair(&rest, &key, &value)) {
        for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
            if (ends_with(key, endings[i]))
                return key;
        }
    }
    return (struct span){NULL, 0};
}

/* The chief alone, or all others. */
static void add_all_measured(struct source *s, struct source_row *row, struct span rest,
                             struct span chief, bool chief_only)
{
    struct span key;
    struct num value;
    while (words_take_pair(&rest, &key, &value)) {
        if (is_measured(key) && (key.ptr == chief.ptr) == chief_only)
            add_measured(s, row, key, value);
    }
}

/* A validation stands at the end of its epoch, wherever the last training line was. */
static bool take_validation(struct source *s, struct span rest, bool by_epoch,
                            struct source_row *row)
{
    struct where w;
    size_t before = row->numbers;
    if (!take_where(&rest, by_epoch, &w))
        return false;
    struct span chief = chief_of(rest);
    add_all_measured(s, row, rest, chief, true);
    add_all_measured(s, row, rest, chief, false);
    if (row->numbers == before)
        return false;
    add_place(s, row, &w, by_epoch ? w.epoch * s->place.iterations : s->place.step);
    s->place.measures = true;
    if (by_epoch && w.epoch == s->place.epochs)
        row->event = SOURCE_OVER;
    return true;
}

/* The file is what the runner's own template makes of the number. */
static bool take_checkpoint(struct source *s, struct span rest, struct source_row *row)
{
    uint64_t n;
    if (!words_take_count(&rest, &n))
        return false;
    bool by_epoch = words_take_text(&rest, "epoch");
    uint64_t planned = by_epoch ? s->place.epochs : s->place.steps;
    buf_reset(&s->text);
    buf_add_str(&s->text, by_epoch ? "epoch_" : "iter_");
    buf_add_u64(&s->text, n);
    buf_add_str(&s->text, ".pth");
    row->event = n == planned && !s->place.measures ? SOURCE_OVER : SOURCE_CHECKPOINT;
    row->text = buf_span(&s->text);
    return true;
}

static void note_plan(struct span line, const char *name, uint64_t *out)
{
    struct span rest;
    uint64_t n;
    if (words_behind(line, name, &rest) && words_take_text(&rest, "=") &&
        words_take_count(&rest, &n) && n < UINT32_MAX)
        *out = n;
}

static bool mmengine_line(struct source *s, struct span line, struct source_row *row)
{
    struct span rest;
    if (words_behind(line, "Epoch(train)", &rest))
        return take_training(s, rest, true, row);
    if (words_behind(line, "Iter(train)", &rest))
        return take_training(s, rest, false, row);
    if (words_behind(line, "Epoch(val)", &rest) || words_behind(line, "Epoch(test)", &rest))
        return take_validation(s, rest, true, row);
    if (words_behind(line, "Iter(val)", &rest))
        return take_validation(s, rest, false, row);
    if (words_behind(line, "Saving checkpoint at", &rest))
        return take_checkpoint(s, rest, row);
    if (words_behind(line, "Exp name:", &rest) && span_trim(rest).len > 0) {
        row->event = SOURCE_NAME;
        row->text = rest;
        return true;
    }
    note_plan(line, "max_epochs", &s->place.epochs);
    note_plan(line, "max_iters", &s->place.steps);
    return false;
}

const struct source_ops source_mmengine = {
    .name = "mmengine",
    .what = "MMEngine's log: mmdet, mmseg, mmpretrain and the rest of OpenMMLab",
    .fits = mmengine_fits,
    .open = source_lines_open,
    .next = source_lines_next,
    .line = mmengine_line,
};
