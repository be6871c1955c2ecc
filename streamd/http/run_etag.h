/* SPDX-License-Identifier: MIT */
/*
 * run_etag: what a poller's answer about a run is recognised by.
 *
 * The ETag also covers when the daemon and the session began: versions count from 0 again after a
 * restart, and an old number must not be taken for a new one.
 */
#ifndef STREAMD_HTTP_RUN_ETAG_H
#define STREAMD_HTTP_RUN_ETAG_H

#include "streamd/http/reply.h"

struct app;
struct session;

/* Each shows a run in another way. */
enum run_view { RUN_STATUS = 1, RUN_METRICS, RUN_COMPAT, RUN_WHOLE };

/* The answer stands until the session's version changes. */
void run_etag(struct reply *reply, const struct app *app, const struct session *s,
              enum run_view view);

#endif
