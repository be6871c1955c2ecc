/* SPDX-License-Identifier: MIT */
/*
 * epoch: one epoch of a run, as the operations API shows it (P-81).
 *
 * A view on the record that an `epoch` line became: eight numbers under fixed names, whatever
 * spelling the trainer has for them (`val/loss`, `eval_loss`). A plain value.
 */
#ifndef STREAMD_SESSION_EPOCH_H
#define STREAMD_SESSION_EPOCH_H

#include "streamd/session/series.h"

/* X(field, name, may a client do without it?) in the order in which they are written. */
#define EPOCH_TABLE(X)                                                                             \
    X(EPOCH_NUMBER, "epoch", false)                                                                \
    X(EPOCH_TRAIN_LOSS, "train_loss", false)                                                       \
    X(EPOCH_TRAIN_ACCURACY, "train_accuracy", true)                                                \
    X(EPOCH_VAL_LOSS, "val_loss", true)                                                            \
    X(EPOCH_VAL_ACCURACY, "val_accuracy", true)                                                    \
    X(EPOCH_LEARNING_RATE, "learning_rate", true)                                                  \
    X(EPOCH_DURATION, "duration", true)                                                            \
    X(EPOCH_TIMESTAMP, "timestamp", true)

enum epoch_field {
#define EPOCH_ENUM(field, name, optional) field,
    EPOCH_TABLE(EPOCH_ENUM)
#undef EPOCH_ENUM
        EPOCH_FIELDS
};

struct epoch {
    uint64_t offset; /* of its record */
    double value[EPOCH_FIELDS];
    uint32_t has; /* bit f: value[f] was there; it may still be NaN */
};

/* "epoch" ...; static strings. */
const char *epoch_field_name(enum epoch_field field);
bool epoch_field_optional(enum epoch_field field);

/* EPOCH_FIELDS when there is none of that name. */
enum epoch_field epoch_field_find(struct span name);

void epoch_of_entry(const struct series_entry *entry, struct epoch *out);

/* The value; NaN when there is none. */
double epoch_value(const struct epoch *e, enum epoch_field field);

/*
 * Appends the object. `index` is its number where the trainer gave none. Losses, accuracies, rate
 * and duration always have a fraction or an exponent, so that whoever reads them gets one type;
 * what is absent or not finite is null.
 */
void epoch_write(const struct epoch *e, uint64_t index, struct buf *out);

/* Appends a finite number; a whole one is 1.0, not 1. */
void epoch_write_float(struct buf *out, double v);

/* Appends 2026-01-31T12:00:00.250Z in quotes, without a fraction where there is none; null for a
 * time that is none. */
void time_write_iso(double epoch_s, struct buf *out);

/* Reads that, with Z, an offset as +01:00, or nothing (then UTC) at its end. */
bool time_read_iso(struct span text, double *out_epoch_s);

#endif
