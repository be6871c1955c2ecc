/* SPDX-License-Identifier: MIT */
/*
 * A method that answers at once does so from deep inside its own code, which still looks at the
 * call when it is back. So nothing ends while the method runs: the answer waits in the work until
 * it has returned.
 */
#include "streamd/mcp/work.h"

#include "proto/json_write.h"
#include "streamd/app.h"
#include "streamd/mcp/method.h"
#include "streamd/options.h"

#include <assert.h>
#include <math.h>
#include <string.h>

void mcp_work_init(struct mcp_work *w, const struct mcp_work_params *params)
{
    struct app *app = params->mcp->app;
    *w = (struct mcp_work){
        .call = {.app = app,
                 .arguments = params->params,
                 .caller = params->caller,
                 .now = app->now,
                 .work = w},
        .ops = params->ops,
        .mcp = params->mcp,
        .set = params->set,
        .party = params->party,
        .id_len = params->id.len,
        .params = params->params,
        .version = params->version,
        .http_status = 200,
        .last_progress = -INFINITY,
    };
    assert(params->id.len <= sizeof(w->id));
    memcpy(w->id, params->id.ptr, params->id.len);
    mcp_said_read(w->params, &w->said);
    mcp_listener_init(&w->listener, w->mcp);
    buf_init(&w->answer, MCP_MESSAGE_MAX);
    list_init(&w->of_party);
    list_init(&w->of_mcp);
    list_add_tail(&w->mcp->works, &w->of_mcp);
    if (w->party)
        list_add_tail(&w->party->works, &w->of_party);
    app->stats.mcp_requests++;
    app->stats.mcp_calls++;
}

void mcp_work_fini(struct mcp_work *w)
{
    list_remove(&w->of_mcp);
    list_remove(&w->of_party);
    mcp_listener_fini(&w->listener);
    buf_fini(&w->answer);
    fields_destroy(w->no_arguments);
    fields_destroy(w->params);
    w->mcp->app->stats.mcp_calls--;
}

struct span mcp_work_id(const struct mcp_work *w)
{
    return (struct span){w->id, w->id_len};
}

/* Answered or not, it ends. */
static void end(struct mcp_work *w)
{
    void (*gone)(struct mcp_call * call) = w->call.gone;
    w->call.gone = NULL;
    list_remove(&w->of_party);
    if (gone)
        gone(&w->call);
    w->ops->over(w);
}

/* The answer is complete. What could not be put together is told in few words. */
static void finish(struct mcp_work *w)
{
    w->answered = true;
    if (buf_status(&w->answer) != OK) {
        bool too_long = buf_status(&w->answer) == E_LIMIT;
        buf_reset(&w->answer);
        jsonrpc_write_error(&w->answer, mcp_work_id(w), JSONRPC_INTERNAL_ERROR,
                            too_long ? SPAN("The answer would be too long: ask for less")
                                     : SPAN("Out of memory"),
                            (struct span){0});
    }
    if (w->running)
        return;
    w->ops->answer(w, buf_span(&w->answer), w->http_status);
    end(w);
}

bool mcp_work_run(struct mcp_work *w, const char *method)
{
    w->running = true;
    mcp_method_run(w, method);
    w->running = false;
    assert(w->answered || w->listens || w->call.gone);
    if (!w->answered)
        return true;
    finish(w);
    return false;
}

void mcp_work_drop(struct mcp_work *w)
{
    assert(!w->running);
    end(w);
}

struct buf *mcp_work_open(struct mcp_work *w)
{
    struct buf *out = &w->answer;
    assert(!w->answered);
    buf_reset(out);
    buf_add_str(out, "{\"jsonrpc\":\"2.0\",\"id\":");
    buf_add_span(out, mcp_work_id(w));
    buf_add_str(out, ",\"result\":{");
    if (mcp_is_modern(w->version))
        json_write_pair_string(out, "resultType", SPAN("complete"));
    return out;
}

void mcp_work_close(struct mcp_work *w)
{
    struct buf *out = &w->answer;
    if (mcp_is_modern(w->version)) {
        json_write_name(out, "_meta");
        buf_add_str(out, "{\"io.modelcontextprotocol/serverInfo\":{\"name\":\"streamd\"");
        json_write_pair_string(out, "version", span_of(STREAMD_VERSION));
        buf_add_char(out, '}');
        if (w->listens)
            json_write_pair_raw(out, "io.modelcontextprotocol/subscriptionId", mcp_work_id(w));
        buf_add_char(out, '}');
    }
    buf_add_str(out, "}}");
    finish(w);
}

void mcp_work_cacheable(struct mcp_work *w, uint64_t ttl_ms)
{
    if (!mcp_is_modern(w->version))
        return;
    json_write_pair_u64(&w->answer, "ttlMs", ttl_ms);
    json_write_pair_string(&w->answer, "cacheScope", SPAN("private"));
}

void mcp_work_fail(struct mcp_work *w, int code, struct span message, struct span data)
{
    assert(!w->answered);
    buf_reset(&w->answer);
    jsonrpc_write_error(&w->answer, mcp_work_id(w), code, message, data);
    finish(w);
}

void mcp_work_refuse(struct mcp_work *w, int http_status, int code, const char *message,
                     struct span data)
{
    w->http_status = http_status;
    mcp_work_fail(w, code, span_of(message), data);
}

void mcp_work_notify(struct mcp_work *w, const char *method, struct span members)
{
    struct buf params;
    struct buf text;
    buf_init(&params, MCP_MESSAGE_MAX);
    buf_init(&text, MCP_MESSAGE_MAX);
    buf_add_char(&params, '{');
    buf_add_span(&params, members);
    if (w->listens) {
        json_write_name(&params, "_meta");
        buf_add_char(&params, '{');
        json_write_pair_raw(&params, "io.modelcontextprotocol/subscriptionId", mcp_work_id(w));
        buf_add_char(&params, '}');
    }
    buf_add_char(&params, '}');
    jsonrpc_write_notification(&text, method, buf_span(&params));
    if (buf_status(&params) == OK && buf_status(&text) == OK)
        w->ops->notify(w, buf_span(&text));
    buf_fini(&params);
    buf_fini(&text);
}
