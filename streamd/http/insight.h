/* SPDX-License-Identifier: MIT */
/*
 * insight: what a run means, for whoever asks.
 */
#ifndef STREAMD_HTTP_INSIGHT_H
#define STREAMD_HTTP_INSIGHT_H

#include "streamd/http/router.h"

/* GET /api/training/insight/<id>. A run that is not interpreted at present is read back from the
 * archive first. */
route_fn insight_answer;

#endif
