/* SPDX-License-Identifier: MIT */
/*
 * store_memory_tree: the rows of store_memory.c in order: by kind, then session, then place.
 *
 * Nodes belong to whoever links them in. Nothing here allocates, so what was taken out can always
 * be linked back in.
 */
#ifndef STREAMD_STORE_STORE_MEMORY_TREE_H
#define STREAMD_STORE_STORE_MEMORY_TREE_H

#include "streamd/store/store.h"

enum kind { KIND_META, KIND_SESSION, KIND_RUN, KIND_SEGMENT, KIND_AUDIT };

struct key {
    enum kind kind;
    uint64_t session;
    uint64_t first;
    struct span name; /* of a meta value; else empty */
};

struct node {
    struct node *left, *right;
    uint64_t weight; /* random; no child's is greater */
    struct key key;
    size_t bytes; /* of the node with all that it copied */
    union {
        struct span meta;
        struct store_session session;
        struct store_run run;
        struct store_segment segment;
        struct store_audit audit;
    } row; /* its spans borrow from `copied` */
    char copied[];
};

struct tree {
    struct node *root; /* borrows the nodes */
    uint64_t bytes;    /* of all nodes */
};

/* < 0: `a` stands before `b`. */
int tree_key_order(const struct key *a, const struct key *b);

/* No other node has its key. */
void tree_link_in(struct tree *t, struct node *n);
/* It is there. */
void tree_link_out(struct tree *t, struct node *n);

/* NULL when there is none, everywhere. */
struct node *tree_find(const struct tree *t, const struct key *key);
struct node *tree_at_or_after(const struct tree *t, const struct key *key);
struct node *tree_last_before(const struct tree *t, const struct key *key);

/* The first of a kind at or after the place. */
struct node *tree_next_of_kind(const struct tree *t, struct key from);

#endif
