/* SPDX-License-Identifier: MIT */
/*
 * The kernel lists a thread's children in /proc/PID/task/TID/children; going down from the root
 * costs a few reads a process, where a walk over all of /proc costs as much as the machine has
 * processes.
 */
#include "clients/c/proc_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    STAT_BYTES = 1024,
    CHILDREN_BYTES = 8192,
    PATH_BYTES = 96,
    FIELD_UTIME = 14,
    FIELD_RSS = 24
};

/* The beginning of a small file as a text; answers its length, 0: none. */
static size_t read_text(const char *path, char *out, size_t cap)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, out, cap - 1) : -1;
    if (fd >= 0)
        (void)close(fd);
    out[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

/* The name in parentheses may hold anything, so the fields are counted from its end. */
bool proc_stat_parse(const char *text, uint64_t *out_ticks, uint64_t *out_pages)
{
    const char *at = strrchr(text, ')');
    uint64_t ticks = 0;
    for (int field = 2; at && field < FIELD_RSS; field++) {
        at = strchr(at + 1, ' ');
        if (at && (field + 1 == FIELD_UTIME || field + 1 == FIELD_UTIME + 1))
            ticks += strtoull(at, NULL, 10);
    }
    if (!at)
        return false;
    *out_ticks = ticks;
    *out_pages = strtoull(at, NULL, 10);
    return true;
}

static bool add_process(struct proc_tree *t, pid_t pid)
{
    char path[PATH_BYTES];
    char text[STAT_BYTES];
    uint64_t ticks;
    uint64_t pages;
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    if (read_text(path, text, sizeof(text)) == 0 || !proc_stat_parse(text, &ticks, &pages))
        return false;
    t->cpu_ticks += ticks;
    t->rss_bytes += pages * (uint64_t)sysconf(_SC_PAGESIZE);
    return true;
}

static void note_children(struct proc_tree *t, const char *path)
{
    char text[CHILDREN_BYTES];
    char *end;
    if (read_text(path, text, sizeof(text)) == 0)
        return;
    for (char *at = text; t->count < PROC_TREE_MAX; at = end) {
        long pid = strtol(at, &end, 10);
        if (end == at || *end == '\0')
            return; /* the last one is followed by a blank, unless it was cut */
        t->pids[t->count++] = (pid_t)pid;
    }
}

static void note_all_children(struct proc_tree *t, pid_t pid)
{
    char path[PATH_BYTES];
    struct dirent *thread;
    (void)snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    DIR *threads = opendir(path);
    while (threads && (thread = readdir(threads)) != NULL) {
        if (thread->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof(path), "/proc/%d/task/%.20s/children", (int)pid,
                       thread->d_name);
        note_children(t, path);
    }
    if (threads)
        (void)closedir(threads);
}

bool proc_tree_read(pid_t root, struct proc_tree *out)
{
    out->pids[0] = root;
    out->count = 1;
    out->rss_bytes = out->cpu_ticks = 0;
    if (!add_process(out, root))
        return false;
    note_all_children(out, root);
    for (size_t i = 1; i < out->count; i++) {
        if (add_process(out, out->pids[i]))
            note_all_children(out, out->pids[i]);
    }
    return true;
}
