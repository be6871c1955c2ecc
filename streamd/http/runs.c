/* SPDX-License-Identifier: MIT */
/*
 * A search looks at every run: some thousands of them, with a few hundred bytes of config each, are
 * a matter of milliseconds, and an index would be work for every trainer that starts. What is
 * written is bounded by bytes as well as by number, because a thousand runs of 256 metrics would
 * hold the loop up for a second.
 */
#include "streamd/http/runs.h"

#include "proto/json_write.h"
#include "proto/query.h"
#include "streamd/app.h"
#include "streamd/http/body.h"
#include "streamd/http/params.h"
#include "streamd/http/run_etag.h"

enum {
    PAGE_RUNS_MAX = 1000,
    PAGE_BYTES = 4 << 20, /* a page ends with the run that passes it */
};

/* What is asked for; what is not said holds for every run. */
struct filter {
    bool any_state;
    enum session_state state; /* SESSION_STATES: all but the expired ones */
    bool has_text;
    bool has_project;
    bool has_pinned;
    bool pinned;
    struct query_value text;
    struct query_value project;
};

/* The state of that name, or SESSION_STATES. */
static enum session_state state_named(struct span name)
{
    unsigned state = 0;
    while (state < SESSION_STATES && !span_is(name, session_state_name(state)))
        state++;
    return state;
}

static bool read_state(const struct request *req, struct reply *reply, struct filter *f)
{
    struct query_value value;
    f->state = SESSION_STATES;
    if (!query_find(req->query, "status", &value))
        return true;
    f->any_state = span_is(query_span(&value), "any");
    f->state = state_named(query_span(&value));
    if (f->any_state || f->state != SESSION_STATES)
        return true;
    reply_error(reply, 400, "status must be starting, running, completed, failed, expired or any");
    return false;
}

static bool read_pinned(const struct request *req, struct reply *reply, struct filter *f)
{
    struct query_value value;
    f->has_pinned = query_find(req->query, "pinned", &value);
    f->pinned = f->has_pinned && span_is(query_span(&value), "true");
    if (!f->has_pinned || f->pinned || span_is(query_span(&value), "false"))
        return true;
    reply_error(reply, 400, "pinned must be true or false");
    return false;
}

/* False: the reply is a 400 that names what is wrong. */
static bool read_filter(const struct request *req, struct reply *reply, struct filter *f)
{
    f->any_state = false;
    f->has_text = query_find(req->query, "q", &f->text);
    f->has_project = query_find(req->query, "project", &f->project);
    return read_state(req, reply, f) && read_pinned(req, reply, f);
}

static bool has_state(const struct session *s, const struct filter *f)
{
    if (f->any_state || f->state != SESSION_STATES)
        return f->any_state || s->state == f->state;
    return s->state != SESSION_EXPIRED;
}

static bool mentions(const struct session *s, struct span text)
{
    return span_has_nocase(session_id(s), text) || span_has_nocase(span_of(s->name), text) ||
           span_has_nocase(span_of(s->project), text) ||
           (s->config && span_has_nocase(refbuf_span(s->config), text));
}

static bool passes(const struct session *s, const struct filter *f)
{
    return has_state(s, f) && (!f->has_pinned || s->pinned == f->pinned) &&
           (!f->has_project || span_is(query_span(&f->project), s->project ? s->project : "")) &&
           (!f->has_text || mentions(s, query_span(&f->text)));
}

static void write_runs(struct registry *registry, const struct filter *filter, uint64_t limit,
                       uint64_t offset, struct buf *out)
{
    uint64_t total = 0;
    size_t page_end = out->len + PAGE_BYTES;
    buf_add_str(out, "{\"sessions\":[");
    LIST_EACH (at, &registry->sessions) {
        struct session *s = LIST_ENTRY(at, struct session, link);
        if (!passes(s, filter))
            continue;
        if (total >= offset && total - offset < limit && out->len < page_end) {
            json_write_comma(out);
            session_write_summary(s, out);
        }
        total++;
    }
    buf_add_char(out, ']');
    json_write_pair_u64(out, "total", total);
    buf_add_char(out, '}');
}

void runs_list(struct app *app, const struct request *req, struct reply *reply)
{
    struct filter filter;
    uint64_t limit = param_limit(req);
    uint64_t offset = 0;
    if (!param_u64(req, "offset", reply, &offset) || !read_filter(req, reply, &filter))
        return;
    reply_open_data(reply);
    write_runs(&app->registry, &filter, limit < PAGE_RUNS_MAX ? limit : PAGE_RUNS_MAX, offset,
               &reply->body);
    reply_close_data(reply);
}

/* The run of the request's path; NULL, and the reply is a 404. */
static struct session *find_run(struct app *app, const struct request *req, struct reply *reply)
{
    struct session *s = registry_find(&app->registry, req->tail);
    if (!s)
        reply_error(reply, 404, "Session not found");
    return s;
}

static void write_run(struct session *s, struct reply *reply)
{
    reply_open_data(reply);
    session_write_summary(s, &reply->body);
    reply_close_data(reply);
}

void runs_show(struct app *app, const struct request *req, struct reply *reply)
{
    struct session *s = find_run(app, req, reply);
    if (!s)
        return;
    write_run(s, reply);
    run_etag(reply, app, s, RUN_WHOLE);
}

void runs_delete(struct app *app, const struct request *req, struct reply *reply)
{
    struct session *s = find_run(app, req, reply);
    if (!s)
        return;
    if (registry_forget(&app->registry, s) != OK) {
        reply_error(reply, 409, "The run is not over: it can be deleted once it is");
        return;
    }
    struct buf *out = &reply->body;
    buf_add_char(out, '{');
    json_write_pair_bool(out, "success", true);
    json_write_pair_string(out, "sessionId", req->tail);
    buf_add_char(out, '}');
}

void runs_change(struct app *app, const struct request *req, struct reply *reply)
{
    struct session *s = find_run(app, req, reply);
    bool pinned;
    if (!s)
        return;
    struct fields *body = body_read(req, reply);
    if (!body)
        return;
    if (fields_bool(body, "pinned", &pinned)) {
        session_pin(s, pinned);
        write_run(s, reply);
    } else {
        reply_error(reply, 400,
                    fields_has(body, "pinned") ? "pinned must be true or false"
                                               : "The body must have a member pinned");
    }
    fields_destroy(body);
}
