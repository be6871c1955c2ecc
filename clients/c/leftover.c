/* SPDX-License-Identifier: MIT */
/*
 * Nothing about a file is believed but what its bytes say: it may be torn by a kill, damaged by a
 * power cut, or not ours at all. Between the listing and the lock somebody else may have sent and
 * removed it; then the locked inode is no longer the one under the name.
 */
#include "clients/c/leftover.h"

#include "proto/json_scan.h"
#include "proto/json_text.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DATA_BYTES = SPOOL_CHUNK_BYTES + LINE_BYTES_MAX };

/* What a file's first line says. Spans are raw, and borrow from the line; absent: NULL. */
struct header {
    struct span session_id;
    struct span to;
    struct span base;
};

void leftover_init(struct leftover *l, pthread_mutex_t *fork_lock)
{
    *l = (struct leftover){.fd = -1, .fork_lock = fork_lock};
    buf_init(&l->start, LINE_BYTES_MAX + 1);
    buf_init(&l->data, DATA_BYTES);
}

void leftover_close(struct leftover *l)
{
    (void)pthread_mutex_lock(l->fork_lock);
    if (l->fd >= 0)
        (void)close(l->fd);
    l->fd = -1;
    (void)pthread_mutex_unlock(l->fork_lock);
}

void leftover_fini(struct leftover *l)
{
    leftover_close(l);
    buf_fini(&l->start);
    buf_fini(&l->data);
}

void leftover_abandon(struct leftover *l)
{
    if (l->fd >= 0)
        (void)close(l->fd);
    l->fd = -1;
}

void leftover_remove(struct leftover *l)
{
    (void)unlink(l->path);
    leftover_close(l);
}

struct span leftover_session(const char *name)
{
    struct span rest = span_of(name);
    size_t suffix = strlen(SPOOL_SUFFIX);
    if (rest.len <= suffix || strcmp(name + rest.len - suffix, SPOOL_SUFFIX) != 0)
        return (struct span){NULL, 0};
    rest.len -= suffix;
    (void)span_cut(&rest, '-');
    if (rest.ptr)
        (void)span_cut(&rest, '-');
    return rest.ptr && session_id_valid(rest) ? rest : (struct span){NULL, 0};
}

/* Reads from `offset` on into l->data, nothing when all is read; false: it cannot be. */
static bool read_data(struct leftover *l)
{
    buf_reset(&l->data);
    if (buf_reserve(&l->data, DATA_BYTES) != OK)
        return false;
    ssize_t got = pread(l->fd, l->data.ptr, DATA_BYTES, (off_t)l->offset);
    l->data.len = got > 0 ? (size_t)got : 0;
    return got >= 0;
}

static bool read_header(struct span line, struct header *out)
{
    struct json_scan scan;
    struct json_value key;
    struct json_value value;
    enum json_token token;
    json_scan_init(&scan, line, JSON_WORDS);
    if (json_next(&scan, &key) != JSON_OBJECT_BEGIN)
        return false;
    while ((token = json_next(&scan, &key)) == JSON_KEY) {
        struct span raw;
        if (json_skip(&scan, &raw) != OK)
            return false;
        value.raw = raw.len >= 2 && raw.ptr[0] == '"' ? (struct span){raw.ptr + 1, raw.len - 2}
                                                      : (struct span){NULL, 0};
        if (span_is(key.raw, "sessionId"))
            out->session_id = value.raw;
        else if (span_is(key.raw, "spoolTo"))
            out->to = value.raw;
        else if (span_is(key.raw, "seqBase"))
            out->base = value.raw;
    }
    return token == JSON_OBJECT_END;
}

static bool is_for(struct span raw, const char *to)
{
    struct buf text;
    buf_init(&text, SPOOL_TO_BYTES_MAX);
    json_unescape(raw, &text);
    bool same = raw.ptr && buf_status(&text) == OK && span_is(buf_span(&text), to);
    buf_fini(&text);
    return same;
}

