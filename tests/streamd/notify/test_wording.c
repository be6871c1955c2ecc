/* SPDX-License-Identifier: MIT */
#include "streamd/notify/wording.h"

#include "tests/streamd/notify/events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect(void (*write)(struct buf *, const struct notify_event *),
                   const struct notify_event *e, const char *text)
{
    struct buf b;
    buf_init(&b, 8192);
    write(&b, e);
    buf_add_char(&b, '\0');
    assert_int_equal(buf_status(&b), OK);
    assert_string_equal(b.ptr, text);
    buf_fini(&b);
}

/* The detection run of phases.md at its plateau. */
static struct assessment detection(void)
{
    struct assessment a = {
        .phase = PHASE_PLATEAU,
        .reason = "Learning velocity dropped to 0.6% improvement per epoch",
        .transitions = 5,
        .transition = {.from = PHASE_STABLE_CONVERGENCE,
                       .to = PHASE_PLATEAU,
                       .reason = "Learning velocity dropped to 0.6% improvement per epoch",
                       .snapshot = {0.37041, 1e-6, 97.5, NAN, 0.2560}},
        .monitor = "val_metric",
        .higher_is_better = true,
        .monitored = 0.254,
        .evaluations = 5,
        .best = {.value = 0.256, .epoch = 16, .step = 19872, .since = 4},
        .eta = {.s = 9600,
                .lo = 9000,
                .hi = 10500,
                .confidence = GRADE_HIGH,
                .reason = "epochs take the same time"},
        .p_gain = 0.1,
        .gain_class = GRADE_LOW,
        .stop = {.recommend = true,
                 .cause = STOP_NO_GAIN,
                 .why = "a further gain has become unlikely",
                 .saving_s = 9600,
                 .gpu_hours = 9600.0 / 3600},
    };
    return a;
}

static struct notify_event event_of(enum notify_kind kind, const struct assessment *a)
{
    struct notify_event e = event_over(kind, a);
    e.name = "config_dent_dcn_final";
    e.metric = "val/bbox_mAP";
    e.checkpoint = "epoch_16.pth";
    e.epoch = 20;
    e.now = a->transition.snapshot;
    return e;
}

static void a_plateau_is_told_line_by_line(void **state)
{
    (void)state;
    struct assessment a = detection();
    struct notify_event e = event_of(NOTIFY_PHASE, &a);
    expect(wording_write, &e,
           "🟠 PLATEAU DETECTED\n"
           "\n"
           "📊 Experiment: config_dent_dcn_final\n"
           "\n"
           "🔄 Change: STABLE CONVERGENCE → PLATEAU\n"
           "📝 Reason: Learning velocity dropped to 0.6% improvement per epoch\n"
           "\n"
           "📉 Current State:\n"
           "   Loss: 0.3704\n"
           "   LR: 1.00e-06\n"
           "   Val mAP: 0.256\n"
           "\n"
           "⏱️ ETA Prediction:\n"
           "   Remaining: 2h 40m (High)\n"
           "   Range: 2h 30m - 2h 55m\n"
           "   Reason: epochs take the same time\n"
           "\n"
           "💡 Recommendation: Little is gained any more. Consider stopping, or lowering the "
           "learning rate.");
}

static void early_termination_is_told_line_by_line(void **state)
{
    (void)state;
    struct assessment a = detection();
    struct notify_event e = event_of(NOTIFY_STOP, &a);
    expect(wording_write, &e,
           "💰 Early Termination Recommendation\n"
           "\n"
           "📊 Experiment: config_dent_dcn_final\n"
           "\n"
           "⚠️ Analysis:\n"
           "   No improvement for 4 epochs\n"
           "   Best: 0.256 (Epoch 16)\n"
           "   Current: 0.254 (Epoch 20)\n"
           "\n"
           "💡 Recommendation: Stop now. P(>0.5% gain) ≈ LOW\n"
           "\n"
           "💵 Savings: ~2h 40m GPU hours\n"
           "\n"
           "🏆 Use checkpoint: epoch_16.pth");
}

