/* SPDX-License-Identifier: MIT */
/*
 * A line is recognised by its first three fields, which both clients write in this order; that is
 * also what tells it from a stretch of zeros that a power cut left. The rest of it is the daemon's
 * to judge, as if it came from a living trainer.
 */
#include "clients/c/spool_format.h"

#include "proto/json_write.h"
#include "proto/line.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

bool spool_folder(char *out, size_t out_bytes)
{
    const char *named = getenv("STREAMD_SPOOL");
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    int len = -1;
    if (named && *named)
        len = snprintf(out, out_bytes, "%s", named);
    else if (state && *state)
        len = snprintf(out, out_bytes, "%s/streamd/spool", state);
    else if (home && *home)
        len = snprintf(out, out_bytes, "%s/.local/state/streamd/spool", home);
    if (len >= 0 && (size_t)len < out_bytes)
        return true;
    out[0] = '\0';
    return false;
}

bool spool_make_folder(const char *folder)
{
    char path[SPOOL_PATH_BYTES];
    size_t len = strlen(folder);
    if (len == 0 || len >= sizeof(path))
        return false;
    memcpy(path, folder, len + 1);
    for (size_t i = 1; i <= len; i++) {
        if (folder[i] != '/' && folder[i] != '\0')
            continue;
        path[i] = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            return false;
        path[i] = folder[i];
    }
    return true;
}

void spool_write_header(struct buf *b, const struct spool_header *h)
{
    buf_add_span(b, h->start);
    json_write_pair_bool(b, "resume", !h->anew);
    if (h->to.len <= SPOOL_TO_BYTES_MAX)
        json_write_pair_string(b, "spoolTo", h->to);
    if (h->relative)
        json_write_pair_string(b, "seqBase", SPAN(SPOOL_BASE_UNKNOWN));
    buf_add_str(b, "}\n");
}

bool spool_settle_resume(int fd, size_t start_bytes)
{
    static const char yes[] = "true "; /* over "false" */
    off_t at = (off_t)(start_bytes + strlen(",\"resume\":"));
    return pwrite(fd, yes, strlen(yes), at) == (ssize_t)strlen(yes) && fsync(fd) == 0;
}

bool spool_settle_base(int fd, size_t header_bytes, uint64_t base)
{
    char digits[SPOOL_BASE_DIGITS + 1];
    (void)snprintf(digits, sizeof(digits), "%020llu", (unsigned long long)base);
    off_t at = (off_t)(header_bytes - strlen("\"}\n") - SPOOL_BASE_DIGITS);
    return pwrite(fd, digits, SPOOL_BASE_DIGITS, at) == SPOOL_BASE_DIGITS && fsync(fd) == 0;
}

/* Cuts `text` off the front of *s; false when something else stands there. */
static bool take_text(struct span *s, const char *text)
{
    struct span prefix = span_of(text);
    if (!span_starts(*s, prefix))
        return false;
    s->ptr += prefix.len;
    s->len -= prefix.len;
    return true;
}

static struct span take_digits(struct span *s)
{
    struct span digits = {s->ptr, 0};
    while (digits.len < s->len && isdigit((unsigned char)s->ptr[digits.len]))
        digits.len++;
    s->ptr += digits.len;
    s->len -= digits.len;
    return digits;
}

bool spool_line_read(struct span line, struct spool_line *out)
{
    struct span rest = line;
    if (line.len == 0 || line.ptr[line.len - 1] != '}' || !take_text(&rest, "{\"type\":\""))
        return false;
    struct span type = span_cut(&rest, '"');
    if (type.len == 0 || !rest.ptr || !take_text(&rest, ",\"sessionId\":\""))
        return false;
    struct span session = span_cut(&rest, '"');
    if (!session_id_valid(session) || !rest.ptr || !take_text(&rest, ",\"seq\":"))
        return false;
    struct span head = {line.ptr, (size_t)(rest.ptr - line.ptr)};
    uint64_t seq;
    if (!span_u64(take_digits(&rest), &seq) || (rest.ptr[0] != ',' && rest.ptr[0] != '}'))
        return false;
    *out = (struct spool_line){head, seq, rest};
    return true;
}

size_t spool_renumber(struct span data, uint64_t base, uint64_t after, struct buf *out,
                      void (*on_line)(void *context, uint64_t seq), void *context)
{
    size_t count = 0;
    while (data.len > 0 && memchr(data.ptr, '\n', data.len)) {
        struct spool_line line;
        if (!spool_line_read(span_cut(&data, '\n'), &line) || base + line.seq <= after)
            continue;
        buf_add_span(out, line.head);
        buf_add_u64(out, base + line.seq);
        buf_add_span(out, line.tail);
        buf_add_char(out, '\n');
        if (on_line)
            on_line(context, base + line.seq);
        count++;
    }
    return count;
}

bool spool_lock(int fd)
{
    return flock(fd, LOCK_EX | LOCK_NB) == 0;
}
