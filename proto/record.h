/* SPDX-License-Identifier: MIT */
/*
 * record: the metrics record, twelve named fields and the trainer's own numbers.
 *
 * A record begins as what one line said (line.h). record_complete then fills what the trainer left
 * out, from the session's memory and by formula; `sent` keeps telling the two apart. A value sent
 * as 0 is a value. Nothing is clamped and nothing rounded here: that is for the writers
 * (record_json.h) and for the compatibility form (compat.h).
 *
 * The record borrows: extras, their names and NUM_TEXT digits live as long as the decoder's line.
 */
#ifndef PROTO_RECORD_H
#define PROTO_RECORD_H

#include "base/span.h"
#include "proto/number.h"

/*
 * X(field, name on the wire, decimals in payloads). RECORD_INTEGER marks counts: a float sent for
 * one that is a whole number is kept as the integer; any other float there has six digits.
 */
enum { RECORD_INTEGER = -1 };

#define RECORD_TABLE(X)                                                                            \
    X(F_LOSS, "loss", 4)                                                                           \
    X(F_PERPLEXITY, "perplexity", 4)                                                               \
    X(F_GROK_PROGRESS, "grokProgress", 1)                                                          \
    X(F_MODEL_PARAMS, "modelParams", RECORD_INTEGER)                                               \
    X(F_CURRENT_STEP, "currentStep", RECORD_INTEGER)                                               \
    X(F_TOTAL_STEPS, "totalSteps", RECORD_INTEGER)                                                 \
    X(F_CURRENT_MODEL, "currentModel", RECORD_INTEGER)                                             \
    X(F_TOTAL_MODELS, "totalModels", RECORD_INTEGER)                                               \
    X(F_OVERALL_PROGRESS, "overallProgress", 1)                                                    \
    X(F_TRAINING_TIME, "trainingTime", 2)                                                          \
    X(F_ESTIMATED_TIME_REMAINING, "estimatedTimeRemaining", 2)                                     \
    X(F_TIMESTAMP, "timestamp", 3)

enum record_field {
#define RECORD_ENUM(field, name, decimals) field,
    RECORD_TABLE(RECORD_ENUM)
#undef RECORD_ENUM
        RECORD_FIELDS
};

/* A number of the trainer's own. */
struct extra {
    struct span name; /* unescaped UTF-8, no control characters, not empty */
    struct num value;
};

struct record {
    struct num field[RECORD_FIELDS]; /* NUM_NONE: neither sent nor derived */
    uint16_t sent;                   /* bit i: the trainer sent field i */
    uint16_t wrong;                  /* bit i: field i came, but not as a number */
    unsigned ignored;                /* values that were no numbers, and reserved names */
    const struct extra *extra;       /* borrows extra_count extras, in the order they came */
    size_t extra_count;
};

/* What a session remembers between lines. Holds no borrowed bytes: NUM_TEXT becomes NUM_FLOAT. */
struct record_memory {
    struct num loss;
    struct num model_params;
    struct num step;
    struct num total_steps;
    struct num current_model; /* 1-based; none after a model was completed */
    struct num total_models;
    uint64_t models_completed;
};

/* "loss" ...; static strings. */
const char *record_field_name(enum record_field field);

/* Decimals in payloads, or RECORD_INTEGER. */
int record_field_decimals(enum record_field field);

void record_init(struct record *r);

/* Sets a field as the trainer's; whole floats become integers where the field is a count. */
void record_set(struct record *r, enum record_field field, struct num value);

bool record_was_sent(const struct record *r, enum record_field field);

/* The value of the trainer's own number of that name, or NULL. */
const struct num *record_extra(const struct record *r, struct span name);

/* Is a number that was sent, of the twelve or of the extras, NaN or infinite? */
bool record_has_nonfinite(const struct record *r);

/* Remembers nothing. */
void record_memory_init(struct record_memory *m);

/*
 * Seeds it from a start line's config, a JSON object that passed the scanner: model_count,
 * total_steps, model_params and their accepted spellings. Anything else in there is passed over.
 */
void record_memory_seed(struct record_memory *m, struct span config);

/* Model `index` (0-based) is done: the next record without a model of its own is of the next. */
void record_memory_model_completed(struct record_memory *m, uint64_t index);

/*
 * Fills what was not sent and remembers what was. elapsed_s: since the session's start; wall_s:
 * epoch seconds. By field, when not sent:
 *   loss            train_loss, else the last loss, else none
 *   perplexity      exp(min(loss, 10)); none without a finite loss
 *   grokProgress    clamp((2 - loss) / 2 * 100, 0, 100); none without a finite loss
 *   modelParams, currentStep, totalSteps   the last sent or seeded, else none
 *   totalModels     the last sent or seeded, else 1
 *   currentModel    the last sent for this model, else models completed + 1, at most totalModels
 *   overallProgress ((currentModel - 1) * 100 + step / total * 100) / totalModels, within 0..100;
 *                   the step's part is 0 unless step / total is a finite number
 *   trainingTime    elapsed_s
 *   estimatedTimeRemaining   max(0, t * 100 / overall - t); 0 when overall <= 0
 *   timestamp       wall_s
 * A formula over a number that is not finite gives none.
 */
void record_complete(struct record *r, struct record_memory *m, double elapsed_s, double wall_s);

/*
 * What the formula of that field gives over the record's other fields, sent or not; none for a
 * field that has no formula. Of those that have one (perplexity, grokProgress, overallProgress,
 * estimatedTimeRemaining) a record_complete'd one that was not sent equals it to the bit.
 */
struct num record_formula(const struct record *r, enum record_field field);

/* What stands in the next record for a field that was this value in the last one and is remembered
 * (loss, modelParams, step and totals): the same number, but for long digits, which are not kept.
 */
struct num record_carried(struct num value);

#endif
