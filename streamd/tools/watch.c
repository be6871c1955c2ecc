/* SPDX-License-Identifier: MIT */
/*
 * watch: a log file as if it were a trainer. One thread that looks once a second, and the client's
 * beside it. A log that says that the training is over, or died, is given a while to say otherwise.
 */
#include "streamd/notify/wording.h"
#include "streamd/tools/newest_log.h"
#include "streamd/tools/tail.h"
#include "streamd/tools/tool_options.h"
#include "streamd/tools/watched.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum {
    LOOK_MS = 1000,
    STATUS_S = 30,
    STATUS_S_MAX = 86400,
    SETTLE_US = 10 * 1000 * 1000, /* how long an end must stand to be believed */
    TEXT_BYTES_MAX = 16384,
};

struct watch_flags {
    const char *log;
    const char *format;
    const char *id;
    const char *name;
    const char *project;
    const char *socket;
    const char *token;
    const char *chat;
    const char *telegram_api;
    const char *webhook;
    const char *webhook_body;
    const char *severity;
    const char *cooldown;
    const char *quiet;
    const char *status;
    bool automatic;
    bool wait;
    bool from_start;
    bool console;
    bool once;
};

#define AT(field) offsetof(struct watch_flags, field)

const struct tool_option watch_options[] = {
    {"log", "PATH", NULL, "the log; with --auto the folder to look for it in", AT(log)},
    {"auto", NULL, NULL, "the log that was written to last, below the folder or this one",
     AT(automatic)},
    {"wait", NULL, NULL, "wait for the log to come into being", AT(wait)},
    {"from-start", NULL, NULL, "all of the log, and not only what comes from now on",
     AT(from_start)},
    {"once", NULL, NULL, "to the end of what is there, and no further", AT(once)},
    {"console", NULL, NULL, "stand alone: nothing is sent to a daemon", AT(console)},
    {"format", "FORMAT", "auto|csv|ndjson|json|tensorboard|mmengine|huggingface|nanogpt|text",
     "what the log is (default auto: by what is in it)", AT(format)},
    {"id", "ID", NULL,
     "what the run shall be called by (default: the folder's and the file's name)", AT(id)},
    {"name", "NAME", NULL, "its name for people (default: what the log says)", AT(name)},
    {"project", "NAME", NULL, "its project", AT(project)},
    {"socket", "PATH", NULL, "the daemon's socket (default: as trainers find it)", AT(socket)},
    {"token", "TOKEN", NULL, "of a Telegram bot (default: $TELEGRAM_TOKEN)", AT(token)},
    {"chat", "CHAT", NULL, "that it writes to (default: $TELEGRAM_CHAT)", AT(chat)},
    {"telegram-api", "URL", NULL, "where it is (default: https://api.telegram.org)",
     AT(telegram_api)},
    {"webhook", "URL", NULL, "gets each notice as JSON, with POST", AT(webhook)},
    {"webhook-body", "JSON", NULL,
     "what it gets, with {text} {title} {id} {kind} {severity} {session} {name} {phase} {reason} "
     "filled in",
     AT(webhook_body)},
    {"severity", "LEVEL", "info|warning|critical", "below it nothing is told (default info)",
     AT(severity)},
    {"cooldown", "SECONDS", NULL, "the same alert is not told again within them (default 600)",
     AT(cooldown)},
    {"status", "SECONDS", NULL, "how often a line says how it goes (default 30)", AT(status)},
    {"quiet", "HH:MM-HH:MM", NULL, "hours in which only what is critical is told", AT(quiet)},
    {0},
};

struct watcher {
    const struct tool *tool;
    struct watch_flags flags;
    struct tail tail;
    struct watched watched;
    struct buf text;
    int signals;   /* owns a signalfd */
    bool learning; /* the file is only looked through */
    uint64_t rows;
    uint64_t row_us;    /* when the newest came */
    uint64_t status_us; /* when the status was last printed */
    uint64_t status_every_us;
};

static void print(struct watcher *w, void (*write)(struct buf *, const struct notify_event *),
                  enum notify_kind kind, const char *head)
{
    struct notify_event e = watched_event(&w->watched, kind);
    buf_reset(&w->text);
    write(&w->text, &e);
    (void)printf("%s%.*s\n", head, (int)w->text.len, w->text.ptr);
    (void)fflush(stdout);
}

