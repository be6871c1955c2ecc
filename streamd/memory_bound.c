/* SPDX-License-Identifier: MIT */
#include "streamd/memory_bound.h"

#include "streamd/ingest/feed.h"
#include "streamd/ingest/trainer.h"
#include "streamd/log.h"
#include "streamd/mcp/mcp.h"
#include "streamd/room/subscriber.h"
#include "streamd/session/bulletin.h"
#include "streamd/session/interpreter.h"
#include "streamd/session/journal.h"
#include "streamd/session/orders.h"
#include "streamd/session/series.h"
#include "streamd/store/store_sqlite.h"

#include <inttypes.h>

_Static_assert(sizeof(struct outbox_entry) <= RING_ENTRY_BYTES, "an outbox may hold more");
_Static_assert(sizeof(struct membership) + sizeof(struct stream) <= MEMBERSHIP_BYTES,
               "a membership may hold more");
_Static_assert(sizeof(struct interpreter) <= INSIGHT_BYTES, "an insight may hold more");
_Static_assert(SESSION_BYTES >= 16 * LINE_BYTES_MAX, "a session may hold more");
_Static_assert(PIPE_BYTES >= 2 * MCP_MESSAGE_MAX, "a pipe may hold more");
_Static_assert(CACHE_BYTES >= STORE_CACHE_KIB * 1024 / 16 * 17,
               "the database's cache may hold more");
_Static_assert(EVENTS_BYTES >= JOURNAL_BYTES_MAX + ORDERS_MAX * ORDER_BYTES_MAX +
                                   (BULLETIN_NEWS_MAX + BULLETIN_EPOCHS_MAX) *
                                       (BULLETIN_TEXT_MAX + BULLETIN_DATA_MAX + 512),
               "events may take more");

struct memory_bound memory_bound(const struct config *config)
{
    const uint64_t max_connections = config->max_connections;
    const uint64_t max_payload = config->max_payload;
    const uint64_t max_outbox_bytes = config->max_outbox_bytes;
    const uint64_t max_outbox_messages = config->max_outbox_messages;
    const uint64_t max_rooms_per_peer = config->max_rooms_per_peer;
    const uint64_t max_recoveries = config->max_recoveries;
    const uint64_t max_trail = config->recovery_ms > 0 ? config->max_trail : 0;
    const uint64_t max_trainers = config->max_trainers;
    const uint64_t max_line = config->max_line;
    const uint64_t max_history_bytes = config->max_history_bytes;
    const uint64_t max_unkept_bytes = config->max_unkept_bytes;
    const uint64_t max_sessions = config->max_sessions;
    const uint64_t max_insights = config->max_insights;
    const uint64_t mcp_max_sessions = config->mcp_max_sessions;
    const uint64_t mcp_max_replay_bytes = config->mcp_max_replay_bytes;
    const uint64_t mcp_max_calls = config->mcp_max_calls;
    struct memory_bound bound = {0};
#define MEMORY_RECKON(name, formula, help)                                                         \
    bound.name = (formula);                                                                        \
    bound.total += bound.name;
    MEMORY_TABLE(MEMORY_RECKON)
#undef MEMORY_RECKON
    return bound;
}

void memory_bound_log(const struct memory_bound *bound)
{
#define MEMORY_FORMAT(name, formula, help) " " #name "=%" PRIu64
#define MEMORY_VALUE(name, formula, help) , bound->name
    log_info("memory", "peers can make it hold bytes=%" PRIu64 MEMORY_TABLE(MEMORY_FORMAT),
             bound->total MEMORY_TABLE(MEMORY_VALUE));
#undef MEMORY_FORMAT
#undef MEMORY_VALUE
}
