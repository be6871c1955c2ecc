/* SPDX-License-Identifier: MIT */
/*
 * memory_bound: how much memory peers can make the daemon hold, by its options.
 *
 * A row is a kind of thing they make it hold, and the formula that is reckoned and that stands in
 * docs/reliability.md, word for word: names in lower case are options, those in capitals the limits
 * of the headers included here. It is the worst case of each kind at once, each peer at all of its
 * limits; what it leaves out is said there, too.
 */
#ifndef STREAMD_MEMORY_BOUND_H
#define STREAMD_MEMORY_BOUND_H

#include "streamd/config.h"

enum {
    CONNECTION_BYTES = 64 << 10, /* structs, ours, lws's and OpenSSL's, and a request's headers */
    RING_ENTRY_BYTES = 16,       /* of an outbox */
    MEMBERSHIP_BYTES = 256,      /* with its stream */
    TRAIL_ENTRY_BYTES = 24,
    SESSION_BYTES = 1 << 20, /* 16 of the longest lines: start, newest record, each form's update */
    INSIGHT_BYTES = 24 << 10,
    EVENTS_BYTES = 80 << 20, /* journal, orders and bulletin, each at its limit */
    PIPE_BYTES = 1280000,    /* of an agent: two answers past its queue's cap */
    CACHE_BYTES = 9 << 20,   /* SQLite's: STORE_CACHE_KIB, the pages' heads, and its own */
};

#define MEMORY_TABLE(ROW)                                                                          \
    ROW(connections,                                                                               \
        (CONNECTION_BYTES + 2 * max_payload + 2 * max_outbox_bytes +                               \
         2 * max_outbox_messages * RING_ENTRY_BYTES + MEMBERSHIP_BYTES * max_rooms_per_peer) *     \
            max_connections,                                                                       \
        "watchers and requests: what comes in, what waits to go out")                              \
    ROW(recoveries, (max_connections + max_recoveries) * max_trail * TRAIL_ENTRY_BYTES,            \
        "what Socket.IO clients were sent, by which they come back")                               \
    ROW(trainers, (max_line + TRAINER_ANSWERS_MAX + FEED_WAITING_MAX) * max_trainers,              \
        "lines under way, answers not read")                                                       \
    ROW(history, max_history_bytes, "records kept in memory")                                      \
    ROW(unkept, max_unkept_bytes, "records that wait for the disk")                                \
    ROW(sessions, (SESSION_BYTES + SERIES_NAME_BYTES_MAX) * max_sessions,                          \
        "what is known of a run beside its history")                                               \
    ROW(insights, (INSIGHT_BYTES * max_insights), "what is told of them")                          \
    ROW(events, EVENTS_BYTES, "events, orders and news of all runs")                               \
    ROW(agents,                                                                                    \
        (mcp_max_replay_bytes + max_payload + max_outbox_bytes + PIPE_BYTES) * mcp_max_sessions +  \
            MCP_MESSAGE_MAX * mcp_max_calls,                                                       \
        "MCP sessions, pipes and calls")                                                           \
    ROW(cache, CACHE_BYTES, "pages of the database")

struct memory_bound {
#define MEMORY_FIELD(name, formula, help) uint64_t name;
    MEMORY_TABLE(MEMORY_FIELD)
#undef MEMORY_FIELD
    uint64_t total;
};

/* Bytes. */
struct memory_bound memory_bound(const struct config *config);

/* One line of the log. */
void memory_bound_log(const struct memory_bound *bound);

#endif
