/* SPDX-License-Identifier: MIT */
/*
 * export_run: one run's history into a file.
 *
 * It is the daemon's own reading (store/reading.h), so the bytes are those that
 * GET /api/training/history/<id> would answer. One piece is in memory at a time.
 */
#ifndef STREAMD_TOOLS_EXPORT_RUN_H
#define STREAMD_TOOLS_EXPORT_RUN_H

#include "streamd/session/session.h"
#include "streamd/store/reading.h"
#include "streamd/store/store.h"

#include <stdio.h>

/*
 * Writes what `q` asks for to `out`. E_IO: errno says why when the file would not take it, and is 0
 * when the store would not give it; E_LIMIT: more columns than a csv has; E_NOMEM.
 * E_MALFORMED: all was written but what is damaged.
 */
MUST_CHECK enum status export_run(struct store *store, struct line_decoder *decoder,
                                  const struct reading_request *q, FILE *out);

#endif
