/* SPDX-License-Identifier: MIT */
/*
 * proc_tree: what a process and all it has started use of memory and processor, from /proc.
 */
#ifndef CLIENTS_C_PROC_TREE_H
#define CLIENTS_C_PROC_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { PROC_TREE_MAX = 512 }; /* processes; more are not looked at */

struct proc_tree {
    pid_t pids[PROC_TREE_MAX]; /* the root first */
    size_t count;
    uint64_t rss_bytes; /* summed up; what is shared counts for each */
    uint64_t cpu_ticks; /* user and system, of those that live */
};

/* False: there is no such process, or no /proc. */
bool proc_tree_read(pid_t root, struct proc_tree *out);

/* Takes the numbers from the text of /proc/PID/stat; false: it is none. */
bool proc_stat_parse(const char *text, uint64_t *out_ticks, uint64_t *out_pages);

#endif
