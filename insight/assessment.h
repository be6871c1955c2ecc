/* SPDX-License-Identifier: MIT */
/*
 * assessment: what the engine says of a run after a point.
 *
 * A plain value; its times are reckoned by insight_now() alone. A double that is not known is NaN;
 * a text is NUL-terminated UTF-8, and static unless it is an array here. Values of metrics are in
 * the metric's own sign.
 */
#ifndef INSIGHT_ASSESSMENT_H
#define INSIGHT_ASSESSMENT_H

#include "insight/phase.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ASSESSMENT_REASON_MAX = 120,
    ASSESSMENT_EVIDENCE_MAX = 120,
    ASSESSMENT_FINDINGS_MAX = 7, /* as many as there are kinds */
};

/* How sure, or how much: of an ETA, of a finding, of a chance. */
#define GRADE_TABLE(X)                                                                             \
    X(GRADE_LOW, "LOW", "Low")                                                                     \
    X(GRADE_MEDIUM, "MEDIUM", "Medium")                                                            \
    X(GRADE_HIGH, "HIGH", "High")

enum grade {
#define GRADE_ENUM(grade, upper, title) grade,
    GRADE_TABLE(GRADE_ENUM)
#undef GRADE_ENUM
};

/* "LOW" for classes; "Low" for confidences. */
const char *grade_upper(enum grade grade);
const char *grade_title(enum grade grade);

/* What the run looked like when its phase changed. */
struct snapshot {
    double train_loss, lr, accuracy, val_loss, val_metric; /* the newest of each */
};

struct transition {
    enum insight_phase from, to;
    double time_s, step, epoch;         /* of the point that changed it */
    char reason[ASSESSMENT_REASON_MAX]; /* "Learning velocity dropped to 0.6% improvement per epoch"
                                         */
    struct snapshot snapshot;
};

struct assessed_best {
    double value; /* of the monitored metric */
    double x;     /* where on the run's axis: its step, else its epoch, else its number */
    double step, epoch, time_s;
    uint64_t since; /* evaluations after it, with no better one */
};

/* The time that is left until the planned end; not known of a run that is over, or whose loss is
 * not finite. */
struct assessed_eta {
    double s, lo, hi; /* seconds from the newest point; nine times of ten it is within lo..hi */
    double s_per_epoch;
    double remaining_epochs;
    enum grade confidence;
    const char
        *reason; /* of the confidence, or why there is no ETA; a sentence without its full stop;
                  * "": no time or no plan was told */
};

/* The monitored metric at the planned end; not known while the loss is not finite. */
struct assessed_forecast {
    double at;            /* step or epoch: the end it speaks of */
    double value, lo, hi; /* nine times of ten it is within lo..hi */
};

#define STOP_TABLE(X)                                                                              \
    X(STOP_NO, "")                                                                                 \
    X(STOP_DIVERGED, "the loss diverged and does not come back")                                   \
    X(STOP_NO_GAIN, "a further gain has become unlikely")

enum stop_cause {
#define STOP_ENUM(cause, text) cause,
    STOP_TABLE(STOP_ENUM)
#undef STOP_ENUM
};

/* Static. */
const char *stop_why(enum stop_cause cause);

struct assessed_stop {
    bool recommend;
    enum stop_cause cause;
    const char *why;   /* the cause in words; "" when not recommended */
    uint64_t waited;   /* evaluations since the last gain that counted */
    uint64_t patience; /* evaluations it is given at present */
    double saving_s;   /* expected seconds of training saved by stopping now; NaN: no ETA */
    double gpu_hours;  /* the same over all devices */
};

/* The advice that was last passed on; all zero: none was. */
struct advice {
    enum stop_cause cause;
    uint64_t waited;
};

/* Is it advice that was not passed on yet: for another cause, or for the first time since a gain?
 * It counts as passed on then; one that comes and goes within a wait is said once. */
bool advice_is_news(struct advice *last, const struct assessed_stop *stop);

/* X(kind, name, suggested action) */
#define FINDING_TABLE(X)                                                                           \
    X(FINDING_DIVERGENCE, "divergence", "stop; lower the learning rate or clip gradients")         \
    X(FINDING_OVERFITTING, "overfitting", "stop soon and use the best checkpoint")                 \
    X(FINDING_PLATEAU, "plateau", "consider stopping, or lowering the learning rate")              \
    X(FINDING_LOSS_RISING, "loss_rising", "look at the learning rate and the data")                \
    X(FINDING_MEMORY_LEAK, "memory_leak", "look for tensors that are kept between steps")          \
    X(FINDING_MEMORY_SHORT, "oom_risk", "make the batch smaller, or checkpoint activations")       \
    X(FINDING_STALL, "stall", "see whether the trainer still runs")

enum finding_kind {
#define FINDING_ENUM(kind, name, action) kind,
    FINDING_TABLE(FINDING_ENUM)
#undef FINDING_ENUM
        FINDINGS
};

enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_CRITICAL };

struct finding {
    enum finding_kind kind;
    enum severity severity;
    enum grade confidence;
    double since_step;                      /* where it was first seen */
    char evidence[ASSESSMENT_EVIDENCE_MAX]; /* "4650 MB at step 100, 5600 MB at step 900" */
};

/* For whoever remembers what was told: a bit for each severity of its kind up to its own. It is
 * news while one of them was not told. */
unsigned finding_mark(const struct finding *f);

const char *finding_name(enum finding_kind kind);
const char *finding_action(enum finding_kind kind);
const char *severity_name(enum severity severity); /* "info", "warning", "critical" */

struct assessment {
    enum insight_phase phase;
    char reason[ASSESSMENT_REASON_MAX]; /* why this phase */
    bool changed;                       /* this point changed the phase: `transition` is new */
    struct transition transition;       /* the latest; of no meaning while transitions is 0 */
    uint64_t transitions;
    double velocity;       /* improvement per epoch, 0.05 = 5 %; positive is better */
    double velocity_steps; /* how many steps it spans where the run has no epochs; else NaN */
    const char *monitor;   /* which metric is judged: "val_loss" ...; "" while none is */
    bool higher_is_better; /* of that metric */
    double monitored;      /* its newest value */
    uint64_t evaluations;  /* how many there were */
    struct assessed_best best;
    bool plateau;      /* no gain for longer than this run gives reason to wait */
    double plateau_at; /* the value it stays at, while plateau */
    bool overfitting;
    bool diverging;
    double stall_after_s; /* without a point for so long the run counts as stalled */
    struct assessed_eta eta;
    struct assessed_forecast forecast;
    double p_gain; /* chance that the metric still improves by more than 1 % of its range; NaN
                    * also while the loss is not finite */
    enum grade gain_class; /* of p_gain: LOW below 0.2, HIGH from 0.6 */
    struct assessed_stop stop;
    struct finding findings[ASSESSMENT_FINDINGS_MAX];
    size_t finding_count; /* in the order of FINDING_TABLE, none twice */
};

#endif
