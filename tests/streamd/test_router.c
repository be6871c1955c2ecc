/* SPDX-License-Identifier: MIT */
#include "streamd/http/router.h"

#include "tests/support/http_world.h"
#include "tests/support/oom.h"

static void an_unknown_path_is_a_404_in_json(void **state)
{
    static const char *const paths[] = {"/nothing",
                                        "/api",
                                        "/api/training",
                                        "/api/training/",
                                        "/api/training/status",
                                        "/api/training/status/",
                                        "/api/training/sessions/",
                                        "/health/",
                                        "/HEALTH",
                                        "//health",
                                        "/../etc/passwd",
                                        "/assets/../../etc/passwd",
                                        "/%2e%2e/%2e%2e/etc/passwd",
                                        "/%2fetc/passwd",
                                        "/etc/passwd",
                                        "/assets",
                                        "/assets/",
                                        "/index.html/",
                                        "//evil.example/",
                                        NULL};
    struct world *w = *state;
    for (const char *const *path = paths; *path; path++) {
        if (world_get(w, *path) != 404)
            fail_msg("%s gave %d", *path, w->status);
        assert_true(cJSON_IsFalse(world_at(w, "success")));
        assert_header(w, "Location", NULL);
    }
}

static void every_row_of_the_tables_is_complete(void **state)
{
    (void)state;
    for (size_t t = 0; route_tables[t]; t++) {
        for (const struct route *route = route_tables[t]; route->pattern; route++) {
            assert_int_equal(route->pattern[0], '/');
            assert_true(route->methods != 0);
            assert_true((route->methods & (METHOD_HEAD | METHOD_OPTIONS)) == 0);
            assert_true(strlen(route->summary) > 5);
        }
    }
}

/* The path of a row, with a tail where it takes one. */
static const char *path_of(const struct route *route, char *out, size_t cap)
{
    size_t len = strlen(route->pattern);
    const char *id = strstr(route->pattern, "{id}");
    if (id)
        (void)snprintf(out, cap, "%.*sa%s", (int)(id - route->pattern), route->pattern, id + 4);
    else
        (void)snprintf(out, cap, "%s%s", route->pattern, route->pattern[len - 1] == '/' ? "a" : "");
    return out;
}

static unsigned methods_of(const char *path)
{
    unsigned methods = 0;
    char other[128];
    for (size_t t = 0; route_tables[t]; t++) {
        for (const struct route *route = route_tables[t]; route->pattern; route++)
            methods |= strcmp(path_of(route, other, sizeof(other)), path) == 0 ? route->methods : 0;
    }
    return methods;
}

static void a_method_that_no_row_has_is_a_405_with_allow(void **state)
{
    static const enum method methods[] = {METHOD_GET, METHOD_POST, METHOD_PUT, METHOD_DELETE,
                                          METHOD_PATCH};
    struct world *w = *state;
    char path[128];
    for (size_t t = 0; route_tables[t]; t++) {
        for (const struct route *route = route_tables[t]; route->pattern; route++) {
            unsigned taken = methods_of(path_of(route, path, sizeof(path)));
            for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
                if (taken & methods[i])
                    continue;
                assert_int_equal(world_ask(w, methods[i], path, ""), 405);
                assert_non_null(world_header(w, "Allow").ptr);
            }
        }
    }
}

static void allow_names_all_methods_of_a_path(void **state)
{
    struct world *w = *state;
    assert_int_equal(world_ask(w, METHOD_DELETE, "/api/phases/cognate", ""), 405);
    assert_header(w, "Allow", "GET, HEAD, POST, OPTIONS");
    assert_int_equal(world_ask(w, METHOD_POST, "/health", ""), 405);
    assert_header(w, "Allow", "GET, HEAD, OPTIONS");
    assert_int_equal(world_ask(w, METHOD_POST, "/", ""), 405);
    assert_header(w, "Allow", "GET, HEAD, OPTIONS");
}

