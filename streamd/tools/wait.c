/* SPDX-License-Identifier: MIT */
/*
 * wait: sleeps until something is true of a run, or cannot become so any more.
 *
 * First the run as it is, then its events as they come; nothing is asked again and again. A run
 * that ends without it is a failure: a script should not sleep for ever.
 */
#include "streamd/tools/condition.h"
#include "streamd/tools/daemon_ask.h"
#include "streamd/tools/daemon_events.h"
#include "streamd/tools/tool_options.h"

#include <stdlib.h>

struct wait_flags {
    struct daemon_flags daemon;
    const char *until;
    const char *timeout;
};

#define AT(field) offsetof(struct wait_flags, field)

const struct tool_option wait_options[] = {
    DAEMON_OPTIONS,
    {"until", "CONDITION", NULL,
     "phase=PLATEAU, status=completed, val_loss<0.3, epoch>=10 (default: until it has ended)",
     AT(until)},
    {"timeout", "TIME", NULL, "as long at most: 90s, 10m, 2h (default: as long as it takes)",
     AT(timeout)},
    {0}};

struct waiter {
    const struct condition *condition; /* borrows; NULL: until it has ended */
    bool holds;
    bool over;      /* the run has ended */
    char state[16]; /* as what */
};

static bool has_ended(struct span state)
{
    return span_is(state, "completed") || span_is(state, "failed") || span_is(state, "expired");
}

static void see_state(struct waiter *w, struct span state)
{
    w->over = has_ended(state);
    (void)snprintf(w->state, sizeof(w->state), "%.*s", (int)state.len, state.ptr);
    if (w->condition && condition_is_about(w->condition, "status"))
        w->holds = w->holds || condition_holds_of_word(w->condition, state);
}

static void see_word(struct waiter *w, const char *about, const struct fields *from,
                     const char *name)
{
    struct span word;
    if (w->condition && condition_is_about(w->condition, about) &&
        fields_string(from, name, &word) && condition_holds_of_word(w->condition, word))
        w->holds = true;
}

static void see_metrics(struct waiter *w, const struct fields *metrics)
{
    double number;
    if (metrics && w->condition && condition_is_about_a_metric(w->condition) &&
        fields_number(metrics, w->condition->name, &number) &&
        condition_holds_of_number(w->condition, number))
        w->holds = true;
}

/* session_status, or the answer of /api/training/sessions. */
static void see_run(struct waiter *w, const struct fields *run)
{
    struct span state;
    see_word(w, "phase", run, "phase");
    see_metrics(w, fields_object(run, "latest_metrics"));
    if (fields_string(run, "status", &state))
        see_state(w, state);
}

static bool is_enough(struct waiter *w)
{
    w->holds = w->holds || (!w->condition && w->over);
    return w->holds || w->over;
}

static bool on_event(void *context, struct span name, struct span data)
{
    struct waiter *w = context;
    struct fields *event = NULL;
    if (fields_parse(data, &event, NULL) != OK)
        return true;
    if (span_is(name, "session_status"))
        see_run(w, event);
    else if (span_is(name, "progress_update"))
        see_metrics(w, fields_object(event, "metrics"));
    else if (span_is(name, "phase_changed"))
        see_word(w, "phase", event, "to");
    else if (span_is(name, "training_completed"))
        see_state(w, SPAN("completed"));
    else if (span_is(name, "training_error"))
        see_state(w, SPAN("failed"));
    else if (span_is(name, "session_cleanup"))
        see_state(w, SPAN("expired"));
    fields_destroy(event);
    return !is_enough(w);
}

/* The run as it is; on a terminal and in a pipe alike what was waited for is one line. */
static int look(const struct tool *tool, const struct wait_flags *flags, const char *id,
                struct waiter *w, bool print)
{
    struct daemon_ask ask;
    daemon_ask_init(&ask, tool, &flags->daemon, "/api/training/sessions");
    daemon_path_add(&ask.path, id);
    int status = daemon_ask_send(&ask, "GET");
    if (status == TOOL_GOOD && ask.data)
        see_run(w, ask.data);
    if (status == TOOL_GOOD && print && flags->daemon.json)
        daemon_ask_print(&ask);
    else if (status == TOOL_GOOD && print)
        (void)printf("%s %s%s%s\n", id, w->state, flags->until ? ", " : "",
                     flags->until ? flags->until : "");
    daemon_ask_fini(&ask);
    return status;
}

static int listen_for(const struct tool *tool, const struct wait_flags *flags, const char *id,
                      struct waiter *w, uint64_t timeout_ms)
{
    struct buf path;
    const char *why = "";
    buf_init(&path, 4096);
    buf_add_str(&path, "/api/training/events");
    daemon_path_add(&path, id);
    buf_add_char(&path, '\0');
    const struct daemon_events events = {.url = flags->daemon.url,
                                         .ca_file = flags->daemon.ca_file,
                                         .path = path.ptr,
                                         .timeout_ms = timeout_ms,
                                         .on_event = on_event,
                                         .context = w};
    enum daemon_events_end end =
        buf_status(&path) == OK ? daemon_events(&events, &why) : EVENTS_LOST;
    buf_fini(&path);
    if (end == EVENTS_LOST)
        return tool_fail(tool, "%s", why);
    if (end == EVENTS_ENOUGH)
        return TOOL_GOOD;
    (void)tool_fail(tool, "the time is up");
    return TOOL_TIMEOUT;
}

static int wait_for(const struct tool *tool, const struct wait_flags *flags, const char *id,
                    struct waiter *w, uint64_t timeout_ms)
{
    int status = look(tool, flags, id, w, false);
    if (status == TOOL_GOOD && !is_enough(w))
        status = listen_for(tool, flags, id, w, timeout_ms);
    if (status != TOOL_GOOD)
        return status;
    if (!w->holds)
        return tool_fail(tool, "%s has %s without it", id, w->state[0] == 'f' ? "failed" : "ended");
    return look(tool, flags, id, w, true);
}

/* "90s", "10m", "2h", "1d" or seconds. */
static bool read_timeout(const char *text, double *out_s)
{
    static const struct {
        char unit;
        double seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    char *end;
    double value = strtod(text, &end);
    double scale = *end == '\0' ? 1 : 0;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (*end == units[i].unit && end[1] == '\0')
            scale = units[i].seconds;
    }
    *out_s = value * scale;
    return end != text && *out_s > 0 && *out_s <= 1e9;
}

int tool_wait(const struct tool *tool, int argc, char **argv)
{
    struct wait_flags flags = {.until = NULL};
    struct condition condition;
    struct waiter w = {.condition = NULL};
    const char *why;
    double timeout_s = 0;
    int count;
    int status;
    if (!tool_begin(tool, argc, argv, &flags, &count, &status))
        return status;
    if (count != 1 || argv[1][0] == '\0')
        return tool_refuse(tool, "it takes the id of one run");
    if (flags.until && !condition_parse(flags.until, &condition, &why))
        return tool_refuse(tool, "--until: %s", why);
    if (flags.timeout && !read_timeout(flags.timeout, &timeout_s))
        return tool_refuse(tool, "--timeout: expected a time such as 90s, 10m or 2h");
    w.condition = flags.until ? &condition : NULL;
    return wait_for(tool, &flags, argv[1], &w, (uint64_t)(timeout_s * 1000));
}
