/* SPDX-License-Identifier: MIT */
/*
 * Strict where a wrong number would quietly give another answer than was asked for (a cursor that
 * does not parse must not become a full replay), lenient only for `limit`, where the reference's
 * clients rely on it.
 */
#include "streamd/http/params.h"

#include "proto/query.h"

#include <stdio.h>

uint64_t param_limit(const struct request *req)
{
    struct query_value value;
    uint64_t limit = PARAM_LIMIT_DEFAULT;
    if (query_find(req->query, "limit", &value))
        (void)span_u64(query_span(&value), &limit);
    return limit;
}

bool param_u64(const struct request *req, const char *name, struct reply *reply, uint64_t *out)
{
    struct query_value value;
    char message[80];
    if (!query_find(req->query, name, &value) || span_u64(query_span(&value), out))
        return true;
    (void)snprintf(message, sizeof(message), "%s must be a whole number, 0 or more", name);
    reply_error(reply, 400, message);
    return false;
}
