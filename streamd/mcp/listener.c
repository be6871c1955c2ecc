/* SPDX-License-Identifier: MIT */
#include "streamd/mcp/listener.h"

#include "proto/json_write.h"
#include "streamd/app.h"
#include "streamd/mcp/mcp.h"

#include <stdlib.h>
#include <string.h>

struct mcp_topic {
    struct mcp *mcp;           /* borrows */
    struct list subscriptions; /* of mcp_subscription.of_topic */
    struct timer timer;        /* armed since it was told last */
    bool changed;              /* since then */
    bool telling;              /* it is not to be freed meanwhile */
    size_t uri_len;
    char uri[];
};

struct mcp_subscription {
    struct mcp_topic *topic;       /* borrows */
    struct mcp_listener *listener; /* borrows */
    struct list of_topic;
    struct list of_listener;
};

void mcp_listener_init(struct mcp_listener *l, struct mcp *mcp)
{
    *l = (struct mcp_listener){.mcp = mcp};
    list_init(&l->link);
    list_init(&l->subscriptions);
    list_add_tail(&mcp->listeners, &l->link);
}

static void free_if_unheard(struct mcp_topic *t)
{
    if (t->telling || !list_empty(&t->subscriptions))
        return;
    (void)strmap_take(&t->mcp->topics, (struct span){t->uri, t->uri_len});
    timers_disarm(&t->mcp->app->timers, &t->timer);
    free(t);
}

static void end_subscription(struct mcp_subscription *s)
{
    struct mcp_topic *topic = s->topic;
    list_remove(&s->of_topic);
    list_remove(&s->of_listener);
    s->listener->count--;
    free(s);
    free_if_unheard(topic);
}

void mcp_listener_fini(struct mcp_listener *l)
{
    LIST_EACH_SAFE (at, &l->subscriptions) {
        end_subscription(LIST_ENTRY(at, struct mcp_subscription, of_listener));
    }
    list_remove(&l->link);
}

static struct mcp_subscription *find(const struct mcp_listener *l, struct span uri)
{
    LIST_EACH (at, &l->subscriptions) {
        struct mcp_subscription *s = LIST_ENTRY(at, struct mcp_subscription, of_listener);
        if (span_eq((struct span){s->topic->uri, s->topic->uri_len}, uri))
            return s;
    }
    return NULL;
}

void mcp_unsubscribe(struct mcp_listener *l, struct span uri)
{
    struct mcp_subscription *s = find(l, uri);
    if (s)
        end_subscription(s);
}

static void tell_subscribers(struct mcp_topic *t)
{
    struct buf members;
    buf_init(&members, MCP_MESSAGE_MAX);
    json_write_pair_string(&members, "uri", (struct span){t->uri, t->uri_len});
    t->telling = true;
    LIST_EACH_SAFE (at, &t->subscriptions) {
        struct mcp_listener *l = LIST_ENTRY(at, struct mcp_subscription, of_topic)->listener;
        l->tell(l, "notifications/resources/updated", buf_span(&members));
    }
    t->telling = false;
    buf_fini(&members);
}

/* E_NOMEM leaves it unarmed: the next change tries again. */
static void arm(struct mcp_topic *t, uint64_t due_us)
{
    enum status status = timers_arm(&t->mcp->app->timers, &t->timer, due_us);
    (void)status;
}

static void on_topic_due(struct timer *timer, uint64_t now_us)
{
    struct mcp_topic *t = LIST_ENTRY(timer, struct mcp_topic, timer);
    if (!t->changed)
        return;
    t->changed = false;
    tell_subscribers(t);
    arm(t, now_us + MCP_TOPIC_US);
    free_if_unheard(t);
}

/* The topic of that uri, made when there is none; NULL when out of memory. */
static struct mcp_topic *take_topic(struct mcp *mcp, struct span uri)
{
    struct mcp_topic *t = strmap_find(&mcp->topics, uri);
    if (t)
        return t;
    t = calloc(1, sizeof(*t) + uri.len);
    if (!t)
        return NULL;
    t->mcp = mcp;
    t->uri_len = uri.len;
    memcpy(t->uri, uri.ptr, uri.len);
    list_init(&t->subscriptions);
    timer_init(&t->timer, on_topic_due);
    if (strmap_put(&mcp->topics, uri, t) == OK)
        return t;
    free(t);
    return NULL;
}

enum status mcp_subscribe(struct mcp_listener *l, struct span uri)
{
    if (find(l, uri))
        return OK;
    if (uri.len == 0 || uri.len > MCP_URI_MAX ||
        l->count >= l->mcp->app->config->mcp_max_subscriptions)
        return E_LIMIT;
    struct mcp_subscription *s = calloc(1, sizeof(*s));
    struct mcp_topic *topic = s ? take_topic(l->mcp, uri) : NULL;
    if (!topic) {
        free(s);
        return E_NOMEM;
    }
    *s = (struct mcp_subscription){.topic = topic, .listener = l};
    list_init(&s->of_topic);
    list_init(&s->of_listener);
    list_add_tail(&topic->subscriptions, &s->of_topic);
    list_add_tail(&l->subscriptions, &s->of_listener);
    l->count++;
    return OK;
}

void mcp_changed(struct app *app, struct span uri)
{
    struct mcp_topic *t = strmap_find(&app->mcp.topics, uri);
    if (!t)
        return;
    t->changed = true;
    if (!timer_armed(&t->timer))
        arm(t, app->now.us);
}

void mcp_list_changed(struct app *app, enum mcp_list list)
{
    app->mcp.changed |= 1U << list;
    if (!timer_armed(&app->mcp.tell)) {
        enum status status = timers_arm(&app->timers, &app->mcp.tell, app->now.us);
        (void)status; /* E_NOMEM: with the next one */
    }
}

static void tell_list(struct mcp *mcp, enum mcp_list list)
{
    static const char *const methods[MCP_LISTS] = {
        [MCP_TOOLS] = "notifications/tools/list_changed",
        [MCP_RESOURCES] = "notifications/resources/list_changed",
        [MCP_PROMPTS] = "notifications/prompts/list_changed",
    };
    LIST_EACH_SAFE (at, &mcp->listeners) {
        struct mcp_listener *l = LIST_ENTRY(at, struct mcp_listener, link);
        if (l->lists & (1U << list))
            l->tell(l, methods[list], (struct span){0});
    }
}

void mcp_on_tell_due(struct timer *timer, uint64_t now_us)
{
    struct mcp *mcp = LIST_ENTRY(timer, struct mcp, tell);
    (void)now_us;
    for (enum mcp_list list = MCP_TOOLS; list < MCP_LISTS; list++) {
        if (mcp->changed & (1U << list))
            tell_list(mcp, list);
    }
    mcp->changed = 0;
}