static void a_run_of_losses_without_epochs_is_told_too(void **state)
{
    (void)state;
    struct assessment a = detection();
    a.monitor = "val_loss";
    a.best = (struct assessed_best){.value = 0.5, .epoch = NAN, .step = 100, .since = 6};
    a.monitored = 0.6;
    a.stop.gpu_hours = a.stop.saving_s = NAN;
    struct notify_event e = event_of(NOTIFY_STOP, &a);
    e.epoch = NAN;
    e.step = 700;
    e.checkpoint = NULL;
    expect(wording_write, &e,
           "💰 Early Termination Recommendation\n\n📊 Experiment: config_dent_dcn_final\n\n"
           "⚠️ Analysis:\n   No improvement for 6 evaluations\n   Best: 0.5000 (Step 100)\n"
           "   Current: 0.6000 (Step 700)\n\n"
           "💡 Recommendation: Stop now. P(>0.5% gain) ≈ LOW\n\n💵 Savings: unknown\n\n"
           "🏆 Use checkpoint: the one nearest to the best value");
}

static void a_run_that_diverges_has_no_time_left_and_a_saving(void **state)
{
    (void)state;
    struct assessment a = detection();
    a.reason[0] = '\0';
    (void)strcat(a.reason, "Loss is NaN");
    a.monitor = "val_loss";
    a.stop.cause = STOP_DIVERGED;
    a.best.value = 0.00025;
    a.monitored = -NAN;
    struct notify_event e = event_of(NOTIFY_STOP, &a);
    expect(wording_write, &e,
           "💰 Early Termination Recommendation\n\n📊 Experiment: config_dent_dcn_final\n\n"
           "⚠️ Analysis:\n   Loss is NaN\n   Best: 0.00025 (Epoch 16)\n"
           "   Current: NaN (Epoch 20)\n\n"
           "💡 Recommendation: Stop now. P(>0.5% gain) ≈ LOW\n\n"
           "💵 Savings: ~2h 40m GPU hours\n\n🏆 Use checkpoint: epoch_16.pth");
    a.eta = (struct assessed_eta){.s = NAN, .lo = NAN, .hi = NAN, .reason = "the run diverges"};
    a.transition.to = PHASE_DIVERGING;
    struct buf b;
    buf_init(&b, 4096);
    e.kind = NOTIFY_PHASE;
    wording_write(&b, &e);
    buf_add_char(&b, '\0');
    assert_non_null(strstr(b.ptr, "   Remaining: unknown\n   Reason: the run diverges\n"));
    buf_fini(&b);
}

static void a_plateaus_notice_is_short(void **state)
{
    (void)state;
    struct assessment a = detection();
    a.finding_count = 1;
    a.findings[0] = (struct finding){.kind = FINDING_PLATEAU,
                                     .evidence = "plateaued at 0.275 for 8 evaluations"};
    struct notify_event e = event_of(NOTIFY_FINDING, &a);
    expect(wording_write, &e,
           "> 🟠 PLATEAU: config_dent_dcn_final\n"
           "> plateaued at 0.275 for 8 evaluations\n"
           "> ETA: 2h 40m (likely unnecessary)\n"
           "> Recommendation: consider stopping, or lowering the learning rate\n"
           "> Savings: ~2h 40m");
}

static void a_rule_of_a_user_is_told_in_its_own_words(void **state)
{
    (void)state;
    struct assessment a = detection();
    struct notify_event e = event_of(NOTIFY_RULE, &a);
    e.rule = "high";
    e.words = "val_loss is 3.5, above 2";
    expect(wording_write, &e,
           "⚠️ Alert: high\n\n📊 Experiment: config_dent_dcn_final\n"
           "📝 Evidence: val_loss is 3.5, above 2");
    assert_int_equal(notify_severity(&e), SEVERITY_WARNING);
}

static void progress_says_where_it_is(void **state)
{
    (void)state;
    struct assessment a = detection();
    struct notify_event e = event_of(NOTIFY_PROGRESS, &a);
    e.gpu_memory_mb = 4836;
    expect(wording_write, &e,
           "⏱️ Progress: config_dent_dcn_final\n\n📊 Epoch 20 | PLATEAU\n"
           "📉 Loss: 0.3704 | Acc: 97.5%\n   Val mAP: 0.256\n\n"
           "⏱️ ETA: 2h 40m (High)\n   Range: 2h 30m - 2h 55m\n\n💾 GPU: 4836 MB");
    struct buf b;
    buf_init(&b, 1024);
    wording_status(&b, &e);
    assert_true(span_is(buf_span(&b), "Epoch 20 | PLATEAU | Loss 0.3704 | ETA 2h 40m (High)"));
    buf_fini(&b);
}

static void a_run_without_a_metric_is_told_with_its_validation_loss(void **state)
{
    (void)state;
    struct assessment a = detection();
    struct notify_event e = event_of(NOTIFY_PROGRESS, &a);
    e.now = (struct snapshot){0.5, NAN, NAN, 0.62513, NAN};
    expect(wording_write, &e,
           "⏱️ Progress: config_dent_dcn_final\n\n📊 Epoch 20 | PLATEAU\n"
           "📉 Loss: 0.5000\n   Val loss: 0.6251\n\n"
           "⏱️ ETA: 2h 40m (High)\n   Range: 2h 30m - 2h 55m");
}

