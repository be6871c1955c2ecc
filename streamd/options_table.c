/* SPDX-License-Identifier: MIT */
/*
 * The rows stand in the order in which --help shows them: where it listens, how it streams, who may
 * watch, who may write, what is kept. Ranges are doubles, which hold every whole number we allow.
 */
#include "streamd/options_table.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define FIELD(name) .at = offsetof(struct config, name)
#define SWITCH(field, to) .kind = OPTION_SWITCH, FIELD(field), .on = (to)
#define RANGE(low, high) .min = (low), .max = (high)
#define COUNT(field, low, high) .kind = OPTION_COUNT, .value = "N", FIELD(field), RANGE(low, high)
#define MILLISECONDS(field, low)                                                                   \
    .kind = OPTION_COUNT, .value = "MS", FIELD(field), RANGE(low, 3600000)
#define SECONDS(field) .kind = OPTION_DURATION, .value = "TIME", FIELD(field), RANGE(1, 315360000)

static const struct option_row rows[] = {
    {"Listening", "listen", .value = "ADDR:PORT", .kind = OPTION_LISTEN,
     .fallback = "127.0.0.1:5001",
     .help = "serve HTTP and WebSockets there; may be repeated; port 0 is any free one"},
    {"Listening", "socket", .value = "PATH", .kind = OPTION_TEXT, FIELD(socket_path),
     .derived = "$XDG_RUNTIME_DIR/streamd.sock, else /tmp/streamd-UID.sock",
     .help = "Unix socket that trainers write to"},
    {"Listening", "socket-group", .value = "GROUP", .kind = OPTION_TEXT, FIELD(socket_group),
     .help = "users of this group may write there, too, beside our own and root"},
    {"Listening", "web", .value = "DIR", .kind = OPTION_TEXT, FIELD(web_dir),
     .derived = "found beside the program", .help = "the dashboard's files"},
    {"Listening", "allow-origin", .value = "ORIGIN", .kind = OPTION_ORIGIN,
     .help = "pages of this origin may read the answers, beside our own and those of localhost; "
             "may be repeated"},
    {"Listening", "tls-cert", .value = "FILE", .kind = OPTION_TEXT, FIELD(tls_cert),
     .help = "speak TLS 1.2 or later wherever --listen says, with this certificate (PEM, its chain "
             "behind it); read again on SIGHUP"},
    {"Listening", "tls-key", .value = "FILE", .kind = OPTION_TEXT, FIELD(tls_key),
     .help = "the key to it (PEM)"},
    {"Listening", "token-file", .value = "FILE", .kind = OPTION_TEXT, FIELD(token_file),
     .help = "who may come in from other machines, and what he may: lines made by `streamd token`; "
             "read again on SIGHUP"},
    {"Listening", "require-token", SWITCH(require_token, true),
     .help = "ask for a token over loopback as well"},
    {"Listening", "allow-anonymous", SWITCH(allow_anonymous, true),
     .help = "listen on other addresses than loopback without --token-file: whoever reaches them "
             "may read, write and control"},

    {"Streaming", "max-rate", .value = "HZ", .kind = OPTION_RATE, .fallback = "10", FIELD(max_rate),
     RANGE(0.1, 1000), .help = "updates a second and run"},
    {"Streaming", "no-throttle", SWITCH(throttle, false),
     .help = "send every record, however many come"},
    {"Streaming", "no-compression", SWITCH(compression, false),
     .help = "neither permessage-deflate nor gzip"},
    {"Streaming", "no-io-uring", SWITCH(io_uring, false),
     .help = "make one system call a message instead of one for hundreds"},
    {"Streaming", "senders", COUNT(senders, 0, 8), .fallback = "0",
     .help = "threads that help to send the updates of a tick by io_uring, where one core is full"},
    {"Streaming", "compat-clamp", SWITCH(compat_clamp, true),
     .help = "clamp all payloads to the ranges that older dashboards expect"},

    {"Watchers", "ping-interval-ms", MILLISECONDS(ping_interval_ms, 10), .fallback = "25000",
     .help = "how often a watcher is asked whether it is still there"},
    {"Watchers", "ping-timeout-ms", MILLISECONDS(ping_timeout_ms, 10), .fallback = "20000",
     .help = "how long it has to answer"},
    {"Watchers", "connect-timeout-ms", MILLISECONDS(connect_timeout_ms, 10), .fallback = "45000",
     .help = "how long a Socket.IO client has to join its namespace"},
    {"Watchers", "max-payload", COUNT(max_payload, 1024, 100000000), .fallback = "1000000",
     .help = "bytes of one message or request body"},
    {"Watchers", "max-connections", COUNT(max_connections, 1, 1000000), .fallback = "20000",
     .help = "TCP connections at a time"},
    {"Watchers", "max-address-connections", COUNT(max_address_connections, 1, 1000000),
     .fallback = "1024", .help = "TCP connections at a time of one address that is not loopback"},
    {"Watchers", "max-address-requests", COUNT(max_address_requests, 1, 1000000), .fallback = "500",
     .help = "requests and messages a second of one such address"},
    {"Watchers", "max-address-bytes", COUNT(max_address_bytes, 1024, 17592186044416),
     .fallback = "67108864", .help = "bytes a second that one such address may send"},
    {"Watchers", "limit-loopback", SWITCH(limit_loopback, true),
     .help = "these limits for loopback as well"},
    {"Watchers", "max-rooms-per-peer", COUNT(max_rooms_per_peer, 1, 65535), .fallback = "128",
     .help = "runs that one watcher may follow at a time"},
    {"Watchers", "max-outbox-bytes", COUNT(max_outbox_bytes, 4096, 1073741824),
     .fallback = "1048576", .help = "bytes that may wait for a slow watcher before it is closed"},
    {"Watchers", "max-outbox-messages", COUNT(max_outbox_messages, 1, 1000000), .fallback = "1000",
     .help = "messages that may wait for it"},
    {"Watchers", "recovery-ms", MILLISECONDS(recovery_ms, 0), .fallback = "120000",
     .help = "how long a Socket.IO client that asked for it may take to come back after it was cut "
             "off, and miss nothing; 0: none may"},
    {"Watchers", "max-recoveries", COUNT(max_recoveries, 1, 1000000), .fallback = "1000",
     .help = "clients that may be away so at a time; who left longest ago is forgotten first"},
    {"Watchers", "max-trail", COUNT(max_trail, 16, 1000000), .fallback = "4096",
     .help =
         "places, 24 bytes each, in what is remembered as sent to such a client (updates sent in "
         "a row take one); whoever missed more begins anew"},

    {"Trainers", "max-trainers", COUNT(max_trainers, 1, 100000), .fallback = "1024",
     .help = "connections on the Unix socket at a time"},
    {"Trainers", "max-line", COUNT(max_line, 1024, 65536), .fallback = "65536",
     .help = "bytes of one line"},
    {"Trainers", "control-deadline-ms", MILLISECONDS(control_deadline_ms, 1), .fallback = "5000",
     .help = "how long a trainer may take to answer what it is told; past it that is reported"},
    {"Trainers", "trainer-command", .value = "COMMAND", .kind = OPTION_TEXT, FIELD(trainer_command),
     .help = "what the start button of older dashboards runs; without it they are told that "
             "nothing can be started"},

    {"History", "data", .value = "DIR", .kind = OPTION_TEXT, FIELD(data_dir),
     .derived = "$XDG_STATE_HOME/streamd, else ~/.local/state/streamd",
     .help = "where history lives"},
    {"History", "ephemeral", SWITCH(ephemeral, true), .help = "keep history in memory only"},
    {"History", "commit-interval-ms", COUNT(commit_interval_ms, 0, 100), .fallback = "50",
     .help = "how long records gather before they are written to disk together"},
    {"History", "max-unkept-bytes", COUNT(max_unkept_bytes, 1048576, 17592186044416),
     .fallback = "67108864", .help = "bytes that may wait for the disk; past it trainers wait"},
    {"History", "max-sessions", COUNT(max_sessions, 1, 1000000), .fallback = "10000",
     .help = "runs known at a time; the oldest that has ended makes room"},
    {"History", "max-history-records", COUNT(max_history_records, 1, 100000000),
     .fallback = "10000",
     .help = "records of one run that are read from memory, not from the store"},
    {"History", "max-history-bytes", COUNT(max_history_bytes, 1048576, 17592186044416),
     .fallback = "536870912",
     .help = "bytes of all runs in memory; with --ephemeral this much of history, too"},
    {"History", "max-insights", COUNT(max_insights, 0, 1000000), .fallback = "1000",
     .help = "runs that are interpreted at a time, 20 KiB each; one that is over or silent for a "
             "minute makes room; 0: none is"},
    {"History", "plateau-epochs", COUNT(plateau_epochs, 1, 1000000), .fallback = "10",
     .help = "epochs without a better validation loss after which the operations API calls a run "
             "plateaued"},
    {"History", "live-completed-s", SECONDS(live_completed_s), .fallback = "3600",
     .help = "an ended run leaves the live list after this"},
    {"History", "live-idle-s", SECONDS(live_idle_s), .fallback = "14400",
     .help = "a silent run leaves it after this"},
    {"History", "retain", SECONDS(retain_s), .fallback = "30d",
     .help = "history is dropped after this"},

    {"Agents", "mcp-max-sessions", COUNT(mcp_max_sessions, 1, 100000), .fallback = "256",
     .help = "sessions of agents that speak a protocol version before 2026-07-28; who was silent "
             "longest makes room"},
    {"Agents", "mcp-session-idle", SECONDS(mcp_session_idle_s), .fallback = "30m",
     .help = "such a session ends after this without a request or an open stream"},
    {"Agents", "mcp-max-calls", COUNT(mcp_max_calls, 1, 100000), .fallback = "512",
     .help = "requests of agents being answered at a time, those that wait or listen included"},
    {"Agents", "mcp-max-subscriptions", COUNT(mcp_max_subscriptions, 1, 100000), .fallback = "64",
     .help = "resources that one agent may subscribe to"},
    {"Agents", "mcp-max-replay-bytes", COUNT(mcp_max_replay_bytes, 0, 1073741824),
     .fallback = "262144",
     .help = "bytes of one session's events kept for an agent that lost its connection"},

    {"Notices", "telegram-token", .value = "TOKEN", .kind = OPTION_TEXT, FIELD(telegram_token),
     .derived = "$TELEGRAM_TOKEN",
     .help = "of the bot that tells of changes of phase, findings and when to stop; better given "
             "as a variable, since everybody sees the arguments of a process"},
    {"Notices", "telegram-chat", .value = "CHAT", .kind = OPTION_TEXT, FIELD(telegram_chat),
     .derived = "$TELEGRAM_CHAT", .help = "where it tells them"},
    {"Notices", "webhook", .value = "URL", .kind = OPTION_TEXT, FIELD(webhook),
     .help = "where the same is posted as JSON"},
    {"Notices", "webhook-body", .value = "TEMPLATE", .kind = OPTION_TEXT, FIELD(webhook_body),
     .help = "what is posted instead, with {text}, {session}, {phase} .. filled in"},
    {"Notices", "notify-from", .value = "SEVERITY", .kind = OPTION_TEXT, FIELD(notify_from),
     .fallback = "info", .help = "info, warning or critical: nothing below is told"},
    {"Notices", "quiet-hours", .value = "HH:MM-HH:MM", .kind = OPTION_TEXT, FIELD(quiet_hours),
     .help = "of the local day, in which only what is critical is told"},

    {"Process", "drain-timeout-ms", MILLISECONDS(drain_timeout_ms, 0), .fallback = "5000",
     .help = "after SIGTERM, how long watchers have to take what waits for them"},
    {"Process", "user", .value = "NAME", .kind = OPTION_TEXT, FIELD(user),
     .help = "started by root, become this user before anything is opened"},
    {"Process", "log-level", .value = "LEVEL", .kind = OPTION_LEVEL, .fallback = "info",
     FIELD(log_level), .help = "error, warn, info or debug"},
    {"Process", "help", .kind = OPTION_HELP, .help = "print this and exit"},
    {"Process", "version", .kind = OPTION_VERSION, .help = "print the version and exit"},
};

