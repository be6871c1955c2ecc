/* SPDX-License-Identifier: MIT */
/* What a log tells of its run: rows in, notices on a console out. */
#include "streamd/tools/watched.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

enum { LOG_BYTES_MAX = 1 << 20, STALLED_EPOCHS = 60 };

/* Plays a log and answers what was told; the caller frees it. */
static char *played(struct span log, const struct source_ops *ops, struct watched *w)
{
    const char *why;
    char *told = NULL;
    size_t size = 0;
    struct source s;
    struct source_row row;
    FILE *console = open_memstream(&told, &size);
    struct notify *notify = notify_create(&(struct notify_options){.console = console}, &why);
    assert_non_null(notify);
    source_init(&s, ops, log);
    source_row_init(&row);
    watched_init(w, &(struct watched_options){.path = "runs/a.log", .id = "a", .alone = true},
                 notify);
    assert_int_equal(ops->open(&s), OK);
    struct now now = {.us = 1000000, .wall_s = 1700000000};
    while (ops->next(&s, &row) == OK)
        watched_row(w, &s, &row, now);
    watched_last(w, now);
    struct notify_event report = watched_event(w, NOTIFY_REPORT);
    assert_true(notify_event(notify, &report, now));
    watched_end(w);
    source_row_fini(&row);
    source_fini(&s);
    notify_destroy(notify);
    (void)fclose(console);
    return told;
}

static void add_line(struct buf *log, unsigned minute, const char *format, double a, double b)
{
    buf_addf(log, "2026/01/%02u %02u:%02u:00 - mmengine - INFO - ", 1 + minute / 1440,
             minute / 60 % 24, minute % 60);
    buf_addf(log, format, a, b);
    buf_add_char(log, '\n');
}

/* It learns for some epochs, and then no more. */
static void write_stalled(struct buf *log)
{
    buf_add_str(log, "train_cfg = dict(max_epochs=120, type='EpochBasedTrainLoop')\n");
    for (unsigned e = 1; e <= STALLED_EPOCHS; e++) {
        double loss = 0.3 + 2 * exp(-(double)e / 2);
        double map = e < 6 ? 0.05 * e : 0.27 - 0.0002 * e;
        add_line(log, e * 10, "Epoch(train) [%.0f][100/100] lr: 1e-4 memory: 4000 loss: %.4f", e,
                 loss);
        add_line(log, e * 10, "Saving checkpoint at %.0f epochs", e, 0);
        add_line(log, e * 10 + 1, "Epoch(val) [%.0f][9/9] coco/bbox_mAP: %.4f", e, map);
    }
    add_line(log, STALLED_EPOCHS * 10, "Exp name: stalled_%.0f", 1, 0);
}

static void a_run_that_stands_still_is_advised_to_stop(void **state)
{
    (void)state;
    struct buf log;
    struct watched w;
    buf_init(&log, LOG_BYTES_MAX);
    write_stalled(&log);
    char *told = played(buf_span(&log), &source_mmengine, &w);
    const char *advice = strstr(told, "💰 Early Termination Recommendation\n");
    assert_non_null(advice);
    assert_null(strstr(advice + 1, "💰 Early Termination Recommendation\n")); /* once */
    assert_non_null(strstr(told, "🟠 PLATEAU DETECTED\n"));
    assert_non_null(strstr(advice, "P(>0.5% gain) ≈ "));
    assert_non_null(strstr(advice, "🏆 Use checkpoint: epoch_"));
    assert_non_null(strstr(told, "Training Report: stalled_1\n"));
    assert_non_null(strstr(told, "💰 Early termination alerts: 1\n"));
    assert_int_equal(w.records, 2 * STALLED_EPOCHS);
    free(told);
    buf_fini(&log);
}

