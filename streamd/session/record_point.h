/* SPDX-License-Identifier: MIT */
/*
 * record_point: a record as the interpreter sees it (insight/point.h).
 *
 * Which of a trainer's own numbers is the validation loss, the learning rate, the metric to follow?
 * Told by their names, whatever the separators and the case: `val/loss`, `eval_loss` and
 * `validation.loss` are one. Names come again with every record, so what one means is worked out
 * once and looked up by its place afterwards.
 */
#ifndef STREAMD_SESSION_RECORD_POINT_H
#define STREAMD_SESSION_RECORD_POINT_H

#include "insight/state.h"
#include "proto/record.h"

enum { POINT_SLOTS = 32, POINT_NAME_MAX = 46, METRIC_NAME_MAX = 64 };

/* What the names of one session mean. All zero: nothing is known yet. */
struct point_names {
    struct {
        char name[POINT_NAME_MAX];
        uint8_t len;     /* 0: empty, or longer than fits: then it is worked out each time */
        uint8_t field;   /* enum point_field; POINT_FIELDS: of no meaning here */
    } slot[POINT_SLOTS]; /* by the place of the extra in its record */
    char metric[METRIC_NAME_MAX]; /* the one that is followed as val_metric; "": none yet */
    bool told;                    /* by the config: no other will be followed */
};

/*
 * Reads a session's config (a JSON object; NULL pointer: none) for what the interpreter may be
 * told: `monitor` and `monitor_mode` (min, max), `epochs` (`num_epochs`, `max_epochs`),
 * `total_steps`
 * (`max_steps`), `devices` (`num_gpus`, `gpus`, `world_size`: how many stopping would free) and
 * `gpu_memory_total_mb` (of one of them). Begins *names anew. What is missing or of another type is
 * left to be found out.
 */
void record_point_config(struct span config, struct point_names *names, struct insight_config *out);

/* The name of the metric that is followed; "" while there is none. */
const char *record_point_metric(const struct point_names *names);

/* *out gets what the completed record says; wall_s where it has no timestamp of its own. */
void record_point(struct point_names *names, const struct record *r, double wall_s,
                  struct point *out);

/* The value that the completed record has for a metric: one of the trainer's own, one of the twelve
 * that were sent, or what the name means in `p`, which the record became (NULL: not known). */
bool record_metric(const struct record *r, const struct point *p, struct span name, double *out);

#endif
