/* SPDX-License-Identifier: MIT */
/*
 * A line is formatted into a stack buffer and leaves in one write(2), so that lines of several
 * processes on one stderr do not mix. stderr is set O_NONBLOCK by nobody: instead a poll() with a
 * zero timeout asks whether a pipe would block, and the line is dropped if so.
 */
#include "streamd/log.h"

#include "base/status.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static enum log_level threshold = LOG_INFO;
static uint64_t dropped;

static const char *const names[] = {"error", "warn", "info", "debug"};

void log_set_level(enum log_level level)
{
    threshold = level;
}

bool log_level_parse(struct span name, enum log_level *out)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (span_is(name, names[i])) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

bool log_enabled(enum log_level level)
{
    return level <= threshold;
}

uint64_t log_dropped(void)
{
    return dropped;
}

static bool write_line(const char *line, size_t len)
{
    struct pollfd fd = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&fd, 1, 0) != 1 || !(fd.revents & POLLOUT))
        return false;
    return write(STDERR_FILENO, line, len) == (ssize_t)len;
}

void log_line(enum log_level level, const char *module, const char *format, ...)
{
    if (!log_enabled(level))
        return;
    char line[1024];
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t len = strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%S", &utc);
    len += (size_t)snprintf(line + len, sizeof(line) - len,
                            ".%03ldZ %-5s %s: ", now.tv_nsec / 1000000, names[level], module);
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line + len, sizeof(line) - len - 1, format, args);
    va_end(args);
    size_t room = sizeof(line) - len - 2;
    len += n < 0 ? 0 : ((size_t)n < room ? (size_t)n : room);
    line[len++] = '\n';
    if (!write_line(line, len))
        dropped++;
}

const char *log_quoted(struct log_text *out, struct span text)
{
    static const char hex[] = "0123456789abcdef";
    enum { ROOM = sizeof(out->text) - 8, MOST = 128 };
    char *at = out->text;
    *at++ = '"';
    size_t i = 0;
    for (; i < text.len && i < MOST && (size_t)(at - out->text) < ROOM; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c < 0x20 || c == 0x7f || c == '"' || c == '\\') {
            *at++ = '\\';
            *at++ = 'x';
            *at++ = hex[c >> 4];
            *at++ = hex[c & 15];
        } else {
            *at++ = (char)c;
        }
    }
    const char *end = i < text.len ? "\"..." : "\"";
    memcpy(at, end, strlen(end) + 1);
    return out->text;
}
