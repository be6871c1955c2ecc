/* SPDX-License-Identifier: MIT */
/*
 * ls, status: the runs of a running daemon, and one of them, in a line each.
 *
 * With --json the answer as it came, for jq. On a terminal a state has its colour, and status shows
 * the curve of the loss.
 */
#include "streamd/tools/daemon_ask.h"
#include "streamd/tools/terminal.h"
#include "streamd/tools/tool_options.h"

#include <math.h>
#include <string.h>

enum { LIST_MAX = 1000, CURVE_MAX = 60, ROWS_MAX = 480, CURVE_BYTES = 4 * CURVE_MAX + 64 };

struct show_flags {
    struct daemon_flags daemon;
    const char *status;
};

const struct tool_option status_options[] = {DAEMON_OPTIONS, {0}};
const struct tool_option ls_options[] = {
    DAEMON_OPTIONS,
    {"status", "STATE", "starting|running|completed|failed|expired|any",
     "only runs of that state; any: those whose history alone is left, too",
     offsetof(struct show_flags, status)},
    {0}};

static void print_text(const struct fields *from, const char *name, const char *before)
{
    struct span text;
    if (from && fields_string(from, name, &text))
        (void)printf("%s%.*s", before, (int)text.len, text.ptr);
}

static void print_number(const struct fields *from, const char *name, const char *format)
{
    double number;
    if (from && fields_number(from, name, &number))
        (void)printf("  %s %.6g", format, number);
}

/* ---- ls ---- */

static void print_run(struct span row)
{
    struct fields *run = NULL;
    struct span id = SPAN("");
    struct span state = SPAN("");
    struct span phase = SPAN("-");
    double percent = NAN;
    if (fields_parse(row, &run, NULL) != OK)
        return;
    const struct fields *metrics = fields_object(run, "latest_metrics");
    const struct fields *eta = fields_object(run, "eta");
    (void)fields_string(run, "session_id", &id);
    (void)fields_string(run, "status", &state);
    (void)fields_string(run, "phase", &phase);
    (void)printf("%-36.*s  ", (int)id.len, id.ptr);
    terminal_print_state(stdout, state, 10);
    (void)printf("  %-18.*s", (int)phase.len, phase.ptr);
    if (metrics && fields_number(metrics, "overallProgress", &percent))
        (void)printf("  %5.1f%%", percent);
    print_number(metrics, "loss", "loss");
    print_number(metrics, "val_loss", "val_loss");
    print_text(eta, "eta_formatted", "  ETA ");
    (void)printf("\n");
    fields_destroy(run);
}

static void print_list(const struct daemon_ask *ask)
{
    static struct span rows[LIST_MAX];
    struct span data;
    struct span sessions;
    size_t count = 0;
    if (!json_member(buf_span(&ask->answer), JSON_STRICT, "data", &data) ||
        !json_member(data, JSON_STRICT, "sessions", &sessions) ||
        json_array_split(sessions, rows, LIST_MAX, &count) != OK)
        return;
    for (size_t i = 0; i < count; i++)
        print_run(rows[i]);
}

int tool_ls(const struct tool *tool, int argc, char **argv)
{
    struct show_flags flags = {.status = NULL};
    struct daemon_ask ask;
    int count;
    int status;
    if (!tool_begin(tool, argc, argv, &flags, &count, &status))
        return status;
    if (count > 0)
        return tool_refuse(tool, "it takes no argument");
    daemon_ask_init(&ask, tool, &flags.daemon, "/api/training/sessions?limit=1000");
    if (flags.status)
        buf_addf(&ask.path, "&status=%s", flags.status);
    status = daemon_ask_send(&ask, "GET");
    if (status == TOOL_GOOD && flags.daemon.json)
        daemon_ask_print(&ask);
    else if (status == TOOL_GOOD)
        print_list(&ask);
    daemon_ask_fini(&ask);
    return status;
}

/* ---- status ---- */

/* "ID STATUS", then what there is to say. */
static void print_line(const struct fields *data)
{
    const struct fields *progress = fields_object(data, "progress");
    struct span state = SPAN("");
    double percentage;
    print_text(data, "operation_id", "");
    (void)printf(" ");
    (void)fields_string(data, "status", &state);
    terminal_print_state(stdout, state, 0);
    if (progress && fields_number(progress, "percentage", &percentage))
        (void)printf(" %.1f%%", percentage);
    print_text(progress, "current_step", ", ");
    print_text(data, "error_message", ": ");
    print_text(data, "cancellation_reason", ": ");
    (void)printf("\n");
}

static size_t read_losses(struct span answer, double out[CURVE_MAX])
{
    static struct span rows[ROWS_MAX];
    struct span data;
    size_t count = 0;
    if (!json_member(answer, JSON_STRICT, "data", &data) ||
        json_array_split(data, rows, ROWS_MAX, &count) != OK)
        return 0;
    size_t each = count > CURVE_MAX ? (count + CURVE_MAX - 1) / CURVE_MAX : 1;
    size_t n = 0;
    for (size_t i = 0; i < count; i += each) {
        struct span text;
        struct num loss = num_none(); /* as of null, which is no number */
        if (json_member(rows[i], JSON_STRICT, "loss", &text))
            (void)num_parse(text, &loss);
        out[n++] = num_double(loss);
    }
    return n;
}

/* The curve of the loss, for who looks. */
static void print_curve(const struct tool *tool, const struct daemon_flags *flags, const char *id)
{
    struct daemon_ask ask;
    struct buf line;
    double losses[CURVE_MAX];
    daemon_ask_init(&ask, tool, flags, "/api/training/history");
    daemon_path_add(&ask.path, id);
    buf_addf(&ask.path, "?fields=loss&points=%d", CURVE_MAX);
    buf_init(&line, CURVE_BYTES);
    if (daemon_ask_text(&ask, "GET") == TOOL_GOOD) {
        size_t count = read_losses(buf_span(&ask.answer), losses);
        terminal_sparkline(losses, count, &line);
        if (count > 1)
            (void)printf("loss %.*s %.4g → %.4g\n", (int)line.len, line.ptr, losses[0],
                         losses[count - 1]);
    }
    buf_fini(&line);
    daemon_ask_fini(&ask);
}

int tool_status(const struct tool *tool, int argc, char **argv)
{
    struct show_flags flags = {.status = NULL};
    struct daemon_ask ask;
    int count;
    int status;
    if (!tool_begin(tool, argc, argv, &flags, &count, &status))
        return status;
    if (count != 1 || argv[1][0] == '\0')
        return tool_refuse(tool, "it takes the id of one run");
    daemon_ask_init(&ask, tool, &flags.daemon, "/api/v1/operations");
    daemon_path_add(&ask.path, argv[1]);
    status = daemon_ask_send(&ask, "GET");
    if (status == TOOL_GOOD && flags.daemon.json)
        daemon_ask_print(&ask);
    else if (status == TOOL_GOOD && ask.data)
        print_line(ask.data);
    if (status == TOOL_GOOD && !flags.daemon.json && terminal_is(stdout))
        print_curve(tool, &flags.daemon, argv[1]);
    daemon_ask_fini(&ask);
    return status;
}
