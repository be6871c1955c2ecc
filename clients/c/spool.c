/* SPDX-License-Identifier: MIT */
/*
 * The chunks are the index: what is to be sent, sent again or forgotten is found without reading
 * the file, and a quarter of a gigabyte takes four thousand of them. Nothing is written before its
 * place: a write that fails half-way is cut off, and overwritten by the next one.
 *
 * The head of the file is not reused while its tail is unsent. A ring would need no more disk than
 * lines; but the file has to be readable, in order, by whoever finds it after a crash.
 */
#include "clients/c/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    SYNC_EVERY_US = 5 * 1000 * 1000, /* fsync no more often */
    RETRY_US = 60 * 1000 * 1000,     /* a disk that failed is left alone for so long */
    DATA_BYTES = 4 * SPOOL_CHUNK_BYTES,
    FIRST_CHUNKS = 64,
    HEADER_BYTES = 8192, /* what a header has beyond `start`, escapes included */
};

void spool_init(struct spool *s, const struct spool_params *params)
{
    *s = (struct spool){.params = *params, .fd = -1, .known = params->fresh};
    if (!params->folder || !*params->folder)
        s->params.max_bytes = 0;
    buf_init(&s->data, DATA_BYTES);
}

static void close_file(struct spool *s)
{
    (void)pthread_mutex_lock(s->params.fork_lock);
    if (s->fd >= 0)
        (void)close(s->fd);
    s->fd = -1;
    (void)pthread_mutex_unlock(s->params.fork_lock);
}

static void fail(struct spool *s, uint64_t now_us)
{
    s->errors++;
    s->retry_at_us = now_us + RETRY_US;
}

void spool_close(struct spool *s)
{
    if (s->fd >= 0)
        (void)fsync(s->fd);
    close_file(s);
}

void spool_fini(struct spool *s)
{
    spool_close(s);
    buf_fini(&s->data);
    free(s->chunks);
    s->chunks = NULL;
}

void spool_last_words(struct spool *s)
{
    s->retry_at_us = 0;
    s->params.last_bytes = 0;
}

uint64_t spool_room(const struct spool *s, uint64_t now_us)
{
    uint64_t used = s->end + s->params.last_bytes;
    return now_us < s->retry_at_us || used >= s->params.max_bytes ? 0 : s->params.max_bytes - used;
}

/* Writes all of it at `end`, which stays. */
static bool write_all(struct spool *s, struct span data)
{
    uint64_t at = s->end;
    while (data.len > 0) {
        ssize_t written = pwrite(s->fd, data.ptr, data.len, (off_t)at);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            int cut = ftruncate(s->fd, (off_t)s->end);
            (void)cut; /* the next write goes over it in any case */
            return false;
        }
        at += (uint64_t)written;
        data.ptr += written;
        data.len -= (size_t)written;
    }
    return true;
}

