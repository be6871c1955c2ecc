/* SPDX-License-Identifier: MIT */
#include "tests/flow/agent.h"

#include "tests/flow/client.h"
#include "tests/flow/client_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

void agent_sends(struct agent *a, struct world *w, const struct request *req, const char *body)
{
    a->world = w;
    a->client = client_nobody(w);
    a->req = *req;
    (void)snprintf(a->body, sizeof(a->body), "%s", body);
    a->req.body = span_of(a->body);
    if (!a->req.path.ptr)
        a->req.path = SPAN("/mcp");
    a->req.is_1_1 = true;
    client_asks_http(a->client, &a->client->post, &a->req);
    a->conn = a->client->post;
}

void agent_writes(struct request *req, char body[AGENT_BODY_MAX], const char *id,
                  const char *method, const char *members)
{
    static const char name[] = "\"name\":\"";
    static const char session[] = "\"session_id\":\"";
    const char *of = strstr(members, session);
    *req = (struct request){.method = METHOD_POST,
                            .path = SPAN("/mcp"),
                            .mcp_protocol_version = SPAN("2026-07-28"),
                            .mcp_method = span_of(method)};
    const char *subject = strstr(members, name);
    if (!subject)
        subject = strstr(members, "\"uri\":\"");
    if (subject) {
        subject = strchr(subject + 4, ':') + 2;
        req->mcp_name = (struct span){subject, strcspn(subject, "\"")};
    }
    if (of)
        req->mcp_param_session_id =
            (struct span){of + strlen(session), strcspn(of + strlen(session), "\"")};
    (void)snprintf(body, AGENT_BODY_MAX,
                   "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"%s\",\"params\":{%s%s%s}}", id,
                   method, MODERN_META, *members ? "," : "", members);
    req->body = span_of(body);
}

void agent_asks(struct agent *a, struct world *w, const char *id, const char *method,
                const char *members)
{
    char body[AGENT_BODY_MAX];
    struct request req;
    agent_writes(&req, body, id, method, members);
    agent_sends(a, w, &req, body);
}

void agent_initializes(struct agent *a, struct world *w)
{
    struct request req = {.method = METHOD_POST};
    agent_sends(a, w, &req,
                "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{"
                "\"protocolVersion\":\"2025-11-25\",\"capabilities\":{},\"clientInfo\":{"
                "\"name\":\"x\",\"version\":\"1\"}}}");
    struct span all = agent_heard(a);
    const char *at = memmem(all.ptr, all.len, "Mcp-Session-Id: ", 16);
    assert_non_null(at);
    (void)snprintf(a->session, sizeof(a->session), "%.*s", (int)strcspn(at + 16, "\r"), at + 16);
    agent_hears(a, "\"protocolVersion\":\"2025-11-25\"");
}

void agent_asks_legacy(struct agent *a, const struct agent *of, const char *id, const char *method,
                       const char *members)
{
    char body[AGENT_BODY_MAX];
    struct request req = {.method = METHOD_POST, .mcp_session_id = span_of(of->session)};
    (void)snprintf(body, sizeof(body),
                   "{\"jsonrpc\":\"2.0\",%s%s%s\"method\":\"%s\",\"params\":{%s}}",
                   *id ? "\"id\":" : "", id, *id ? "," : "", method, members);
    agent_sends(a, of->world, &req, body);
}

void agent_opens(struct agent *a, const struct agent *of, enum method method, const char *last)
{
    struct request req = {
        .method = method, .mcp_session_id = span_of(of->session), .last_event_id = span_of(last)};
    agent_sends(a, of->world, &req, "");
}

struct span agent_heard(const struct agent *a)
{
    return buf_span(&a->conn->wire);
}

void agent_hears(struct agent *a, const char *text)
{
    struct span all = agent_heard(a);
    const char *at = all.len > 0 ? memmem(all.ptr, all.len, text, strlen(text)) : NULL;
    if (!at)
        fail_msg("no \"%s\" in: %.*s", text, (int)all.len, all.ptr ? all.ptr : "");
    buf_consume(&a->conn->wire, (size_t)(at - all.ptr) + strlen(text));
}

void agent_hears_nothing(struct agent *a)
{
    struct span all = agent_heard(a);
    const char *at = all.len > 0 ? memmem(all.ptr, all.len, "jsonrpc", 7) : NULL;
    if (at)
        fail_msg("but it came: %.*s", (int)all.len, all.ptr);
}

void agent_leaves(struct agent *a)
{
    client_leaves(a->client);
}
