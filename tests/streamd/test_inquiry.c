/* SPDX-License-Identifier: MIT */
/* What is read back before it is answered, and what may have become of it until then. */
#include "streamd/http/inquiry.h"

#include "streamd/session/interpreter.h"
#include "tests/streamd/agents.h"

static struct session *run_of(struct world *w, const char *id)
{
    return registry_find(&w->app->registry, span_of(id));
}

/* A run whose interpreter made room for others. */
static void learned(struct world *w, const char *id)
{
    starts(w, id, "{}");
    learns(w, id, 12, 0.5);
}

static void forget(struct world *w)
{
    registry_remove(&w->app->registry, run_of(w, "b"));
}

static void how_a_run_ended_is_known_after_it_was_read_back(void **state)
{
    struct world *w = *state;
    learned(w, "a");
    learned(w, "b");
    world_line(w, "{\"type\":\"complete\",\"sessionId\":\"a\"}");
    world_line(w, "{\"type\":\"fail\",\"sessionId\":\"b\",\"error\":\"out of luck\"}");
    interpreter_forget(run_of(w, "a"));
    interpreter_forget(run_of(w, "b"));
    assert_int_equal(world_get(w, "/api/training/insight/a"), 200);
    assert_string_equal(world_string(w, "data.phase"), "CONVERGED");
    assert_int_equal(world_get(w, "/api/training/insight/b"), 200);
    assert_string_equal(world_string(w, "data.phase"), "CRASHED");
    assert_string_equal(world_string(w, "data.reason"), "out of luck");
}

static void a_run_that_is_deleted_while_it_is_read_is_not_found(void **state)
{
    static const char *const asked[] = {"/api/training/insight/b", "/api/training/compare?ids=a,b",
                                        "/api/training/compare?ids=b,a",
                                        "/api/v1/operations/b/metrics"};
    struct world *w = *state;
    w->config.max_history_records = 8;
    learned(w, "a");
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        learned(w, "b");
        interpreter_forget(run_of(w, "b"));
        w->meanwhile = forget;
        if (world_get(w, asked[i]) != 404)
            fail_msg("%s gave %d", asked[i], w->status);
    }
    learned(w, "b");
    w->meanwhile = forget;
    is_refused(w, "get_metrics", "{\"session_id\":\"b\"}", "has been deleted meanwhile");
}

static void speak(struct world *w)
{
    says_epoch(w, "b", 12, 0.4, 0.5);
}

static void a_run_that_speaks_while_it_is_read_is_told_as_it_is_known(void **state)
{
    struct world *w = *state;
    learned(w, "b");
    interpreter_forget(run_of(w, "b"));
    w->meanwhile = speak;
    assert_int_equal(world_get(w, "/api/training/insight/b"), 200);
    assert_true(
        cJSON_IsTrue(world_at(w, "data.partial"))); /* what it had said has its own reading */
    assert_int_equal(world_number(w, "data.evaluations"), 1);
}

/* Such a disk lacks what was said last. */
static void what_a_run_means_is_not_read_from_a_disk_in_trouble(void **state)
{
    struct world *w = *state;
    learned(w, "a");
    interpreter_forget(run_of(w, "a"));
    w->app->registry.keeping.troubled = true;
    assert_int_equal(world_get(w, "/api/training/insight/a"), 200);
    assert_null(run_of(w, "a")->interpreter);
    w->app->registry.keeping.troubled = false;
    assert_int_equal(world_get(w, "/api/training/insight/a"), 200);
    assert_int_equal(world_number(w, "data.evaluations"), 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        AGENT_TEST(how_a_run_ended_is_known_after_it_was_read_back),
        AGENT_TEST(a_run_that_is_deleted_while_it_is_read_is_not_found),
        AGENT_TEST(a_run_that_speaks_while_it_is_read_is_told_as_it_is_known),
        AGENT_TEST(what_a_run_means_is_not_read_from_a_disk_in_trouble),
    };
    return cmocka_run_group_tests_name("http/inquiry", tests, NULL, NULL);
}
