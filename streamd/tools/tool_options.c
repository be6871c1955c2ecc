/* SPDX-License-Identifier: MIT */
/*
 * The daemon's options are many, numbers with ranges, and variables too; a tool has five, and all
 * are words. So they have a parser of their own, with the same manners.
 */
#include "streamd/tools/tool_options.h"

#include "streamd/options_write.h"

#include <stdarg.h>
#include <string.h>

enum { LINE_MAX_BYTES = 1024, CHOICES_MAX = 128 };

static const char *const tool_help_text = "print this and exit";

struct parse {
    const struct tool *tool;
    void *fields;
    FILE *err;
};

static bool refuse(struct parse *p, const char *argument, const char *why)
{
    struct log_text quoted;
    (void)fprintf(p->err, "streamd %s: %s: %s; streamd help %s lists the options\n", p->tool->name,
                  log_quoted(&quoted, span_of(argument)), why, p->tool->name);
    return false;
}

static bool has_choice(const char *choices, const char *value)
{
    struct span rest = span_of(choices);
    while (rest.ptr) {
        if (span_is(span_cut(&rest, '|'), value))
            return true;
    }
    return false;
}

/* "a, b or c" */
static const char *choices_text(const char *choices, char out[CHOICES_MAX])
{
    struct span rest = span_of(choices);
    size_t len = 0;
    out[0] = '\0';
    for (bool first = true; rest.ptr && len < CHOICES_MAX; first = false) {
        struct span word = span_cut(&rest, '|');
        int n = snprintf(out + len, CHOICES_MAX - len, "%s%.*s",
                         first      ? ""
                         : rest.ptr ? ", "
                                    : " or ",
                         (int)word.len, word.ptr);
        len += n > 0 ? (size_t)n : 0;
    }
    return out;
}

static bool set_text(struct parse *p, const struct tool_option *o, const char *value)
{
    char choices[CHOICES_MAX];
    struct log_text quoted;
    bool good = value && *value && (!o->choices || has_choice(o->choices, value));
    if (!good) {
        (void)fprintf(p->err, "streamd %s: --%s %s: expected %s\n", p->tool->name, o->name,
                      log_quoted(&quoted, span_of(value ? value : "")),
                      o->choices ? choices_text(o->choices, choices) : "a text that is not empty");
        return false;
    }
    memcpy((char *)p->fields + o->at, &value, sizeof(value));
    return true;
}

static const struct tool_option *find(const struct tool *tool, struct span name)
{
    for (const struct tool_option *o = tool->options; o->name; o++) {
        if (span_is(name, o->name))
            return o;
    }
    return NULL;
}

/* Takes argv[*at], and the value behind it if it is one. */
static bool take_flag(struct parse *p, char **argv, int *at)
{
    char *flag = argv[(*at)++];
    struct span rest = span_of(flag + 2);
    const struct tool_option *o = find(p->tool, span_cut(&rest, '='));
    const char *value = rest.ptr;
    if (!o)
        return refuse(p, flag, "no such option");
    if (o->value) {
        if (!value && argv[*at] && (argv[*at][0] != '-' || argv[*at][1] == '\0'))
            value = argv[(*at)++];
        return set_text(p, o, value);
    }
    if (value)
        return refuse(p, flag, "this option takes no value");
    *((bool *)p->fields + o->at) = true;
    return true;
}

enum options_result tool_options_parse(const struct tool *tool, int argc, char **argv, void *fields,
                                       int *out_count, FILE *out, FILE *err)
{
    struct parse p = {.tool = tool, .fields = fields, .err = err};
    bool options = true;
    *out_count = 0;
    for (int at = 1; at < argc;) {
        const char *argument = argv[at];
        if (options && strcmp(argument, "--help") == 0) {
            tool_write_help(tool, out);
            return OPTIONS_DONE;
        }
        if (options && strcmp(argument, "--") == 0) {
            options = false;
            at++;
        } else if (!options || argument[0] != '-' || argument[1] == '\0') {
            argv[++*out_count] = argv[at++];
        } else if (argument[1] != '-') {
            (void)refuse(&p, argument, "no such option");
            return OPTIONS_BAD;
        } else if (!take_flag(&p, argv, &at)) {
            return OPTIONS_BAD;
        }
    }
    return OPTIONS_RUN;
}

bool tool_begin(const struct tool *tool, int argc, char **argv, void *fields, int *out_count,
                int *out_exit)
{
    enum options_result result =
        tool_options_parse(tool, argc, argv, fields, out_count, stdout, stderr);
    *out_exit = result == OPTIONS_BAD ? TOOL_USAGE : TOOL_GOOD;
    return result == OPTIONS_RUN;
}

void tool_write_help(const struct tool *tool, FILE *out)
{
    bool any = tool->options[0].name;
    (void)fprintf(out, "streamd %s: %s\n\nusage: streamd %s%s%s%s\n", tool->name, tool->summary,
                  tool->name, any ? " [OPTION]..." : "", *tool->arguments ? " " : "",
                  tool->arguments);
    if (any)
        (void)fputc('\n', out);
    for (const struct tool_option *o = tool->options; o->name; o++) {
        int at = fprintf(out, "  --%s%s%s", o->name, o->value ? " " : "", o->value ? o->value : "");
        options_write_wrapped(out, o->help, at);
    }
    options_write_wrapped(out, tool_help_text, fprintf(out, "  --help"));
}

static void say(const struct tool *tool, const char *format, va_list args, const char *end)
{
    char line[LINE_MAX_BYTES];
    (void)vsnprintf(line, sizeof(line), format, args);
    (void)fprintf(stderr, "streamd %s: %s%s", tool->name, line, end);
    if (*end != '\n')
        (void)fprintf(stderr, "%s says how\n", tool->name);
}

int tool_refuse(const struct tool *tool, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(tool, format, args, "; streamd help ");
    va_end(args);
    return TOOL_USAGE;
}

int tool_fail(const struct tool *tool, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(tool, format, args, "\n");
    va_end(args);
    return TOOL_BAD;
}
