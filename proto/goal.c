/* SPDX-License-Identifier: MIT */
/*
 * The words that mean "lower" are here only to overrule a word before them (`accuracy_error`,
 * `reward_std`); a name that has none of either falls anyway. A name is asked for once in the life
 * of its series, so the tables are walked.
 */
#include "proto/goal.h"

static const char *const rising[] = {
    "acc",       "accuracy", "accuracies", "ap",          "auc",         "auroc",       "auprc",
    "bleu",      "chrf",     "cider",      "corr",        "correlation", "dice",        "elo",
    "f1",        "f2",       "fbeta",      "fps",         "fscore",      "hit",         "hits",
    "iou",       "jaccard",  "kappa",      "map",         "margin",      "margins",     "match",
    "mcc",       "meteor",   "mfu",        "miou",        "mrr",         "ndcg",        "pearson",
    "precision", "progress", "psnr",       "r2",          "recall",      "return",      "returns",
    "reward",    "rewards",  "rouge",      "score",       "scores",      "sensitivity", "snr",
    "spearman",  "spice",    "ssim",       "specificity", "success",     "throughput",  "top1",
    "top5",      "win",      "winrate",
};

static const char *const falling[] = {
    "bce", "brier",  "cer",    "ce",  "cost",     "distance",   "divergence", "duration", "ece",
    "err", "error",  "errors", "fid", "gap",      "kl",         "latency",    "loss",     "losses",
    "mae", "mape",   "mse",    "nll", "penalty",  "perplexity", "ppl",        "regret",   "rmse",
    "std", "stddev", "time",   "var", "variance", "wer",
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || is_upper(c);
}

static bool stands_in(const char *const *words, size_t count, struct span word)
{
    for (size_t i = 0; i < count; i++) {
        if (span_is_nocase(word, words[i]))
            return true;
    }
    return false;
}

/* Sets *highest when the word is one that decides. */
static bool decide(struct span word, bool *highest)
{
    bool rises = stands_in(rising, sizeof(rising) / sizeof(rising[0]), word);
    if (!rises && !stands_in(falling, sizeof(falling) / sizeof(falling[0]), word))
        return false;
    *highest = rises;
    return true;
}

/* The word itself, else without its digits: `r2` and `top5` are words, `bleu4` is `bleu`. */
static bool decide_word(struct span word, bool *highest)
{
    bool known = decide(word, highest);
    size_t len = word.len;
    while (len > 0 && is_digit(word.ptr[len - 1]))
        len--;
    return known || (len < word.len && decide((struct span){word.ptr, len}, highest));
}

/* A piece between separators: as a whole (`IoU`, `mAP`), else by its capitals (`valAcc`). */
static void decide_piece(struct span piece, bool *highest)
{
    size_t from = 0;
    if (decide_word(piece, highest))
        return;
    for (size_t i = 1; i <= piece.len; i++) {
        if (i < piece.len && !(is_upper(piece.ptr[i]) && !is_upper(piece.ptr[i - 1])))
            continue;
        (void)decide_word((struct span){piece.ptr + from, i - from}, highest);
        from = i;
    }
}

bool goal_is_highest(struct span name)
{
    bool highest = false;
    size_t from = 0;
    for (size_t i = 0; i <= name.len; i++) {
        if (i < name.len && (is_letter(name.ptr[i]) || is_digit(name.ptr[i])))
            continue;
        if (i > from)
            decide_piece((struct span){name.ptr + from, i - from}, &highest);
        from = i + 1;
    }
    return highest;
}
