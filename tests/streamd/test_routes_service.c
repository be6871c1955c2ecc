/* SPDX-License-Identifier: MIT */
#include "tests/support/http_world.h"

#include "streamd/memory_bound.h"

#include <math.h>

static void health_says_healthy_until_the_daemon_drains(void **state)
{
    struct world *w = *state;
    world_pass(w, 12.5);
    assert_int_equal(world_get(w, "/health"), 200);
    assert_string_equal(world_string(w, "status"), "healthy");
    assert_string_equal(world_string(w, "version"), STREAMD_VERSION);
    assert_string_equal(world_string(w, "store"), "memory");
    assert_true(world_number(w, "uptime_s") == 12.5);
    assert_true(world_number(w, "timestamp") == w->now.wall_s);
    assert_int_equal(world_number(w, "sessions"), 0);
    w->app->peers.draining = true;
    assert_int_equal(world_get(w, "/health"), 503);
    assert_string_equal(world_string(w, "status"), "draining");
}

static void stats_have_the_names_of_the_contract(void **state)
{
    static const char *const numbers[] = {
        "sessions_created",
        "total_metrics_processed",
        "transformations_successful",
        "websocket_messages_sent",
        "errors_encountered",
        "active_sessions",
        "compatibility_stats.transformations_cached",
        "compatibility_stats.validation_rules_count",
        "performance_stats.max_update_rate",
        "performance_stats.buffered_sessions",
        "performance_stats.metrics_per_s",
        "performance_stats.error_rate",
        "performance_stats.memory_bytes",
        "performance_stats.loop_held_p99_us",
        "performance_stats.loop_held_max_us",
        "network_stats.bytes_before_compression",
        "network_stats.bytes_after_compression",
        "dropped_stats.lines_truncated",
        "dropped_stats.values_ignored",
        "dropped_stats.records_shed",
        "dropped_stats.messages_superseded",
        NULL,
    };
    struct world *w = *state;
    char path[128];
    assert_int_equal(world_get(w, "/api/training/stats"), 200);
    for (const char *const *number = numbers; *number; number++) {
        (void)snprintf(path, sizeof(path), "data.%s", *number);
        (void)world_number(w, path);
    }
    assert_true(cJSON_IsTrue(world_at(w, "data.compatibility_stats.fallback_available")));
    assert_true(cJSON_IsArray(world_at(w, "data.compatibility_stats.supported_formats")));
    assert_true(cJSON_IsTrue(world_at(w, "data.performance_stats.throttling_enabled")));
    assert_int_equal(world_number(w, "data.compatibility_stats.validation_rules_count"), 11);
    assert_int_equal(world_number(w, "data.performance_stats.max_update_rate"), 10);
    assert_true(world_number(w, "data.performance_stats.memory_bytes") > 1e6);
}

static void stats_count_what_trainers_send(void **state)
{
    struct world *w = *state;
    struct line_error error;
    world_line(w, "{\"type\":\"start\",\"sessionId\":\"a\"}");
    world_line(w, "{\"type\":\"start\",\"sessionId\":\"b\"}");
    for (int i = 0; i < 8; i++) {
        world_line(w, "{\"type\":\"progress\",\"metrics\":{\"loss\":1}}");
        world_pass(w, 0.001);
    }
    app_enter(w->app, w->now);
    assert_int_equal(intake_line(&w->intake, SPAN("hello"), w->now, &error), E_MALFORMED);
    app_leave(w->app);
    (void)world_get(w, "/api/training/stats");
    assert_int_equal(world_number(w, "data.sessions_created"), 2);
    assert_int_equal(world_number(w, "data.active_sessions"), 2);
    assert_int_equal(world_number(w, "data.total_metrics_processed"), 8);
    assert_int_equal(world_number(w, "data.dropped_stats.lines_rejected"), 1);
    assert_int_equal(world_number(w, "data.performance_stats.buffered_sessions"), 1);
    assert_true(world_number(w, "data.performance_stats.metrics_per_s") == 1000);
    assert_true(fabs(world_number(w, "data.performance_stats.error_rate") - 1.0 / 11) < 1e-5);
}

static void stats_count_the_transformations_that_are_kept(void **state)
{
    struct world *w = *state;
    world_line(w, "{\"type\":\"start\",\"sessionId\":\"a\"}");
    world_line(w, "{\"type\":\"progress\",\"metrics\":{\"loss\":1}}");
    world_line(w, "{\"type\":\"start\",\"sessionId\":\"b\"}");
    (void)world_get(w, "/api/training/stats");
    double before = world_number(w, "data.transformations_successful");
    (void)world_get(w, "/api/training/metrics/a");
    (void)world_get(w, "/api/training/metrics/a");
    (void)world_get(w, "/api/training/status/a");
    (void)world_get(w, "/api/training/stats");
    assert_int_equal(world_number(w, "data.compatibility_stats.transformations_cached"), 1);
    assert_true(world_number(w, "data.transformations_successful") - before <= 1);
}

static double transformations_kept(struct world *w)
{
    (void)world_get(w, "/api/training/stats");
    return world_number(w, "data.compatibility_stats.transformations_cached");
}

