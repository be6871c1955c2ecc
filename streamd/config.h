/* SPDX-License-Identifier: MIT */
/*
 * config: what the daemon was told at start, and never changes afterwards.
 *
 * A plain value filled by options_parse (flags, then STREAMD_* variables, then defaults, from the
 * one table in options.c). Every resource a peer can grow has its limit here.
 */
#ifndef STREAMD_CONFIG_H
#define STREAMD_CONFIG_H

#include "streamd/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CONFIG_LISTEN_MAX = 16,
    CONFIG_ORIGINS_MAX = 32,
    CONFIG_TEXT_MAX = 512,
    CONFIG_LISTS_MAX = 4096,
};

/* Texts borrow argv, the environment or the config itself, which must not be copied and must not
 * outlive main. */
struct config {
    const char *listen[CONFIG_LISTEN_MAX]; /* ADDR:PORT, PORT 0 = any */
    size_t listen_count;
    const char *socket_path;
    int socket_fd;            /* in its place: handed over by a service manager; 0: none */
    const char *socket_group; /* who else may connect there; NULL: nobody */
    const char *data_dir;
    bool ephemeral;
    const char *web_dir; /* NULL: found beside the binary */
    const char *allow_origin[CONFIG_ORIGINS_MAX];
    size_t allow_origin_count;
    const char *tls_cert; /* PEM, with its chain; NULL: no TLS */
    const char *tls_key;
    const char *token_file;      /* NULL: there are no tokens */
    bool require_token;          /* over loopback as well */
    bool allow_anonymous;        /* without tokens on addresses other than loopback */
    const char *trainer_command; /* NULL: legacy start answers 503 */

    double max_rate; /* updates a second and session */
    bool throttle;   /* is max_rate kept at all? */
    bool compression;
    bool io_uring;
    bool compat_clamp;
    uint64_t ping_interval_ms;
    uint64_t ping_timeout_ms;
    uint64_t connect_timeout_ms;  /* for a watcher to say CONNECT */
    uint64_t drain_timeout_ms;    /* after SIGTERM */
    uint64_t control_deadline_ms; /* for a trainer to answer an order */

    uint64_t max_payload;             /* bytes of one message from a watcher, or of one POST body */
    uint64_t max_line;                /* bytes of one trainer line */
    uint64_t max_connections;         /* TCP connections */
    uint64_t max_address_connections; /* TCP connections of one address */
    uint64_t max_address_requests;    /* requests and messages a second of one */
    uint64_t max_address_bytes;       /* bytes a second from one */
    bool limit_loopback;              /* these three for loopback, too */
    uint64_t max_trainers;            /* trainer connections */
    uint64_t max_sessions;            /* live and archived */
    uint64_t senders;                 /* threads beside the loop that send; 0: none */
    uint64_t max_rooms_per_peer;      /* subscriptions of one watcher */
    uint64_t max_outbox_bytes;        /* queued for one watcher */
    uint64_t max_outbox_messages;     /* queued for one watcher */
    uint64_t recovery_ms;             /* a client that was cut off may come back; 0: none may */
    uint64_t max_recoveries;          /* clients kept meanwhile */
    uint64_t max_trail;               /* entries in what one such client was sent */
    uint64_t max_insights;            /* sessions that are interpreted at a time; 0: none is */
    uint64_t plateau_epochs;          /* without improvement: is_plateaued of the operations API */
    uint64_t max_history_records;     /* kept in memory for one session */
    uint64_t max_history_bytes;       /* kept in memory for all sessions */
    uint64_t live_completed_s;        /* a finished session leaves the live list after this */
    uint64_t live_idle_s;             /* any other one after this */
    uint64_t retain_s;                /* history is dropped after this */
    uint64_t commit_interval_ms;      /* what came is on disk after this at the latest */
    uint64_t max_unkept_bytes;        /* that wait for the disk; then trainers wait */

    uint64_t mcp_max_sessions;      /* agents' sessions at a time */
    uint64_t mcp_session_idle_s;    /* such a session ends after this */
    uint64_t mcp_max_calls;         /* agents' requests being answered at a time */
    uint64_t mcp_max_subscriptions; /* resources that one agent subscribes to */
    uint64_t mcp_max_replay_bytes;  /* events kept for one session */

    const char *telegram_token; /* NULL: Telegram is not told */
    const char *telegram_chat;
    const char *webhook; /* NULL: none */
    const char *webhook_body;
    const char *notify_from; /* the name of a severity */
    const char *quiet_hours; /* NULL: none */

    const char *user; /* NULL: whoever started it */
    enum log_level log_level;
    char derived_socket[CONFIG_TEXT_MAX];
    char derived_data[CONFIG_TEXT_MAX];
    char derived_web[CONFIG_TEXT_MAX];
    char lists[CONFIG_LISTS_MAX]; /* the items of comma-separated variables */
    size_t lists_len;
};

#endif