/* Training goes on; validation is `jump` worse from an epoch on, and then by `slope` an epoch. */
static void write_worse(struct buf *log, unsigned epochs, unsigned from, double tau, double jump,
                        double slope)
{
    double best = 0.4 + 2 * exp(-(double)from / tau);
    for (unsigned e = 1; e <= epochs; e++) {
        double loss = 0.3 + 2 * exp(-(double)e / tau);
        double worse = best * (1 + jump + slope * ((double)e - from));
        buf_addf(log, "epoch: %u step: %u loss: %.4f val_loss: %.4f\n", e, e * 100, loss,
                 e < from ? loss + 0.1 : worse);
    }
}

/* The phase and the finding come of the same evaluation. */
static void what_a_phase_says_is_not_said_again_by_its_finding(void **state)
{
    (void)state;
    struct buf log;
    struct watched w;
    buf_init(&log, LOG_BYTES_MAX);
    write_worse(&log, 12, 10, 20, 0.1, 0.05);
    char *told = played(buf_span(&log), &source_text, &w);
    assert_non_null(strstr(told, "🔄 Change: STABLE CONVERGENCE → OVERFITTING RISK\n"));
    assert_int_equal(w.engine.now.finding_count, 1);
    assert_int_equal(w.engine.now.findings[0].kind, FINDING_OVERFITTING);
    assert_int_equal(w.findings, 0); /* told of by itself */
    free(told);
    buf_reset(&log);
    write_worse(&log, 26, 15, 8, 0.05, 0.01);
    told = played(buf_span(&log), &source_text, &w);
    assert_non_null(strstr(told, "🔄 Change: STABLE CONVERGENCE → OVERFITTING RISK\n"));
    assert_int_equal(w.engine.now.findings[0].kind, FINDING_PLATEAU);
    assert_int_equal(w.findings, 1); /* of another thing than the phase */
    free(told);
    buf_fini(&log);
}

static void a_crash_is_taken_back_when_the_run_goes_on(void **state)
{
    (void)state;
    struct watched w;
    char *told = played(SPAN("step: 1 loss: 0.5\nValueError: bad sample\nstep: 2 loss: 0.4\n"),
                        &source_text, &w);
    assert_non_null(strstr(told, "💥 CRASHED\n"));
    assert_non_null(strstr(told, "📝 Reason: ValueError: bad sample\n"));
    assert_false(w.crashed);
    assert_non_null(strstr(told, "🔄 State Transitions: 2\n"));
    free(told);
}

static void a_loss_that_explodes_is_told_at_once(void **state)
{
    (void)state;
    struct watched w;
    char *told =
        played(SPAN("step: 1 loss: 0.5\nstep: 2 loss: 0.4\nstep: 3 loss: 250\n"), &source_text, &w);
    assert_non_null(strstr(told, "💥 DIVERGING\n"));
    assert_non_null(strstr(told, "Loss exploded to 250"));
    free(told);
}

static void a_loss_that_is_no_number_is_told_at_once(void **state)
{
    (void)state;
    struct watched w;
    char *told = played(SPAN("step: 1 loss: 0.5\nstep: 2 loss: nan\n"), &source_text, &w);
    assert_non_null(strstr(told, "💥 DIVERGING\n"));
    assert_non_null(strstr(told, "📝 Reason: Loss is NaN\n"));
    free(told);
}

static void a_log_without_a_record_has_a_report(void **state)
{
    (void)state;
    struct watched w;
    char *told = played(SPAN("hello\n"), &source_text, &w);
    assert_non_null(strstr(told, "Training Report: a.log\n\n📊 Not begun"));
    free(told);
}

static void a_finished_run_is_converged(void **state)
{
    (void)state;
    struct watched w;
    char *told = played(SPAN("{'loss': 1.5, 'epoch': 1.0}\n"
                             "{'train_runtime': 9.5, 'train_loss': 1.75, 'epoch': 1.0}\n"),
                        &source_huggingface, &w);
    assert_true(w.over);
    assert_non_null(strstr(told, "✅ CONVERGED\n"));
    free(told);
}

