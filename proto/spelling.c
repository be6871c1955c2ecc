/* SPDX-License-Identifier: MIT */
/*
 * The table is written in the order of the names' lengths. How many names are shorter than n is
 * then where those of length n begin, and the preprocessor can count that from the table itself:
 * a lookup compares the three or four names of the right length and nothing else, and there is no
 * second table to keep in step. The test walks the table and holds it to that order.
 */
#include "proto/spelling.h"

#include <string.h>

/* X(n, name, kind, field, name that an extra gets instead); n is for FIRST below. */
#define SPELLING_TABLE(X, n)                                                                       \
    X(n, "lr", SPELL_RENAME, 0, "learning_rate")                                                   \
    X(n, "loss", SPELL_FIELD, F_LOSS, "")                                                          \
    X(n, "step", SPELL_FIELD, F_CURRENT_STEP, "")                                                  \
    X(n, "offset", SPELL_RESERVED, 0, "")                                                          \
    X(n, "max_steps", SPELL_FIELD, F_TOTAL_STEPS, "")                                              \
    X(n, "nonFinite", SPELL_RESERVED, 0, "")                                                       \
    X(n, "timestamp", SPELL_FIELD, F_TIMESTAMP, "")                                                \
    X(n, "globalStep", SPELL_FIELD, F_CURRENT_STEP, "")                                            \
    X(n, "modelCount", SPELL_FIELD, F_TOTAL_MODELS, "")                                            \
    X(n, "modelIndex", SPELL_INDEX, F_CURRENT_MODEL, "")                                           \
    X(n, "num_params", SPELL_FIELD, F_MODEL_PARAMS, "")                                            \
    X(n, "perplexity", SPELL_FIELD, F_PERPLEXITY, "")                                              \
    X(n, "serverTime", SPELL_RESERVED, 0, "")                                                      \
    X(n, "superseded", SPELL_RESERVED, 0, "")                                                      \
    X(n, "totalSteps", SPELL_FIELD, F_TOTAL_STEPS, "")                                             \
    X(n, "currentStep", SPELL_FIELD, F_CURRENT_STEP, "")                                           \
    X(n, "global_step", SPELL_FIELD, F_CURRENT_STEP, "")                                           \
    X(n, "modelParams", SPELL_FIELD, F_MODEL_PARAMS, "")                                           \
    X(n, "model_count", SPELL_FIELD, F_TOTAL_MODELS, "")                                           \
    X(n, "model_index", SPELL_INDEX, F_CURRENT_MODEL, "")                                          \
    X(n, "totalModels", SPELL_FIELD, F_TOTAL_MODELS, "")                                           \
    X(n, "total_steps", SPELL_FIELD, F_TOTAL_STEPS, "")                                            \
    X(n, "currentModel", SPELL_FIELD, F_CURRENT_MODEL, "")                                         \
    X(n, "current_step", SPELL_FIELD, F_CURRENT_STEP, "")                                          \
    X(n, "grokProgress", SPELL_FIELD, F_GROK_PROGRESS, "")                                         \
    X(n, "learningRate", SPELL_RENAME, 0, "learning_rate")                                         \
    X(n, "model_params", SPELL_FIELD, F_MODEL_PARAMS, "")                                          \
    X(n, "total_models", SPELL_FIELD, F_TOTAL_MODELS, "")                                          \
    X(n, "trainingTime", SPELL_FIELD, F_TRAINING_TIME, "")                                         \
    X(n, "current_model", SPELL_FIELD, F_CURRENT_MODEL, "")                                        \
    X(n, "grok_progress", SPELL_FIELD, F_GROK_PROGRESS, "")                                        \
    X(n, "training_time", SPELL_FIELD, F_TRAINING_TIME, "")                                        \
    X(n, "overallProgress", SPELL_FIELD, F_OVERALL_PROGRESS, "")                                   \
    X(n, "overall_progress", SPELL_FIELD, F_OVERALL_PROGRESS, "")                                  \
    X(n, "estimatedTimeRemaining", SPELL_FIELD, F_ESTIMATED_TIME_REMAINING, "")                    \
    X(n, "estimated_time_remaining", SPELL_FIELD, F_ESTIMATED_TIME_REMAINING, "")

#define ENTRY(n, name, kind, field, rename)                                                        \
    {{(name), sizeof(name) - 1},                                                                   \
     (kind),                                                                                       \
     (enum record_field)(field),                                                                   \
     {(rename), sizeof(rename) - 1}},

static const struct spelling table[] = {SPELLING_TABLE(ENTRY, 0)};

/* Where the names of n bytes begin: behind all that are shorter. */
/* NOLINTNEXTLINE(bugprone-macro-parentheses) a term of a sum */
#define SHORTER(n, name, kind, field, rename) +(sizeof(name) - 1 < (n))
#define FIRST(n) (0 SPELLING_TABLE(SHORTER, n))

static const uint8_t first[] = {
    FIRST(0),  FIRST(1),  FIRST(2),  FIRST(3),  FIRST(4),  FIRST(5),  FIRST(6),
    FIRST(7),  FIRST(8),  FIRST(9),  FIRST(10), FIRST(11), FIRST(12), FIRST(13),
    FIRST(14), FIRST(15), FIRST(16), FIRST(17), FIRST(18), FIRST(19), FIRST(20),
    FIRST(21), FIRST(22), FIRST(23), FIRST(24), FIRST(25),
};

enum {
    SPELLINGS = sizeof(table) / sizeof(table[0]),
    LONGEST = sizeof(first) / sizeof(first[0]) - 2,
};

_Static_assert(FIRST(LONGEST + 1) == SPELLINGS, "a name is longer than LONGEST");

const struct spelling *spelling_find(struct span name)
{
    if (name.len > LONGEST)
        return NULL;
    for (size_t i = first[name.len]; i < first[name.len + 1]; i++) {
        const char *candidate = table[i].name.ptr;
        if (candidate[0] == name.ptr[0] && memcmp(candidate, name.ptr, name.len) == 0)
            return &table[i];
    }
    return NULL;
}

const struct spelling *spelling_at(size_t index)
{
    return index < SPELLINGS ? &table[index] : NULL;
}