static void a_transformation_is_made_again_for_new_data_and_goes_with_the_run(void **state)
{
    struct world *w = *state;
    world_line(w, "{\"type\":\"start\",\"sessionId\":\"a\"}");
    world_line(w, "{\"type\":\"progress\",\"metrics\":{\"loss\":1}}");
    (void)world_get(w, "/api/training/metrics/a");
    world_line(w, "{\"type\":\"progress\",\"metrics\":{\"loss\":0.5}}");
    (void)world_get(w, "/api/training/metrics/a");
    assert_true(world_number(w, "data.loss") == 0.5);
    assert_int_equal(transformations_kept(w), 1);
    world_pass(w, 5 * 3600);
    assert_int_equal(transformations_kept(w), 0);
}

static void stats_show_what_compression_saves(void **state)
{
    struct world *w = *state;
    char id[64];
    for (int i = 0; i < 50; i++) {
        (void)snprintf(id, sizeof(id), "{\"type\":\"start\",\"sessionId\":\"run-%d\"}", i);
        world_line(w, id);
    }
    w->req.accept_gzip = true;
    (void)world_get(w, "/api/training/sessions");
    size_t plain = w->reply.body.len;
    size_t wire = w->body.len;
    w->req.accept_gzip = false;
    (void)world_get(w, "/api/training/stats");
    assert_int_equal(world_number(w, "data.network_stats.http_bytes_plain"), plain);
    assert_int_equal(world_number(w, "data.network_stats.http_bytes_wire"), wire);
    assert_true(wire * 3 < plain);
}

/* The value of a sample in Prometheus text; NaN when there is none. */
static double sample(const struct world *w, const char *name)
{
    struct span rest = w->body;
    while (rest.ptr) {
        struct span line = span_cut(&rest, '\n');
        struct span label = span_cut(&line, ' ');
        if (span_is(label, name))
            return strtod(line.ptr, NULL);
    }
    return NAN;
}

static void every_counter_is_exposed_with_help_and_type(void **state)
{
    struct world *w = *state;
    world_line(w, "{\"type\":\"start\",\"sessionId\":\"a\"}");
    assert_int_equal(world_get(w, "/metrics"), 200);
    assert_header(w, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
#define HAS_SAMPLE(name, help)                                                                     \
    assert_non_null(memmem(w->body.ptr, w->body.len, "# HELP streamd_" #name " " help "\n",        \
                           strlen("# HELP streamd_" #name " " help "\n")));                        \
    assert_true(sample(w, "streamd_" #name) >= 0);
    STATS_TABLE(HAS_SAMPLE, HAS_SAMPLE)
#undef HAS_SAMPLE
    assert_true(sample(w, "streamd_sessions_created") == 1);
    assert_true(sample(w, "streamd_resident_bytes") > 1e6);
    assert_true(sample(w, "streamd_uptime_seconds") >= 0);
}

static void the_exposition_is_well_formed(void **state)
{
    struct world *w = *state;
    (void)world_get(w, "/metrics");
    assert_int_equal(w->body.ptr[w->body.len - 1], '\n');
    struct span rest = {w->body.ptr, w->body.len - 1};
    for (int line_number = 0; rest.ptr; line_number++) {
        struct span line = span_cut(&rest, '\n');
        static const char *const starts[] = {"# HELP streamd_", "# TYPE streamd_", "streamd_"};
        assert_true(span_starts(line, span_of(starts[line_number % 3])));
    }
}

static void stats_say_what_peers_can_make_it_hold(void **state)
{
    struct world *w = *state;
    w->config.max_history_bytes = 12345678;
    (void)world_get(w, "/api/training/stats");
    struct memory_bound bound = memory_bound(&w->config);
    assert_int_equal(world_number(w, "data.memory_bound.history"), 12345678);
    assert_int_equal(world_number(w, "data.memory_bound.trainers"), bound.trainers);
    assert_true(world_number(w, "data.memory_bound.total") == (double)bound.total);
}

static void how_long_wake_ups_held_the_loop_is_told_in_both(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 200; i++) {
        app_enter(w->app, w->now);
        app_leave(w->app);
        app_left(w->app, w->now.us + (i < 199 ? 5 : 800));
    }
    (void)world_get(w, "/metrics");
    assert_true(sample(w, "streamd_loop_held_p99_us") == 5);
    assert_true(sample(w, "streamd_loop_held_max_us") == 800);
    (void)world_get(w, "/api/training/stats");
    assert_int_equal(world_number(w, "data.performance_stats.loop_held_p99_us"), 5);
    assert_int_equal(world_number(w, "data.performance_stats.loop_held_max_us"), 800);
    world_pass(w, 61);
    (void)world_get(w, "/metrics");
    assert_true(sample(w, "streamd_loop_held_max_us") == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(health_says_healthy_until_the_daemon_drains),
        WORLD_TEST(stats_have_the_names_of_the_contract),
        WORLD_TEST(stats_count_what_trainers_send),
        WORLD_TEST(stats_count_the_transformations_that_are_kept),
        WORLD_TEST(a_transformation_is_made_again_for_new_data_and_goes_with_the_run),
        WORLD_TEST(stats_show_what_compression_saves),
        WORLD_TEST(every_counter_is_exposed_with_help_and_type),
        WORLD_TEST(the_exposition_is_well_formed),
        WORLD_TEST(stats_say_what_peers_can_make_it_hold),
        WORLD_TEST(how_long_wake_ups_held_the_loop_is_told_in_both),
    };
    return cmocka_run_group_tests_name("http/routes_service", tests, NULL, NULL);
}
