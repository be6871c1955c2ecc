/* SPDX-License-Identifier: MIT */
/*
 * state: what the engine remembers of a run, and what it is told beforehand.
 *
 * The struct is here so that it embeds; its parts are for the files of this folder alone.
 */
#ifndef INSIGHT_STATE_H
#define INSIGHT_STATE_H

#include "insight/assessment.h"
#include "insight/curve.h"
#include "insight/divergence.h"
#include "insight/eta.h"
#include "insight/forecast.h"
#include "insight/memory.h"
#include "insight/point.h"
#include "insight/relapse.h"
#include "insight/rhythm.h"
#include "insight/velocity.h"

enum {
    INSIGHT_BYTES_MAX = 16384,
    MONITOR_EARLY = 8, /* evaluations before a goal that nobody told is settled */
};

/* Which series is judged. */
enum insight_monitor {
    MONITOR_AUTO, /* val_loss where there is one, else val_metric, else the training loss */
    MONITOR_NONE,
    MONITOR_TRAIN_LOSS,
    MONITOR_VAL_LOSS,
    MONITOR_VAL_METRIC,
};

/* When is val_metric better? Losses are always better when lower. */
enum insight_goal {
    GOAL_AUTO, /* told by how it moves while the training loss falls; until then: higher */
    GOAL_LOWEST,
    GOAL_HIGHEST,
};

/* All zero is a sensible config: 0 stands for the default, or for "not known". */
struct insight_config {
    const struct insight_model *model; /* borrows; NULL: the one that is built in */
    enum insight_monitor monitor;
    enum insight_goal goal;
    double total;        /* planned length, in steps where points have a step, else in epochs */
    double total_epochs; /* planned length in epochs */
    double horizon;      /* the end that ETA and forecast speak of; default: total */
    double tau;          /* stop is advised below this p_gain with half of the plan left, below a
                          * smaller one with less (0.14; strict: 0.15); 1: always */
    double caution;      /* scales every patience (0.7; strict: 0.4) */
    bool strict;         /* judge gains against the range since a tenth of the run */
    double devices;      /* GPUs that stopping would free (1) */
    double memory_mb;    /* of one device (what points tell, else 24576) */
    bool memory_told;    /* set by insight_init: the config told it */
    double stall_factor; /* times the median interval without a point (3) */
};

struct insight {
    struct insight_config config;
    struct assessment now;
    struct point newest; /* of each field the newest value; has: those seen so far */
    uint64_t points;
    uint64_t samples; /* points with a loss or a metric */
    double x;         /* where the run is: step, else epoch, else the number of points */
    enum insight_monitor monitor;              /* the one in use; MONITOR_AUTO: none yet */
    double sign;                               /* -1: higher is better, values are kept negated */
    bool fresh;                                /* this point brought an evaluation */
    struct assessed_best early[MONITOR_EARLY]; /* the first of a metric of unknown goal */
    struct curve curve;
    struct relapse relapse;
    struct divergence divergence;
    struct velocity velocity;
    bool velocity_by_train;
    struct forecast forecast;
    struct eta eta;
    struct rhythm rhythm;
    struct memory memory;
    double total;      /* planned length on the run's axis; NaN: not known (yet) */
    bool by_steps;     /* the axis is the step */
    double p_stop;     /* the chance of a gain that stop advice goes by; NaN: not known */
    uint64_t worse;    /* evaluations in a row that looked overfitted */
    double lr, lr_max; /* the newest, the highest */
    uint64_t lr_count;
    struct history rates; /* the learning rate at each evaluation */
    bool warming;         /* the rate has just risen to a new height */
    bool ended, crashed, completed;
    char detail[ASSESSMENT_REASON_MAX]; /* of the event that ended it */
};

_Static_assert(sizeof(struct insight) <= INSIGHT_BYTES_MAX, "a run costs 16 KiB at most");

#endif
