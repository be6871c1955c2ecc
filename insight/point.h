/* SPDX-License-Identifier: MIT */
/*
 * point: one reading of a run, with whatever its log had at that moment.
 *
 * Points are sparse: a training line has a loss and a rate, a validation line a metric, few have
 * all. A number that is not finite is a value like any other (a loss that is NaN says much), so
 * what is absent is told by a bit and not by NaN.
 */
#ifndef INSIGHT_POINT_H
#define INSIGHT_POINT_H

#include <stdbool.h>
#include <stdint.h>

/* X(field, name); the names are those of `streamd replay` and of metrics looked up by name. */
#define POINT_TABLE(X)                                                                             \
    X(POINT_TIME_S, "time_s")            /* since any one moment, never falling */                 \
    X(POINT_STEP, "step")                /* counts up; going back means a resumed run */           \
    X(POINT_EPOCH, "epoch")              /* may have a fraction */                                 \
    X(POINT_TRAIN_LOSS, "train_loss")    /* */                                                     \
    X(POINT_VAL_LOSS, "val_loss")        /* lower is better */                                     \
    X(POINT_VAL_METRIC, "val_metric")    /* see insight_config.goal */                             \
    X(POINT_LR, "lr")                    /* */                                                     \
    X(POINT_GRAD_NORM, "grad_norm")      /* */                                                     \
    X(POINT_ACCURACY, "accuracy")        /* of training; shown in snapshots, judges nothing */     \
    X(POINT_GPU_MEMORY_MB, "gpu_mem_mb") /* in use on one device */                                \
    X(POINT_GPU_TOTAL_MB, "gpu_mem_total_mb") /* that the device has */                            \
    X(POINT_MODEL, "model")                   /* a change begins the next model of a sweep */

enum point_field {
#define POINT_ENUM(field, name) field,
    POINT_TABLE(POINT_ENUM)
#undef POINT_ENUM
        POINT_FIELDS
};

/* A value beyond is as good as infinite; below, its square is finite. */
#define POINT_FAR 1e100

struct point {
    uint32_t has; /* bit f: value[f] was there */
    double value[POINT_FIELDS];
};

static inline bool point_has(const struct point *p, enum point_field field)
{
    return (p->has >> field & 1U) != 0;
}

static inline void point_set(struct point *p, enum point_field field, double value)
{
    p->has |= UINT32_C(1) << field;
    p->value[field] = value;
}

/* "time_s" ...; static strings. */
const char *point_field_name(enum point_field field);

#endif
