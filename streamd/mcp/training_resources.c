/* SPDX-License-Identifier: MIT */
/*
 * A run as resources: what get_status, get_metrics and wait_for_event say of it, read at once and
 * without arguments. What changes in a run comes by the bulletin, and so do the changes of its
 * resources.
 */
#include "streamd/mcp/training_tools.h"

#include "proto/json_write.h"
#include "streamd/app.h"
#include "streamd/mcp/tools.h"

enum { LISTED_MAX = 20, NEWEST_EVENTS = 20 };

static bool exists(struct mcp_call *call)
{
    if (registry_find(&call->app->registry, call->variable))
        return true;
    mcp_call_not_found(call);
    return false;
}

static void read_status(struct mcp_call *call)
{
    if (exists(call))
        answer_call(call, answer_get_status);
}

static void read_metrics(struct mcp_call *call)
{
    if (exists(call))
        answer_call(call, answer_get_metrics);
}

static void read_events(struct mcp_call *call)
{
    if (exists(call))
        answer_call(call, answer_newest_events);
}

void training_complete_id(struct app *app, struct span typed, struct buf *out)
{
    size_t count = 0;
    LIST_EACH (at, &app->registry.sessions) {
        const struct session *s = LIST_ENTRY(at, struct session, link);
        if (!span_starts(session_id(s), typed) || count == MCP_VALUES_MAX)
            continue;
        json_write_comma(out);
        json_write_string(out, session_id(s));
        count++;
    }
}

void training_list_resources(struct app *app, struct buf *out)
{
    size_t count = 0;
    LIST_EACH (at, &app->registry.sessions) {
        const struct session *s = LIST_ENTRY(at, struct session, link);
        if (s->state == SESSION_EXPIRED || count++ == LISTED_MAX)
            break;
        json_write_comma(out);
        buf_addf(out, "{\"uri\":\"training://sessions/%s\"", s->id);
        json_write_pair_string(out, "name", span_of(s->name ? s->name : s->id));
        json_write_pair_string(out, "mimeType", SPAN("application/json"));
        buf_add_char(out, '}');
    }
}

static const struct mcp_template session = {
    .uri_template = "training://sessions/{id}",
    .name = "session",
    .title = "A run now",
    .description = "What get_status says of it: phase, progress, ETA, best, alerts.",
    .mime_type = "application/json",
    .read = read_status,
    .complete = training_complete_id,
};
static const struct mcp_template metrics = {
    .uri_template = "training://sessions/{id}/metrics",
    .name = "metrics",
    .title = "The metrics of a run",
    .description = "What get_metrics says of its first eight: 60 points each, exact figures.",
    .mime_type = "application/json",
    .read = read_metrics,
    .complete = training_complete_id,
};
static const struct mcp_template events = {
    .uri_template = "training://sessions/{id}/events",
    .name = "events",
    .title = "The newest events of a run",
    .description = "Its newest 20 changes of phase, alerts, states and recommendations.",
    .mime_type = "application/json",
    .read = read_events,
    .complete = training_complete_id,
};

const struct mcp_template *const training_templates[] = {&session, &metrics, &events, NULL};
