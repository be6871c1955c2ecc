/* SPDX-License-Identifier: MIT */
/*
 * trim: with --ephemeral history is in memory, and has a bound there (--max-history-bytes).
 *
 * Past it the run that ended or expired longest ago goes; when none has, runs are sealed, and then
 * the longest one loses the oldest quarter of what it has recorded.
 */
#ifndef STREAMD_SESSION_TRIM_H
#define STREAMD_SESSION_TRIM_H

#include "streamd/session/registry.h"

/* When the keeper was heard. */
void trim_history(struct registry *r);

#endif
