/* SPDX-License-Identifier: MIT */
/* help: the tool that tells of the others. */
#include "streamd/options_write.h"
#include "streamd/tools/tool_options.h"

int tool_help(const struct tool *tool, int argc, char **argv)
{
    int count;
    int status;
    struct log_text quoted;
    if (!tool_begin(tool, argc, argv, NULL, &count, &status))
        return status;
    if (count > 1)
        return tool_refuse(tool, "one command at a time");
    const struct tool *about = count == 1 ? tool_find(argv[1]) : NULL;
    if (count == 1 && !about) {
        (void)fprintf(stderr, "streamd help: %s: no such command; streamd --help lists them\n",
                      log_quoted(&quoted, span_of(argv[1])));
        return TOOL_USAGE;
    }
    if (about)
        tool_write_help(about, stdout);
    else
        options_write_help(stdout);
    return TOOL_GOOD;
}
