/* SPDX-License-Identifier: MIT */
/*
 * Changes and readings go straight to the inner store; only where a transaction begins and ends is
 * another matter. A part that is rolled back has taken back nothing, so the whole can no longer be
 * kept.
 */
#include "streamd/store/store_whole.h"

#include <stdlib.h>

struct store_whole {
    struct store base;
    struct store *inner; /* owns */
    bool open;           /* the one transaction is */
    enum status failed;  /* OK, or why nothing more is kept */
};

static struct store_whole *whole_of(struct store *s)
{
    return (struct store_whole *)(void *)s;
}

static const struct store_whole *const_whole_of(const struct store *s)
{
    return (const struct store_whole *)(const void *)s;
}

static enum status whole_begin(struct store *base)
{
    struct store_whole *w = whole_of(base);
    if (w->failed != OK || w->open)
        return w->failed;
    return w->inner->ops->begin(w->inner);
}

static enum status whole_commit(struct store *base)
{
    struct store_whole *w = whole_of(base);
    if (w->failed != OK || w->open)
        return w->failed;
    return w->inner->ops->commit(w->inner);
}

static void whole_rollback(struct store *base)
{
    struct store_whole *w = whole_of(base);
    if (w->open && w->failed == OK)
        w->failed = E_IO;
    else if (!w->open)
        w->inner->ops->rollback(w->inner);
}

static enum status put_session(struct store *base, const struct store_session *row)
{
    struct store *inner = whole_of(base)->inner;
    return inner->ops->put_session(inner, row);
}

static enum status delete_session(struct store *base, uint64_t key)
{
    struct store *inner = whole_of(base)->inner;
    return inner->ops->delete_session(inner, key);
}

static enum status put_run(struct store *base, const struct store_run *row)
{
    struct store *inner = whole_of(base)->inner;
    return inner->ops->put_run(inner, row);
}

static enum status put_segment(struct store *base, const struct store_segment *row)
{
    struct store *inner = whole_of(base)->inner;
    return inner->ops->put_segment(inner, row);
}

static enum status delete_before(struct store *base, uint64_t session, uint64_t offset)
{
    struct store *inner = whole_of(base)->inner;
    return inner->ops->delete_before(inner, session, offset);
}

static enum status put_audit(struct store *base, const struct store_audit *row)
{
    struct store *inner = whole_of(base)->inner;
    return inner->ops->put_audit(inner, row);
}

static enum status delete_audit(struct store *base, uint64_t id)
{
    struct store *inner = whole_of(base)->inner;
    return inner->ops->delete_audit(inner, id);
}

static enum status put_meta(struct store *base, const char *name, struct span value)
{
    struct store *inner = whole_of(base)->inner;
    return inner->ops->put_meta(inner, name, value);
}

static enum status get_meta(struct store *base, const char *name, struct buf *out)
{
    struct store *inner = whole_of(base)->inner;
    return inner->ops->get_meta(inner, name, out);
}

static enum status next_session(struct store *base, uint64_t after, struct store_session *out)
{
    struct store *inner = whole_of(base)->inner;
    return inner->ops->next_session(inner, after, out);
}

static enum status next_run(struct store *base, uint64_t session, uint64_t offset,
                            struct store_run *out)
{
    struct store *inner = whole_of(base)->inner;
    return inner->ops->next_run(inner, session, offset, out);
}

static enum status next_segment(struct store *base, uint64_t session, uint64_t offset,
                                bool with_body, struct store_segment *out)
{
    struct store *inner = whole_of(base)->inner;
    return inner->ops->next_segment(inner, session, offset, with_body, out);
}

static enum status next_audit(struct store *base, uint64_t after, struct store_audit *out)
{
    struct store *inner = whole_of(base)->inner;
    return inner->ops->next_audit(inner, after, out);
}

/* What is free within a transaction may be filled again in it. */
static enum status shrink(struct store *base)
{
    const struct store_whole *w = const_whole_of(base);
    return w->open || w->failed != OK ? E_NOT_FOUND : w->inner->ops->shrink(w->inner);
}

static uint64_t bytes(struct store *base)
{
    struct store *inner = whole_of(base)->inner;
    return inner->ops->bytes(inner);
}

static const char *why(const struct store *base)
{
    const struct store *inner = const_whole_of(base)->inner;
    return inner->ops->why(inner);
}

static void destroy(struct store *base)
{
    struct store_whole *w = whole_of(base);
    w->inner->ops->destroy(w->inner); /* which rolls back what is open */
    free(w);
}

static const struct store_ops ops = {
    .begin = whole_begin,
    .commit = whole_commit,
    .rollback = whole_rollback,
    .put_session = put_session,
    .delete_session = delete_session,
    .put_run = put_run,
    .put_segment = put_segment,
    .delete_before = delete_before,
    .put_audit = put_audit,
    .delete_audit = delete_audit,
    .put_meta = put_meta,
    .get_meta = get_meta,
    .next_session = next_session,
    .next_run = next_run,
    .next_segment = next_segment,
    .next_audit = next_audit,
    .shrink = shrink,
    .bytes = bytes,
    .why = why,
    .destroy = destroy,
};

struct store *store_whole_create(struct store *inner)
{
    struct store_whole *w = malloc(sizeof(*w));
    if (!w) {
        inner->ops->destroy(inner);
        return NULL;
    }
    *w = (struct store_whole){.base = {&ops}, .inner = inner};
    return &w->base;
}

enum status store_whole_begin(struct store *s)
{
    enum status status = whole_begin(s);
    whole_of(s)->open = status == OK;
    return status;
}

enum status store_whole_commit(struct store *s)
{
    struct store_whole *w = whole_of(s);
    enum status status = w->failed;
    if (status == OK)
        status = w->inner->ops->commit(w->inner);
    if (status != OK)
        w->inner->ops->rollback(w->inner);
    w->open = false;
    w->failed = status;
    return status;
}