/* Under its final name a file is locked and has its first line. */
static bool create(struct spool *s, const char *made)
{
    (void)pthread_mutex_lock(s->params.fork_lock);
    s->fd = open(made, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    (void)pthread_mutex_unlock(s->params.fork_lock);
    if (s->fd < 0)
        return false;
    struct buf header;
    buf_init(&header, s->params.start.len + HEADER_BYTES);
    spool_write_header(&header, &(struct spool_header){.start = s->params.start,
                                                       .to = span_of(s->params.to),
                                                       .relative = s->relative,
                                                       .anew = s->params.anew});
    s->start_bytes = s->params.start.len;
    s->header_bytes = header.len;
    bool good = spool_lock(s->fd) && buf_status(&header) == OK && write_all(s, buf_span(&header)) &&
                rename(made, s->path) == 0;
    buf_fini(&header);
    if (!good) {
        (void)unlink(made);
        close_file(s);
    }
    return good;
}

static void begin_file(struct spool *s, uint64_t now_us)
{
    char made[SPOOL_PATH_BYTES + 8];
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    int len = snprintf(s->path, sizeof(s->path), "%s/%016lld-%ld-%.*s" SPOOL_SUFFIX,
                       s->params.folder, (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000,
                       (long)getpid(), (int)s->params.session_id.len, s->params.session_id.ptr);
    (void)snprintf(made, sizeof(made), "%s.new", s->path);
    s->relative = !s->known;
    s->end = 0;
    if (len < 0 || (size_t)len >= sizeof(s->path) || !spool_make_folder(s->params.folder) ||
        !create(s, made)) {
        fail(s, now_us);
        return;
    }
    s->end = s->header_bytes;
    s->synced_at_us = now_us;
}

uint64_t spool_bias(struct spool *s, uint64_t now_us)
{
    if (s->fd < 0 && spool_room(s, now_us) > 0)
        begin_file(s, now_us);
    return s->relative ? s->base : 0;
}

bool spool_make_place(struct spool *s)
{
    if (s->count < s->cap)
        return true;
    if (s->first > s->cap / 2) {
        memmove(s->chunks, s->chunks + s->first, (s->count - s->first) * sizeof(*s->chunks));
        s->unsent -= s->first;
        s->count -= s->first;
        s->first = 0;
        return true;
    }
    size_t cap = s->cap ? 2 * s->cap : FIRST_CHUNKS;
    struct spool_chunk *chunks = realloc(s->chunks, cap * sizeof(*chunks));
    if (!chunks)
        return false;
    s->chunks = chunks;
    s->cap = cap;
    return true;
}

bool spool_append(struct spool *s, struct span data, const struct spool_chunk *chunk, bool sent,
                  uint64_t now_us)
{
    if (s->fd < 0 || now_us < s->retry_at_us || !spool_make_place(s))
        return false;
    if (!write_all(s, data)) {
        fail(s, now_us);
        return false;
    }
    s->chunks[s->count] = *chunk;
    s->chunks[s->count].offset = s->end;
    s->chunks[s->count].bytes = (uint32_t)data.len;
    s->count++;
    if (sent)
        s->unsent = s->count;
    s->end += data.len;
    s->unsynced = true;
    if (now_us - s->synced_at_us >= SYNC_EVERY_US) {
        s->synced_at_us = now_us;
        if (fsync(s->fd) != 0)
            fail(s, now_us);
    }
    return true;
}

uint64_t spool_last_seq(const struct spool *s)
{
    return s->count > s->first ? s->chunks[s->count - 1].last_seq : 0;
}

bool spool_has_unsent(const struct spool *s)
{
    return s->unsent < s->count;
}

size_t spool_lines(const struct spool *s)
{
    size_t lines = 0;
    for (size_t i = s->first; i < s->count; i++)
        lines += s->chunks[i].lines;
    return lines;
}

static void remove_if_done(struct spool *s)
{
    if (s->fd < 0 || s->first < s->count)
        return;
    (void)unlink(s->path);
    close_file(s);
    s->first = s->unsent = s->count = 0;
    s->end = 0;
}

static bool read_chunk(struct spool *s, const struct spool_chunk *chunk)
{
    buf_reset(&s->data);
    if (buf_reserve(&s->data, chunk->bytes) != OK)
        return false;
    ssize_t got = pread(s->fd, s->data.ptr, chunk->bytes, (off_t)chunk->offset);
    s->data.len = got > 0 ? (size_t)got : 0;
    return got == (ssize_t)chunk->bytes;
}

size_t spool_next(struct spool *s, struct buf *out)
{
    struct spool_chunk *chunk = &s->chunks[s->unsent++];
    uint64_t base = s->relative ? s->base : 0;
    if (read_chunk(s, chunk) &&
        spool_renumber(buf_span(&s->data), base, s->acked, out, NULL, NULL) > 0)
        return 0;
    s->errors++;
    size_t lost = chunk->lines;
    chunk->lines = 0;
    return lost;
}

void spool_ack(struct spool *s, uint64_t seq)
{
    s->acked = seq > s->acked ? seq : s->acked;
    while (s->first < s->count && s->chunks[s->first].last_seq <= seq)
        s->first++;
    if (s->unsent < s->first)
        s->unsent = s->first;
    remove_if_done(s);
}

void spool_rewind(struct spool *s)
{
    s->unsent = s->first;
}

void spool_learn(struct spool *s, uint64_t base)
{
    if (s->relative && s->fd >= 0 && !spool_settle_base(s->fd, s->header_bytes, base)) {
        s->errors++;
        (void)unlink(s->path);
    }
    s->known = true;
    s->base = base;
    for (size_t i = s->first; i < s->count; i++)
        s->chunks[i].last_seq += base;
}

void spool_abandon(struct spool *s)
{
    if (s->fd >= 0)
        (void)close(s->fd);
    s->fd = -1;
}
