/* SPDX-License-Identifier: MIT */
/*
 * The daemon about itself: is it alive, what has it done. The names in /api/training/stats are the
 * reference's; everything countable is also in /metrics, whose lines come from the one table of
 * counters, so that a new counter is exposed by being counted.
 */
#include "proto/compat.h"
#include "proto/json_write.h"
#include "streamd/app.h"
#include "streamd/http/openapi.h"
#include "streamd/http/process.h"
#include "streamd/http/router.h"
#include "streamd/memory_bound.h"
#include "streamd/options.h"

static double uptime_s(const struct app *app, const struct request *req)
{
    return (double)(req->now.us - app->started.us) / 1e6;
}

static void answer_health(struct app *app, const struct request *req, struct reply *reply)
{
    const struct stats *stats = &app->stats;
    struct buf *out = &reply->body;
    const struct keeper *keeper = app->registry.keeping.keeper;
    const char *trouble = keeper ? keeper_trouble(keeper) : NULL;
    bool draining = app->peers.draining;
    reply->status = draining || trouble ? 503 : 200;
    buf_add_char(out, '{');
    json_write_pair_string(out, "status",
                           span_of(draining  ? "draining"
                                   : trouble ? "degraded"
                                             : "healthy"));
    json_write_pair_string(out, "version", span_of(STREAMD_VERSION));
    json_write_name(out, "timestamp");
    num_write_rounded(out, req->now.wall_s, 3);
    json_write_name(out, "uptime_s");
    num_write_rounded(out, uptime_s(app, req), 3);
    json_write_pair_string(out, "store", app->config->ephemeral ? SPAN("memory") : SPAN("sqlite"));
    if (trouble)
        json_write_pair_string(out, "store_trouble", span_of(trouble));
    json_write_pair_u64(out, "sessions", stats->sessions_live);
    json_write_pair_u64(out, "watchers", stats->peers);
    json_write_pair_u64(out, "trainers", stats->trainers);
    buf_add_char(out, '}');
}

/* What only a walk over the sessions knows. */
struct tally {
    uint64_t cached;   /* sessions whose newest payload is kept ready */
    uint64_t buffered; /* sessions with an update that waits for the throttle */
};

static struct tally tally_sessions(const struct registry *registry)
{
    struct tally tally = {0, 0};
    LIST_EACH (at, &registry->sessions) {
        const struct session *s = LIST_ENTRY(at, struct session, link);
        tally.cached += s->metrics_cache != NULL;
        tally.buffered += pace_waiting(&s->pace);
    }
    return tally;
}

static void write_compatibility(struct buf *out, const struct tally *tally)
{
    json_write_name(out, "compatibility_stats");
    buf_add_char(out, '{');
    json_write_pair_u64(out, "transformations_cached", tally->cached);
    json_write_pair_u64(out, "validation_rules_count", COMPAT_RULES);
    json_write_pair_bool(out, "fallback_available", true);
    json_write_pair_raw(out, "supported_formats", SPAN("[\"normal\",\"compat\"]"));
    buf_add_char(out, '}');
}

