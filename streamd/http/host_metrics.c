/* SPDX-License-Identifier: MIT */
/*
 * The host service's one route, on a daemon and on a relay alike, so that a training script has one
 * address to post to, whichever is beside it. A relay makes a line of it, and has that on disk
 * before it answers (relay/posting.h): what the hub shows is the same by either road.
 */
#include "proto/json_scan.h"
#include "streamd/app.h"
#include "streamd/http/operation_reply.h"
#include "streamd/http/operations.h"
#include "streamd/ingest/kept_answer.h"
#include "streamd/relay/posting.h"

/* What it is, and of which operation: `operation_id` where the body has one, else the path's.
 * False, and the reply says why not. */
static bool read_told(const struct request *req, struct operation_told *told, struct reply *reply)
{
    struct json_scan scan;
    struct json_value key;
    struct span body;
    struct span raw;
    if (!operation_body(req, false, &body, reply))
        return false;
    *told = (struct operation_told){.id = req->tail};
    json_scan_init(&scan, body, JSON_WORDS);
    (void)json_next(&scan, &key);
    while (json_next(&scan, &key) == JSON_KEY && json_skip(&scan, &raw) == OK) {
        if (span_is(key.raw, "metrics"))
            told->metrics = raw;
        else if (span_is(key.raw, "operation_id") && raw.len > 2 && raw.ptr[0] == '"')
            told->id = (struct span){raw.ptr + 1, raw.len - 2};
    }
    if (!session_id_valid(told->id))
        operation_invalid(reply, "body.operation_id", "1 to 128 of A-Z a-z 0-9 . _ : -",
                          "string_pattern_mismatch");
    else if (!told->metrics.ptr || told->metrics.ptr[0] != '{')
        operation_invalid(reply, "body.metrics", "Input should be a valid dictionary", "dict_type");
    else
        return true;
    return false;
}

static bool take_here(struct app *app, const struct request *req, const struct operation_told *told,
                      struct reply *reply)
{
    struct session *s = registry_find(&app->registry, told->id);
    return operation_take(app, req, s, told, reply);
}

static void host_metrics(struct app *app, const struct request *req, struct reply *reply)
{
    struct operation_told told;
    if (!read_told(req, &told, reply))
        return;
    if (app->relay) {
        const struct posting_ask ask = {
            .kind = POSTING_HOST, .id = told.id, .object = told.metrics};
        posting_take(app->relay, &ask, reply);
        return;
    }
    if (!take_here(app, req, &told, reply))
        return;
    buf_add_str(&reply->body, "{\"success\":true}");
    answer_when_kept(&app->registry.keeping, reply);
}

const struct route routes_host[] = {
    {"/sessions/{id}/metrics", METHOD_POST, SCOPE_WRITE, host_metrics,
     "Add metrics from a host service, here or on a relay"},
    {NULL, 0, SCOPE_PUBLIC, NULL, NULL},
};