static void a_preflight_is_answered_for_every_row(void **state)
{
    struct world *w = *state;
    char path[128];
    w->req.origin = SPAN("http://localhost:3000");
    w->req.access_control_request_method = SPAN("POST");
    for (size_t t = 0; route_tables[t]; t++) {
        for (const struct route *route = route_tables[t]; route->pattern; route++) {
            path_of(route, path, sizeof(path));
            assert_int_equal(world_ask(w, METHOD_OPTIONS, path, ""), 204);
            assert_header(w, "Access-Control-Allow-Origin", "http://localhost:3000");
            bool takes_post = (methods_of(path) & METHOD_POST) != 0;
            struct span allowed = world_header(w, "Access-Control-Allow-Methods");
            assert_true((memmem(allowed.ptr, allowed.len, "POST", 4) != NULL) == takes_post);
        }
    }
}

static void head_follows_get_on_every_row(void **state)
{
    struct world *w = *state;
    char path[128];
    char get[REPLY_HEAD_MAX];
    for (size_t t = 0; route_tables[t]; t++) {
        for (const struct route *route = route_tables[t]; route->pattern; route++) {
            if (!(route->methods & METHOD_GET) || strcmp(route->pattern, "/metrics") == 0)
                continue; /* the counters differ from answer to answer */
            int status = world_get(w, path_of(route, path, sizeof(path)));
            size_t type_len = world_header(w, "Content-Type").len;
            memcpy(get, world_header(w, "Content-Type").ptr, type_len);
            assert_int_equal(world_ask(w, METHOD_HEAD, path, ""), status);
            assert_int_equal(w->body.len, 0);
            assert_int_equal(world_header(w, "Content-Type").len, type_len);
            assert_memory_equal(world_header(w, "Content-Type").ptr, get, type_len);
        }
    }
}

static void an_id_is_one_segment_that_is_not_empty(void **state)
{
    static const char *const paths[] = {
        "/api/v1/operations/", "/api/v1/operations//metrics", "/api/v1/operations/a/b/metrics",
        "/api/v1/operations/a/metrics/", "/api/v1/operations/a/other"};
    struct world *w = *state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        assert_int_equal(world_get(w, paths[i]), 404);
        assert_true(span_is(w->body, "{\"success\":false,\"error\":\"Not found\"}"));
    }
    assert_int_equal(world_get(w, "/api/v1/operations/a%20b/metrics"), 404);
    assert_true(span_is(w->body, "{\"detail\":\"Operation not found: a b\"}"));
}

static void a_missing_or_odd_host_is_a_400(void **state)
{
    static const char *const hosts[] = {"", "a b", "a,b", "a:b:c", "user@a", "[::1", NULL};
    struct world *w = *state;
    for (const char *const *host = hosts; *host; host++) {
        w->req.host = span_of(*host);
        if (world_get(w, "/health") != 400)
            fail_msg("Host \"%s\" gave %d", *host, w->status);
    }
}

static void on_loopback_a_foreign_host_is_misdirected(void **state)
{
    struct world *w = *state;
    w->req.host = SPAN("evil.example:5001");
    w->req.origin = SPAN("http://evil.example:5001");
    assert_int_equal(world_get(w, "/api/training/sessions"), 421);
    assert_int_equal(world_ask(w, METHOD_POST, "/api/cognate/start", "{}"), 421);
    assert_int_equal(world_ask(w, METHOD_OPTIONS, "/api/cognate/start", ""), 421);
    assert_non_null(strstr(w->reply.body.ptr, "--allow-origin"));
    w->config.listen[0] = "0.0.0.0:5001";
    assert_int_equal(world_get(w, "/api/training/sessions"), 200);
}

static void a_page_of_a_foreign_origin_may_not_write(void **state)
{
    static const enum method writes[] = {METHOD_POST, METHOD_PUT, METHOD_DELETE, METHOD_PATCH};
    struct world *w = *state;
    for (size_t i = 0; i < sizeof(writes) / sizeof(writes[0]); i++) {
        w->req.origin = SPAN("http://evil.example");
        assert_int_equal(world_ask(w, writes[i], "/api/training/ingest", ""), 403);
        w->req.origin = SPAN("null");
        assert_int_equal(world_ask(w, writes[i], "/api/training/ingest", ""), 403);
        w->req.origin = SPAN("http://localhost:3000");
        assert_int_not_equal(world_ask(w, writes[i], "/api/training/ingest", ""), 403);
    }
    w->req.origin = SPAN("http://evil.example");
    assert_int_equal(world_get(w, "/health"), 200);
    assert_header(w, "Access-Control-Allow-Origin", NULL);
}