/* The first line is the start of the run in the file's name, and it logged to `to`. */
static bool understand(struct leftover *l, struct span session, const char *to)
{
    struct header header = {.base = SPAN("0")};
    l->offset = 0;
    if (!read_data(l))
        return false;
    struct span rest = buf_span(&l->data);
    struct span line = span_cut(&rest, '\n');
    if (!rest.ptr || line.len > LINE_BYTES_MAX || !read_header(line, &header) ||
        !span_eq(header.session_id, session) || !is_for(header.to, to))
        return false;
    l->base = 0;
    l->settled = span_u64(header.base, &l->base);
    if (!l->settled && !span_is(header.base, SPOOL_BASE_UNKNOWN))
        return false;
    buf_reset(&l->start);
    buf_add_span(&l->start, line);
    buf_add_char(&l->start, '\n');
    l->offset = l->start.len;
    (void)snprintf(l->session, sizeof(l->session), "%.*s", (int)session.len, session.ptr);
    return buf_status(&l->start) == OK;
}

static enum leftover_result judge(struct leftover *l, struct span session, const char *to)
{
    struct stat opened;
    struct stat named;
    if (!spool_lock(l->fd))
        return LEFTOVER_LOCKED;
    if (fstat(l->fd, &opened) != 0 || stat(l->path, &named) != 0 || opened.st_ino != named.st_ino)
        return LEFTOVER_GONE;
    if (opened.st_size == 0) { /* the machine went down before its first line was on the disk */
        (void)unlink(l->path);
        return LEFTOVER_GONE;
    }
    return understand(l, session, to) ? LEFTOVER_OPEN : LEFTOVER_OTHER;
}

enum leftover_result leftover_open(struct leftover *l, const char *folder, const char *name,
                                   const char *to)
{
    struct span session = leftover_session(name);
    int len = snprintf(l->path, sizeof(l->path), "%s/%s", folder, name);
    if (len < 0 || (size_t)len >= sizeof(l->path) || !session.ptr)
        return LEFTOVER_OTHER;
    (void)pthread_mutex_lock(l->fork_lock);
    l->fd = open(l->path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    (void)pthread_mutex_unlock(l->fork_lock);
    enum leftover_result result = l->fd < 0 ? LEFTOVER_OTHER : judge(l, session, to);
    if (result != LEFTOVER_OPEN)
        leftover_close(l);
    return result;
}

bool leftover_settle(struct leftover *l, uint64_t last_seq)
{
    if (!l->settled) {
        if (!spool_settle_base(l->fd, l->start.len, last_seq))
            return false;
        l->base = last_seq;
        l->settled = true;
    }
    return true;
}

/* What of the data is to be taken now: about a chunk of whole lines, and at least one. */
static struct span whole_lines(struct span data)
{
    struct span whole = data;
    if (data.len > SPOOL_CHUNK_BYTES) {
        const char *end = memchr(data.ptr + SPOOL_CHUNK_BYTES, '\n', data.len - SPOOL_CHUNK_BYTES);
        if (end)
            whole.len = (size_t)(end - data.ptr) + 1;
    }
    while (whole.len > 0 && whole.ptr[whole.len - 1] != '\n')
        whole.len--;
    if (whole.len == 0 && data.len > LINE_BYTES_MAX)
        return data; /* no line is so long: the disk's */
    return whole;
}

enum status leftover_read(struct leftover *l, uint64_t after, struct buf *out,
                          void (*on_line)(void *context, uint64_t seq), void *context)
{
    while (read_data(l)) {
        struct span whole = whole_lines(buf_span(&l->data));
        if (whole.len == 0)
            return E_NOT_FOUND;
        l->offset += whole.len;
        if (spool_renumber(whole, l->base, after, out, on_line, context) > 0)
            return OK;
    }
    return E_IO;
}
