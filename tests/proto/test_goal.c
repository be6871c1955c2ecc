/* SPDX-License-Identifier: MIT */
#include "proto/goal.h"

#include "tests/support/guarded.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void expect(const char *const *names, bool highest)
{
    for (; *names; names++) {
        struct guarded name = guarded_text(*names);
        if (goal_is_highest(name.span) != highest)
            fail_msg("%s does not %s", *names, highest ? "rise" : "fall");
        guarded_free(&name);
    }
}

static void what_is_counted_in_its_favour_rises(void **state)
{
    (void)state;
    static const char *const names[] = {"acc",
                                        "accuracy",
                                        "val/acc",
                                        "valAcc",
                                        "val_accuracy",
                                        "Accuracy@1",
                                        "acc1",
                                        "top5",
                                        "eval/f1",
                                        "F1Score",
                                        "f1-macro",
                                        "macro avg/precision",
                                        "test.recall",
                                        "mAP",
                                        "mAP50",
                                        "mAP50-95",
                                        "metrics/mAP_0.5",
                                        "IoU",
                                        "mIoU",
                                        "mean_iou",
                                        "Dice",
                                        "PSNR",
                                        "ssim",
                                        "roc_auc",
                                        "AUROC",
                                        "bleu",
                                        "BLEU4",
                                        "rouge-l",
                                        "r2",
                                        "R2",
                                        "episode_reward",
                                        "rewards/chosen",
                                        "episodeReturn",
                                        "loss_weighted_score",
                                        "grokProgress",
                                        "exact_match",
                                        NULL};
    expect(names, true);
}

static void everything_else_falls(void **state)
{
    (void)state;
    static const char *const names[] = {"",
                                        "loss",
                                        "train_loss",
                                        "val/acc_loss",
                                        "accLoss",
                                        "accuracy_error",
                                        "reward_std",
                                        "score/time",
                                        "perplexity",
                                        "ppl",
                                        "rmse",
                                        "wer",
                                        "learning_rate",
                                        "lr",
                                        "grad_norm",
                                        "accumulated",
                                        "mapping",
                                        "f",
                                        "tar2",
                                        "123",
                                        "___",
                                        "/",
                                        "\xc3\xa4"
                                        "cc",
                                        "accuracyaccuracyaccuracyaccuracy",
                                        NULL};
    expect(names, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_counted_in_its_favour_rises),
        cmocka_unit_test(everything_else_falls),
    };
    return cmocka_run_group_tests_name("proto/goal", tests, NULL, NULL);
}
