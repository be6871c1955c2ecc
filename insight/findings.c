/* SPDX-License-Identifier: MIT */
#include "insight/findings.h"

#include <string.h>

_Static_assert((int)FINDINGS == (int)ASSESSMENT_FINDINGS_MAX, "a place for each kind");

/* Where the kind stands or would stand. */
static size_t place_of(const struct assessment *a, enum finding_kind kind)
{
    size_t at = 0;
    while (at < a->finding_count && a->findings[at].kind < kind)
        at++;
    return at;
}

/* NULL while there is none of the kind. */
static struct finding *find(struct assessment *a, enum finding_kind kind)
{
    size_t at = place_of(a, kind);
    return at < a->finding_count && a->findings[at].kind == kind ? &a->findings[at] : NULL;
}

static struct finding *make_room(struct assessment *a, enum finding_kind kind)
{
    struct finding *f = &a->findings[place_of(a, kind)];
    memmove(f + 1, f, (size_t)(&a->findings[a->finding_count] - f) * sizeof(*f));
    a->finding_count++;
    return f;
}

struct finding *finding_begin(struct assessment *a, enum finding_kind kind, enum severity severity,
                              double step)
{
    struct finding *f = find(a, kind);
    if (f && f->severity == severity)
        return NULL;
    if (!f)
        f = make_room(a, kind);
    *f = (struct finding){
        .kind = kind, .severity = severity, .confidence = GRADE_MEDIUM, .since_step = step};
    return f;
}

void finding_end(struct assessment *a, enum finding_kind kind)
{
    struct finding *f = &a->findings[place_of(a, kind)];
    if (!find(a, kind))
        return;
    a->finding_count--;
    memmove(f, f + 1, (size_t)(&a->findings[a->finding_count] - f) * sizeof(*f));
}
