/* SPDX-License-Identifier: MIT */
/*
 * tool_options: a tool's argv into its own struct, from the table of its options.
 *
 * Options are `--name VALUE` or `--name=VALUE`, and may stand anywhere; `--` ends them, and `-` is
 * no option. --help is every tool's.
 */
#ifndef STREAMD_TOOLS_TOOL_OPTIONS_H
#define STREAMD_TOOLS_TOOL_OPTIONS_H

#include "streamd/options.h"
#include "streamd/tools/tool.h"

/*
 * Sets the fields of *fields that are given, and leaves what is no option in argv[1 .. *out_count].
 * OPTIONS_DONE: the help was printed to `out`. OPTIONS_BAD: one line was printed to `err`.
 */
enum options_result tool_options_parse(const struct tool *tool, int argc, char **argv, void *fields,
                                       int *out_count, FILE *out, FILE *err);

/* The same for a tool's main: false, and *out_exit is what it exits with. */
bool tool_begin(const struct tool *tool, int argc, char **argv, void *fields, int *out_count,
                int *out_exit);

/* How the tool is used, with all its options. */
void tool_write_help(const struct tool *tool, FILE *out);

/* One line about how it was asked: `streamd NAME: ...; streamd help NAME says how`. Answers
 * TOOL_USAGE. */
int tool_refuse(const struct tool *tool, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* One line about what went wrong: `streamd NAME: ...`. Answers TOOL_BAD. */
int tool_fail(const struct tool *tool, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