static void print_status(struct watcher *w, struct now now)
{
    char head[32] = "";
    struct tm local;
    time_t seconds = (time_t)now.wall_s;
    if (now.us - w->status_us < w->status_every_us)
        return;
    w->status_us = now.us;
    (void)localtime_r(&seconds, &local);
    (void)strftime(head, sizeof(head), "[%H:%M:%S] ", &local);
    if (w->watched.begun)
        print(w, wording_status, NOTIFY_PROGRESS, head);
    else
        (void)printf("%sWaiting for the first record...\n", head);
    (void)fflush(stdout);
}

/* ---- looking ---- */

static void on_row(void *context, struct source_row *row)
{
    struct watcher *w = context;
    if (w->learning) {
        watched_learn(&w->watched, row);
        return;
    }
    struct now now = clock_read();
    w->row_us = now.us;
    w->rows++;
    watched_row(&w->watched, &w->tail.source, row, now);
}

static enum status look(struct watcher *w)
{
    enum status status = tail_look(&w->tail, on_row, w);
    return status == E_NOT_FOUND && w->tail.opened ? OK : status; /* it may be on its way back */
}

/* All that is there already, for its name, its plan and its first line. */
static enum status look_through(struct watcher *w)
{
    w->learning = true;
    enum status status = look(w);
    w->learning = false;
    if (w->flags.from_start || w->flags.once)
        tail_rewind(&w->tail);
    return status;
}

static bool is_over(const struct watcher *w, uint64_t now_us)
{
    return (w->watched.over || w->watched.crashed) && now_us - w->row_us >= SETTLE_US;
}

/* True: somebody wants us to end. */
static bool sleep_a_little(struct watcher *w)
{
    struct pollfd fd = {.fd = w->signals, .events = POLLIN};
    return poll(&fd, 1, LOOK_MS) > 0;
}

static enum status watch(struct watcher *w)
{
    enum status status = look_through(w);
    (void)printf("Watching %s (Ctrl+C ends it)\n", w->tail.path);
    (void)fflush(stdout);
    while (status == E_NOT_FOUND && w->flags.wait && !sleep_a_little(w))
        status = look(w);
    w->status_us = clock_read().us;
    while (status == OK) {
        status = look(w);
        struct now now = clock_read();
        watched_tick(&w->watched, now);
        print_status(w, now);
        if (w->flags.once || is_over(w, now.us) || sleep_a_little(w))
            break;
    }
    return status;
}

/* ---- the whole ---- */

static bool open_signals(struct watcher *w)
{
    sigset_t ending;
    (void)sigemptyset(&ending);
    (void)sigaddset(&ending, SIGINT);
    (void)sigaddset(&ending, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &ending, NULL);
    w->signals = signalfd(-1, &ending, SFD_CLOEXEC);
    return w->signals >= 0;
}

static int64_t zone_s(void)
{
    time_t now = time(NULL);
    struct tm local = {0};
    (void)localtime_r(&now, &local);
    return local.tm_gmtoff;
}

static const char *given_or(const char *given, const char *variable)
{
    const char *value = given ? given : getenv(variable);
    return value && *value ? value : NULL;
}

/* TOOL_GOOD, or what to exit with. */
static int read_rules(const struct watcher *w, struct gate_rules *out)
{
    static const uint64_t longest_s = 31622400;
    const struct watch_flags *f = &w->flags;
    uint64_t cooldown_s = 0;
    if (f->severity)
        out->threshold = f->severity[0] == 'c'   ? SEVERITY_CRITICAL
                         : f->severity[0] == 'w' ? SEVERITY_WARNING
                                                 : SEVERITY_INFO;
    if (f->quiet && !gate_parse_quiet(f->quiet, out))
        return tool_refuse(w->tool, "--quiet %s: expected hours such as 22:00-07:00", f->quiet);
    if (f->cooldown &&
        (!span_u64(span_of(f->cooldown), &cooldown_s) || cooldown_s == 0 || cooldown_s > longest_s))
        return tool_refuse(w->tool, "--cooldown %s: expected seconds, from 1 to a year",
                           f->cooldown);
    out->cooldown_us = cooldown_s * 1000000;
    return TOOL_GOOD;
}

/* TOOL_GOOD, or what to exit with. */
static int read_status(struct watcher *w)
{
    uint64_t every_s = STATUS_S;
    if (w->flags.status &&
        (!span_u64(span_of(w->flags.status), &every_s) || every_s == 0 || every_s > STATUS_S_MAX))
        return tool_refuse(w->tool, "--status %s: expected seconds, from 1 to a day",
                           w->flags.status);
    w->status_every_us = every_s * 1000000;
    return TOOL_GOOD;
}

