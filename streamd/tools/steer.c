/* SPDX-License-Identifier: MIT */
/*
 * status, stop: one operation of a running daemon, looked at and cancelled from a shell.
 *
 * With --json the answer as it came, for jq; without it a line for people. What the daemon refuses
 * is an exit code of 1 and its own words on stderr.
 */
#include "proto/fields.h"
#include "proto/json_write.h"
#include "streamd/tools/daemon_call.h"
#include "streamd/tools/tool_options.h"

struct steer_flags {
    const char *url;
    const char *reason;
    bool json;
};

#define AT(field) offsetof(struct steer_flags, field)
#define URL                                                                                        \
    {                                                                                              \
        "url", "URL", NULL, "the daemon (default: $STREAMD_URL, else http://127.0.0.1:5001)",      \
            AT(url)                                                                                \
    }
#define JSON                                                                                       \
    {                                                                                              \
        "json", NULL, NULL, "the answer as it came", AT(json)                                      \
    }

const struct tool_option status_options[] = {URL, JSON, {0}};
const struct tool_option stop_options[] = {
    URL,
    JSON,
    {"reason", "TEXT", NULL, "why; its trainer is told, and it is kept", AT(reason)},
    {0}};

/* The daemon's own words, which come in two shapes. */
static int refused(const struct tool *tool, const struct fields *answer, int status)
{
    struct span why = {NULL, 0};
    const struct fields *error = answer ? fields_object(answer, "error") : NULL;
    bool told =
        answer && (fields_string(answer, "detail", &why) || fields_string(answer, "error", &why) ||
                   (error && fields_string(error, "message", &why)));
    if (told)
        return tool_fail(tool, "%.*s", (int)why.len, why.ptr);
    return tool_fail(tool, "the daemon answers %d", status);
}

static void print_text(const struct fields *from, const char *name, const char *before)
{
    struct span text;
    if (fields_string(from, name, &text))
        (void)printf("%s%.*s", before, (int)text.len, text.ptr);
}

/* "ID STATUS", then what there is to say. */
static void print_line(const struct fields *data)
{
    const struct fields *progress = fields_object(data, "progress");
    double percentage;
    print_text(data, "operation_id", "");
    print_text(data, "status", " ");
    if (progress && fields_number(progress, "percentage", &percentage))
        (void)printf(" %.1f%%", percentage);
    if (progress)
        print_text(progress, "current_step", ", ");
    print_text(data, "error_message", ": ");
    print_text(data, "cancellation_reason", ": ");
    (void)printf("\n");
}

static int print_answer(const struct tool *tool, const struct steer_flags *flags, int status,
                        struct span text)
{
    struct fields *answer = NULL;
    int result = TOOL_GOOD;
    if (fields_parse(text, &answer, NULL) != OK)
        answer = NULL;
    const struct fields *data = answer ? fields_object(answer, "data") : NULL;
    if (status != 200 || !data)
        result = refused(tool, answer, status);
    else if (flags->json)
        (void)printf("%.*s\n", (int)text.len, text.ptr);
    else
        print_line(data);
    fields_destroy(answer);
    return result;
}

static void write_reason(const struct steer_flags *flags, struct buf *out)
{
    buf_add_char(out, '{');
    if (flags->reason)
        json_write_pair_string(out, "reason", span_of(flags->reason));
    buf_add_char(out, '}');
}

static int call(const struct tool *tool, const struct steer_flags *flags, const char *method,
                const char *id)
{
    struct buf path;
    struct buf body;
    struct buf answer;
    int status = 0;
    buf_init(&path, 65536);
    buf_init(&body, 65536);
    buf_init(&answer, DAEMON_ANSWER_MAX);
    buf_add_str(&path, "/api/v1/operations");
    daemon_path_add(&path, id);
    buf_add_char(&path, '\0');
    if (*method == 'D')
        write_reason(flags, &body);
    const struct daemon_call request = {flags->url, method, path.ptr, buf_span(&body)};
    const char *why = buf_status(&path) == OK && buf_status(&body) == OK
                          ? daemon_call(&request, &status, &answer)
                          : "the id or the reason is too long";
    int result =
        why ? tool_fail(tool, "%s", why) : print_answer(tool, flags, status, buf_span(&answer));
    buf_fini(&path);
    buf_fini(&body);
    buf_fini(&answer);
    return result;
}

static int steer(const struct tool *tool, int argc, char **argv, const char *method)
{
    struct steer_flags flags = {0};
    int count;
    switch (tool_options_parse(tool, argc, argv, &flags, &count, stdout, stderr)) {
    case OPTIONS_RUN:
        break;
    case OPTIONS_DONE:
        return TOOL_GOOD;
    case OPTIONS_BAD:
        return TOOL_USAGE;
    }
    if (count != 1 || argv[1][0] == '\0')
        return tool_refuse(tool, "it takes the id of one run");
    return call(tool, &flags, method, argv[1]);
}

int tool_status(const struct tool *tool, int argc, char **argv)
{
    return steer(tool, argc, argv, "GET");
}

int tool_stop(const struct tool *tool, int argc, char **argv)
{
    return steer(tool, argc, argv, "DELETE");
}
