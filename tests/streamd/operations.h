/* SPDX-License-Identifier: MIT */
/*
 * operations: an app that is asked through the operations API.
 */
#ifndef TESTS_STREAMD_OPERATIONS_H
#define TESTS_STREAMD_OPERATIONS_H

#include "tests/streamd/runs.h"

#define AT "/api/v1/operations"

/* With a store, and a memory of eight records. */
static inline int setup_archived(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    world_config(w);
    w->config.max_history_records = 8;
    world_open_with(w, store_memory_create());
    *state = w;
    return 0;
}

static inline int post(struct world *w, const char *path, const char *body)
{
    return world_ask(w, METHOD_POST, path, body);
}

static inline void begin(struct world *w, const char *body)
{
    assert_int_equal(post(w, AT, body), 200);
}

static inline void add_epoch(struct world *w, const char *id, int epoch, double train, double val)
{
    char path[128];
    char body[256];
    (void)snprintf(path, sizeof(path), AT "/%s/metrics", id);
    (void)snprintf(body, sizeof(body), "{\"epoch\":%d,\"train_loss\":%.17g,\"val_loss\":%.17g}",
                   epoch, train, val);
    assert_int_equal(post(w, path, body), 200);
}

static inline const cJSON *item(const struct world *w, const char *path, int index,
                                const char *name)
{
    const cJSON *at = cJSON_GetArrayItem(world_at(w, path), index);
    if (!at)
        fail_msg("no %s[%d] in %.*s", path, index, (int)w->body.len, w->body.ptr);
    return cJSON_GetObjectItemCaseSensitive(at, name);
}

static inline int epochs_shown(const struct world *w)
{
    return cJSON_GetArraySize(world_at(w, "data.metrics.epochs"));
}

static inline void assert_detail(const struct world *w, const char *detail)
{
    assert_string_equal(world_string(w, "detail"), detail);
    assert_int_equal(cJSON_GetArraySize(w->json), 1);
}

#define ARCHIVED_TEST(test) cmocka_unit_test_setup_teardown(test, setup_archived, world_teardown)

#endif
