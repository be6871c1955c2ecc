/* SPDX-License-Identifier: MIT */
/*
 * Reads, and does not map: a mapped file that its writer cuts short ends the process.
 *
 * The first line stays in memory of its own, because a table's names borrow from it; all later
 * bytes are fed (source_feed). A row that does not fit its table has two explanations: it is
 * damaged, or the table has been written anew with other columns, as Lightning does when a metric
 * appears. So the file is read anew once, and only if the row still does not fit, it is passed
 * over.
 */
#include "streamd/tools/tail.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void tail_init(struct tail *t, const char *path, const char *format)
{
    *t = (struct tail){.path = path, .format = format};
    buf_init(&t->head, TAIL_LINE_BYTES);
    buf_init(&t->waiting, TAIL_DOCUMENT_BYTES);
    source_row_init(&t->row);
}

static void forget_source(struct tail *t)
{
    if (t->ops)
        source_fini(&t->source);
    t->ops = NULL;
}

void tail_fini(struct tail *t)
{
    forget_source(t);
    source_row_fini(&t->row);
    buf_fini(&t->head);
    buf_fini(&t->waiting);
}

static void begin_anew(struct tail *t, uint64_t told)
{
    forget_source(t);
    buf_reset(&t->head);
    buf_reset(&t->waiting);
    t->at = 0;
    t->size = 0;
    t->rows = 0;
    t->told = told;
    t->skipping = false;
}

void tail_rewind(struct tail *t)
{
    begin_anew(t, 0);
}

/* ---- rows ---- */

struct telling {
    tail_row_fn *on_row;
    void *context;
};

/* What is damaged is passed over, to the next line; false: there is none. */
static bool pass_over(struct tail *t)
{
    struct span file = t->source.file;
    size_t at = t->source.at < file.len ? t->source.at : file.len;
    struct span rest = {file.ptr + at, file.len - at};
    (void)span_cut(&rest, '\n');
    t->source.rest = rest.ptr ? rest : (struct span){file.ptr, 0};
    return !t->ops->whole; /* such a one is being written just now: the next look has all of it */
}

static enum status tell_rows(struct tail *t, const struct telling *to)
{
    enum status status = OK;
    while (status == OK) {
        status = t->ops->next(&t->source, &t->row);
        if (status == OK && ++t->rows > t->told)
            to->on_row(to->context, &t->row);
        if ((status == E_MALFORMED || status == E_LIMIT) && pass_over(t))
            status = OK;
    }
    return status == E_NOT_FOUND ? OK : status;
}

static enum status open_source(struct tail *t, struct span file)
{
    source_init(&t->source, t->ops, file);
    t->source.zone_s = t->zone_s;
    return t->ops->open(&t->source);
}

/* ---- files that are written anew as a whole ---- */

static enum status read_document(struct tail *t, const struct telling *to)
{
    struct span file = buf_span(&t->waiting);
    source_fini(&t->source);
    t->told = t->rows > t->told ? t->rows : t->told;
    t->rows = 0;
    enum status status = open_source(t, file);
    if (status == OK)
        status = tell_rows(t, to);
    return status == E_MALFORMED || status == E_LIMIT ? OK : status;
}

