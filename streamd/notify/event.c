/* SPDX-License-Identifier: MIT */
#include "streamd/notify/event.h"

#include <assert.h>

const char *notify_kind_name(enum notify_kind kind)
{
    static const char *const names[] = {
        [NOTIFY_PHASE] = "phase",
        [NOTIFY_STOP] = "stop",
        [NOTIFY_FINDING] = "finding",
        [NOTIFY_PROGRESS] = "progress",
        [NOTIFY_UNANSWERED] = "unanswered",
        [NOTIFY_REPORT] = "report",
        [NOTIFY_RULE] = "rule",
    };
    return names[kind];
}

static enum severity severity_of_phase(enum insight_phase phase)
{
    switch (phase) {
    case PHASE_DIVERGING:
    case PHASE_CRASHED:
        return SEVERITY_CRITICAL;
    case PHASE_PLATEAU:
    case PHASE_OVERFITTING_RISK:
        return SEVERITY_WARNING;
    default:
        return SEVERITY_INFO;
    }
}

enum severity notify_severity(const struct notify_event *e)
{
    switch (e->kind) {
    case NOTIFY_PHASE:
        return severity_of_phase(e->assessment->transition.to);
    case NOTIFY_STOP:
    case NOTIFY_UNANSWERED:
    case NOTIFY_RULE:
        return SEVERITY_WARNING;
    case NOTIFY_FINDING:
        assert(e->finding < e->assessment->finding_count);
        return e->assessment->findings[e->finding].severity;
    default:
        return SEVERITY_INFO;
    }
}

bool notify_is_urgent(const struct notify_event *e)
{
    if (e->kind == NOTIFY_FINDING)
        return e->assessment->findings[e->finding].kind == FINDING_DIVERGENCE;
    return e->kind == NOTIFY_PHASE && notify_severity(e) == SEVERITY_CRITICAL;
}