static void read_packed(const char *path, struct buf *out)
{
    char piece[16384];
    int n;
    gzFile file = gzopen(path, "r");
    assert_non_null(file);
    while ((n = gzread(file, piece, sizeof(piece))) > 0)
        buf_add(out, piece, (size_t)n);
    assert_int_equal(gzclose(file), Z_OK);
}

/* In this order, whatever stands between them. */
static void expect_told(const char *told, const char *const *texts)
{
    for (; *texts; texts++) {
        const char *at = strstr(told, *texts);
        if (!at)
            fail_msg("not told there: %s", *texts);
        told = at + strlen(*texts);
    }
}

/* Nineteen epochs of a detector, with the phases that people agreed it went through. */
static void a_real_log_is_told_as_people_told_it(void **state)
{
    (void)state;
    static const char *const expected[] = {
        "INITIALIZING → WARMUP\n📝 Reason: Too early for a learning velocity\n",
        "WARMUP → LEARNING FAST\n📝 Reason: Learning velocity is at 24.4% improvement per epoch\n",
        "📊 Epoch 4 | LEARNING FAST\n",
        "   Val mAP: 0.138\n",
        "LEARNING FAST → STABLE CONVERGENCE\n"
        "📝 Reason: Learning velocity dropped to 4.0% improvement per epoch\n",
        "📊 Epoch 8 | STABLE CONVERGENCE\n",
        "   Val mAP: 0.221\n",
        "📊 Epoch 12 | STABLE CONVERGENCE\n",
        "   Val mAP: 0.240\n",
        "📊 Epoch 16 | STABLE CONVERGENCE\n",
        "   Val mAP: 0.256\n",
        "STABLE CONVERGENCE → LEARNING FAST\n"
        "📝 Reason: Learning velocity rose to 6.8% improvement per epoch\n",
        "LEARNING FAST → STABLE CONVERGENCE\n"
        "📝 Reason: Learning velocity dropped to 1.6% improvement per epoch\n",
        "🟠 PLATEAU DETECTED\n\n"
        "📊 Experiment: config_dent_dcn_final_20260203_104304\n\n"
        "🔄 Change: STABLE CONVERGENCE → PLATEAU\n"
        "📝 Reason: Learning velocity dropped to 0.7% improvement per epoch\n\n"
        "📉 Current State:\n   Loss: 0.3969\n   LR: 1.00e-06\n   Val mAP: 0.256\n\n"
        "⏱️ ETA Prediction:\n   Remaining: 2h 29m (High)\n   Range: 2h 25m - 2h 35m\n"
        "   Reason: the speed has been steady\n\n"
        "💡 Recommendation: Little is gained any more. Consider stopping, or lowering the learning "
        "rate.\n",
        "📊 Epoch 19 | Phase: PLATEAU\n\n🏆 Best Result: 0.256 (Epoch 16)\n"
        "🔄 State Transitions: 6\n💰 Early termination alerts: 0\n",
        NULL};
    struct buf log;
    struct watched w;
    buf_init(&log, LOG_BYTES_MAX);
    read_packed("tests/vectors/logs/mmengine_run.log.gz", &log);
    char *told = played(buf_span(&log), &source_mmengine, &w);
    assert_int_equal(w.records, 442 + 4);
    assert_int_equal(w.checkpoint_count, 18);
    assert_string_equal(w.checkpoints[17].name, "epoch_18.pth");
    expect_told(told, expected);
    free(told);
    buf_fini(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_that_stands_still_is_advised_to_stop),
        cmocka_unit_test(what_a_phase_says_is_not_said_again_by_its_finding),
        cmocka_unit_test(a_crash_is_taken_back_when_the_run_goes_on),
        cmocka_unit_test(a_loss_that_explodes_is_told_at_once),
        cmocka_unit_test(a_loss_that_is_no_number_is_told_at_once),
        cmocka_unit_test(a_log_without_a_record_has_a_report),
        cmocka_unit_test(a_finished_run_is_converged),
        cmocka_unit_test(a_real_log_is_told_as_people_told_it),
    };
    return cmocka_run_group_tests_name("tools/watched", tests, NULL, NULL);
}
