/* SPDX-License-Identifier: MIT */
/*
 * findings: the list of what is wrong, kept in order.
 *
 * A finding's evidence is written when it begins and stays as it was, so a list that does not
 * change costs nothing.
 */
#ifndef INSIGHT_FINDINGS_H
#define INSIGHT_FINDINGS_H

#include "insight/assessment.h"

/* Adds the finding, in its place, of medium confidence; the caller writes its evidence. One of
 * another severity makes room for it. NULL when it is there already. */
struct finding *finding_begin(struct assessment *a, enum finding_kind kind, enum severity severity,
                              double step);

/* Takes it out; harmless when it is not there. */
void finding_end(struct assessment *a, enum finding_kind kind);

#endif
