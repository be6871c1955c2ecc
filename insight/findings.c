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
static const struct finding *find(const struct assessment *a, enum finding_kind kind)
{
    size_t at = place_of(a, kind);
    return at < a->finding_count && a->findings[at].kind == kind ? &a->findings[at] : NULL;
}

struct finding *finding_begin(struct assessment *a, enum finding_kind kind, double step)
{
    if (find(a, kind))
        return NULL;
    struct finding *f = &a->findings[place_of(a, kind)];
    memmove(f + 1, f, (size_t)(&a->findings[a->finding_count] - f) * sizeof(*f));
    a->finding_count++;
    *f = (struct finding){.kind = kind, .confidence = GRADE_MEDIUM, .since_step = step};
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
