/* SPDX-License-Identifier: MIT */
/*
 * params: numbers in the query string of a request, the same rules on every route.
 */
#ifndef STREAMD_HTTP_PARAMS_H
#define STREAMD_HTTP_PARAMS_H

#include "streamd/http/reply.h"

/* A bad or absent `limit` counts as this. */
enum { PARAM_LIMIT_DEFAULT = 100 };

/* `limit`: decimal digits. Anything else counts as PARAM_LIMIT_DEFAULT, as the contract has it. */
uint64_t param_limit(const struct request *req);

/*
 * A number that must be one: *out is left as it is when `name` is absent. False when it is there
 * and malformed or above 2^64 - 1: the reply is then a 400 that names it.
 */
bool param_u64(const struct request *req, const char *name, struct reply *reply, uint64_t *out);

#endif
