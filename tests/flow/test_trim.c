/* SPDX-License-Identifier: MIT */
/* With --ephemeral all history is in memory, so it has a bound there. */
#include "tests/flow/client.h"
#include "tests/flow/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { BOUND = 1536 * 1024, RECORDS = 200000 };

static struct world *small_world(void)
{
    struct world *w = world_create();
    w->config.max_history_bytes = BOUND;
    w->config.max_history_records = 100;
    world_begin(w);
    return w;
}

/* Losses that no codec makes small. */
static void logs(struct world *w, const char *id, unsigned count)
{
    char line[160];
    uint64_t noise = 1;
    for (unsigned step = 1; step <= count; step++) {
        if (step % 500 == 1)
            world_enter(w);
        noise = noise * UINT64_C(6364136223846793005) + 1442695040888963407U;
        (void)snprintf(line, sizeof(line),
                       "{\"type\":\"progress\",\"sessionId\":\"%s\",\"metrics\":{\"step\":%u,"
                       "\"loss\":%.17g}}",
                       id, step, (double)noise * 0x1p-64);
        trainer_says(w, line);
        if (step % 500 == 0)
            world_leave(w);
    }
}

static void the_longest_run_loses_its_oldest_records(void **state)
{
    (void)state;
    struct world *w = small_world();
    logs(w, "short", 500);
    logs(w, "long", RECORDS);
    const struct session *s = world_session(w, "long");
    assert_true(s->oldest > 1);
    assert_int_equal(world_session(w, "short")->oldest, 0);
    assert_int_equal(series_newest(s->series), RECORDS);
    assert_true(w->app->stats.history_evicted > 0);
    world_destroy(w);
}

static void a_watcher_that_missed_what_is_gone_is_told_so(void **state)
{
    (void)state;
    struct world *w = small_world();
    logs(w, "run", RECORDS);
    const struct session *s = world_session(w, "run");
    struct registry *r = &w->app->registry;
    assert_false(registry_recovers(r, s, SPAN(""), 1));
    assert_false(registry_recovers(r, s, SPAN(""), s->oldest - 2));
    assert_true(registry_recovers(r, s, SPAN(""), s->oldest));
    world_destroy(w);
}

static void a_run_that_has_ended_goes_first(void **state)
{
    (void)state;
    struct world *w = small_world();
    logs(w, "ended", 500);
    trainer_completes(w, "ended");
    logs(w, "run", RECORDS);
    assert_null(registry_find(&w->app->registry, SPAN("ended")));
    assert_non_null(registry_find(&w->app->registry, SPAN("run")));
    world_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_run_loses_its_oldest_records),
        cmocka_unit_test(a_watcher_that_missed_what_is_gone_is_told_so),
        cmocka_unit_test(a_run_that_has_ended_goes_first),
    };
    return cmocka_run_group_tests_name("flow/trim", tests, NULL, NULL);
}
