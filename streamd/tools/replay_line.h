/* SPDX-License-Identifier: MIT */
/*
 * replay_line: the lines of `streamd replay`, in and out. Pure.
 *
 * A run is a header, then a point a line, each one JSON object. A number may be a string ("nan",
 * "inf", "-inf", as JSON has no word for them); what is null, not a number or of an unknown name is
 * absent.
 */
#ifndef STREAMD_TOOLS_REPLAY_LINE_H
#define STREAMD_TOOLS_REPLAY_LINE_H

#include "base/buf.h"
#include "insight/insight.h"

/* Sets total, horizon, monitor and goal of *out from the header's total, horizon, monitor and
 * monitor_mode. E_MALFORMED: no JSON object; *out may be half set. */
MUST_CHECK enum status replay_read_header(struct span line, struct insight_config *out);

/* The point's fields by the names of POINT_TABLE. E_MALFORMED: no JSON object. */
MUST_CHECK enum status replay_read_point(struct span line, struct point *out);

/* The answer to a point, one line; null where it has none. */
void replay_write(struct buf *b, const struct assessment *a);

#endif