_Static_assert(sizeof(rows) / sizeof(rows[0]) <= OPTIONS_MAX, "OPTIONS_MAX holds every row");

const struct option_row *option_at(size_t index)
{
    return index < sizeof(rows) / sizeof(rows[0]) ? &rows[index] : NULL;
}

const struct option_row *option_find(struct span name)
{
    for (size_t i = 0; option_at(i); i++) {
        if (span_is(name, rows[i].name))
            return &rows[i];
    }
    return NULL;
}

const char *option_variable(const struct option_row *row, char out[OPTION_VARIABLE_MAX])
{
    out[0] = '\0';
    if (row->kind == OPTION_HELP || row->kind == OPTION_VERSION)
        return out;
    int len = snprintf(out, OPTION_VARIABLE_MAX, "STREAMD_%s", row->name);
    assert(len < OPTION_VARIABLE_MAX);
    for (int i = 0; i < len; i++)
        out[i] = (char)(out[i] == '-' ? '_' : toupper((unsigned char)out[i]));
    return out;
}

const char *option_range(const struct option_row *row, char out[OPTION_RANGE_MAX])
{
    static const char *const words[] = {
        [OPTION_SWITCH] = "0 or 1",
        [OPTION_TEXT] = "a text that is not empty",
        [OPTION_LISTEN] = "ADDR:PORT, where ADDR is an IPv4 address or an IPv6 one in []",
        [OPTION_ORIGIN] = "scheme://host or scheme://host:port, in lower case and without a path",
        [OPTION_LEVEL] = "error, warn, info or debug",
        [OPTION_HELP] = "no value",
        [OPTION_VERSION] = "no value",
    };
    switch (row->kind) {
    case OPTION_COUNT:
        (void)snprintf(out, OPTION_RANGE_MAX, "a whole number from %.0f to %.0f", row->min,
                       row->max);
        break;
    case OPTION_RATE:
        (void)snprintf(out, OPTION_RANGE_MAX, "a number from %g to %g", row->min, row->max);
        break;
    case OPTION_DURATION:
        (void)snprintf(out, OPTION_RANGE_MAX,
                       "%.0f to %.0f seconds, or a number with s, m, h or d behind it", row->min,
                       row->max);
        break;
    default:
        (void)snprintf(out, OPTION_RANGE_MAX, "%s", words[row->kind]);
    }
    return out;
}
