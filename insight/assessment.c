/* SPDX-License-Identifier: MIT */
#include "insight/assessment.h"

#include <assert.h>

const char *grade_upper(enum grade grade)
{
    static const char *const names[] = {
#define GRADE_UPPER(grade, upper, title) [grade] = (upper),
        GRADE_TABLE(GRADE_UPPER)
#undef GRADE_UPPER
    };
    return names[grade];
}

const char *grade_title(enum grade grade)
{
    static const char *const names[] = {
#define GRADE_TITLE(grade, upper, title) [grade] = (title),
        GRADE_TABLE(GRADE_TITLE)
#undef GRADE_TITLE
    };
    return names[grade];
}

const char *stop_why(enum stop_cause cause)
{
    static const char *const texts[] = {
#define STOP_WHY(cause, text) [cause] = (text),
        STOP_TABLE(STOP_WHY)
#undef STOP_WHY
    };
    return texts[cause];
}

bool advice_is_news(struct advice *last, const struct assessed_stop *stop)
{
    if (stop->waited < last->waited)
        *last = (struct advice){STOP_NO, 0};
    bool news = stop->recommend && stop->cause != last->cause;
    if (stop->recommend)
        *last = (struct advice){stop->cause, stop->waited};
    return news;
}

_Static_assert((SEVERITY_CRITICAL + 1) * FINDINGS <= 32, "a bit each");

unsigned finding_mark(const struct finding *f)
{
    unsigned up_to = (2U << f->severity) - 1;
    return up_to << (unsigned)f->kind * (SEVERITY_CRITICAL + 1U);
}

const char *finding_name(enum finding_kind kind)
{
    static const char *const names[FINDINGS] = {
#define FINDING_NAME(kind, name, action) [kind] = (name),
        FINDING_TABLE(FINDING_NAME)
#undef FINDING_NAME
    };
    assert(kind < FINDINGS);
    return names[kind];
}

const char *finding_action(enum finding_kind kind)
{
    static const char *const actions[FINDINGS] = {
#define FINDING_ACTION(kind, name, action) [kind] = (action),
        FINDING_TABLE(FINDING_ACTION)
#undef FINDING_ACTION
    };
    assert(kind < FINDINGS);
    return actions[kind];
}

const char *severity_name(enum severity severity)
{
    static const char *const names[] = {
        [SEVERITY_INFO] = "info",
        [SEVERITY_WARNING] = "warning",
        [SEVERITY_CRITICAL] = "critical",
    };
    return names[severity];
}
