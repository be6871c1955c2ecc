/* SPDX-License-Identifier: MIT */
#include "streamd/mcp/mcp.h"

#include "streamd/app.h"
#include "streamd/auth/caller.h"
#include "streamd/mcp/pipe.h"
#include "streamd/mcp/session.h"
#include "streamd/mcp/stream.h"
#include "streamd/mcp/wire.h"

#include <assert.h>

static uint64_t earliest(const struct mcp *mcp)
{
    uint64_t idle = waitlist_next_us(&mcp->idle);
    uint64_t quiet = waitlist_next_us(&mcp->quiet);
    return idle < quiet ? idle : quiet;
}

void mcp_arm(struct mcp *mcp)
{
    uint64_t at = earliest(mcp);
    if (at == UINT64_MAX || (timer_armed(&mcp->timer) && mcp->timer.due_us <= at))
        return;
    enum status status = timers_arm(&mcp->app->timers, &mcp->timer, at);
    (void)status; /* E_NOMEM: with the next request */
}

static void on_timer(struct timer *timer, uint64_t now_us)
{
    struct mcp *mcp = LIST_ENTRY(timer, struct mcp, timer);
    waitlist_run(&mcp->idle, now_us);
    waitlist_run(&mcp->quiet, now_us);
    mcp_arm(mcp);
}

void mcp_init(struct mcp *mcp, struct app *app, uint64_t seed)
{
    *mcp = (struct mcp){.app = app};
    list_init(&mcp->works);
    list_init(&mcp->pipes);
    list_init(&mcp->listeners);
    strmap_init(&mcp->sessions, seed);
    strmap_init(&mcp->topics, seed);
    waitlist_init(&mcp->idle, app->config->mcp_session_idle_s * 1000 * 1000, mcp_session_on_idle);
    waitlist_init(&mcp->quiet, MCP_QUIET_US, mcp_wire_on_quiet);
    timer_init(&mcp->timer, on_timer);
    timer_init(&mcp->tell, mcp_on_tell_due);
}

static struct mcp_session *any_session(const struct mcp *mcp)
{
    size_t at = 0;
    struct span id;
    void *session = NULL;
    return strmap_next(&mcp->sessions, &at, &id, &session) ? session : NULL;
}

static void end_sessions(struct mcp *mcp)
{
    struct mcp_session *s;
    while ((s = any_session(mcp)) != NULL)
        mcp_session_destroy(s);
}

void mcp_fini(struct mcp *mcp)
{
    struct list *first;
    end_sessions(mcp);
    while ((first = list_first(&mcp->works)) != NULL)
        mcp_work_drop(LIST_ENTRY(first, struct mcp_work, of_mcp));
    timers_disarm(&mcp->app->timers, &mcp->timer);
    timers_disarm(&mcp->app->timers, &mcp->tell);
    strmap_fini(&mcp->sessions);
    strmap_fini(&mcp->topics);
}

static struct mcp_work *withdrawn_work(const struct mcp *mcp)
{
    LIST_EACH (at, &mcp->works) {
        struct mcp_work *w = LIST_ENTRY(at, struct mcp_work, of_mcp);
        if (!caller_may(w->call.caller, SCOPE_READ))
            return w;
    }
    return NULL;
}

static struct mcp_session *withdrawn_session(const struct mcp *mcp)
{
    size_t at = 0;
    struct span id;
    void *session;
    while (strmap_next(&mcp->sessions, &at, &id, &session)) {
        struct mcp_session *s = session;
        if (!caller_may(s->caller, SCOPE_READ))
            return s;
    }
    return NULL;
}

void mcp_review(struct mcp *mcp)
{
    struct mcp_session *s;
    struct mcp_work *w;
    while ((s = withdrawn_session(mcp)) != NULL)
        mcp_session_destroy(s);
    while ((w = withdrawn_work(mcp)) != NULL)
        mcp_work_drop(w);
}

const char *mcp_takes_none(const struct mcp *mcp)
{
    const struct app *app = mcp->app;
    if (app->peers.draining)
        return "The daemon is going away";
    return app->stats.mcp_calls >= app->config->mcp_max_calls
               ? "As many requests are being answered as allowed"
               : NULL;
}

/* A listening one ends as it should; of the others nobody knows what would have come. */
static void answer_early(struct mcp_work *w)
{
    if (w->listens) {
        (void)mcp_work_open(w);
        mcp_work_close(w);
    } else {
        mcp_work_refuse(w, 503, JSONRPC_INTERNAL_ERROR, "The daemon is going away",
                        (struct span){0});
    }
}

void mcp_drain(struct mcp *mcp)
{
    struct list *first;
    while ((first = list_first(&mcp->works)) != NULL)
        answer_early(LIST_ENTRY(first, struct mcp_work, of_mcp));
    end_sessions(mcp);
    mcp_pipes_drain(mcp);
}

/* ---- rows ---- */

/* The row at `index` of one list behind the other. */
#define ROW_AT(member)                                                                             \
    const struct mcp_set *const sets[] = {set, mcp->more};                                         \
    for (size_t s = 0; s < 2; s++) {                                                               \
        for (size_t i = 0; sets[s] && sets[s]->member && sets[s]->member[i]; i++) {                \
            if (index-- == 0)                                                                      \
                return sets[s]->member[i];                                                         \
        }                                                                                          \
    }                                                                                              \
    return NULL

const struct mcp_tool *mcp_tool_at(const struct mcp *mcp, const struct mcp_set *set, size_t index)
{
    ROW_AT(tools);
}

const struct mcp_tool *mcp_tool_find(const struct mcp *mcp, const struct mcp_set *set,
                                     struct span name)
{
    const struct mcp_tool *tool;
    for (size_t i = 0; (tool = mcp_tool_at(mcp, set, i)) != NULL; i++) {
        if (span_is(name, tool->name))
            return tool;
    }
    return NULL;
}

const struct mcp_resource *mcp_resource_at(const struct mcp *mcp, const struct mcp_set *set,
                                           size_t index)
{
    ROW_AT(resources);
}

const struct mcp_template *mcp_template_at(const struct mcp *mcp, const struct mcp_set *set,
                                           size_t index)
{
    ROW_AT(templates);
}

const struct mcp_prompt *mcp_prompt_at(const struct mcp *mcp, const struct mcp_set *set,
                                       size_t index)
{
    ROW_AT(prompts);
}

unsigned mcp_changes(const struct mcp *mcp, const struct mcp_set *set)
{
    return set->changes | (mcp->more ? mcp->more->changes : 0);
}
