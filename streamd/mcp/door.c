/* SPDX-License-Identifier: MIT */
/*
 * A request is modern when it says so in the body, in its header, or by a method that only the
 * modern era has; the legacy eras know their sessions. What a modern one lacks is told in the order
 * in which it matters: is it of this era, do header and body agree, do we speak that version.
 */
#include "streamd/mcp/door.h"

#include "proto/json_write.h"
#include "streamd/app.h"
#include "streamd/auth/guard.h"
#include "streamd/http/cors.h"
#include "streamd/mcp/method.h"
#include "streamd/mcp/param_header.h"
#include "streamd/mcp/post.h"
#include "streamd/mcp/stream.h"

#include <string.h>

enum {
    HEADER_MISMATCH = -32020,
    SESSION_NOT_FOUND = -32001,
};

/* One POST on its way to its method. */
struct visit {
    struct mcp *mcp;
    const struct mcp_set *set;
    const struct request *req;
    struct reply *reply;
    struct jsonrpc_message message;
    const struct caller *caller;
    struct fields *params; /* owns; NULL: none came, or they are handed on */
    struct mcp_said said;
};

static void refuse(struct visit *v, int http_status, int code, const char *why, struct span data)
{
    struct buf text;
    buf_init(&text, REPLY_BODY_MAX);
    jsonrpc_write_error(&text, v->message.id, code, span_of(why), data);
    mcp_reply_json(v->reply, http_status, buf_span(&text));
    buf_fini(&text);
}

static void refuse_plainly(struct visit *v, int http_status, int code, const char *why)
{
    refuse(v, http_status, code, why, (struct span){0});
}

static bool accepts(const struct request *req, const char *type)
{
    struct span all = req->accept;
    if (all.len == 0)
        return true;
    while (all.ptr) {
        struct span weight = span_cut(&all, ',');
        struct span item = span_trim(span_cut(&weight, ';'));
        struct span kind = span_of(type);
        struct span wanted = item;
        bool same_group = item.len > 2 && item.ptr[item.len - 1] == '*' &&
                          span_starts(kind, (struct span){item.ptr, item.len - 1});
        if (span_is(item, "*/*") || same_group || span_is_nocase(wanted, type))
            return true;
    }
    return false;
}

/* ---- the modern era ---- */

static bool is_modern(const struct visit *v)
{
    return v->said.has_version || mcp_is_modern(mcp_version_find(v->req->mcp_protocol_version)) ||
           strcmp(v->message.method, "server/discover") == 0 ||
           strcmp(v->message.method, "subscriptions/listen") == 0;
}

static void refuse_said(struct visit *v, const struct mcp_refusal *refusal)
{
    struct buf data;
    buf_init(&data, REPLY_BODY_MAX);
    mcp_refusal_write_data(refusal, &v->said, &data);
    refuse(v, 400, refusal->code, refusal->why, buf_span(&data));
    buf_fini(&data);
}

/* NULL when the headers say what the body says. */
static const char *mismatch(const struct visit *v)
{
    const char *subject = mcp_method_subject(v->message.method);
    struct span value;
    if (!span_is(v->req->mcp_method, v->message.method))
        return "The Mcp-Method header must be there and name the method of the body";
    if (subject && v->params && fields_string(v->params, subject, &value) &&
        !mcp_header_is(v->req->mcp_name, value))
        return "The Mcp-Name header must be there and say what the body says";
    if (strcmp(v->message.method, "tools/call") == 0 && v->params &&
        !mcp_param_headers_fit(v->mcp, v->set, v->req, v->params))
        return "An Mcp-Param header that the tool's schema asks for (x-mcp-header) must be there "
               "and say what the argument says";
    return NULL;
}

