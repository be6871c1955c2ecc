/* SPDX-License-Identifier: MIT */
/*
 * runs: the list of runs, searched; one run with its summary; and what may be done to one.
 */
#ifndef STREAMD_HTTP_RUNS_H
#define STREAMD_HTTP_RUNS_H

#include "streamd/http/router.h"

/* GET /api/training/sessions?status=&q=&project=&pinned=&limit=&offset= */
route_fn runs_list;

/* GET, DELETE and PATCH {"pinned":true|false} /api/training/sessions/<id> */
route_fn runs_show;
route_fn runs_delete;
route_fn runs_change;

#endif