static enum status read_all(struct tail *t, int fd, off_t size)
{
    buf_reset(&t->waiting);
    if (size >= TAIL_DOCUMENT_BYTES)
        return E_LIMIT;
    if (buf_reserve(&t->waiting, (size_t)size) != OK)
        return E_NOMEM;
    while (t->waiting.len < (size_t)size) {
        ssize_t n = pread(fd, t->waiting.ptr + t->waiting.len, (size_t)size - t->waiting.len,
                          (off_t)t->waiting.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        t->waiting.len += (size_t)n;
    }
    return OK;
}

/* ---- files that grow ---- */

/* What is read and whole: up to the last line end. */
static struct span whole_lines(const struct tail *t)
{
    struct span s = buf_span(&t->waiting);
    const char *end = s.len > 0 ? memrchr(s.ptr, '\n', s.len) : NULL;
    return (struct span){s.ptr, end ? (size_t)(end - s.ptr) + 1 : 0};
}

/* Finds out what it is, once there is enough. False: not yet. */
static bool know_format(struct tail *t, struct span lines)
{
    if (!t->ops)
        t->ops = lines.len > 0 ? source_find(t->format, lines) : NULL;
    return t->ops;
}

/* Opens it with its first line. */
static enum status open_lines(struct tail *t, struct span *lines)
{
    struct span rest = *lines;
    struct span first = span_cut(&rest, '\n');
    buf_reset(&t->head);
    buf_add(&t->head, first.ptr, first.len + 1);
    if (buf_status(&t->head) != OK)
        return buf_status(&t->head);
    *lines = rest.ptr ? rest : (struct span){lines->ptr, 0};
    return open_source(t, buf_span(&t->head));
}

static enum status tell_lines(struct tail *t, const struct telling *to)
{
    enum status status = OK;
    struct span lines = whole_lines(t);
    size_t used = lines.len;
    bool fresh = !t->ops;
    if (!know_format(t, lines))
        return OK;
    if (t->ops->whole) {
        source_init(&t->source, t->ops, (struct span){NULL, 0});
        return OK;
    }
    if (fresh) {
        status = open_lines(t, &lines);
        if (status == OK)
            status = tell_rows(t, to);
    }
    if (status == OK && lines.len > 0) {
        source_feed(&t->source, lines);
        status = tell_rows(t, to);
    }
    buf_consume(&t->waiting, used);
    return status;
}

/* A line that is too long, or a beginning that looks like nothing, makes room. */
static void make_room(struct tail *t)
{
    struct span lines = whole_lines(t);
    if (t->waiting.len < TAIL_LINE_BYTES)
        return;
    t->skipping = lines.len == 0;
    buf_consume(&t->waiting, lines.len > 0 ? lines.len : t->waiting.len);
}

static void leave_long_line(struct tail *t)
{
    struct span s = buf_span(&t->waiting);
    const char *end = t->skipping && s.len > 0 ? memchr(s.ptr, '\n', s.len) : NULL;
    if (end) {
        buf_consume(&t->waiting, (size_t)(end - s.ptr) + 1);
        t->skipping = false;
    }
}

/* One chunk. E_NOT_FOUND: there is nothing more. */
static enum status read_chunk(struct tail *t, int fd, const struct telling *to)
{
    if (buf_reserve(&t->waiting, TAIL_CHUNK_BYTES) != OK)
        return E_NOMEM;
    ssize_t n = pread(fd, t->waiting.ptr + t->waiting.len, TAIL_CHUNK_BYTES, t->at);
    if (n < 0)
        return errno == EINTR ? OK : E_IO;
    if (n == 0)
        return E_NOT_FOUND;
    t->waiting.len += (size_t)n;
    t->at += n;
    leave_long_line(t);
    enum status status = t->skipping ? OK : tell_lines(t, to);
    make_room(t);
    return status;
}

static enum status read_growth(struct tail *t, int fd, const struct telling *to)
{
    enum status status = OK;
    while (status == OK && !(t->ops && t->ops->whole))
        status = read_chunk(t, fd, to);
    return status == E_NOT_FOUND ? OK : status;
}

/* ---- looking ---- */

static bool is_another(const struct tail *t, const struct stat *st)
{
    return t->opened && (st->st_ino != t->inode || st->st_dev != t->device);
}

static bool is_unchanged(const struct tail *t, const struct stat *st)
{
    return st->st_size == t->size && st->st_mtim.tv_sec == t->changed.tv_sec &&
           st->st_mtim.tv_nsec == t->changed.tv_nsec;
}

/* Is the first line what it was? */
static bool begins_alike(const struct tail *t, int fd)
{
    char piece[4096];
    for (size_t at = 0; at < t->head.len; at += sizeof(piece)) {
        size_t want = t->head.len - at < sizeof(piece) ? t->head.len - at : sizeof(piece);
        if (pread(fd, piece, want, (off_t)at) != (ssize_t)want ||
            memcmp(piece, t->head.ptr + at, want) != 0)
            return false;
    }
    return true;
}

/* A log that is another, shorter or of another beginning is new; a table under its old inode is the
 * old one, written anew. */
static void notice_change(struct tail *t, int fd, const struct stat *st)
{
    bool table = t->ops == &source_csv && !is_another(t, st);
    bool whole = t->ops && t->ops->whole;
    if (t->opened && !whole && (is_another(t, st) || st->st_size < t->at || !begins_alike(t, fd)))
        begin_anew(t, table ? (t->rows > t->told ? t->rows : t->told) : 0);
    t->opened = true;
    t->device = st->st_dev;
    t->inode = st->st_ino;
}

static enum status look(struct tail *t, int fd, const struct telling *to)
{
    struct stat st;
    enum status status = OK;
    if (fstat(fd, &st) != 0)
        return E_IO;
    if (!S_ISREG(st.st_mode))
        return E_NOT_FOUND;
    notice_change(t, fd, &st);
    if (!t->ops || !t->ops->whole)
        status = read_growth(t, fd, to);
    bool whole = t->ops && t->ops->whole;
    if (status == OK && whole && !is_unchanged(t, &st)) {
        status = read_all(t, fd, st.st_size);
        if (status == OK)
            status = read_document(t, to);
        t->size = st.st_size;
        t->changed = st.st_mtim;
    }
    return status;
}

enum status tail_look(struct tail *t, tail_row_fn *on_row, void *context)
{
    struct telling to = {.on_row = on_row, .context = context};
    int fd = open(t->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? E_NOT_FOUND : E_IO;
    enum status status = look(t, fd, &to);
    (void)close(fd);
    return status;
}
