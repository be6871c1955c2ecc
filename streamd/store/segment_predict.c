/* SPDX-License-Identifier: MIT */
/*
 * The same function serves the writer, which leaves out what it gives to the bit, and the reader,
 * which fills it in. It looks at rows up to the present one only, and in the present one only at
 * fields that segment_needs names. exp() is the C library's: a file that goes to a machine whose
 * exp() rounds otherwise shows a derived perplexity that differs in its last bit, nothing else.
 */
#include "streamd/store/segment_inside.h"

enum {
    CARRIED = 1 << F_LOSS | 1 << F_MODEL_PARAMS | 1 << F_CURRENT_STEP | 1 << F_TOTAL_STEPS |
              1 << F_CURRENT_MODEL | 1 << F_TOTAL_MODELS
};

bool segment_predicts(enum record_field field)
{
    return field != F_TRAINING_TIME;
}

unsigned segment_needs(enum record_field field)
{
    unsigned progress =
        1U << F_CURRENT_STEP | 1U << F_TOTAL_STEPS | 1U << F_CURRENT_MODEL | 1U << F_TOTAL_MODELS;
    switch (field) {
    case F_PERPLEXITY:
    case F_GROK_PROGRESS:
        return 1U << F_LOSS;
    case F_OVERALL_PROGRESS:
        return progress;
    case F_ESTIMATED_TIME_REMAINING:
        return 1U << F_OVERALL_PROGRESS | 1U << F_TRAINING_TIME;
    default:
        return 0;
    }
}

static struct num known_at(const struct segment_known *known, enum record_field f, size_t row)
{
    return known->field[f] ? known->field[f][row] : num_none();
}

static struct num carried(const struct segment_known *known, enum record_field f, size_t row)
{
    struct num before = row > 0 ? known_at(known, f, row - 1) : num_none();
    if (f == F_LOSS && known->train_loss && known->train_loss[row].kind != NUM_NONE)
        before = known->train_loss[row];
    return before.kind == NUM_TEXT ? record_carried(before) : before;
}

struct num segment_predict(struct segment_known *known, enum record_field field, size_t row)
{
    if (CARRIED >> field & 1)
        return carried(known, field, row);
    if (field == F_TIMESTAMP)
        return num_float((double)(int64_t)known->time_ms[row] / 1000);
    for (unsigned needs = segment_needs(field); needs; needs &= needs - 1) {
        enum record_field f = (enum record_field)__builtin_ctz(needs);
        known->scratch.field[f] = known_at(known, f, row);
    }
    return record_formula(&known->scratch, field);
}
