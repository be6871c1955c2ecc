/* SPDX-License-Identifier: MIT */
/*
 * stats: every counter of the daemon, from one table.
 *
 * The row gives the field, the Prometheus name (streamd_<name>) and its help text. Plain numbers of
 * one loop thread: a module increments the field of the struct it was handed at birth. GAUGE rows
 * go up and down, COUNTER rows only up. Whoever shows them calls app_measure before: the loop_held
 * rows are reckoned only then.
 */
#ifndef STREAMD_STATS_H
#define STREAMD_STATS_H

#include <stdint.h>

#define STATS_TABLE(COUNTER, GAUGE)                                                                \
    COUNTER(sessions_created, "sessions registered since start")                                   \
    COUNTER(lines_received, "trainer lines read, good or bad")                                     \
    COUNTER(lines_rejected, "trainer lines answered with an error")                                \
    COUNTER(lines_truncated, "unfinished last lines of trainers that went away")                   \
    COUNTER(lines_repeated, "lines dropped because their seq was seen before")                     \
    COUNTER(values_ignored, "metric values of a wrong type that were left out")                    \
    COUNTER(metrics_processed, "metrics records taken in")                                         \
    COUNTER(metrics_transformed, "payloads encoded")                                               \
    COUNTER(messages_sent, "messages handed to a watcher's connection")                            \
    COUNTER(messages_superseded, "queued updates replaced by a newer one")                         \
    COUNTER(messages_bytes_plain, "bytes of the messages sent, before compression")                \
    COUNTER(messages_bytes_wire, "bytes of the messages sent, as written")                         \
    COUNTER(writes, "writes to watchers' connections")                                             \
    COUNTER(send_batches, "system calls that carried many of these writes (io_uring)")             \
    COUNTER(deflates, "frames compressed")                                                         \
    COUNTER(deflates_linked, "of these, after the messages before them on their connections")      \
    COUNTER(errors, "errors met and survived")                                                     \
    COUNTER(peers_opened, "watchers connected since start")                                        \
    COUNTER(peers_closed_slow, "watchers closed because their outbox was full")                    \
    COUNTER(peers_closed_timeout, "watchers closed because they did not answer")                   \
    COUNTER(recoveries, "Socket.IO clients that came back and were given what they missed")        \
    COUNTER(recoveries_refused, "Socket.IO clients that came back and had to begin anew")          \
    COUNTER(connections_refused, "connections refused at a limit")                                 \
    COUNTER(visits_refused, "connections, requests and messages refused since their address had "  \
                            "too many")                                                            \
    COUNTER(http_requests, "HTTP requests answered")                                               \
    COUNTER(http_not_modified, "answers with 304")                                                 \
    COUNTER(http_bytes_plain, "bytes of HTTP bodies, before compression")                          \
    COUNTER(http_bytes_wire, "bytes of HTTP bodies, as written")                                   \
    COUNTER(transfers_cut, "streamed answers cut off because the client took nothing")             \
    COUNTER(mcp_requests, "requests of agents that came to a method")                              \
    COUNTER(history_evicted, "records dropped from memory history at its cap")                     \
    COUNTER(batches_committed, "commits to the store")                                             \
    COUNTER(records_shed, "records told live and not kept while the disk was in trouble")          \
    COUNTER(sessions_damaged, "sessions that could not be read back at start")                     \
    COUNTER(hub_losses, "connections of a relay to its hub that were lost or did not come about")  \
    GAUGE(store_bytes, "bytes on disk")                                                            \
    GAUGE(unkept_bytes, "bytes that wait for the disk")                                            \
    GAUGE(peers, "watchers connected")                                                             \
    GAUGE(recoveries_kept, "Socket.IO clients that may come back")                                 \
    GAUGE(trainers, "trainers connected")                                                          \
    GAUGE(relayed_runs, "runs on their way from a relay to its hub")                               \
    GAUGE(connections, "TCP connections open")                                                     \
    GAUGE(transfers, "HTTP answers that are awaited or being streamed")                            \
    GAUGE(mcp_sessions, "agents' sessions of the older protocol versions")                         \
    GAUGE(mcp_pipes, "agents on the Unix socket")                                                  \
    GAUGE(mcp_calls, "agents' requests being answered, listening ones too")                        \
    GAUGE(sessions_live, "sessions in the live list")                                              \
    GAUGE(rooms, "rooms that exist")                                                               \
    GAUGE(history_bytes, "bytes held by memory history")                                           \
    GAUGE(loop_held_p99_us, "microseconds that 99 of 100 wake-ups of the last minute held the "    \
                            "loop at most")                                                        \
    GAUGE(loop_held_max_us, "microseconds that the longest of them held it")

struct stats {
#define STATS_FIELD(name, help) uint64_t name;
    STATS_TABLE(STATS_FIELD, STATS_FIELD)
#undef STATS_FIELD
};

#endif
