/* SPDX-License-Identifier: MIT */
/*
 * history_select: which entries of a series a history request gets.
 *
 * Made once for a request, then walked as often as a writer needs; the series must not change
 * meanwhile. Keeps one bit for each candidate when points were asked for, otherwise nothing.
 */
#ifndef STREAMD_HTTP_HISTORY_SELECT_H
#define STREAMD_HTTP_HISTORY_SELECT_H

#include "streamd/http/history.h"

struct history_selection {
    const struct history_query *query; /* borrows */
    const struct series *series;       /* borrows; NULL: an empty history */
    uint64_t total;                    /* entries that since, from and to let through */
    uint64_t first;                    /* offset where the walk begins */
    uint64_t skip;                     /* entries in range to pass over, so that `limit` are left */
    unsigned char *chosen; /* owns; bit i: offset first + i is one of the points. NULL: all */
};

/* `series` may be NULL. E_NOMEM: nothing is kept. */
MUST_CHECK enum status history_select(struct history_selection *s, const struct history_query *q,
                                      const struct series *series);
void history_select_fini(struct history_selection *s);

/* A walk over the entries selected, oldest first. */
struct history_walk {
    const struct history_selection *selection; /* borrows */
    struct series_cursor cursor;
    uint64_t skip;
};

void history_walk_init(struct history_walk *w, const struct history_selection *s);
void history_walk_fini(struct history_walk *w);

/* False at the end. The entry is valid until the next step. */
bool history_walk_next(struct history_walk *w, struct series_entry *out);

#endif
