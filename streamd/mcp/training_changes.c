/* SPDX-License-Identifier: MIT */
#include "streamd/mcp/training_changes.h"

#include "streamd/app.h"

#include <stdio.h>

static void tell(struct app *app, struct span session, const char *rest)
{
    char uri[64 + SESSION_ID_BYTES_MAX];
    int n = snprintf(uri, sizeof(uri), "training://sessions/%.*s%s", (int)session.len, session.ptr,
                     rest);
    mcp_changed(app, (struct span){uri, (size_t)n});
}

static void tell_item(struct app *app, const struct bulletin_item *item)
{
    tell(app, bulletin_session(item), "");
    tell(app, bulletin_session(item), "/metrics");
    tell(app, bulletin_session(item), "/events");
    if (item->type == BULLETIN_STATUS) /* a run has come, or gone */
        mcp_list_changed(app, MCP_RESOURCES);
}

static void on_woken(struct bulletin_waiter *w)
{
    struct training_changes *c = LIST_ENTRY(w, struct training_changes, waiter);
    const struct bulletin *b = &c->app->registry.bulletin;
    const struct bulletin_item *item;
    while ((item = bulletin_next(b, &w->filter, c->told)) != NULL) {
        c->told = item->seq;
        tell_item(c->app, item);
    }
    bulletin_wait(&c->app->registry.bulletin, w);
}

void training_changes_init(struct training_changes *c, struct app *app)
{
    struct bulletin *b = &app->registry.bulletin;
    *c = (struct training_changes){
        .waiter = {.filter = {.types = (1U << BULLETIN_TYPES) - 1}, .woken = on_woken},
        .app = app,
        .told = b->last};
    bulletin_wait(b, &c->waiter);
}
