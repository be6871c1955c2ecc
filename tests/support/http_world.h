/* SPDX-License-Identifier: MIT */
/*
 * http_world: a whole app without sockets, asked over HTTP.
 *
 * world_line feeds trainer lines as a connection would, world_ask goes through router and
 * reply_render and leaves the answer's parts in the world. Time stands still until a test moves
 * `now`. What `meanwhile` does happens once, while an answer is awaited. Anything that cannot go on
 * ends the test.
 */
#ifndef TESTS_SUPPORT_HTTP_WORLD_H
#define TESTS_SUPPORT_HTTP_WORLD_H

#include "proto/query.h"
#include "streamd/app.h"
#include "streamd/http/router.h"
#include "streamd/ingest/intake.h"
#include "streamd/options.h"
#include "streamd/store/store_memory.h"
#include "streamd/transport/transfer.h"
#include "tests/flow/fake_link.h"
#include "tests/flow/received.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

struct world {
    struct config config;
    struct app *app; /* owns */
    struct now now;
    struct intake intake;
    struct buf answers;
    struct request req;                /* headers set here go with every request */
    void (*meanwhile)(struct world *); /* or NULL */
    struct reply reply;
    struct buf out;
    char path[2048];
    int status;       /* of the last answer */
    struct span head; /* borrows from `out`: status line and headers, the empty line included */
    struct span body; /* borrows from `out` */
    cJSON *json;      /* owns; of the last answer, NULL when it is no JSON */
};

static inline void world_config(struct world *w)
{
    options_defaults(&w->config);
    w->config.log_level = LOG_ERROR;
    log_set_level(LOG_ERROR);
    w->config.listen[0] = "127.0.0.1:5001";
    w->config.listen_count = 1;
    w->config.ephemeral = true;
    w->config.web_dir = NULL;
}

/* The config may be changed between world_config and this. `store` is taken; NULL: there is none.
 */
static inline void world_open_with(struct world *w, struct store *store)
{
    w->now = (struct now){.us = 1000000000, .wall_s = 1700000000.0};
    w->app = app_create(
        &(struct app_params){.config = &w->config, .store = store, .inline_store = true}, w->now);
    assert_non_null(w->app);
    buf_init(&w->answers, 1 << 20);
    buf_init(&w->out, REPLY_BODY_MAX + REPLY_HEAD_MAX);
    reply_init(&w->reply, REPLY_BODY_MAX);
    intake_init(&w->intake, &w->app->registry, &w->app->decoder, &w->answers);
    w->req = (struct request){.host = SPAN("127.0.0.1:5001"), .keep_alive = true};
}

static inline void world_open(struct world *w)
{
    world_open_with(w, NULL);
}

static inline int world_setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    world_config(w);
    world_open(w);
    *state = w;
    return 0;
}

static inline void world_close(struct world *w)
{
    cJSON_Delete(w->json);
    intake_fini(&w->intake);
    buf_fini(&w->answers);
    buf_fini(&w->out);
    reply_fini(&w->reply);
    app_destroy(w->app);
}

static inline int world_teardown(void **state)
{
    world_close(*state);
    free(*state);
    return 0;
}

static inline void world_pass(struct world *w, double seconds)
{
    w->now.us += (uint64_t)(seconds * 1e6);
    w->now.wall_s += seconds;
    app_enter(w->app, w->now);
    app_leave(w->app);
}

static inline void world_line(struct world *w, const char *line)
{
    struct line_error error = {"", "", 0};
    app_enter(w->app, w->now);
    if (intake_line(&w->intake, span_of(line), w->now, &error) != OK)
        fail_msg("%s at %zu: %s", error.why, error.at, line);
    app_leave(w->app);
    buf_reset(&w->answers);
}

/* The value of a header of the last answer; NULL pointer when absent. */
static inline struct span world_header(const struct world *w, const char *name)
{
    struct span rest = w->head;
    size_t len = strlen(name);
    while (rest.ptr) {
        struct span line = span_cut(&rest, '\n');
        if (line.len > len && line.ptr[len] == ':' &&
            span_is_nocase((struct span){line.ptr, len}, name))
            return span_trim((struct span){line.ptr + len + 1, line.len - len - 1});
    }
    return (struct span){NULL, 0};
}

