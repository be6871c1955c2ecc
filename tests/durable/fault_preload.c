/* SPDX-License-Identifier: MIT */
/*
 * fault_preload: a bad disk, and a wrong clock, for a daemon that knows nothing of it (LD_PRELOAD).
 *
 * What writes, syncs or cuts a file below $FAULT_DIR is counted, and fails or takes its time as
 * $FAULT_CONTROL says: a file of one `struct control`, mapped here and by the test, which changes
 * it while the daemon runs. With $FAULT_SHADOW, a folder, every file that was synced is copied
 * there at once: what is in it is what a loss of power would have left of each file, at worst.
 * The wall clock, and no other, is wrong by as much as is asked for.
 *
 * The counters are only ever touched by the thread that writes, besides the test's reading them.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { PATH_BYTES = 512, COPY_BYTES = 1 << 16 };

enum call { CALL_WRITE = 1, CALL_SYNC = 2, CALL_TRUNCATE = 4 };

/* All 64 bits wide: tests/durable/bad_disk.py packs the same. */
struct control {
    _Atomic uint64_t which;    /* of enum call: the calls that are counted and may fail */
    _Atomic uint64_t error;    /* errno of those that fail; 0: none fails */
    _Atomic uint64_t from;     /* the first call that fails, counted from 1 */
    _Atomic uint64_t upto;     /* and the last one */
    _Atomic uint64_t partly;   /* a write that fails first writes half of what it should */
    _Atomic uint64_t sync_us;  /* what every sync takes longer */
    _Atomic uint64_t wall_s;   /* what the wall clock is ahead; negative numbers wrap */
    _Atomic uint64_t calls;    /* counted so far */
    _Atomic uint64_t failures; /* so far */
};

static struct control nothing;

static struct control *control(void)
{
    static struct control *mapped;
    const char *path = getenv("FAULT_CONTROL");
    if (mapped)
        return mapped;
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *at = fd >= 0 ? mmap(NULL, sizeof(*mapped), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                       : MAP_FAILED;
    if (fd >= 0)
        (void)close(fd);
    mapped = at == MAP_FAILED ? &nothing : at;
    return mapped;
}

/* Puts the next function of that name into a pointer to one. ISO C has no cast for that. */
static void find_real(const char *name, void *out_function)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found)
        abort();
    memcpy(out_function, &found, sizeof(found));
}

/* The file's path, when it is one of those that this is about. */
static bool is_ours(int fd, char path[PATH_BYTES])
{
    char link[64];
    const char *dir = getenv("FAULT_DIR");
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = dir ? readlink(link, path, PATH_BYTES - 1) : -1;
    if (n <= 0)
        return false;
    path[n] = '\0';
    return strncmp(path, dir, strlen(dir)) == 0;
}

/* Is it this call's turn to fail? Then errno is set. */
static bool fails(enum call call)
{
    struct control *c = control();
    if (!(c->which & call))
        return false;
    uint64_t number = ++c->calls;
    if (!c->error || number < c->from || number > c->upto)
        return false;
    c->failures++;
    errno = (int)c->error;
    return true;
}

/* ---- what is synced, as it stands ---- */

static bool copy_bytes(int from, int to)
{
    char bytes[COPY_BYTES];
    off_t at = 0;
    ssize_t n;
    while ((n = pread(from, bytes, sizeof(bytes), at)) > 0) {
        for (ssize_t done = 0; done < n;) {
            ssize_t more = write(to, bytes + done, (size_t)(n - done));
            if (more <= 0)
                return false;
            done += more;
        }
        at += n;
    }
    return n == 0;
}

/* It appears whole or not at all. */
static void shadow(const char *path)
{
    const char *dir = getenv("FAULT_SHADOW");
    const char *slash = strrchr(path, '/');
    char whole[PATH_BYTES * 2];
    char part[PATH_BYTES * 2 + 8];
    if (!dir || !slash)
        return;
    (void)snprintf(whole, sizeof(whole), "%s%s", dir, slash);
    (void)snprintf(part, sizeof(part), "%s.part", whole);
    int from = open(path, O_RDONLY | O_CLOEXEC);
    int to = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool copied = from >= 0 && to >= 0 && copy_bytes(from, to);
    if (from >= 0)
        (void)close(from);
    if (to >= 0)
        (void)close(to);
    if (copied)
        (void)rename(part, whole);
}

/* ---- the calls ---- */

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at)
{
    ssize_t (*function)(int, const void *, size_t, off_t);
    char path[PATH_BYTES];
    find_real("pwrite", &function);
    if (!is_ours(fd, path) || !fails(CALL_WRITE))
        return function(fd, bytes, n, at);
    int error = errno;
    if (control()->partly)
        (void)function(fd, bytes, n / 2, at);
    errno = error;
    return -1;
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at)
{
    return pwrite(fd, bytes, n, at);
}

/* What a sync takes longer; the disk that is fast again ends a sync under way. */
static void wait_for_disk(void)
{
    enum { SLICE_US = 1000 };
    for (uint64_t waited = 0; waited < control()->sync_us; waited += SLICE_US)
        (void)usleep(SLICE_US);
}

static int sync_file(const char *name, int fd)
{
    int (*function)(int);
    char path[PATH_BYTES];
    find_real(name, &function);
    if (!is_ours(fd, path))
        return function(fd);
    wait_for_disk();
    if (fails(CALL_SYNC))
        return -1;
    int status = function(fd);
    if (status == 0)
        shadow(path);
    return status;
}

int fsync(int fd)
{
    return sync_file("fsync", fd);
}

int fdatasync(int fd)
{
    return sync_file("fdatasync", fd);
}

int ftruncate(int fd, off_t length)
{
    int (*function)(int, off_t);
    char path[PATH_BYTES];
    find_real("ftruncate", &function);
    return is_ours(fd, path) && fails(CALL_TRUNCATE) ? -1 : function(fd, length);
}

int ftruncate64(int fd, off64_t length)
{
    return ftruncate(fd, length);
}

/* ---- the wall clock ---- */

static time_t wrong_by_s(void)
{
    return (time_t)(int64_t)control()->wall_s;
}

int clock_gettime(clockid_t clock, struct timespec *out)
{
    int (*function)(clockid_t, struct timespec *);
    find_real("clock_gettime", &function);
    int status = function(clock, out);
    if (status == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        out->tv_sec += wrong_by_s();
    return status;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    int (*function)(struct timeval *, void *);
    find_real("gettimeofday", &function);
    int status = function(out, zone);
    if (status == 0)
        out->tv_sec += wrong_by_s();
    return status;
}

time_t time(time_t *out)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}
