/* SPDX-License-Identifier: MIT */
/*
 * metrics: what a run of a running daemon has recorded, an entry a line, oldest first.
 *
 * With --json each line is an object; without it `name=value` for each of its numbers.
 */
#include "streamd/tools/daemon_ask.h"
#include "streamd/tools/tool_options.h"

#include <stdlib.h>

struct metrics_flags {
    struct daemon_flags daemon;
    const char *since;
    const char *limit;
    const char *fields;
};

#define AT(field) offsetof(struct metrics_flags, field)

const struct tool_option metrics_options[] = {
    DAEMON_OPTIONS,
    {"since", "OFFSET", NULL, "only what came after that offset (default: the newest --limit)",
     AT(since)},
    {"limit", "N", NULL, "as many entries, the newest (default: 100, with --since all)", AT(limit)},
    {"fields", "A,B", NULL, "only these", AT(fields)},
    {0}};

static void print_entry(struct span line)
{
    struct json_scan scan;
    struct json_value key;
    struct json_value value;
    const char *before = "";
    json_scan_init(&scan, line, JSON_STRICT);
    (void)json_next(&scan, &key); /* the brace */
    while (json_next(&scan, &key) == JSON_KEY) {
        enum json_token token = json_next(&scan, &value);
        if ((token == JSON_OBJECT_BEGIN || token == JSON_ARRAY_BEGIN) && json_leave(&scan) != OK)
            break;
        if (token != JSON_NUMBER)
            continue;
        (void)printf("%s%.*s=%.*s", before, (int)key.raw.len, key.raw.ptr, (int)value.raw.len,
                     value.raw.ptr);
        before = " ";
    }
    (void)printf("\n");
}

static void print_entries(struct span text, bool as_json)
{
    while (text.ptr && text.len > 0) {
        struct span line = span_cut(&text, '\n');
        if (as_json)
            (void)printf("%.*s\n", (int)line.len, line.ptr);
        else if (line.len > 0)
            print_entry(line);
    }
}

/* Unknown ids have an empty history, and no run. */
static int see_whether_it_is_there(const struct tool *tool, const struct metrics_flags *flags,
                                   const char *id)
{
    struct daemon_ask ask;
    daemon_ask_init(&ask, tool, &flags->daemon, "/api/training/sessions");
    daemon_path_add(&ask.path, id);
    int status = daemon_ask_text(&ask, "GET");
    daemon_ask_fini(&ask);
    return status;
}

static int print_history(const struct tool *tool, const struct metrics_flags *flags, const char *id)
{
    struct daemon_ask ask;
    daemon_ask_init(&ask, tool, &flags->daemon, "/api/training/history");
    daemon_path_add(&ask.path, id);
    buf_add_str(&ask.path, "?format=ndjson");
    if (flags->since)
        buf_addf(&ask.path, "&since=%s", flags->since);
    if (flags->limit || flags->since)
        buf_addf(&ask.path, "&limit=%s", flags->limit ? flags->limit : "1000000000");
    if (flags->fields)
        buf_addf(&ask.path, "&fields=%s", flags->fields);
    int status = daemon_ask_text(&ask, "GET");
    if (status == TOOL_GOOD)
        print_entries(buf_span(&ask.answer), flags->daemon.json);
    daemon_ask_fini(&ask);
    return status;
}

static bool is_number(const char *text)
{
    uint64_t number;
    return !text || span_u64(span_of(text), &number);
}

/* What may stand in a path as it is. */
static bool is_plain(const char *text)
{
    for (; text && *text; text++) {
        if (*text <= ' ' || *text == '&' || *text == '#' || *text == '%' || *text == '+')
            return false;
    }
    return true;
}

int tool_metrics(const struct tool *tool, int argc, char **argv)
{
    struct metrics_flags flags = {.since = NULL};
    int count;
    int status;
    if (!tool_begin(tool, argc, argv, &flags, &count, &status))
        return status;
    if (count != 1 || argv[1][0] == '\0')
        return tool_refuse(tool, "it takes the id of one run");
    if (!is_number(flags.since) || !is_number(flags.limit))
        return tool_refuse(tool, "--since and --limit: expected a whole number");
    if (!is_plain(flags.fields))
        return tool_refuse(tool, "--fields: expected names with commas between them");
    status = see_whether_it_is_there(tool, &flags, argv[1]);
    return status == TOOL_GOOD ? print_history(tool, &flags, argv[1]) : status;
}
