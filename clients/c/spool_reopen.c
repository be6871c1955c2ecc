/* SPDX-License-Identifier: MIT */
/*
 * What a relay needs of a spool beyond what a run does: a run's file is its own process's, and what
 * a process leaves another one sends as it stands (courier.h). A relay that is started again goes
 * on with the file: more is appended to it, and what is in it counts as acknowledged to its
 * trainer. So the index is made again by reading all of it, and an append is synced before it is
 * acknowledged.
 */
#include "clients/c/leftover.h"
#include "clients/c/spool.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool spool_begun(struct spool *s)
{
    s->params.anew = false;
    return s->fd < 0 || spool_settle_resume(s->fd, s->start_bytes);
}

/* A file that was renamed is only certain to be found once its folder is on the disk. */
static bool sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        (void)close(fd);
    return good;
}

bool spool_sync(struct spool *s, uint64_t now_us)
{
    if (s->fd < 0 || !s->unsynced)
        return true;
    if (fsync(s->fd) != 0 || !sync_folder(s->params.folder)) {
        s->errors++;
        return false;
    }
    s->synced_at_us = now_us;
    s->unsynced = false;
    return true;
}

/* The chunk of these whole lines, damaged ones not counted. */
static struct spool_chunk index_chunk(struct span lines, uint64_t base)
{
    struct spool_chunk chunk = {.bytes = (uint32_t)lines.len};
    while (lines.len > 0) {
        struct spool_line line;
        if (!spool_line_read(span_cut(&lines, '\n'), &line))
            continue;
        chunk.last_seq = base + line.seq;
        chunk.lines++;
    }
    return chunk;
}

/* Reads on from `end`, nothing when all is read; false: it cannot be. */
static bool read_on(struct spool *s)
{
    buf_reset(&s->data);
    if (buf_reserve(&s->data, SPOOL_CHUNK_BYTES + LINE_BYTES_MAX) != OK)
        return false;
    ssize_t got = pread(s->fd, s->data.ptr, SPOOL_CHUNK_BYTES + LINE_BYTES_MAX, (off_t)s->end);
    s->data.len = got > 0 ? (size_t)got : 0;
    return got >= 0;
}

static bool index_file(struct spool *s)
{
    while (read_on(s)) {
        const char *end = memrchr(s->data.ptr, '\n', s->data.len);
        if (!end)
            return true; /* all; or torn, or the disk's: written over by the next line */
        struct span whole = {s->data.ptr, (size_t)(end - s->data.ptr) + 1};
        struct spool_chunk chunk = index_chunk(whole, s->relative ? s->base : 0);
        chunk.offset = s->end;
        s->end += whole.len;
        if (chunk.lines == 0)
            continue;
        if (!spool_make_place(s))
            return false;
        s->chunks[s->count++] = chunk;
    }
    return false;
}

bool spool_reopen(struct spool *s, struct leftover *from)
{
    s->fd = from->fd;
    s->relative = !from->settled || from->base > 0;
    s->known = from->settled;
    s->base = from->base;
    s->start_bytes = s->params.start.len;
    s->header_bytes = s->end = from->start.len;
    (void)snprintf(s->path, sizeof(s->path), "%s", from->path);
    if (!index_file(s) || ftruncate(s->fd, (off_t)s->end) != 0) {
        s->fd = -1;
        s->count = 0;
        return false;
    }
    from->fd = -1;
    return true;
}
