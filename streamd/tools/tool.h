/* SPDX-License-Identifier: MIT */
/*
 * tool: what the program does besides being the daemon: `streamd NAME ...`.
 *
 * One table, read by main.c, by both kinds of --help and by the test of the manual page. A tool is
 * a row there, a table of its options, and a file with its main.
 */
#ifndef STREAMD_TOOLS_TOOL_H
#define STREAMD_TOOLS_TOOL_H

#include <stddef.h>
#include <stdio.h>

/* What every tool exits with. */
enum tool_exit {
    TOOL_GOOD = 0,
    TOOL_BAD = 1,     /* it failed, or has found what it looks for */
    TOOL_USAGE = 2,   /* it was asked wrongly, and has done nothing */
    TOOL_TIMEOUT = 3, /* it has waited for as long as it was to */
};

/* One option of a tool; NULL names end the table. */
struct tool_option {
    const char *name;    /* without the dashes */
    const char *value;   /* what a value is called; NULL: a switch (bool), else a const char * */
    const char *choices; /* "a|b|c": the only values; NULL: any that is not empty */
    const char *help;
    size_t at; /* offset of the field in the tool's own struct */
};

struct tool {
    const char *name;
    const char *arguments; /* what it takes behind its options, as usage has it */
    const char *summary;   /* one line */
    const struct tool_option *options;
    /* argv[0] is the tool's name. */
    int (*main)(const struct tool *tool, int argc, char **argv);
};

/* NULL past the end. */
const struct tool *tool_at(size_t index);

/* NULL when there is none of that name. */
const struct tool *tool_find(const char *name);

/* ---- the mains, each in its own file ---- */

int tool_export(const struct tool *tool, int argc, char **argv);
int tool_import(const struct tool *tool, int argc, char **argv);
int tool_verify(const struct tool *tool, int argc, char **argv);
int tool_replay(const struct tool *tool, int argc, char **argv);
int tool_watch(const struct tool *tool, int argc, char **argv);
int tool_status(const struct tool *tool, int argc, char **argv);
int tool_steer(const struct tool *tool, int argc, char **argv);
int tool_ls(const struct tool *tool, int argc, char **argv);
int tool_metrics(const struct tool *tool, int argc, char **argv);
int tool_wait(const struct tool *tool, int argc, char **argv);
int tool_token(const struct tool *tool, int argc, char **argv);
int tool_relay(const struct tool *tool, int argc, char **argv);
int tool_mcp_stdio(const struct tool *tool, int argc, char **argv);
int tool_help(const struct tool *tool, int argc, char **argv);

extern const struct tool_option export_options[];
extern const struct tool_option import_options[];
extern const struct tool_option verify_options[];
extern const struct tool_option watch_options[];
extern const struct tool_option replay_options[];
extern const struct tool_option status_options[];
extern const struct tool_option token_options[];
extern const struct tool_option relay_options[];
extern const struct tool_option mcp_stdio_options[];
extern const struct tool_option steer_options[];
extern const struct tool_option ls_options[];
extern const struct tool_option metrics_options[];
extern const struct tool_option wait_options[];

#endif
