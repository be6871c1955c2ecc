/* SPDX-License-Identifier: MIT */
/*
 * log: one line is one event, on stderr, key=value.
 *
 * Error: someone must act. Warn: degraded. Info: lifecycle. Debug: per message. A survived failure
 * ends in "ignoring" or "retrying". Text that came from a peer goes through log_quoted, which
 * escapes control bytes and cuts at 128 octets. A line that cannot be written (closed or blocked
 * stderr) is dropped and counted; logging never blocks and never fails.
 */
#ifndef STREAMD_LOG_H
#define STREAMD_LOG_H

#include "base/span.h"

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* The level and the count of dropped lines are the only state a log has. */
void log_set_level(enum log_level level);

/* "error", "warn", "info", "debug"; false for anything else. */
bool log_level_parse(struct span name, enum log_level *out);

bool log_enabled(enum log_level level);

uint64_t log_dropped(void);

/* `module` is the noun of the file; `format` is key=value text without a newline. */
void log_line(enum log_level level, const char *module, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...)                                                                             \
    do {                                                                                           \
        if (log_enabled(LOG_DEBUG))                                                                \
            log_line(LOG_DEBUG, __VA_ARGS__);                                                      \
    } while (0)

/* Room for what log_quoted writes. */
struct log_text {
    char text[160];
};

/* A peer's text, quoted and escaped for one log line. Answers out->text. */
const char *log_quoted(struct log_text *out, struct span text);

#endif
