/* SPDX-License-Identifier: MIT */
#include "streamd/mcp/session.h"

#include "streamd/app.h"
#include "streamd/mcp/stream.h"
#include "streamd/transport/random_id.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void mcp_party_init(struct mcp_party *p, struct mcp *mcp)
{
    *p = (struct mcp_party){.level = MCP_LEVEL_INFO};
    mcp_listener_init(&p->listener, mcp);
    list_init(&p->works);
}

void mcp_party_fini(struct mcp_party *p)
{
    struct list *first;
    while ((first = list_first(&p->works)) != NULL)
        mcp_work_drop(LIST_ENTRY(first, struct mcp_work, of_party));
    mcp_listener_fini(&p->listener);
}

static bool has_id(const struct mcp_work *w, const struct fields *wanted)
{
    struct fields *id = NULL;
    bool same = fields_parse(mcp_work_id(w), &id, NULL) == OK && fields_equal(id, wanted);
    fields_destroy(id);
    return same;
}

void mcp_party_hears(struct mcp_party *p, const char *method, const struct fields *params)
{
    const struct fields *id = params ? fields_any(params, "requestId") : NULL;
    if (strcmp(method, "notifications/cancelled") != 0 || !id)
        return;
    LIST_EACH (at, &p->works) {
        struct mcp_work *w = LIST_ENTRY(at, struct mcp_work, of_party);
        if (has_id(w, id)) {
            mcp_work_drop(w);
            return;
        }
    }
}

void mcp_write_notification(struct buf *out, const char *method, struct span members)
{
    struct buf params;
    buf_init(&params, MCP_MESSAGE_MAX);
    buf_add_char(&params, '{');
    buf_add_span(&params, members);
    buf_add_char(&params, '}');
    jsonrpc_write_notification(out, method, members.len > 0 ? buf_span(&params) : members);
    buf_fini(&params);
}

/* What belongs to no request goes out on the stream of GET; while nobody has one, nowhere. */
static void tell(struct mcp_listener *l, const char *method, struct span members)
{
    struct mcp_session *s = LIST_ENTRY(l, struct mcp_session, party.listener);
    struct buf text;
    if (!s->standing)
        return;
    buf_init(&text, MCP_MESSAGE_MAX);
    mcp_write_notification(&text, method, members);
    mcp_stream_send(s->standing, buf_span(&text));
    buf_fini(&text);
}

static bool is_busy(const struct mcp_session *s)
{
    if (!list_empty(&s->party.works))
        return true;
    LIST_EACH (at, &s->streams) {
        if (LIST_ENTRY(at, struct mcp_stream, link)->wire)
            return true;
    }
    return false;
}

/* The one that was used longest ago of those that nobody is connected to. */
static bool make_room(struct mcp *mcp)
{
    if (strmap_count(&mcp->sessions) < mcp->app->config->mcp_max_sessions)
        return true;
    LIST_EACH (at, &mcp->idle.waits) {
        struct wait *wait = LIST_ENTRY(at, struct wait, link);
        struct mcp_session *s = LIST_ENTRY(wait, struct mcp_session, idle);
        if (!is_busy(s)) {
            mcp_session_destroy(s);
            return true;
        }
    }
    return false;
}

static void use(struct mcp_session *s)
{
    waitlist_add(&s->mcp->idle, &s->idle, s->mcp->app->now.us);
    mcp_arm(s->mcp);
}

struct mcp_session *mcp_session_create(struct mcp *mcp, const struct mcp_set *set,
                                       const struct caller *caller)
{
    struct mcp_session *s = make_room(mcp) ? calloc(1, sizeof(*s)) : NULL;
    if (!s)
        return NULL;
    random_id(s->id, MCP_SESSION_ID_LEN);
    (void)snprintf(s->header, sizeof(s->header), "Mcp-Session-Id: %s\r\n", s->id);
    s->mcp = mcp;
    s->set = set;
    s->caller = caller;
    wait_init(&s->idle);
    list_init(&s->streams);
    list_init(&s->events);
    mcp_party_init(&s->party, mcp);
    s->party.listener.tell = tell;
    if (strmap_put(&mcp->sessions, span_of(s->id), s) != OK) {
        mcp_party_fini(&s->party);
        free(s);
        return NULL;
    }
    mcp->app->stats.mcp_sessions++;
    use(s);
    return s;
}

void mcp_session_destroy(struct mcp_session *s)
{
    struct list *first;
    (void)strmap_take(&s->mcp->sessions, span_of(s->id));
    wait_cancel(&s->idle);
    mcp_party_fini(&s->party);
    while ((first = list_first(&s->streams)) != NULL)
        mcp_stream_destroy(LIST_ENTRY(first, struct mcp_stream, link));
    mcp_session_forget_events(s, 0);
    s->mcp->app->stats.mcp_sessions--;
    free(s);
}

struct mcp_session *mcp_session_find(struct mcp *mcp, const struct mcp_set *set,
                                     const struct caller *caller, struct span id)
{
    struct mcp_session *s = strmap_find(&mcp->sessions, id);
    if (!s || s->set != set || s->caller != caller)
        return NULL;
    use(s);
    return s;
}

void mcp_session_on_idle(struct wait *wait, uint64_t now_us)
{
    struct mcp_session *s = LIST_ENTRY(wait, struct mcp_session, idle);
    (void)now_us;
    if (is_busy(s))
        use(s);
    else
        mcp_session_destroy(s);
}