static void an_order_without_an_answer_is_told(void **state)
{
    (void)state;
    struct assessment a = detection();
    struct notify_event e = event_of(NOTIFY_UNANSWERED, &a);
    e.words = "stop (order 7) was accepted and is not done";
    expect(wording_write, &e,
           "⚠️ No Answer: config_dent_dcn_final\n\n"
           "stop (order 7) was accepted and is not done\n"
           "→ see whether its trainer still runs");
}

static void a_report_needs_no_validation(void **state)
{
    (void)state;
    struct assessment a = {.phase = PHASE_INITIALIZING,
                           .monitor = "",
                           .best = {.value = NAN, .epoch = NAN, .step = NAN},
                           .eta = {.s = NAN, .lo = NAN, .hi = NAN, .reason = ""},
                           .stop = {.why = "", .saving_s = NAN, .gpu_hours = NAN}};
    struct notify_event e = event_over(NOTIFY_REPORT, &a);
    expect(wording_write, &e,
           "🟡 Training Report: run-1\n\n📊 Not begun | Phase: INITIALIZING\n\n"
           "🏆 Best Result: none yet\n🔄 State Transitions: 0\n💰 Early termination alerts: 0\n\n"
           "Converging normally? Too early to say: Too little was seen to judge the run\n"
           "Stop early? No\n"
           "Finished when? Not known\nAnything wrong? No");
}

static void a_report_sums_up(void **state)
{
    (void)state;
    struct assessment a = detection();
    a.finding_count = 1;
    a.findings[0] = (struct finding){.kind = FINDING_PLATEAU, .evidence = "plateaued at 0.275"};
    struct notify_event e = event_of(NOTIFY_REPORT, &a);
    e.stop_alerts = 2;
    expect(wording_write, &e,
           "🟠 Training Report: config_dent_dcn_final\n\n📊 Epoch 20 | Phase: PLATEAU\n\n"
           "🏆 Best Result: 0.256 (Epoch 16)\n🔄 State Transitions: 5\n"
           "💰 Early termination alerts: 2\n\n"
           "Converging normally? Yes: Improving by less than 1 % an epoch\n"
           "Stop early? Yes: a further gain has become unlikely\n"
           "Finished when? 2h 40m (High)\nAnything wrong? plateau (plateaued at 0.275)");
}

/* Whatever is missing, each phase and finding has its words. */
static void every_phase_and_finding_has_a_message(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 8192);
    for (unsigned phase = 0; phase < PHASES; phase++) {
        struct assessment a = {.monitor = ""};
        struct notify_event e = event_to_phase(&a, (enum insight_phase)phase);
        buf_reset(&b);
        wording_write(&b, &e);
        assert_true(span_starts(buf_span(&b), span_of(phase_words(a.phase)->emoji)));
        assert_true(span_has_nocase(buf_span(&b), span_of(phase_words(a.phase)->advice)));
    }
    for (unsigned kind = 0; kind < FINDINGS; kind++) {
        struct assessment a = {.monitor = ""};
        struct notify_event e = event_of_finding(&a, (enum finding_kind)kind, SEVERITY_WARNING);
        buf_reset(&b);
        wording_write(&b, &e);
        assert_true(
            span_has_nocase(buf_span(&b), span_of(finding_action((enum finding_kind)kind))));
    }
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plateau_is_told_line_by_line),
        cmocka_unit_test(early_termination_is_told_line_by_line),
        cmocka_unit_test(a_run_of_losses_without_epochs_is_told_too),
        cmocka_unit_test(a_run_that_diverges_has_no_time_left_and_a_saving),
        cmocka_unit_test(a_plateaus_notice_is_short),
        cmocka_unit_test(a_rule_of_a_user_is_told_in_its_own_words),
        cmocka_unit_test(progress_says_where_it_is),
        cmocka_unit_test(a_run_without_a_metric_is_told_with_its_validation_loss),
        cmocka_unit_test(an_order_without_an_answer_is_told),
        cmocka_unit_test(a_report_needs_no_validation),
        cmocka_unit_test(a_report_sums_up),
        cmocka_unit_test(every_phase_and_finding_has_a_message),
    };
    return cmocka_run_group_tests_name("notify/wording", tests, NULL, NULL);
}
