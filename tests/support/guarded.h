/* SPDX-License-Identifier: MIT */
/*
 * guarded: a copy of some bytes that ends where readable memory ends.
 *
 * Reading one byte past the input is a fault here and nowhere else, with or without a sanitizer.
 * The tests own what guarded_copy gives and hand it back with guarded_free.
 */
#ifndef TESTS_SUPPORT_GUARDED_H
#define TESTS_SUPPORT_GUARDED_H

#include "base/span.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct guarded {
    struct span span; /* borrows from the mapping */
    void *mapping;
    size_t mapped;
};

static inline struct guarded guarded_copy(const void *bytes, size_t len)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t readable = (len + page) / page * page;
    struct guarded g = {.mapped = readable + page};
    g.mapping = mmap(NULL, g.mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (g.mapping == MAP_FAILED)
        _exit(99);
    char *start = (char *)g.mapping + readable - len;
    if (len > 0)
        memcpy(start, bytes, len);
    if (mprotect((char *)g.mapping + readable, page, PROT_NONE) != 0)
        _exit(99);
    g.span = (struct span){start, len};
    return g;
}

static inline struct guarded guarded_text(const char *text)
{
    return guarded_copy(text, strlen(text));
}

static inline void guarded_free(struct guarded *g)
{
    (void)munmap(g->mapping, g->mapped);
    *g = (struct guarded){.mapping = NULL};
}

#endif
