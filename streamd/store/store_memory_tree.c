/* SPDX-License-Identifier: MIT */
/*
 * A balanced tree and not sorted arrays, because a thousand sessions append in turn; and a treap,
 * because nodes are linked back in without asking for memory.
 */
#include "streamd/store/store_memory_tree.h"

#include <string.h>

static int number_order(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int name_order(struct span a, struct span b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.ptr, b.ptr, shorter) : 0;
    return order ? order : number_order(a.len, b.len);
}

int tree_key_order(const struct key *a, const struct key *b)
{
    int order = number_order(a->kind, b->kind);
    if (order == 0)
        order = number_order(a->session, b->session);
    if (order == 0)
        order = number_order(a->first, b->first);
    return order ? order : name_order(a->name, b->name);
}

/* All of `a` stand before all of `b`. */
static struct node *merge(struct node *a, struct node *b)
{
    if (!a || !b)
        return a ? a : b;
    if (a->weight >= b->weight) {
        a->right = merge(a->right, b);
        return a;
    }
    b->left = merge(a, b->left);
    return b;
}

/* What stands before `key`, and the rest. */
static void split(struct node *n, const struct key *key, struct node **out_before,
                  struct node **out_rest)
{
    if (!n) {
        *out_before = *out_rest = NULL;
    } else if (tree_key_order(&n->key, key) < 0) {
        split(n->right, key, &n->right, out_rest);
        *out_before = n;
    } else {
        split(n->left, key, out_before, &n->left);
        *out_rest = n;
    }
}

void tree_link_in(struct tree *t, struct node *n)
{
    struct node **at = &t->root;
    while (*at && (*at)->weight >= n->weight)
        at = tree_key_order(&n->key, &(*at)->key) < 0 ? &(*at)->left : &(*at)->right;
    split(*at, &n->key, &n->left, &n->right);
    *at = n;
    t->bytes += n->bytes;
}

void tree_link_out(struct tree *t, struct node *n)
{
    struct node **at = &t->root;
    while (*at != n)
        at = tree_key_order(&n->key, &(*at)->key) < 0 ? &(*at)->left : &(*at)->right;
    *at = merge(n->left, n->right);
    t->bytes -= n->bytes;
}

struct node *tree_at_or_after(const struct tree *t, const struct key *key)
{
    struct node *found = NULL;
    for (struct node *n = t->root; n;) {
        bool before = tree_key_order(&n->key, key) < 0;
        found = before ? found : n;
        n = before ? n->right : n->left;
    }
    return found;
}

struct node *tree_last_before(const struct tree *t, const struct key *key)
{
    struct node *found = NULL;
    for (struct node *n = t->root; n;) {
        bool before = tree_key_order(&n->key, key) < 0;
        found = before ? n : found;
        n = before ? n->right : n->left;
    }
    return found;
}

struct node *tree_find(const struct tree *t, const struct key *key)
{
    struct node *n = tree_at_or_after(t, key);
    return n && tree_key_order(&n->key, key) == 0 ? n : NULL;
}

struct node *tree_next_of_kind(const struct tree *t, struct key from)
{
    struct node *n = tree_at_or_after(t, &from);
    return n && n->key.kind == from.kind ? n : NULL;
}
