/* SPDX-License-Identifier: MIT */
/*
 * Each allocation of each kind of request fails in turn. Whoever asked is answered all the same,
 * be it with an error of ours, or is cut off; never with half an answer. The daemon goes on, and
 * the same request is answered as soon as there is memory.
 */
#include "streamd/http/trainer_command.h"
#include "streamd/session/interpreter.h"
#include "tests/flow/agent.h"
#include "tests/flow/sink.h"
#include "tests/support/oom.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

enum { EPOCHS = 30, ROUNDS_MAX = 2000 };

/* Two runs, of which memory has the newest records only, and a job of another kind. */
static int begin(void **state)
{
    struct world *w = world_create();
    char line[192];
    w->config.max_history_records = 8;
    w->config.max_insights = 4;
    w->config.trainer_command = "exit 0";
    world_begin(w);
    for (int i = 0; i < EPOCHS; i++) {
        for (char id = 'a'; id <= 'b'; id++) {
            (void)snprintf(line, sizeof(line),
                           "{\"type\":\"epoch\",\"sessionId\":\"%c\",\"metrics\":{\"epoch\":%d,"
                           "\"step\":%d,\"train_loss\":%d,\"val_loss\":%d}}",
                           id, i, i, EPOCHS - i, EPOCHS - i);
            trainer_says(w, line);
        }
    }
    trainer_says(w, "{\"type\":\"start\",\"sessionId\":\"job\",\"config\":{\"operation_type\":"
                    "\"data_load\"}}");
    world_advance(w, SECOND);
    *state = w;
    return 0;
}

static int end(void **state)
{
    int result = world_teardown(state);
    while (waitpid(-1, NULL, 0) > 0)
        ;
    return result;
}

/* So that the run is read back for whoever asks about it. */
static void forget(struct world *w, const char *id)
{
    struct session *s = registry_find(&w->app->registry, span_of(id));
    if (s && s->interpreter)
        interpreter_forget(s);
}

static bool has(const struct sink *s, const char *text)
{
    return s->len > 0 && strstr(s->heard, text);
}

/* A whole answer by its length, or a stream with its end; or it was cut off. */
static void is_whole(const struct sink *s, size_t nth)
{
    const char *length = strstr(s->heard, "Content-Length: ");
    const char *body = strstr(s->heard, "\r\n\r\n");
    if (s->over || s->awaits)
        return;
    if (strncmp(s->heard, "HTTP/1.1 ", 9) != 0 || !body)
        fail_msg("allocation %zu: no answer in: %s", nth, s->heard);
    if (length && strtoul(length + 16, NULL, 10) != strlen(body + 4))
        fail_msg("allocation %zu: half an answer: %s", nth, s->heard);
}

static void sweep(struct world *w, const struct request *req, const char *good)
{
    static struct sink s;
    bool failed = true;
    for (size_t nth = 1; failed; nth++) {
        assert_true(nth < ROUNDS_MAX);
        forget(w, "a");
        forget(w, "b");
        sink_open(&s, w);
        oom_fail(nth);
        sink_sends(w, &s, req);
        world_advance(w, 1200 * MS);
        failed = oom_failed();
        is_whole(&s, nth);
        if (failed && strncmp(s.heard, "HTTP/1.1 4", 10) == 0 && strcmp(good, "HTTP/1.1 ") != 0)
            fail_msg("allocation %zu: blamed on who asks: %s", nth, s.heard);
        if (!failed && !has(&s, good))
            fail_msg("no %s in: %s", good, s.heard);
        sink_closes(w, &s);
        if (w->app->control.trainers)
            trainer_command_reap(w->app->control.trainers, w->now);
        world_advance(w, 2 * SECOND);
    }
    assert_int_equal(w->app->stats.transfers, 0);
}

static void a_reader_is_answered_whichever_allocation_fails(void **state)
{
    static const char *const pages[][2] = {
        {"/api/training/insight/a", ""},
        {"/api/training/compare", "ids=a,b"},
        {"/api/training/metrics/a", ""},
        {"/api/training/history/a", "from=0"},
        {"/api/v1/operations/a", "include_metrics=true"},
        {"/api/v1/operations/a/metrics", ""},
        {"/metrics", ""},
    };
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
        sweep(*state,
              &(struct request){.method = METHOD_GET,
                                .path = span_of(pages[i][0]),
                                .query = span_of(pages[i][1])},
              "200 OK");
}