/* True when it may go on to its method, else it is answered. */
static bool check_modern(struct visit *v)
{
    const struct mcp_refusal *refusal = mcp_said_refusal(&v->said);
    const char *why;
    if (v->said.has_version && !span_eq(v->req->mcp_protocol_version, v->said.version))
        refuse_plainly(v, 400, HEADER_MISMATCH,
                       "The MCP-Protocol-Version header must be there and name the version of the "
                       "body");
    else if (refusal)
        refuse_said(v, refusal);
    else if ((why = mismatch(v)) != NULL)
        refuse_plainly(v, 400, HEADER_MISMATCH, why);
    else
        return true;
    return false;
}

/* ---- the legacy eras ---- */

/* The session of the request's header; NULL, and it is refused. */
static struct mcp_session *find_session(struct visit *v)
{
    const struct request *req = v->req;
    bool spoken = req->mcp_protocol_version.len == 0 ||
                  mcp_version_find(req->mcp_protocol_version) != MCP_NO_VERSION;
    struct mcp_session *s = NULL;
    if (!spoken)
        refuse_plainly(
            v, 400, JSONRPC_INVALID_REQUEST,
            "Unsupported MCP-Protocol-Version: 2025-03-26 to 2026-07-28 are spoken here");
    else if (req->mcp_session_id.len == 0)
        refuse_plainly(v, 400, JSONRPC_INVALID_REQUEST,
                       "Mcp-Session-Id is missing: begin with initialize, or say the protocol "
                       "version in params._meta");
    else if ((s = mcp_session_find(v->mcp, v->set, v->caller, req->mcp_session_id)) == NULL)
        refuse_plainly(v, 404, SESSION_NOT_FOUND, "Session not found: begin with initialize");
    return s;
}

/* ---- POST ---- */

static void run(struct visit *v, struct mcp_session *session, enum mcp_version version)
{
    struct mcp *mcp = v->mcp;
    const char *why = mcp_takes_none(mcp);
    if (why) {
        refuse_plainly(v, 503, MCP_OVERLOADED, why);
        return;
    }
    struct fields *params = v->params;
    if (!params && fields_parse(SPAN("{}"), &params, NULL) != OK) {
        refuse_plainly(v, 503, JSONRPC_INTERNAL_ERROR, "Out of memory");
        return;
    }
    v->params = NULL;
    mcp_post_answer(&(struct mcp_post_params){.mcp = mcp,
                                              .set = v->set,
                                              .session = session,
                                              .caller = v->caller,
                                              .id = v->message.id,
                                              .params = params,
                                              .version = version,
                                              .takes_events = accepts(v->req, "text/event-stream")},
                    v->message.method, v->reply);
}

static void initialize(struct visit *v)
{
    struct mcp_session *s = mcp_session_create(v->mcp, v->set, v->caller);
    if (!s) {
        refuse_plainly(v, 503, MCP_OVERLOADED, "As many sessions as allowed are in use");
        return;
    }
    run(v, s, MCP_2025_11_25);
    if (s->party.version == MCP_NO_VERSION)
        mcp_session_destroy(s);
    else
        v->reply->extra_headers = s->header;
}

static void answer_request(struct visit *v)
{
    struct mcp_session *s;
    if (is_modern(v)) {
        if (check_modern(v))
            run(v, NULL, MCP_2026_07_28);
    } else if (strcmp(v->message.method, "initialize") == 0) {
        initialize(v);
    } else if ((s = find_session(v)) != NULL) {
        run(v, s, s->party.version);
    }
}

/* Notifications, and answers to requests that we never sent. */
static void take_note(struct visit *v)
{
    bool modern = v->message.kind == JSONRPC_NOTIFICATION && is_modern(v);
    struct mcp_session *s = modern ? NULL : find_session(v);
    if (s)
        mcp_party_hears(&s->party, v->message.method, v->params);
    if (s || modern)
        v->reply->status = 202;
}

static void answer_message(struct visit *v)
{
    enum status status = OK;
    if (v->message.params.len > 0)
        status = fields_parse(v->message.params, &v->params, NULL);
    if (status == E_MALFORMED) { /* a number that is too long */
        refuse_plainly(v, 400, JSONRPC_PARSE_ERROR, "A number is longer than 63 bytes");
        return;
    }
    if (status != OK) {
        refuse_plainly(v, 503, JSONRPC_INTERNAL_ERROR, "Out of memory");
        return;
    }
    mcp_said_read(v->params, &v->said);
    if (v->message.kind == JSONRPC_REQUEST)
        answer_request(v);
    else
        take_note(v);
    fields_destroy(v->params);
}