/* TOOL_GOOD, or what to exit with. */
static int open_notify(struct watcher *w, struct notify **out)
{
    const struct watch_flags *f = &w->flags;
    const char *why;
    struct notify_options options = {
        .console = stdout,
        .telegram_token = given_or(f->token, "TELEGRAM_TOKEN"),
        .telegram_chat = given_or(f->chat, "TELEGRAM_CHAT"),
        .telegram_base = f->telegram_api,
        .webhook_url = f->webhook,
        .webhook_body = f->webhook_body,
    };
    int exit = read_rules(w, &options.rules);
    if (exit != TOOL_GOOD)
        return exit;
    *out = notify_create(&options, &why);
    return *out ? TOOL_GOOD : tool_refuse(w->tool, "%s", why);
}

/* The last words, on the console and to whoever else is told. */
static void report(struct watcher *w, struct notify *notify)
{
    struct now now = clock_read();
    watched_last(&w->watched, now);
    struct notify_event e = watched_event(&w->watched, NOTIFY_REPORT);
    (void)notify_event(notify, &e, now);
}

static int run(struct watcher *w, const char *path, const char *id)
{
    struct notify *notify = NULL;
    int exit = read_status(w);
    if (exit == TOOL_GOOD)
        exit = open_notify(w, &notify);
    if (exit != TOOL_GOOD)
        return exit;
    struct watched_options options = {
        .path = path,
        .id = id,
        .name = w->flags.name,
        .project = w->flags.project,
        .socket_path = w->flags.socket,
        .alone = w->flags.console,
        .resume = !w->flags.from_start && !w->flags.once,
    };
    tail_init(&w->tail, path, w->flags.format ? w->flags.format : "auto");
    w->tail.zone_s = zone_s();
    watched_init(&w->watched, &options, notify);
    enum status status = watch(w);
    if (status != OK && status != E_NOT_FOUND)
        exit = tool_fail(w->tool, "%s: %s", path, status_text(status));
    else if (status == E_NOT_FOUND)
        exit = tool_fail(w->tool, "%s: no such file; --wait waits for it", path);
    else
        report(w, notify);
    watched_end(&w->watched);
    tail_fini(&w->tail);
    notify_destroy(notify);
    return exit;
}

/* "FOLDER-FILE", in the letters of an id. */
static void make_id(const char *path, char out[SESSION_ID_BYTES_MAX + 1])
{
    char full[NEWEST_LOG_PATH_MAX];
    const char *at = realpath(path, full) ? full : path;
    const char *slash = strrchr(at, '/');
    while (slash && slash > at && slash[-1] != '/')
        slash--;
    at = slash ? slash : at;
    size_t len = 0;
    for (; *at && len < SESSION_ID_BYTES_MAX; at++, len++) {
        out[len] = '-';
        if (session_id_valid((struct span){at, 1}))
            out[len] = *at;
    }
    out[len] = '\0';
}

static int find_and_run(struct watcher *w)
{
    char path[NEWEST_LOG_PATH_MAX];
    char id[SESSION_ID_BYTES_MAX + 1];
    const char *folder = w->flags.log ? w->flags.log : ".";
    if (w->flags.id && !session_id_valid(span_of(w->flags.id)))
        return tool_refuse(w->tool,
                           "--id: expected 1 to 128 of the characters A-Z a-z 0-9 . _ : -");
    if (!w->flags.automatic && !w->flags.log)
        return tool_refuse(w->tool, "no --log is named, and --auto is not asked for");
    if (!open_signals(w))
        return tool_fail(w->tool, "%s", status_text(E_IO));
    bool found = !w->flags.automatic || newest_log_find(folder, path);
    while (!found && w->flags.wait && !sleep_a_little(w))
        found = newest_log_find(folder, path);
    if (!found)
        return tool_fail(w->tool, "%s: there is no log below it", folder);
    const char *log = w->flags.automatic ? path : w->flags.log;
    make_id(log, id);
    return run(w, log, w->flags.id ? w->flags.id : id);
}

int tool_watch(const struct tool *tool, int argc, char **argv)
{
    int count;
    int status;
    struct watcher *w = calloc(1, sizeof(*w));
    if (!w)
        return tool_fail(tool, "%s", status_text(E_NOMEM));
    w->tool = tool;
    w->signals = -1;
    buf_init(&w->text, TEXT_BYTES_MAX);
    if (tool_begin(tool, argc, argv, &w->flags, &count, &status))
        status = count > 0 ? tool_refuse(tool, "it takes no argument; name the log with --log")
                           : find_and_run(w);
    if (w->signals >= 0)
        (void)close(w->signals);
    buf_fini(&w->text);
    free(w);
    return status;
}
