/* SPDX-License-Identifier: MIT */
/*
 * list: intrusive doubly linked list.
 *
 * The link is embedded in the element; a list never allocates and never owns its elements. The
 * declaration of each list head says element and link: `struct list peers; // of peer.link`.
 * A link that is in no list points at itself, so removing twice is harmless.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next;
    struct list *prev;
};

/* The element that embeds `link` as its member `member`. */
#define LIST_ENTRY(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

/* Walks the links of a list that nobody changes meanwhile. */
#define LIST_EACH(at, head)                                                                        \
    for (struct list *at = (head)->next; at != (head); /* NOLINT(bugprone-macro-parentheses) */    \
         at = at->next)

/* As LIST_EACH, but the element at hand may be removed. */
#define LIST_EACH_SAFE(at, head)                                                                   \
    for (struct list *at = (head)->next, *at##_next = at->next;                                    \
         at != (head); /* NOLINT(bugprone-macro-parentheses) */                                    \
         at = at##_next, at##_next = at->next)

static inline void list_init(struct list *l)
{
    l->next = l;
    l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
    return l->next == l;
}

static inline void list_add_tail(struct list *head, struct list *link)
{
    link->prev = head->prev;
    link->next = head;
    head->prev->next = link;
    head->prev = link;
}

static inline void list_remove(struct list *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    list_init(link);
}

/* Moves all of `from` to the empty list `to`. O(1). */
static inline void list_move(struct list *to, struct list *from)
{
    list_init(to);
    if (list_empty(from))
        return;
    *to = *from;
    to->next->prev = to;
    to->prev->next = to;
    list_init(from);
}

/* The first link, or NULL when the list is empty. */
static inline struct list *list_first(const struct list *head)
{
    /* The analyzer loses track of who is in an intrusive list. */
    return list_empty(head) ? NULL : head->next; /* NOLINT(clang-analyzer-unix.Malloc) */
}

#endif
