/* SPDX-License-Identifier: MIT */
/*
 * newest_log: the log that was written to last, below a folder.
 */
#ifndef STREAMD_TOOLS_NEWEST_LOG_H
#define STREAMD_TOOLS_NEWEST_LOG_H

#include <stdbool.h>

enum { NEWEST_LOG_PATH_MAX = 4096 };

/*
 * Of the files below `folder` (six levels, ten thousand entries) that are called as logs are and
 * look like one of the formats of proto/logs/source.h: the one that was changed last. False: none.
 */
bool newest_log_find(const char *folder, char out[NEWEST_LOG_PATH_MAX]);

#endif
