/* SPDX-License-Identifier: MIT */
/*
 * histories: runs whose history is asked for over HTTP, and looks at the answer.
 */
#ifndef TESTS_STREAMD_HISTORIES_H
#define TESTS_STREAMD_HISTORIES_H

#include "streamd/http/history.h"
#include "tests/support/http_world.h"

static inline int history_setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    world_config(w);
    world_open_with(w, store_memory_create());
    *state = w;
    return 0;
}

static inline void start(struct world *w, const char *id)
{
    char line[128];
    (void)snprintf(line, sizeof(line), "{\"type\":\"start\",\"sessionId\":\"%s\"}", id);
    world_line(w, line);
}

/* One record of the session started last; `metrics` is the inside of the object. */
static inline void record(struct world *w, const char *metrics)
{
    char line[1024];
    (void)snprintf(line, sizeof(line), "{\"type\":\"progress\",\"metrics\":{%s}}", metrics);
    world_line(w, line);
    world_pass(w, 0.01);
}

/* Records with step first .. first + count - 1 and loss 1000 - step. */
static inline void record_steps(struct world *w, int first, int count)
{
    char metrics[64];
    for (int step = first; step < first + count; step++) {
        (void)snprintf(metrics, sizeof(metrics), "\"step\":%d,\"loss\":%d", step, 1000 - step);
        record(w, metrics);
    }
}

static inline int size(const struct world *w)
{
    return cJSON_GetArraySize(world_at(w, "data"));
}

static inline double value_at(const struct world *w, int index, const char *name)
{
    const cJSON *entry = cJSON_GetArrayItem(world_at(w, "data"), index);
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(entry, name);
    assert_true(cJSON_IsNumber(value));
    return value->valuedouble;
}

static inline bool has_at(const struct world *w, int index, const char *name)
{
    const cJSON *entry = cJSON_GetArrayItem(world_at(w, "data"), index);
    assert_non_null(entry);
    return cJSON_GetObjectItemCaseSensitive(entry, name) != NULL;
}

static inline int get(struct world *w, const char *query)
{
    char target[1024];
    (void)snprintf(target, sizeof(target), "/api/training/history/a%s", query);
    return world_get(w, target);
}

/* `want` with the epoch in the place of %s. */
static inline void assert_body(const struct world *w, const char *want)
{
    char text[512];
    const char *at = strstr(want, "%s");
    (void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - want), want, w->app->registry.epoch,
                   at + 2);
    assert_true(span_is(w->body, text));
}

#define HISTORY_TEST(test) cmocka_unit_test_setup_teardown(test, history_setup, world_teardown)

#endif
