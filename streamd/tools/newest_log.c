/* SPDX-License-Identifier: MIT */
/*
 * Names first, then times, and only then a look inside: from the newest to older ones, until one
 * is a log.
 */
#define _XOPEN_SOURCE 700
#include "streamd/tools/newest_log.h"

#include "proto/logs/source.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 6, ENTRIES_MAX = 10000, CANDIDATES_MAX = 256, LOOK_BYTES = 1 << 20 };

struct candidate {
    struct timespec changed;
    char *path; /* owns */
};

struct hunt {
    struct candidate found[CANDIDATES_MAX];
    size_t count;
    size_t entries;
};

static bool is_called_so(const char *name)
{
    static const char *const endings[] = {".log", ".csv", ".jsonl", ".ndjson", ".out", ".txt"};
    size_t len = strlen(name);
    if (strcmp(name, "trainer_state.json") == 0)
        return true;
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        size_t n = strlen(endings[i]);
        if (len > n && strcmp(name + len - n, endings[i]) == 0)
            return true;
    }
    return false;
}

static int newer_first(const void *a, const void *b)
{
    const struct timespec *x = &((const struct candidate *)a)->changed;
    const struct timespec *y = &((const struct candidate *)b)->changed;
    if (x->tv_sec != y->tv_sec)
        return x->tv_sec < y->tv_sec ? 1 : -1;
    return x->tv_nsec == y->tv_nsec ? 0 : x->tv_nsec < y->tv_nsec ? 1 : -1;
}

/* The oldest makes room. */
static void note(struct hunt *h, const char *path, const struct stat *st)
{
    if (h->count == CANDIDATES_MAX) {
        qsort(h->found, h->count, sizeof(h->found[0]), newer_first);
        free(h->found[--h->count].path);
    }
    struct candidate *c = &h->found[h->count];
    c->changed = st->st_mtim;
    c->path = strdup(path);
    h->count += c->path != NULL;
}

static void walk(struct hunt *h, const char *folder, unsigned depth)
{
    char path[NEWEST_LOG_PATH_MAX];
    struct dirent *entry;
    DIR *dir = opendir(folder);
    while (dir && h->entries < ENTRIES_MAX && (entry = readdir(dir)) != NULL) {
        struct stat st;
        int n = snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        h->entries++;
        if (entry->d_name[0] == '.' || n < 0 || (size_t)n >= sizeof(path) || lstat(path, &st) != 0)
            continue;
        if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
            walk(h, path, depth + 1);
        else if (S_ISREG(st.st_mode) && is_called_so(entry->d_name))
            note(h, path, &st);
    }
    if (dir)
        (void)closedir(dir);
}

static bool is_log(const char *path, char *scratch)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd >= 0 ? read(fd, scratch, LOOK_BYTES) : -1;
    if (fd >= 0)
        (void)close(fd);
    return n > 0 && source_find("auto", (struct span){scratch, (size_t)n});
}

bool newest_log_find(const char *folder, char out[NEWEST_LOG_PATH_MAX])
{
    struct hunt *h = calloc(1, sizeof(*h));
    char *scratch = malloc(LOOK_BYTES);
    bool found = false;
    if (h && scratch) {
        walk(h, folder, 0);
        qsort(h->found, h->count, sizeof(h->found[0]), newer_first);
    }
    for (size_t i = 0; h && scratch && i < h->count; i++) {
        if (!found && is_log(h->found[i].path, scratch)) {
            (void)snprintf(out, NEWEST_LOG_PATH_MAX, "%s", h->found[i].path);
            found = true;
        }
        free(h->found[i].path);
    }
    free(scratch);
    free(h);
    return found;
}
