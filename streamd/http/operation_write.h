/* SPDX-License-Identifier: MIT */
/*
 * operation_write: a session in the words of the operations API (P-80 to P-83).
 */
#ifndef STREAMD_HTTP_OPERATION_WRITE_H
#define STREAMD_HTTP_OPERATION_WRITE_H

#include "streamd/http/operation_epochs.h"

/* One row of the list. */
void operation_write_row(struct session *s, double wall_s, struct buf *out);

/* All that is known of it; `metrics` is JSON. */
void operation_write_whole(struct session *s, struct span metrics, struct buf *out);

/*
 * Its metrics. Of a training: {} while there is no epoch, else the epochs, what they say, and
 * `health`, a word on it for people and agents. Of another job: what it has told of itself.
 */
void operation_write_metrics(struct session *s, const struct operation_epochs *epochs,
                             struct buf *out);

/* What came of it: the summary of a training's metrics, or what another job has told. */
void operation_write_results(struct session *s, struct buf *out);

#endif
