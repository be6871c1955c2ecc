/* SPDX-License-Identifier: MIT */
#include "base/refbuf.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct refbuf *refbuf_create(struct span s)
{
    return refbuf_create2(s, (struct span){NULL, 0});
}

struct refbuf *refbuf_create2(struct span head, struct span tail)
{
    size_t len = head.len + tail.len;
    assert(len <= UINT32_MAX);
    struct refbuf *r = malloc(sizeof(*r) + len);
    if (!r)
        return NULL;
    r->refs = 1;
    r->len = (uint32_t)len;
    if (head.len)
        memcpy(r->bytes, head.ptr, head.len);
    if (tail.len)
        memcpy(r->bytes + head.len, tail.ptr, tail.len);
    return r;
}

struct refbuf *refbuf_ref(struct refbuf *r)
{
    assert(r->refs > 0 && r->refs < UINT32_MAX);
    r->refs++;
    return r;
}

void refbuf_unref(struct refbuf *r)
{
    if (!r)
        return;
    assert(r->refs > 0);
    if (--r->refs == 0)
        free(r);
}

struct span refbuf_span(const struct refbuf *r)
{
    return (struct span){r->bytes, r->len};
}
