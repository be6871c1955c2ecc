/* SPDX-License-Identifier: MIT */
/*
 * stop, pause, resume, checkpoint, set: a run of a running daemon is told something, from a shell.
 *
 * A stop cancels the operation, as an agent's DELETE does; the others, and a dry run, go the way of
 * a page's buttons. What the daemon refuses is an exit code of 1 and its own words on stderr.
 */
#include "proto/json_write.h"
#include "streamd/tools/daemon_ask.h"
#include "streamd/tools/tool_options.h"

#include <stdlib.h>
#include <string.h>

struct steer_flags {
    struct daemon_flags daemon;
    const char *reason;
    bool dry_run;
};

#define AT(field) offsetof(struct steer_flags, field)

const struct tool_option steer_options[] = {
    DAEMON_OPTIONS,
    {"reason", "TEXT", NULL, "why; its trainer is told, and it is kept", AT(reason)},
    {"dry-run", NULL, NULL, "say what would happen, and tell nobody", AT(dry_run)},
    {0}};

static void write_reason(const struct steer_flags *flags, struct buf *out)
{
    if (flags->reason)
        json_write_pair_string(out, "reason", span_of(flags->reason));
}

/* "ID order 7 (stop): told 1 trainer" */
static void print_order(const struct fields *answer, const char *id)
{
    struct span command = {NULL, 0};
    double number = 0;
    double trainers = 0;
    bool dry_run = false;
    const struct fields *order = fields_object(answer, "order");
    if (!order)
        return;
    (void)fields_number(order, "id", &number);
    (void)fields_number(order, "trainers", &trainers);
    (void)fields_string(order, "command", &command);
    (void)fields_bool(order, "dryRun", &dry_run);
    (void)printf("%s order %.0f (%.*s): %s %.0f %s\n", id, number, (int)command.len, command.ptr,
                 dry_run ? "would be told to" : "told to", trainers,
                 trainers == 1 ? "trainer" : "trainers");
}

/* "ID cancelled: reason" */
static void print_cancelled(const struct fields *data)
{
    struct span id = SPAN("");
    struct span status = SPAN("");
    struct span reason = {NULL, 0};
    (void)fields_string(data, "operation_id", &id);
    (void)fields_string(data, "status", &status);
    (void)printf("%.*s %.*s", (int)id.len, id.ptr, (int)status.len, status.ptr);
    if (fields_string(data, "cancellation_reason", &reason))
        (void)printf(": %.*s", (int)reason.len, reason.ptr);
    (void)printf("\n");
}

static int cancel(const struct tool *tool, const struct steer_flags *flags, const char *id)
{
    struct daemon_ask ask;
    daemon_ask_init(&ask, tool, &flags->daemon, "/api/v1/operations");
    daemon_path_add(&ask.path, id);
    buf_add_char(&ask.body, '{');
    write_reason(flags, &ask.body);
    buf_add_char(&ask.body, '}');
    int status = daemon_ask_send(&ask, "DELETE");
    if (status == TOOL_GOOD && flags->daemon.json)
        daemon_ask_print(&ask);
    else if (status == TOOL_GOOD && ask.data)
        print_cancelled(ask.data);
    daemon_ask_fini(&ask);
    return status;
}

/* `setting`: knob=value, or NULL. False: it is none. */
static bool write_setting(const char *setting, struct buf *out)
{
    struct span rest = span_of(setting);
    char *end;
    if (!setting)
        return true;
    struct span knob = span_cut(&rest, '=');
    if (knob.len == 0 || !rest.ptr || rest.len == 0)
        return false;
    json_write_pair_string(out, "knob", knob);
    bool truth = span_is(rest, "true") || span_is(rest, "false");
    if (!truth && (strtod(rest.ptr, &end), *end != '\0'))
        return false;
    if (truth)
        json_write_pair_raw(out, "value", rest);
    else
        json_write_pair_double(out, "value", strtod(rest.ptr, NULL));
    return true;
}

static int tell(const struct tool *tool, const struct steer_flags *flags, const char *id,
                const char *setting)
{
    struct daemon_ask ask;
    daemon_ask_init(&ask, tool, &flags->daemon, "/api/training/control");
    daemon_path_add(&ask.path, id);
    buf_add_char(&ask.body, '{');
    json_write_pair_string(&ask.body, "command", span_of(tool->name));
    write_reason(flags, &ask.body);
    if (flags->dry_run)
        json_write_pair_bool(&ask.body, "dry_run", true);
    bool good = write_setting(setting, &ask.body);
    buf_add_char(&ask.body, '}');
    int status = good ? daemon_ask_send(&ask, "POST")
                      : tool_refuse(tool, "expected KNOB=VALUE, a number, true or false");
    if (status == TOOL_GOOD && flags->daemon.json)
        daemon_ask_print(&ask);
    else if (status == TOOL_GOOD)
        print_order(ask.fields, id);
    daemon_ask_fini(&ask);
    return status;
}

int tool_steer(const struct tool *tool, int argc, char **argv)
{
    struct steer_flags flags = {.dry_run = false};
    int count;
    int status;
    bool sets = strcmp(tool->name, "set") == 0;
    if (!tool_begin(tool, argc, argv, &flags, &count, &status))
        return status;
    if (count != (sets ? 2 : 1) || argv[1][0] == '\0')
        return tool_refuse(tool, sets ? "it takes the id of one run, and KNOB=VALUE"
                                      : "it takes the id of one run");
    if (strcmp(tool->name, "stop") == 0 && !flags.dry_run)
        return cancel(tool, &flags, argv[1]);
    return tell(tool, &flags, argv[1], sets ? argv[2] : NULL);
}
