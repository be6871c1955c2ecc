/* SPDX-License-Identifier: MIT */
/*
 * openapi: the routes as a document that tools read (OpenAPI 3.1), P-87.
 *
 * Written from the rows that the router answers by, so it has every route, each with its methods
 * and its summary, and none that is not there.
 */
#ifndef STREAMD_HTTP_OPENAPI_H
#define STREAMD_HTTP_OPENAPI_H

#include "streamd/http/router.h"

/* GET /openapi.json */
route_fn openapi_answer;

/* Appends the path as the document has it: a tail becomes {id}. */
void openapi_write_path(const struct route *route, struct buf *out);

#endif
