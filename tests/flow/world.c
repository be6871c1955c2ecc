/* SPDX-License-Identifier: MIT */
#include "tests/flow/world.h"

#include "streamd/log.h"
#include "streamd/options.h"
#include "streamd/room/outlet.h"
#include "tests/flow/client.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum {
    ROUNDS_MAX = 100000, /* a world that does not settle is a bug */
    ANSWERS_LIMIT = 1 << 20,
};

struct world *world_create(void)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    log_set_level(LOG_ERROR);
    options_defaults(&w->config);
    w->config.max_insights = 0; /* what a run means is told in test_insight.c alone */
    w->config.log_level = LOG_ERROR;
    w->config.listen[0] = "127.0.0.1:5001";
    w->config.listen_count = 1;
    w->config.ephemeral = true;
    w->config.commit_interval_ms = 0; /* what is said in a wake-up is kept at its end */
    lasting_store_init(&w->disk);
    w->window = SIZE_MAX;
    w->now = (struct now){.us = UINT64_C(1000) * SECOND, .wall_s = 1700000000};
    return w;
}

void world_begin(struct world *w)
{
    w->app = app_create(
        &(struct app_params){.config = &w->config, .store = &w->disk.base, .inline_store = true},
        w->now);
    assert_non_null(w->app);
    w->outlet = fake_outlet_create();
    hub_set_outlet(&w->app->hub, w->outlet, &w->app->encoder.chain);
    buf_init(&w->answers, ANSWERS_LIMIT);
    intake_init(&w->trainer, &w->app->registry, &w->app->decoder, &w->answers);
}

void world_ends(struct world *w)
{
    w->keeps_still = true;
    for (size_t i = 0; i < w->client_count; i++) {
        client_leaves(w->clients[i]);
        w->clients[i]->polls_on = false;
    }
    w->keeps_still = false;
    assert_int_equal(w->app->stats.connections, 0);
    intake_fini(&w->trainer);
    buf_fini(&w->answers);
    hub_set_outlet(&w->app->hub, NULL, NULL);
    w->outlet->ops->destroy(w->outlet);
    app_destroy(w->app);
    w->app = NULL;
}

void world_crashes(struct world *w)
{
    w->disk.broken = true;
    world_ends(w);
    w->disk.broken = false;
}

void world_destroy(struct world *w)
{
    if (w->app)
        world_ends(w);
    for (size_t i = 0; i < w->client_count; i++)
        client_destroy(w->clients[i]);
    free(w->clients);
    lasting_store_fini(&w->disk);
    free(w);
}

int world_setup(void **state)
{
    struct world *w = world_create();
    world_begin(w);
    *state = w;
    return 0;
}

int world_teardown(void **state)
{
    world_destroy(*state);
    return 0;
}

/* What a loop does when the store has something to tell. False: it has not. */
static bool receive(struct world *w)
{
    struct pollfd wake = {.fd = w->app->wake_fd, .events = POLLIN};
    if (poll(&wake, 1, 0) <= 0)
        return false;
    world_enter(w);
    app_receive(w->app);
    world_leave(w);
    return true;
}

static void settle(struct world *w)
{
    bool moves = true;
    w->settling = true;
    for (unsigned round = 0; moves; round++) {
        assert_true(round < ROUNDS_MAX);
        moves = receive(w);
        for (size_t i = 0; i < w->client_count; i++)
            moves |= client_react(w->clients[i]);
    }
    w->settling = false;
}

void world_enter(struct world *w)
{
    if (w->awake++ == 0)
        app_enter(w->app, w->now);
}

void world_leave(struct world *w)
{
    assert_true(w->awake > 0);
    if (--w->awake > 0)
        return;
    app_leave(w->app);
    if (!w->settling && !w->keeps_still)
        settle(w);
}

void world_pass(struct world *w, uint64_t us)
{
    w->now.us += us;
    w->now.wall_s += (double)us * 1e-6;
}

void world_jump(struct world *w, uint64_t us)
{
    world_pass(w, us);
    world_enter(w);
    world_leave(w);
}

void world_advance(struct world *w, uint64_t us)
{
    uint64_t end_us = w->now.us + us;
    uint64_t next_us;
    while ((next_us = app_next_us(w->app)) < end_us)
        world_jump(w, next_us > w->now.us ? next_us - w->now.us : 0);
    world_jump(w, end_us - w->now.us);
}

void trainer_says(struct world *w, const char *line)
{
    struct line_error error = {"", "", 0};
    buf_reset(&w->answers);
    world_enter(w);
    if (intake_line(&w->trainer, span_of(line), w->now, &error) != OK)
        fail_msg("%s at %zu: %s", error.why, error.at, line);
    world_leave(w);
}

void trainer_starts(struct world *w, const char *id)
{
    char line[256];
    (void)snprintf(line, sizeof(line), "{\"type\":\"start\",\"sessionId\":\"%s\"}", id);
    trainer_says(w, line);
}

void trainer_logs(struct world *w, const char *id, unsigned step)
{
    char line[256];
    (void)snprintf(line, sizeof(line),
                   "{\"type\":\"progress\",\"sessionId\":\"%s\",\"metrics\":"
                   "{\"step\":%u,\"loss\":%.3f}}",
                   id, step, 2.0 / (1 + step));
    trainer_says(w, line);
}

void trainer_ends_model(struct world *w, const char *id, unsigned index)
{
    char line[256];
    (void)snprintf(line, sizeof(line),
                   "{\"type\":\"model_completed\",\"sessionId\":\"%s\",\"modelIndex\":%u}", id,
                   index);
    trainer_says(w, line);
}

void trainer_completes(struct world *w, const char *id)
{
    char line[256];
    (void)snprintf(line, sizeof(line), "{\"type\":\"complete\",\"sessionId\":\"%s\"}", id);
    trainer_says(w, line);
}

struct session *world_session(struct world *w, const char *id)
{
    struct session *s = registry_find(&w->app->registry, span_of(id));
    assert_non_null(s);
    return s;
}
