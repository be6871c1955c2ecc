/* SPDX-License-Identifier: MIT */
/*
 * update: the payload of progress_update, for one record of one session.
 *
 * Live updates, their replay to a watcher that was away, and readings of what is on disk all write
 * it here, so a watcher cannot tell them apart. Errors are the buf's.
 */
#ifndef STREAMD_SESSION_UPDATE_H
#define STREAMD_SESSION_UPDATE_H

#include "base/buf.h"
#include "streamd/session/series.h"

/* The metrics alone, rounded; `compat_clamp`: in the compatibility form. */
void update_write_metrics(struct buf *out, const struct series_entry *entry, bool compat_clamp);

/* The whole payload around metrics that are JSON already. */
void update_write_around(struct buf *out, struct span session_id, struct span metrics,
                         uint64_t offset);

/* The whole payload of that entry. */
void update_write(struct buf *out, struct span session_id, const struct series_entry *entry,
                  bool compat_clamp);

#endif