static double share(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

static void write_performance(struct buf *out, const struct app *app, const struct request *req,
                              const struct tally *tally)
{
    const struct stats *stats = &app->stats;
    double uptime = uptime_s(app, req);
    json_write_name(out, "performance_stats");
    buf_add_char(out, '{');
    json_write_pair_bool(out, "throttling_enabled", app->config->throttle);
    json_write_pair_double(out, "max_update_rate", app->config->max_rate);
    json_write_pair_u64(out, "buffered_sessions", tally->buffered);
    json_write_pair_double(out, "uptime_s", uptime);
    json_write_name(out, "metrics_per_s");
    num_write_significant(out, uptime > 0 ? (double)stats->metrics_processed / uptime : 0, 6);
    json_write_name(out, "error_rate");
    num_write_significant(out, share(stats->lines_rejected, stats->lines_received), 6);
    json_write_pair_u64(out, "memory_bytes", process_rss_bytes());
    json_write_pair_u64(out, "history_bytes", stats->history_bytes);
    json_write_pair_u64(out, "loop_held_p99_us", stats->loop_held_p99_us);
    json_write_pair_u64(out, "loop_held_max_us", stats->loop_held_max_us);
    buf_add_char(out, '}');
}

static void write_network(struct buf *out, const struct stats *stats)
{
    uint64_t plain = stats->messages_bytes_plain + stats->http_bytes_plain;
    uint64_t wire = stats->messages_bytes_wire + stats->http_bytes_wire;
    json_write_name(out, "network_stats");
    buf_add_char(out, '{');
    json_write_pair_u64(out, "bytes_before_compression", plain);
    json_write_pair_u64(out, "bytes_after_compression", wire);
    json_write_pair_u64(out, "messages_bytes_plain", stats->messages_bytes_plain);
    json_write_pair_u64(out, "messages_bytes_wire", stats->messages_bytes_wire);
    json_write_pair_u64(out, "http_bytes_plain", stats->http_bytes_plain);
    json_write_pair_u64(out, "http_bytes_wire", stats->http_bytes_wire);
    buf_add_char(out, '}');
}

/* What did not arrive whole: a page that shows numbers says so beside them. */
static void write_dropped(struct buf *out, const struct stats *stats)
{
    json_write_name(out, "dropped_stats");
    buf_add_char(out, '{');
    json_write_pair_u64(out, "lines_rejected", stats->lines_rejected);
    json_write_pair_u64(out, "lines_truncated", stats->lines_truncated);
    json_write_pair_u64(out, "values_ignored", stats->values_ignored);
    json_write_pair_u64(out, "records_shed", stats->records_shed);
    json_write_pair_u64(out, "messages_superseded", stats->messages_superseded);
    buf_add_char(out, '}');
}

/* What peers can make it hold, beside what it holds. */
static void write_memory_bound(struct buf *out, const struct config *config)
{
    struct memory_bound bound = memory_bound(config);
    json_write_name(out, "memory_bound");
    buf_add_char(out, '{');
#define WRITE_BOUND(name, formula, help) json_write_pair_u64(out, #name, bound.name);
    MEMORY_TABLE(WRITE_BOUND)
#undef WRITE_BOUND
    json_write_pair_u64(out, "total", bound.total);
    buf_add_char(out, '}');
}

static void answer_stats(struct app *app, const struct request *req, struct reply *reply)
{
    const struct stats *stats = &app->stats;
    struct tally tally = tally_sessions(&app->registry);
    struct buf *out = &reply->body;
    app_measure(app);
    reply_open_data(reply);
    buf_add_char(out, '{');
    json_write_pair_u64(out, "sessions_created", stats->sessions_created);
    json_write_pair_u64(out, "total_metrics_processed", stats->metrics_processed);
    json_write_pair_u64(out, "transformations_successful", stats->metrics_transformed);
    json_write_pair_u64(out, "websocket_messages_sent", stats->messages_sent);
    json_write_pair_u64(out, "errors_encountered", stats->errors);
    json_write_pair_u64(out, "active_sessions", stats->sessions_live);
    write_compatibility(out, &tally);
    write_performance(out, app, req, &tally);
    write_network(out, stats);
    write_dropped(out, stats);
    write_memory_bound(out, app->config);
    buf_add_char(out, '}');
    reply_close_data(reply);
}

static void expose(struct buf *out, const char *name, const char *type, const char *help)
{
    const char *const parts[] = {"# HELP streamd_",   name, " ", help,
                                 "\n# TYPE streamd_", name, " ", type,
                                 "\nstreamd_",        name, " "};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        buf_add_str(out, parts[i]);
}

static void expose_u64(struct buf *out, const char *name, const char *type, const char *help,
                       uint64_t value)
{
    expose(out, name, type, help);
    buf_add_u64(out, value);
    buf_add_char(out, '\n');
}

static void answer_prometheus(struct app *app, const struct request *req, struct reply *reply)
{
    const struct stats *stats = &app->stats;
    struct buf *out = &reply->body;
    app_measure(app);
    reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
#define EXPOSE_COUNTER(name, help) expose_u64(out, #name, "counter", help, stats->name);
#define EXPOSE_GAUGE(name, help) expose_u64(out, #name, "gauge", help, stats->name);
    STATS_TABLE(EXPOSE_COUNTER, EXPOSE_GAUGE)
#undef EXPOSE_COUNTER
#undef EXPOSE_GAUGE
    expose_u64(out, "log_lines_dropped", "counter", "log lines that could not be written",
               log_dropped());
    expose_u64(out, "resident_bytes", "gauge", "resident memory", process_rss_bytes());
    expose(out, "uptime_seconds", "gauge", "seconds since start");
    num_write_rounded(out, uptime_s(app, req), 3);
    buf_add_char(out, '\n');
}

static void answer_ws(struct app *app, const struct request *req, struct reply *reply)
{
    (void)app;
    (void)req;
    reply_error(reply, 426, "This path speaks WebSocket: ask for an upgrade");
    reply->extra_headers = "Upgrade: websocket\r\n";
}

const struct route routes_service[] = {
    {"/api/training/stats", METHOD_GET, SCOPE_READ, answer_stats,
     "What the daemon has done, in JSON"},
    {"/health", METHOD_GET, SCOPE_PUBLIC, answer_health, "Is the daemon alive and taking work?"},
    {"/metrics", METHOD_GET, SCOPE_READ, answer_prometheus, "Every counter, for Prometheus"},
    {"/openapi.json", METHOD_GET, SCOPE_PUBLIC, openapi_answer, "This table, as OpenAPI"},
    {"/ws", METHOD_GET, SCOPE_PUBLIC, answer_ws, "WebSocket with plain JSON events"},
    {NULL, 0, SCOPE_PUBLIC, NULL, NULL},
};
