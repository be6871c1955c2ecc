/* SPDX-License-Identifier: MIT */
/* Hearing of changes: resources/subscribe of the legacy eras, subscriptions/listen of the modern.
 */
#include "streamd/mcp/method.h"

#include "proto/json_write.h"

static void refuse(struct mcp_work *w, const char *why)
{
    mcp_work_fail(w, JSONRPC_INVALID_PARAMS, span_of(why), (struct span){0});
}

static bool subscribe(struct mcp_work *w, struct mcp_listener *l, struct span uri)
{
    enum status status = mcp_subscribe(l, uri);
    if (status == E_LIMIT)
        refuse(w, "That many resources cannot be subscribed to: see --mcp-max-subscriptions");
    else if (status != OK)
        mcp_work_fail(w, JSONRPC_INTERNAL_ERROR, SPAN("Out of memory"), (struct span){0});
    return status == OK;
}

void mcp_subscribe_resource(struct mcp_work *w)
{
    struct span uri;
    if (!fields_string(w->params, "uri", &uri))
        refuse(w, "uri must be a string");
    else if (subscribe(w, &w->party->listener, uri))
        mcp_ping(w);
}

void mcp_unsubscribe_resource(struct mcp_work *w)
{
    struct span uri;
    if (!fields_string(w->params, "uri", &uri)) {
        refuse(w, "uri must be a string");
        return;
    }
    mcp_unsubscribe(&w->party->listener, uri);
    mcp_ping(w);
}

static void tell(struct mcp_listener *l, const char *method, struct span members)
{
    mcp_work_notify(LIST_ENTRY(l, struct mcp_work, listener), method, members);
}

static const struct {
    const char *name;
    enum mcp_list list;
} filters[] = {
    {"toolsListChanged", MCP_TOOLS},
    {"promptsListChanged", MCP_PROMPTS},
    {"resourcesListChanged", MCP_RESOURCES},
};

/* False: it is refused. */
static bool take_uris(struct mcp_work *w, const struct fields *wanted)
{
    const struct fields *uris = fields_any(wanted, "resourceSubscriptions");
    struct span uri;
    if (uris && fields_type(uris) != FIELDS_ARRAY) {
        refuse(w, "resourceSubscriptions must be an array of strings");
        return false;
    }
    for (const struct fields *at = fields_first(uris); at; at = fields_next(at)) {
        if (!fields_as_string(at, &uri)) {
            refuse(w, "resourceSubscriptions must be an array of strings");
            return false;
        }
        if (!subscribe(w, &w->listener, uri))
            return false;
    }
    return true;
}

/* What of it will be told: only lists that change. */
static void acknowledge(struct mcp_work *w, const struct fields *wanted)
{
    const struct fields *uris = fields_array(wanted, "resourceSubscriptions");
    struct span uri;
    struct buf members;
    buf_init(&members, 1 << 20);
    json_write_name(&members, "notifications");
    buf_add_char(&members, '{');
    for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
        if (w->listener.lists & (1U << filters[i].list))
            json_write_pair_bool(&members, filters[i].name, true);
    }
    if (uris) {
        json_write_name(&members, "resourceSubscriptions");
        buf_add_char(&members, '[');
        for (const struct fields *at = fields_first(uris); at; at = fields_next(at)) {
            json_write_comma(&members);
            if (fields_as_string(at, &uri))
                json_write_string(&members, uri);
        }
        buf_add_char(&members, ']');
    }
    buf_add_char(&members, '}');
    mcp_work_notify(w, "notifications/subscriptions/acknowledged", buf_span(&members));
    buf_fini(&members);
}

void mcp_listen(struct mcp_work *w)
{
    const struct fields *wanted = fields_object(w->params, "notifications");
    if (!wanted) {
        refuse(w, "notifications must be an object");
        return;
    }
    if (!take_uris(w, wanted))
        return;
    for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
        bool on = false;
        if (fields_bool(wanted, filters[i].name, &on) && on)
            w->listener.lists |= 1U << filters[i].list;
    }
    w->listener.lists &= mcp_changes(w->mcp, w->set);
    w->listener.tell = tell;
    w->listens = true;
    acknowledge(w, wanted);
}
