/* SPDX-License-Identifier: MIT */
/*
 * agents: an app that is asked by an agent, over HTTP, in the modern era.
 */
#ifndef TESTS_STREAMD_AGENTS_H
#define TESTS_STREAMD_AGENTS_H

#include "tests/support/http_world.h"

#include <math.h>

/* With a store: what was recorded can be read back. */
static inline int setup_agents(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    world_config(w);
    world_open_with(w, store_memory_create());
    w->req.content_type = SPAN("application/json");
    w->req.mcp_protocol_version = SPAN("2026-07-28");
    *state = w;
    return 0;
}

static inline void starts(struct world *w, const char *id, const char *config)
{
    char line[1024];
    (void)snprintf(line, sizeof(line), "{\"type\":\"start\",\"sessionId\":\"%s\",\"config\":%s}",
                   id, config);
    world_line(w, line);
    world_pass(w, 1);
}

static inline void says_epoch(struct world *w, const char *id, int epoch, double train, double val)
{
    char line[512];
    (void)snprintf(line, sizeof(line),
                   "{\"type\":\"epoch\",\"sessionId\":\"%s\",\"metrics\":{\"epoch\":%d,"
                   "\"step\":%d,\"train_loss\":%.9g,\"val_loss\":%.9g,\"lr\":0.001,"
                   "\"timestamp\":%d}}",
                   id, epoch, epoch * 100, train, val, 1700000000 + 60 * epoch);
    world_line(w, line);
}

/* The same each time, within about -1..1. */
static inline double wobble(int n)
{
    return sin(n * 12.9898) * 0.7 + sin(n * 4.1) * 0.3;
}

/* Falls, and lies flat from about the twentieth epoch on, at `floor`. */
static inline void learns(struct world *w, const char *id, int epochs, double floor)
{
    for (int e = 0; e < epochs; e++)
        says_epoch(w, id, e, floor - 0.1 + exp(-e / 4.0),
                   floor + exp(-e / 4.0) + 0.005 * wobble(e));
}

/* The headers that repeat arguments of a body, where it has them as plain text. */
static inline void repeat_arguments(const char *body, struct request *req)
{
    static const char session[] = "\"session_id\":\"";
    static const char operation[] = "\"operation_id\":\"";
    const char *at = strstr(body, session);
    req->mcp_param_session_id = (struct span){NULL, 0};
    req->mcp_param_operation_id = (struct span){NULL, 0};
    if (at && (at += sizeof(session) - 1))
        req->mcp_param_session_id = (struct span){at, strcspn(at, "\"")};
    at = strstr(body, operation);
    if (at && (at += sizeof(operation) - 1))
        req->mcp_param_operation_id = (struct span){at, strcspn(at, "\"")};
}

/* One request; the JSON of its result, or of its error, is in w->json. */
static inline void agent_asks(struct world *w, const char *path, const char *method,
                              const char *name, const char *params)
{
    static char body[8192];
    (void)snprintf(body, sizeof(body),
                   "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":{%s,\"_meta\":{"
                   "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
                   "\"io.modelcontextprotocol/clientCapabilities\":{},"
                   "\"io.modelcontextprotocol/clientInfo\":{\"name\":\"tester\",\"version\":\"1\"}}"
                   "}}",
                   method, params);
    w->req.mcp_method = span_of(method);
    w->req.mcp_name = span_of(name);
    repeat_arguments(body, &w->req);
    world_ask(w, METHOD_POST, path, body);
}

/* A call of a tool; its structured result is then what world_at and its kin look into. */
static inline void calls_at(struct world *w, const char *path, const char *tool,
                            const char *arguments)
{
    static char params[2048];
    (void)snprintf(params, sizeof(params), "\"name\":\"%s\",\"arguments\":%s", tool, arguments);
    agent_asks(w, path, "tools/call", tool, params);
    cJSON *result = cJSON_GetObjectItem(w->json, "result");
    cJSON *content = cJSON_DetachItemFromObject(result, "structuredContent");
    if (!content || cJSON_IsTrue(cJSON_GetObjectItem(result, "isError")))
        fail_msg("%s: %.*s", tool, (int)w->body.len, w->body.ptr);
    assert_true(w->body.len < 2 * 40000 + 1000);
    cJSON_Delete(w->json);
    w->json = content;
}

static inline void calls(struct world *w, const char *tool, const char *arguments)
{
    calls_at(w, "/mcp", tool, arguments);
}

/* A call that cannot be done: what the agent reads has this in it. */
static inline void is_refused(struct world *w, const char *tool, const char *arguments,
                              const char *words)
{
    static char params[2048];
    (void)snprintf(params, sizeof(params), "\"name\":\"%s\",\"arguments\":%s", tool, arguments);
    agent_asks(w, "/mcp", "tools/call", tool, params);
    const cJSON *result = cJSON_GetObjectItem(w->json, "result");
    const cJSON *block = cJSON_GetArrayItem(cJSON_GetObjectItem(result, "content"), 0);
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(block, "text"));
    if (!cJSON_IsTrue(cJSON_GetObjectItem(result, "isError")) || !text || !strstr(text, words))
        fail_msg("%s: %.*s", tool, (int)w->body.len, w->body.ptr);
}

static inline const char *text_at(const struct world *w, const char *list, int index,
                                  const char *name)
{
    const cJSON *at = cJSON_GetArrayItem(world_at(w, list), index);
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(at, name));
    if (!text)
        fail_msg("no %s[%d].%s in %.*s", list, index, name, (int)w->body.len, w->body.ptr);
    return text;
}

#define AGENT_TEST(test) cmocka_unit_test_setup_teardown(test, setup_agents, world_teardown)

#endif
