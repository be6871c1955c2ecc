/* SPDX-License-Identifier: MIT */
#include "streamd/daemon.h"
#include "streamd/tools/tool.h"

int main(int argc, char **argv)
{
    const struct tool *tool = argc > 1 ? tool_find(argv[1]) : NULL;
    return tool ? tool->main(tool, argc - 1, argv + 1) : daemon_main(argc, argv, NULL);
}
