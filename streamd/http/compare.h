/* SPDX-License-Identifier: MIT */
/*
 * compare: runs side by side, and why one is better than another.
 */
#ifndef STREAMD_HTTP_COMPARE_H
#define STREAMD_HTTP_COMPARE_H

#include "streamd/http/router.h"
#include "streamd/session/collation.h"

enum { COMPARE_RUNS_MAX = 8 };

/* GET /api/training/compare?ids=a,b[&metric=NAME][&target=NAME<VALUE] */
route_fn compare_answer;

/* One of the runs that are compared. */
struct compared {
    const struct session *session;     /* borrows */
    const struct collation *collation; /* borrows */
};

/* Appends the data object of the answer (compare_write.c): count is at least 1, all have the same
 * plan. */
void compare_write(struct buf *out, const struct compared *runs, size_t count);

#endif
