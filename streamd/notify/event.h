/* SPDX-License-Identifier: MIT */
/*
 * event: something that people may want to be told of while they do not look.
 *
 * A plain value over an assessment of the engine; everything in it is borrowed for the call.
 */
#ifndef STREAMD_NOTIFY_EVENT_H
#define STREAMD_NOTIFY_EVENT_H

#include "insight/assessment.h"

enum notify_kind {
    NOTIFY_PHASE,      /* the phase has changed: assessment.transition */
    NOTIFY_STOP,       /* stopping is advised: assessment.stop */
    NOTIFY_FINDING,    /* a detector has found something: assessment.findings[finding] */
    NOTIFY_RULE,       /* a rule of the run's users fires: rule, words */
    NOTIFY_PROGRESS,   /* how it is going, at a validation */
    NOTIFY_UNANSWERED, /* what it was told has had no answer: words */
    NOTIFY_REPORT,     /* it is over, or nobody watches it any more */
};

struct notify_event {
    enum notify_kind kind;
    const char *session_id; /* whose it is; tells runs apart */
    const char *name;       /* what people call the run; NULL or "": the id */
    const struct assessment *assessment;
    size_t finding;         /* NOTIFY_FINDING */
    const char *rule;       /* NOTIFY_RULE: its name */
    const char *words;      /* NOTIFY_UNANSWERED: what; NOTIFY_RULE: why */
    const char *checkpoint; /* the file to use when stopping now; NULL: not known */
    const char *metric;     /* what the value of validation is called; NULL: as judged */
    struct snapshot now;    /* the newest values; NaN: not known */
    double epoch, step;     /* where the run is; NaN: not known */
    double gpu_memory_mb;   /* NaN: not known */
    uint64_t stop_alerts;   /* NOTIFY_REPORT: how often stopping was advised */
    uint64_t number; /* tells it from the ones before of its kind and session: the same number twice
                        in a row is the same event; 0: no two are the same */
};

/* "phase", "stop", "finding", "rule", "progress", "unanswered", "report". */
const char *notify_kind_name(enum notify_kind kind);

enum severity notify_severity(const struct notify_event *e);

/* Divergence and crash: nothing may hold it back. */
bool notify_is_urgent(const struct notify_event *e);

#endif