static void an_encoded_body_is_refused(void **state)
{
    struct world *w = *state;
    w->req.content_type = SPAN("application/x-ndjson");
    w->req.content_encoding = SPAN("gzip");
    assert_int_equal(world_ask(w, METHOD_POST, "/api/training/ingest", "x"), 415);
    w->req.content_encoding = SPAN("Identity");
    assert_int_equal(world_ask(w, METHOD_POST, "/api/training/ingest", ""), 200);
}

static void a_tail_is_taken_whole(void **state)
{
    struct world *w = *state;
    assert_int_equal(world_get(w, "/api/training/history/a%2Fb/c"), 200);
    assert_string_equal(world_string(w, "sessionId"), "a/b/c");
}

static void a_plain_get_of_the_socket_paths_is_told_what_to_do(void **state)
{
    struct world *w = *state;
    assert_int_equal(world_get(w, "/ws"), 426);
    assert_header(w, "Upgrade", "websocket");
}

static void trainer_lines_may_come_as_a_post(void **state)
{
    struct world *w = *state;
    w->req.content_type = SPAN("application/x-ndjson");
    assert_int_equal(world_ask(w, METHOD_POST, "/api/training/ingest",
                               "{\"type\":\"start\",\"sessionId\":\"a\"}\n"
                               "{\"type\":\"progress\",\"seq\":7,\"metrics\":{\"loss\":1}}\n"),
                     200);
    assert_int_equal(world_number(w, "accepted"), 2);
    assert_int_equal(world_number(w, "lastSeq"), 7);
    assert_int_equal(world_get(w, "/api/training/metrics/a"), 200);
}

/* Each allocation of an answer fails in turn: the answer is then whole or a 503, and the next is as
 * if nothing had been. */
static void no_answer_dies_of_a_failed_allocation(void **state)
{
    static const char *const targets[] = {
        "/api/training/sessions",
        "/api/training/status/a",
        "/api/training/metrics/a",
        "/api/training/metrics/a?form=compat",
        "/api/training/history/a",
        "/api/training/history/a?points=8&fields=loss,acc",
        "/api/training/history/a?format=csv",
        "/api/training/history/a?format=ndjson&from=3",
        "/api/training/stats",
        "/health",
        "/metrics",
        "/api/progress/a",
        "/",
        "/nothing",
    };
    struct world *w = *state;
    char line[128];
    world_line(w, "{\"type\":\"start\",\"sessionId\":\"a\"}");
    for (int i = 0; i < 50; i++) {
        (void)snprintf(line, sizeof(line),
                       "{\"type\":\"progress\",\"metrics\":{\"loss\":%d,\"step\":%d,\"acc\":1}}",
                       50 - i, i);
        world_line(w, line);
    }
    assert_int_equal(buf_reserve(&w->out, 1 << 16), OK);
    w->req.accept_gzip = true;
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        int whole = world_get(w, targets[i]);
        for (size_t n = 1; oom_sweeps(n); n++) {
            buf_fini(&w->reply.body);
            buf_fini(&w->reply.packed);
            int status = world_get(w, targets[i]);
            if (status != whole && status != 503)
                fail_msg("%s gave %d at allocation %zu", targets[i], status, n);
        }
        assert_int_equal(world_get(w, targets[i]), whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(an_unknown_path_is_a_404_in_json),
        WORLD_TEST(every_row_of_the_tables_is_complete),
        WORLD_TEST(a_method_that_no_row_has_is_a_405_with_allow),
        WORLD_TEST(allow_names_all_methods_of_a_path),
        WORLD_TEST(a_preflight_is_answered_for_every_row),
        WORLD_TEST(head_follows_get_on_every_row),
        WORLD_TEST(an_id_is_one_segment_that_is_not_empty),
        WORLD_TEST(a_missing_or_odd_host_is_a_400),
        WORLD_TEST(on_loopback_a_foreign_host_is_misdirected),
        WORLD_TEST(a_page_of_a_foreign_origin_may_not_write),
        WORLD_TEST(an_encoded_body_is_refused),
        WORLD_TEST(a_tail_is_taken_whole),
        WORLD_TEST(a_plain_get_of_the_socket_paths_is_told_what_to_do),
        WORLD_TEST(trainer_lines_may_come_as_a_post),
        WORLD_TEST(no_answer_dies_of_a_failed_allocation),
    };
    return cmocka_run_group_tests_name("http/router", tests, NULL, NULL);
}
