/* SPDX-License-Identifier: MIT */
/*
 * A request of anybody, to a whole app without sockets that has one run: method, path and query,
 * a few headers, a body. Whatever they are, the answer is one that a route has reason to give, its
 * head is lines without control characters, its length is that of its body, and what is called JSON
 * is JSON. Time passes then, so that what waits (a long poll, an agent) comes to its end, and the
 * client hangs up.
 */
#include "proto/json_scan.h"
#include "streamd/store/store_memory.h"
#include "streamd/transport/front.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/http_world.h"

enum { PATIENCE_S = 60 };

static const enum method methods[] = {METHOD_GET,  METHOD_POST,    METHOD_DELETE, METHOD_PATCH,
                                      METHOD_HEAD, METHOD_OPTIONS, METHOD_PUT};
static const int statuses[] = {200, 202, 204, 304, 400, 401, 403, 404, 405, 406,
                               409, 411, 413, 415, 421, 422, 429, 501, 503};

static struct request taken(struct world *w, struct span *rest, bool *out_sensible)
{
    static const char *const types[] = {"application/json", "application/x-ndjson", "text/plain",
                                        ""};
    unsigned how = take_byte(rest);
    unsigned also = take_byte(rest);
    *out_sensible =
        world_aim(w, span_cut(rest, '\n')) && w->req.path.len > 0 && w->req.path.ptr[0] == '/';
    w->req.method = methods[how % (sizeof(methods) / sizeof(methods[0]))];
    w->req.is_1_1 = !(how & 8);
    w->req.accept_gzip = how & 16;
    w->req.remote = how & 32;
    w->req.content_type = span_of(types[also & 3]);
    struct span *const may_be[] = {&w->req.origin,         &w->req.if_none_match,
                                   &w->req.accept,         &w->req.last_event_id,
                                   &w->req.mcp_session_id, &w->req.mcp_protocol_version,
                                   &w->req.mcp_method,     &w->req.mcp_name};
    for (unsigned i = 0; i < 2 && also & 4U << i; i++)
        *may_be[(also >> 4) % 8 ^ i] = span_cut(rest, '\n');
    w->req.body =
        rest->ptr && w->req.method & ~(unsigned)(METHOD_GET | METHOD_HEAD | METHOD_OPTIONS)
            ? *rest
            : SPAN("");
    w->req.now = w->now;
    return w->req;
}

/* Wake-ups, a second apart, until nothing is awaited or patience is over. */
static void pass(struct world *w, struct conn *conn)
{
    for (int second = 0; second < PATIENCE_S && conn->link && conn->awaits; second++) {
        app_enter(w->app, w->now);
        app_receive(w->app);
        while (conn_ready(conn))
            conn_step(conn);
        app_leave(w->app);
        w->now.us += 1000000;
        w->now.wall_s += 1;
    }
}

static bool is_known(int status)
{
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        if (statuses[i] == status)
            return true;
    }
    return false;
}

static void check_head(struct span head)
{
    struct span rest = head;
    CHECK(head.len > 4);
    for (unsigned n = 0; rest.len > 0; n++) {
        struct span line = span_cut(&rest, '\n');
        CHECK(line.len > 0 && line.ptr[line.len - 1] == '\r');
        line.len--;
        for (size_t i = 0; i < line.len; i++)
            CHECK((unsigned char)line.ptr[i] >= 0x20 && line.ptr[i] != 0x7f);
        CHECK(n == 0 || line.len == 0 || memchr(line.ptr, ':', line.len));
    }
}

/* A body that is announced whole has just come, with nothing behind it. */
static void check_body(const struct world *w, struct span body)
{
    struct span length = world_header(w, "Content-Length");
    struct span type = world_header(w, "Content-Type");
    uint64_t bytes = 0;
    bool bare = w->req.method == METHOD_HEAD || w->status == 204 || w->status == 304;
    CHECK(!bare || body.len == 0);
    CHECK(w->status != 405 || world_header(w, "Allow").ptr);
    if (bare || !length.ptr)
        return;
    CHECK(span_u64(length, &bytes) && bytes == body.len);
    if (span_starts(type, SPAN("application/json")) && !world_header(w, "Content-Encoding").ptr)
        CHECK(json_check(body, JSON_STRICT, NULL) == OK);
}

/* What comes over a connection ends without a NUL. */
static bool read_status(struct span head, int *out)
{
    const struct span version = SPAN("HTTP/1.1 ");
    uint64_t status = 0;
    bool good = span_starts(head, version) && head.len > version.len + 3 &&
                span_u64((struct span){head.ptr + version.len, 3}, &status);
    *out = (int)status;
    return good;
}

static void check_answer(struct world *w, struct span wire)
{
    const char *end = memmem(wire.ptr, wire.len, "\r\n\r\n", 4);
    CHECK(end);
    w->head = (struct span){wire.ptr, (size_t)(end - wire.ptr) + 4};
    check_head(w->head);
    CHECK(read_status(w->head, &w->status) && is_known(w->status));
    check_body(w, (struct span){end + 4, wire.len - w->head.len});
}

static void ask(struct world *w, struct request req)
{
    struct conn *conn = conn_open(w->app, SIZE_MAX);
    conn->awaits = true;
    app_enter(w->app, w->now);
    front_request_begins(conn->link, &req);
    front_request(conn->link, &req);
    app_leave(w->app);
    pass(w, conn);
    if (conn->wire.len > 0)
        check_answer(w, buf_span(&conn->wire));
    app_enter(w->app, w->now);
    conn_hang_up(conn);
    app_leave(w->app);
    conn_destroy(conn);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static struct world w;
    struct span rest = {(const char *)data, size};
    bool sensible;
    w = (struct world){.app = NULL};
    world_config(&w);
    world_open_with(&w, store_memory_create());
    world_line(&w, "{\"type\":\"start\",\"sessionId\":\"a\",\"config\":{\"lr\":0.1}}");
    world_line(&w, "{\"type\":\"epoch\",\"sessionId\":\"a\",\"metrics\":{\"epoch\":1,\"loss\":1}}");
    world_line(&w, "{\"type\":\"complete\",\"sessionId\":\"a\"}");
    struct request req = taken(&w, &rest, &sensible);
    if (sensible)
        ask(&w, req);
    world_close(&w);
    return 0;
}
