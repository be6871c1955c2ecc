/* SPDX-License-Identifier: MIT */
/* Events for the tests of notify: each over an assessment that the test owns. */
#ifndef TESTS_STREAMD_NOTIFY_EVENTS_H
#define TESTS_STREAMD_NOTIFY_EVENTS_H

#include "streamd/notify/event.h"

#include <math.h>

static inline struct notify_event event_over(enum notify_kind kind, const struct assessment *a)
{
    return (struct notify_event){
        .kind = kind,
        .session_id = "run-1",
        .assessment = a,
        .now = {NAN, NAN, NAN, NAN, NAN},
        .epoch = NAN,
        .step = NAN,
        .gpu_memory_mb = NAN,
    };
}

static inline struct notify_event event_to_phase(struct assessment *a, enum insight_phase to)
{
    a->transition.from = a->phase;
    a->transition.to = a->phase = to;
    a->changed = true;
    a->transitions++;
    struct notify_event e = event_over(NOTIFY_PHASE, a);
    e.number = a->transitions;
    return e;
}

static inline struct notify_event event_of_finding(struct assessment *a, enum finding_kind kind,
                                                   enum severity severity)
{
    a->findings[0] = (struct finding){.kind = kind, .severity = severity};
    a->finding_count = 1;
    return event_over(NOTIFY_FINDING, a);
}

#endif