static void answer_post(struct visit *v)
{
    struct jsonrpc_fault fault;
    if (!accepts(v->req, "application/json")) {
        refuse_plainly(v, 406, JSONRPC_INVALID_REQUEST,
                       "Accept must list application/json and text/event-stream");
        return;
    }
    enum status status = jsonrpc_read(v->req->body, &v->message, &fault);
    if (status == OK)
        answer_message(v);
    else
        refuse_plainly(v, status == E_NOMEM ? 503 : 400, fault.code, fault.why);
}

/* ---- GET and DELETE: of the legacy eras ---- */

static void stand(struct visit *v, struct mcp_session *s)
{
    struct mcp_wire *wire = mcp_wire_create(v->mcp);
    if (!wire) {
        refuse_plainly(v, 503, JSONRPC_INTERNAL_ERROR, "Out of memory");
        return;
    }
    mcp_wire_hand_over(wire, v->reply);
    if (v->req->last_event_id.len > 0 && mcp_stream_resume(s, v->req->last_event_id, wire))
        return;
    if (s->standing) /* a client that comes anew has lost the one it had */
        mcp_stream_destroy(s->standing);
    s->standing = mcp_stream_create(s, wire);
    if (s->standing)
        return;
    v->reply->transfer = NULL;
    mcp_wire_destroy(wire);
    refuse_plainly(v, 503, JSONRPC_INTERNAL_ERROR, "Out of memory");
}

static void answer_other(struct visit *v)
{
    struct mcp_session *s;
    bool deletes = v->req->method == METHOD_DELETE;
    bool modern = mcp_is_modern(mcp_version_find(v->req->mcp_protocol_version));
    if (modern) {
        refuse_plainly(v, 405, JSONRPC_INVALID_REQUEST, "Messages come as POST");
        v->reply->allow = METHOD_POST;
    } else if (!deletes && !accepts(v->req, "text/event-stream")) {
        refuse_plainly(v, 406, JSONRPC_INVALID_REQUEST, "Accept must list text/event-stream");
    } else if ((s = find_session(v)) == NULL) {
        return;
    } else if (deletes) {
        mcp_session_destroy(s);
    } else if (v->req->method == METHOD_GET) {
        stand(v, s);
    } else {
        v->reply->content_type = "text/event-stream";
    }
}

static void answer(struct app *app, const struct mcp_set *set, const struct request *req,
                   struct reply *reply)
{
    struct visit v = {.mcp = &app->mcp,
                      .set = set,
                      .req = req,
                      .reply = reply,
                      .caller = req->caller ? req->caller : guard_nobody()};
    if (!cors_allowed(app->config, req->origin, req->host))
        refuse_plainly(&v, 403, JSONRPC_INVALID_REQUEST,
                       "Pages of this origin may not come in: see --allow-origin");
    else if (req->method == METHOD_POST)
        answer_post(&v);
    else
        answer_other(&v);
}

void mcp_door_training(struct app *app, const struct request *req, struct reply *reply)
{
    answer(app, &mcp_training, req, reply);
}

void mcp_door_operations(struct app *app, const struct request *req, struct reply *reply)
{
    answer(app, &mcp_operations, req, reply);
}

const struct route routes_mcp[] = {
    {"/mcp", METHOD_GET | METHOD_POST | METHOD_DELETE, SCOPE_READ, mcp_door_training,
     "The Model Context Protocol, for agents"},
    {"/mcp/operations", METHOD_GET | METHOD_POST | METHOD_DELETE, SCOPE_READ, mcp_door_operations,
     "The same, with the names of the operations API"},
    {NULL, 0, SCOPE_PUBLIC, NULL, NULL},
};