static inline void world_take_answer(struct world *w)
{
    struct span all = buf_span(&w->out);
    const char *end = memmem(all.ptr, all.len, "\r\n\r\n", 4);
    assert_int_equal(buf_status(&w->out), OK);
    assert_non_null(end);
    w->head = (struct span){all.ptr, (size_t)(end - all.ptr) + 4};
    w->body = (struct span){end + 4, all.len - w->head.len};
    assert_int_equal(sscanf(w->head.ptr, "HTTP/1.1 %3d ", &w->status), 1);
    cJSON_Delete(w->json);
    w->json = w->body.len > 0 ? cJSON_ParseWithLength(w->body.ptr, w->body.len) : NULL;
}

/* An answer that comes later: it is waited for on a connection of its own, bound in the wake-up
 * that the request came in. */
static inline void world_await(struct world *w)
{
    struct conn *conn = conn_open(w->app, SIZE_MAX);
    struct http_answer answer;
    conn->awaits = true;
    w->req.is_1_1 = true;
    transfer_bind(w->reply.transfer, conn->link, &w->req);
    void (*meanwhile)(struct world *) = w->meanwhile;
    w->meanwhile = NULL;
    if (meanwhile)
        meanwhile(w);
    app_leave(w->app);
    for (int turn = 0; conn->awaits && conn->link; turn++) {
        assert_true(turn < 1000000);
        app_enter(w->app, w->now);
        app_receive(w->app);
        if (conn_ready(conn))
            conn_step(conn);
        app_leave(w->app);
    }
    if (!http_answer_take(&conn->wire, w->req.method == METHOD_HEAD, &answer))
        fail_msg("no whole answer in %zu bytes", conn->wire.len);
    buf_add_span(&w->out, buf_span(&answer.head));
    buf_add_span(&w->out, buf_span(&answer.body));
    http_answer_fini(&answer);
    app_enter(w->app, w->now);
    conn_hang_up(conn);
    app_leave(w->app);
    conn_destroy(conn);
}

/* `target` is a path, percent-encoded, with its query; false when that cannot be decoded. */
static inline bool world_aim(struct world *w, struct span target)
{
    struct span path = span_cut(&target, '?');
    size_t len;
    if (!url_decode(path, w->path, sizeof(w->path), &len))
        return false;
    w->req.path = (struct span){w->path, len};
    w->req.query = target;
    w->req.tail = (struct span){NULL, 0};
    return true;
}

/* As world_aim. Answers the status. */
static inline int world_ask(struct world *w, enum method method, const char *target,
                            const char *body)
{
    assert_true(world_aim(w, span_of(target)));
    w->req.method = method;
    w->req.body = span_of(body);
    w->req.now = w->now;
    w->req.caller = guard_request(&w->app->guard, &w->req);
    reply_reset(&w->reply);
    buf_reset(&w->out);
    app_enter(w->app, w->now);
    router_answer(w->app, &w->req, &w->reply);
    if (!w->reply.transfer)
        reply_render(&w->reply, &w->req, &w->config, w->app->encoder.deflater, &w->app->stats,
                     &w->out);
    if (w->reply.transfer)
        world_await(w);
    else
        app_leave(w->app);
    world_take_answer(w);
    return w->status;
}

static inline int world_get(struct world *w, const char *target)
{
    return world_ask(w, METHOD_GET, target, "");
}

/* A member of the last answer by a dotted path, as "data.history"; the test ends without it. */
static inline cJSON *world_at(const struct world *w, const char *path)
{
    char copy[256];
    char *rest = copy;
    cJSON *at = w->json;
    (void)snprintf(copy, sizeof(copy), "%s", path);
    for (char *name = strtok_r(rest, ".", &rest); name; name = strtok_r(NULL, ".", &rest)) {
        at = cJSON_GetObjectItemCaseSensitive(at, name);
        if (!at)
            fail_msg("no %s in %.*s", path, (int)w->body.len, w->body.ptr);
    }
    return at;
}

static inline double world_number(const struct world *w, const char *path)
{
    cJSON *at = world_at(w, path);
    assert_true(cJSON_IsNumber(at));
    return at->valuedouble;
}

static inline const char *world_string(const struct world *w, const char *path)
{
    cJSON *at = world_at(w, path);
    assert_true(cJSON_IsString(at));
    return at->valuestring;
}

static inline void assert_header(const struct world *w, const char *name, const char *value)
{
    struct span found = world_header(w, name);
    if (!value && found.ptr)
        fail_msg("%s: %.*s, but it should be absent", name, (int)found.len, found.ptr);
    if (value && !span_is(found, value))
        fail_msg("%s: %.*s, not %s", name, (int)found.len, found.ptr ? found.ptr : "", value);
}

#define WORLD_TEST(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

#endif
