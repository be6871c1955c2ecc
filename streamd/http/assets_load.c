/* SPDX-License-Identifier: MIT */
/*
 * A folder too large to hold is a mistake of whoever named it (its home, say), so there are limits,
 * and what is past them is left out with a warning rather than refused: the page may still work.
 * Links are not followed and names with a leading dot are passed over, so that nothing is published
 * that does not plainly lie in the folder. Everything is opened from its folder's descriptor.
 */
#include "streamd/http/assets_load.h"

#include "streamd/http/reply.h"
#include "streamd/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct load {
    struct strmap *by_path;    /* borrows */
    struct deflater *deflater; /* borrows; may be NULL */
    size_t bytes;
    unsigned depth;
    char path[ASSETS_PATH_MAX + 1]; /* of the folder at hand, then of the file; '/' first */
};

void asset_destroy(struct asset *a)
{
    if (!a)
        return;
    free(a->plain);
    free(a->packed);
    free(a);
}

/* FNV-1a: tells one build of a file from another. */
static uint64_t hash_of(const char *bytes, size_t len)
{
    uint64_t hash = 0xcbf29ce484222325ULL;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3ULL;
    return hash != 0 ? hash : 1;
}

/* No gzip form when there is no deflater, no gain or no memory. */
static void pack(struct asset *a, struct deflater *deflater)
{
    struct buf packed;
    if (!deflater || !a->media->text || a->plain_len < REPLY_GZIP_MIN)
        return;
    buf_init(&packed, 2 * a->plain_len + 1024);
    struct span plain = {a->plain, a->plain_len};
    if (deflater_gzip(deflater, plain, &packed) == OK && packed.len < a->plain_len) {
        a->packed = realloc(packed.ptr, packed.len);
        a->packed_len = packed.len;
        if (!a->packed)
            a->packed = packed.ptr; /* the block as it was */
    } else {
        buf_fini(&packed);
    }
}

/* Exactly `len` bytes, or false: a file that is being written at this moment is no asset. */
static bool read_all(int fd, char *out, size_t len)
{
    size_t at = 0;
    while (at < len) {
        ssize_t n = read(fd, out + at, len - at);
        if (n == 0 || (n < 0 && errno != EINTR))
            return false;
        at += n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* With room for its bytes; NULL: memory is out. */
static struct asset *make_asset(size_t len, struct span path)
{
    struct asset *a = calloc(1, sizeof(*a));
    char *plain = malloc(len + 1);
    if (!a || !plain) {
        free(a);
        free(plain);
        return NULL;
    }
    *a = (struct asset){.plain = plain, .plain_len = len, .media = media_of(path)};
    return a;
}

/* NULL when it cannot be read or memory is out. */
static struct asset *read_asset(int fd, size_t len, struct span path)
{
    struct asset *a = make_asset(len, path);
    if (a && read_all(fd, a->plain, len))
        return a;
    asset_destroy(a);
    return NULL;
}

static void leave_out(const struct load *l, const char *why)
{
    struct log_text path;
    log_warn("assets", "left out path=%s reason=\"%s\", ignoring",
             log_quoted(&path, span_of(l->path)), why);
}

/* Takes the asset; false: it is left out. */
static bool add(struct load *l, struct span path, struct asset *a)
{
    a->etag = hash_of(a->plain, a->plain_len);
    if (strmap_put(l->by_path, path, a) != OK) {
        asset_destroy(a);
        return false;
    }
    pack(a, l->deflater);
    l->bytes += a->plain_len;
    return true;
}

static void load_file(struct load *l, int fd, const struct stat *info)
{
    size_t len = (size_t)info->st_size;
    struct span path = span_of(l->path);
    if (strmap_count(l->by_path) == ASSETS_FILES_MAX || len > ASSETS_BYTES_MAX - l->bytes) {
        leave_out(l, "more than 256 files or 16 MiB");
        return;
    }
    struct asset *a = read_asset(fd, len, path);
    if (!a || !add(l, path, a))
        leave_out(l, "cannot be read");
}

static void load_dir(struct load *l, int fd);

/* l->path names what `fd` is; takes fd. */
static void load_node(struct load *l, int fd)
{
    struct stat info;
    if (fd < 0 || fstat(fd, &info) != 0) {
        leave_out(l, strerror(errno));
    } else if (S_ISDIR(info.st_mode)) {
        load_dir(l, fd);
        return;
    } else if (S_ISREG(info.st_mode)) {
        load_file(l, fd, &info);
    }
    if (fd >= 0)
        (void)close(fd);
}

static void load_entry(struct load *l, int dir_fd, const char *name)
{
    size_t len = strlen(l->path);
    size_t room = sizeof(l->path) - len;
    if (name[0] == '.')
        return;
    if (strlen(name) + 2 > room) {
        leave_out(l, "a path in there is longer than 255 bytes");
        return;
    }
    (void)snprintf(l->path + len, room, "/%s", name);
    load_node(l, openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    l->path[len] = '\0';
}

/* Takes fd. */
static void load_dir(struct load *l, int fd)
{
    DIR *dir = l->depth < ASSETS_DEPTH_MAX ? fdopendir(fd) : NULL;
    if (!dir) {
        leave_out(l, l->depth < ASSETS_DEPTH_MAX ? strerror(errno) : "too many folders deep");
        (void)close(fd);
        return;
    }
    l->depth++;
    const struct dirent *entry;
    while ((entry = readdir(dir)) != NULL)
        load_entry(l, dirfd(dir), entry->d_name);
    l->depth--;
    (void)closedir(dir);
}

void assets_load(struct strmap *by_path, const char *dir, struct deflater *deflater)
{
    struct load l = {.by_path = by_path, .deflater = deflater};
    int fd = open(dir, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    if (fd < 0) {
        log_warn("assets", "cannot open dir=\"%s\" reason=\"%s\", ignoring", dir, strerror(errno));
        return;
    }
    load_dir(&l, fd);
    log_info("assets", "loaded dir=\"%s\" files=%zu bytes=%zu", dir, strmap_count(by_path),
             l.bytes);
}

void assets_load_page(struct strmap *by_path, const struct page_file *files,
                      struct deflater *deflater)
{
    struct load l = {.by_path = by_path, .deflater = deflater};
    for (; files->path; files++) {
        size_t len = (size_t)(files->end - files->bytes);
        struct asset *a = make_asset(len, span_of(files->path));
        if (!a)
            continue;
        memcpy(a->plain, files->bytes, len);
        (void)add(&l, span_of(files->path), a);
    }
}