static void a_writer_is_answered_whichever_allocation_fails(void **state)
{
    static const struct {
        enum method method;
        const char *path, *body;
    } posts[] = {
        {METHOD_POST, "/api/training/ingest",
         "{\"type\":\"progress\",\"sessionId\":\"a\",\"metrics\":{\"step\":99}}"},
        {METHOD_POST, "/api/training/control/a", "{\"command\":\"stop\",\"dry_run\":true}"},
        {METHOD_POST, "/api/v1/operations", "{\"operation_type\":\"training\"}"},
        {METHOD_POST, "/api/v1/operations/a/metrics", "{\"epoch\":90,\"train_loss\":1}"},
        {METHOD_POST, "/api/v1/operations/job/metrics", "{\"rows\":7}"},
        {METHOD_PATCH, "/api/v1/operations/job/status", "{\"status\":\"running\"}"},
        {METHOD_DELETE, "/api/v1/operations/job", "{\"reason\":\"no use\"}"},
        {METHOD_POST, "/api/cognate/start", "{\"num_models\":1}"},
    };
    for (size_t i = 0; i < sizeof(posts) / sizeof(posts[0]); i++)
        sweep(*state,
              &(struct request){.method = posts[i].method,
                                .path = span_of(posts[i].path),
                                .content_type = SPAN("application/json"),
                                .body = span_of(posts[i].body)},
              "HTTP/1.1 ");
}

static void an_agent_is_answered_whichever_allocation_fails(void **state)
{
    static const char *const asked[][2] = {
        {"tools/list", ""},
        {"tools/call", "\"name\":\"get_status\",\"arguments\":{\"session_id\":\"a\"}"},
        {"tools/call", "\"name\":\"get_metrics\",\"arguments\":{\"session_id\":\"a\"}"},
        {"tools/call",
         "\"name\":\"compare_sessions\",\"arguments\":{\"session_ids\":[\"a\",\"b\"]}"},
        {"tools/call", "\"name\":\"set_alert\",\"arguments\":{\"session_id\":\"a\",\"name\":\"r\","
                       "\"metric\":\"val_loss\",\"op\":\"lt\",\"value\":0.1}"},
        {"tools/call", "\"name\":\"wait_for_event\",\"arguments\":{\"timeout_s\":1,"
                       "\"types\":[\"epoch\"],\"session_id\":\"job\"}"},
        {"prompts/get", "\"name\":\"diagnose_run\",\"arguments\":{\"session_id\":\"a\"}"},
        {"resources/read", "\"uri\":\"training://sessions/a/events\""},
        {"completion/complete", "\"ref\":{\"uri\":\"training://sessions/{id}\"},\"argument\":{"
                                "\"name\":\"id\",\"value\":\"\"}"},
    };
    char body[AGENT_BODY_MAX];
    struct request req;
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        agent_writes(&req, body, "1", asked[i][0], asked[i][1]);
        sweep(*state, &req, "\"result\":");
    }
}

static void lines_are_taken_or_not_whichever_allocation_fails(void **state)
{
    sweep(*state,
          &(struct request){.method = METHOD_POST,
                            .path = SPAN("/api/training/ingest"),
                            .content_type = SPAN("application/x-ndjson"),
                            .body = SPAN("{\"type\":\"start\",\"sessionId\":\"c\"}\n"
                                         "{\"type\":\"progress\",\"metrics\":{\"step\":1}}")},
          "\"accepted\":2");
}

static void who_listens_hears_or_is_cut_off_whichever_allocation_fails(void **state)
{
    char body[AGENT_BODY_MAX];
    struct request req;
    agent_writes(&req, body, "1", "subscriptions/listen",
                 "\"notifications\":{\"resourceSubscriptions\":[\"training://sessions/a\"]}");
    sweep(*state, &req, "acknowledged");
    assert_int_equal(strmap_count(&((struct world *)*state)->app->mcp.topics), 0);
}

static void a_session_begins_or_not_whichever_allocation_fails(void **state)
{
    struct agent a;
    sweep(*state,
          &(struct request){.method = METHOD_POST,
                            .path = SPAN("/mcp"),
                            .body = SPAN("{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\","
                                         "\"params\":{\"protocolVersion\":\"2025-11-25\"}}")},
          "Mcp-Session-Id");
    agent_initializes(&a, *state);
    sweep(*state,
          &(struct request){
              .method = METHOD_GET, .path = SPAN("/mcp"), .mcp_session_id = span_of(a.session)},
          "text/event-stream");
    sweep(*state,
          &(struct request){.method = METHOD_POST,
                            .path = SPAN("/mcp"),
                            .mcp_session_id = span_of(a.session),
                            .body = SPAN("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":"
                                         "\"resources/subscribe\",\"params\":{\"uri\":\"x:y\"}}")},
          "\"result\":");
}

#define ASKED_TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ASKED_TEST(a_reader_is_answered_whichever_allocation_fails),
        ASKED_TEST(a_writer_is_answered_whichever_allocation_fails),
        ASKED_TEST(lines_are_taken_or_not_whichever_allocation_fails),
        ASKED_TEST(an_agent_is_answered_whichever_allocation_fails),
        ASKED_TEST(who_listens_hears_or_is_cut_off_whichever_allocation_fails),
        ASKED_TEST(a_session_begins_or_not_whichever_allocation_fails),
    };
    return cmocka_run_group_tests_name("flow/out_of_memory_asked", tests, NULL, NULL);
}
