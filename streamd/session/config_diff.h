/* SPDX-License-Identifier: MIT */
/*
 * config_diff: what the configurations of some runs do not have in common, leaf by leaf.
 */
#ifndef STREAMD_SESSION_CONFIG_DIFF_H
#define STREAMD_SESSION_CONFIG_DIFF_H

#include "proto/json_leaves.h"

enum {
    CONFIG_DIFF_SIDES = 8,
    CONFIG_DIFF_MAX = 64,       /* leaves; others are left out */
    CONFIG_DIFF_VALUE_MAX = 96, /* bytes of a value, with its NUL; a longer one is cut */
};

struct session;

struct config_leaf {
    char path[JSON_PATH_MAX + 1];                          /* "optimizer.lr" */
    char values[CONFIG_DIFF_SIDES][CONFIG_DIFF_VALUE_MAX]; /* JSON, cut; "": it has none */
};

struct config_diff {
    struct config_leaf at[CONFIG_DIFF_MAX];
    size_t count;
    size_t sides;
};

/* Of 1 to CONFIG_DIFF_SIDES runs, whose values stand in the same order. Out of memory: none. */
void config_diff_find(const struct session *const *runs, size_t count, struct config_diff *out);

#endif
