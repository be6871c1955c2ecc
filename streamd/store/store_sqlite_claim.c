/* SPDX-License-Identifier: MIT */
/*
 * The directory and the file before SQLite sees them: made where they are missing, for nobody else
 * to read, and locked, so that two daemons never write one store. SQLite's own locks would let them
 * take turns.
 *
 * The lock is flock's on streamd.lock, which says whose it is; it ends with the process, so the
 * file is never removed.
 */
#include "streamd/store/store_sqlite_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* Where SQLite's file format has its numbers. */
enum { COOKIE_AT = 40, ID_AT = 68, CELLS_AT = 103, HEAD = 105, PAGE = 4096 };

static enum status refuse(struct store_sqlite *s, enum status status, const char *path,
                          const char *reason)
{
    (void)snprintf(s->why, sizeof(s->why), "%.*s: %s", STORE_PATH_MAX, path, reason);
    return status;
}

/* With its parents. */
static enum status make_dir(struct store_sqlite *s, const char *dir)
{
    char path[STORE_PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s", dir);
    for (char *at = path + 1; at[-1] != '\0'; at++) {
        char here = *at;
        if (here != '/' && here != '\0')
            continue;
        *at = '\0';
        struct stat st;
        if (mkdir(path, 0700) != 0 && (errno != EEXIST || stat(path, &st) != 0))
            return refuse(s, E_IO, path, strerror(errno));
        *at = here;
        if (here == '\0')
            break;
    }
    return OK;
}

static enum status lock_dir(struct store_sqlite *s, const char *dir)
{
    char path[STORE_PATH_MAX];
    char pid[32] = "";
    (void)snprintf(path, sizeof(path), "%s/streamd.lock", dir);
    s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock < 0)
        return refuse(s, E_IO, path, strerror(errno));
    if (flock(s->lock, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK)
            return refuse(s, E_IO, path, strerror(errno));
        ssize_t n = read(s->lock, pid, sizeof(pid) - 1);
        pid[n > 0 ? n : 0] = '\0';
        pid[strcspn(pid, "\n")] = '\0';
        (void)snprintf(s->why, sizeof(s->why), "%s is used by another streamd, process %s", dir,
                       pid[0] ? pid : "unknown");
        return E_STATE;
    }
    int n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
    if (ftruncate(s->lock, 0) != 0 || write(s->lock, pid, (size_t)n) != n)
        return refuse(s, E_IO, path, strerror(errno));
    return OK;
}

enum status store_sqlite_sync_dir(struct store_sqlite *s)
{
    char dir[STORE_PATH_MAX];
    (void)snprintf(dir, sizeof(dir), "%s", s->path);
    *strrchr(dir, '/') = '\0';
    int fd = open(dir[0] ? dir : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = fd >= 0 && fsync(fd) == 0;
    int error = errno;
    if (fd >= 0)
        (void)close(fd);
    return synced ? OK : refuse(s, E_IO, dir, strerror(error));
}

/* SQLite takes an empty file for a new database, and gives its log the file's mode. */
static enum status make_file(struct store_sqlite *s)
{
    int fd = open(s->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return refuse(s, E_IO, s->path, strerror(errno));
    (void)close(fd);
    return store_sqlite_sync_dir(s);
}

/* The first bytes of the file; fewer when it is shorter. -1: errno says why. */
static ssize_t read_head(const struct store_sqlite *s, unsigned char *out, size_t n)
{
    int fd = open(s->path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, out, n) : -1;
    int error = errno;
    if (fd >= 0)
        (void)close(fd);
    errno = error;
    return got;
}

static uint32_t number_at(const unsigned char *head, size_t at)
{
    return (uint32_t)head[at] << 24 | (uint32_t)head[at + 1] << 16 | (uint32_t)head[at + 2] << 8 |
           head[at + 3];
}

int store_sqlite_raw_cookie(const struct store_sqlite *s)
{
    unsigned char head[HEAD];
    return read_head(s, head, HEAD) == HEAD ? (int)number_at(head, COOKIE_AT) : 0;
}

/* What is not ours is not even given to SQLite, which might find something in it to recover. */
static enum status look_at(struct store_sqlite *s, const struct stat *st)
{
    static const char magic[16] = "SQLite format 3";
    unsigned char head[HEAD];
    if (!S_ISREG(st->st_mode))
        return refuse(s, E_STATE, s->path, "not a file");
    if (st->st_size == 0)
        return s->readonly ? refuse(s, E_STATE, s->path, "empty") : OK;
    ssize_t n = read_head(s, head, sizeof(head));
    if (n < 0)
        return refuse(s, E_IO, s->path, strerror(errno));
    if (n < HEAD || memcmp(head, magic, sizeof(magic)) != 0)
        return refuse(s, E_STATE, s->path, "not a database; it is left as it is");
    uint32_t id = number_at(head, ID_AT);
    if (id == 0 && st->st_size <= PAGE && head[CELLS_AT] == 0 && head[CELLS_AT + 1] == 0)
        return OK; /* a first page with nothing in it: the beginning of one of ours */
    if (id != STORE_APPLICATION_ID)
        return refuse(s, E_STATE, s->path, "another program's database; it is left as it is");
    return OK;
}

enum status store_sqlite_claim(struct store_sqlite *s, const char *dir)
{
    struct stat st;
    enum status status = s->readonly ? OK : make_dir(s, dir);
    if (status == OK && !s->readonly)
        status = lock_dir(s, dir);
    if (status != OK)
        return status;
    if (stat(s->path, &st) == 0)
        return look_at(s, &st);
    if (errno == ENOENT && !s->readonly)
        return make_file(s);
    return refuse(s, errno == ENOENT ? E_NOT_FOUND : E_IO, s->path, strerror(errno));
}
